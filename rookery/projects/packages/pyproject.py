"""Read a pyproject.toml of a commit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rookery.core.errors import RookeryError
from rookery.projects.commit import contents
from rookery.projects.source_tree import LINK

if TYPE_CHECKING:
    from rookery.projects.commit import Commit
    from rookery.projects.tree_checks import Tree

NAME = "pyproject.toml"

_OF_POETRY = ("poetry.core.", "poetry.masonry.")
"""The beginnings of Poetry's build backends, which a project of Poetry has with or without [tool.poetry]."""


class Unsupported(ValueError):  # noqa: N818 said of a project, not of something that broke
    """The reason why a project's own code can't be installed into a release."""


def read(commit: "Commit", tree: "Tree", path: str = NAME) -> dict[str, Any]:
    """Return a TOML file of a commit; nothing where there is none.

    Raises:
        RookeryError: It is not TOML.
    """
    if path not in tree.files or tree.files[path].mode == LINK:
        return {}
    return parsed(path, contents(commit, [tree.files[path].id])[0].decode(errors="replace"))


def parsed(name: str, text: str) -> dict[str, Any]:
    """Return the parsed text of a TOML file.

    Raises:
        RookeryError: It is not TOML.
    """
    import tomllib  # noqa: PLC0415 start-up

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RookeryError(f"{name} is not TOML: {error}.", hint=f"edit {name}, then commit") from None


def table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table of a parsed file; an empty one where there is none."""
    inner: Any = document
    for key in keys:
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner if isinstance(inner, dict) else {}


def lock_command(document: Mapping[str, Any], *, groups: bool = False) -> str:
    """Return the command that locks the packages that a pyproject.toml lists; "" where it lists none.

    Args:
        document: The file.
        groups: Whether packages count that only a group lists, such as those for development.
    """
    poetry = table(document, "tool", "poetry")
    needed = {
        name: value
        for name, value in table(poetry, "dependencies").items()
        if name != "python" and not (isinstance(value, dict) and value.get("optional"))
    }
    grouped = document.get("dependency-groups") or table(poetry, "group") or table(poetry, "dev-dependencies")
    if not needed and not table(document, "project").get("dependencies") and not (groups and grouped):
        return ""
    return f"{manager(document)} lock"


def beginning(project: str) -> str:
    """Return the command that gives a pyproject.toml the table that `uv add` writes to; it makes the file if needed.

    Args:
        project: The project's name.
    """
    return rf"""printf '\n[project]\nname = "{project}"\nversion = "0.1.0"\n' >>{NAME}"""


def manager(document: Mapping[str, Any]) -> str:
    """Return the program that manages a pyproject.toml: `poetry` or `uv`."""
    backend = str(table(document, "build-system").get("build-backend", ""))
    return "poetry" if table(document, "tool", "poetry") or backend.startswith(_OF_POETRY) else "uv"
