"""Write the readiness table as one page that needs nothing else: no script, no picture, no font from anywhere.

Every text is escaped, and a policy in the page itself (CSP) forbids scripts and everything from elsewhere: the text of
a stranger's report stays text.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rookery.core import atomic_files, paths
from rookery.core.errors import RookeryError
from rookery.support.cohort import pages, readiness, table
from rookery.support.cohort.readiness import Picture

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

MARK: Final = '<meta name="generator" content="rookery cohort">'
"""A line near the top of each page; a file without it is the user's own, and is not overwritten."""


def refuse(path: Path) -> None:
    """Refuse a path where something else than an earlier page is.

    Raises:
        RookeryError: Something else does.
    """
    hint = "run the command again with another file for --html"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise RookeryError(f"Can't write the page to {path}: it is not a file.", hint=hint)
    if path.exists():
        with path.open("rb") as stream:
            if MARK.encode() not in stream.read(2_000):
                raise RookeryError(
                    f"{path} exists already and is not a page of rookery, so it was not overwritten.", hint=hint
                )


def write(path: Path, text: str) -> None:
    """Put the page in place; an earlier one is replaced.

    Raises:
        RookeryError: Something else is there.
    """
    refuse(path)
    atomic_files.write(path, text)


def page(title: str, picture: Picture, clusters: Mapping[str, "Cluster"], now: datetime) -> str:
    """Return the page.

    Args:
        title: What the cohort is called.
        picture: What it shows.
        clusters: The profiles of all clusters in it.
        now: When it is made.
    """
    import jinja2

    folder = paths.root() / "templates" / "cohort"
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    style = (folder / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return jinja.get_template("page.html.j2").render(
        title=title,
        mark=MARK,
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        rows=picture.rows,
        columns=table.columns(picture.rows),
        clusters=clusters,
        states=readiness.STATES,
        counts=readiness.counts(picture.rows),
        size=table.size(picture.rows),
        fresh=readiness.FRESH.days,
        now=now,
        unread=picture.unread,
        nobodys=picture.nobodys,
        onboard=pages.onboard,
        doctor=pages.doctor,
        mail=pages.mail,
        short=pages.short,
    )
