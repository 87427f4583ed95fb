"""rookery's own templates: the folders below templates/, as jinja2 reads them."""

from functools import cache
from typing import TYPE_CHECKING

from rookery.core import paths

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(folder: str, *, is_html: bool = False) -> "Environment":
    """Return the environment for a folder of templates; a name that is not given is an error.

    Args:
        folder: The folder's name.
        is_html: Whether values are escaped for HTML; otherwise a template escapes them itself, for its own language.
    """
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.root() / "templates" / folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=is_html,  # noqa: S701 others are Markdown and settings
    )
