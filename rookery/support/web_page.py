"""Write a page that needs nothing else: no script, no font and no picture from anywhere.

Every text is escaped, and a policy in the page itself (CSP) forbids scripts and everything from elsewhere: the text of
a stranger's report stays text.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from rookery.core import atomic_files, paths, shipped_templates
from rookery.core.errors import RookeryError


def mark(command: str) -> str:
    """Return a line near the top of each page of a command; a file without it is the user's own."""
    return f'<meta name="generator" content="rookery {command}">'


def refuse(path: Path, command: str) -> None:
    """Refuse a path where something else than an earlier page of the command is.

    Args:
        path: The file.
        command: The command.

    Raises:
        RookeryError: Something else is.
    """
    hint = "run the command again with another file for --html"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise RookeryError(f"Can't write the page to {path}: it is not a file.", hint=hint)
    if path.exists():
        with path.open("rb") as stream:
            if mark(command).encode() not in stream.read(2_000):
                raise RookeryError(
                    f"{path} exists already and is not a page of rookery, so it was not overwritten.", hint=hint
                )


def write(path: Path, text: str, command: str) -> None:
    """Put a page in place; an earlier one is replaced.

    Raises:
        RookeryError: Something else is there.
    """
    refuse(path, command)
    atomic_files.write(path, text)


def rendered(command: str, **values: Any) -> str:
    """Return the page that a command's template makes: templates/COMMAND/page.html.j2 with its page.css.

    The style that all pages share is in front of its own: templates/page/page.css.

    Args:
        command: The command.
        values: What the template needs besides.
    """
    folder = paths.root() / "templates"
    style = "".join((folder / name / "page.css").read_text(encoding="utf-8") for name in ("page", command))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    template = shipped_templates.environment(command, is_html=True).get_template("page.html.j2")
    return template.render(mark=mark(command), style=style, policy=policy, **values)
