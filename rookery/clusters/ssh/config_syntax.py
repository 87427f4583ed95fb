"""The syntax of values in an ssh_config: which names are valid, and how values are quoted (ssh_config(5))."""

import re
from pathlib import Path

from rookery.core.errors import RookeryError

PATHS = ("IdentityFile", "CertificateFile", "IdentityAgent", "PKCS11Provider", "SecurityKeyProvider")
"""Options that ssh reads as paths, which may hold blanks."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]*")
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
JUMP = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9_.:@+,/\[\]-]*")


def is_name(text: str) -> bool:
    """Return whether a text can be a name behind Host."""
    return bool(NAME.fullmatch(text))


def is_username(text: str) -> bool:
    """Return whether a text can be a name behind User."""
    return bool(USER.fullmatch(text))


def quoted(path: Path | str, *, expanded: bool = True) -> str:
    """Return a path as one argument in an ssh_config.

    Args:
        path: The path, taken as it is.
        expanded: ssh expands % and ${…} in this option's value (ControlPath, IdentityFile, UserKnownHostsFile), so they
            are escaped.

    Raises:
        RookeryError: It holds what ssh_config has no way to write: a line break, or ${ where ssh expands variables.
    """
    text = str(path)
    if re.search(r"[\x00-\x1f\x7f]", text) or (expanded and "${" in text):
        raise RookeryError(f"Can't give ssh the path {text!r}.", hint="rename the folder, or choose another path")
    if expanded:
        text = text.replace("%", "%%")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def include(path: Path) -> str:
    """Return the line that includes a file; Include takes a pattern, so what is special in one is escaped."""
    pattern = re.sub(r"([*?\[\\])", r"\\\1", str(path))
    return f"Include {quoted(pattern, expanded=False)}"


def option_line(key: str, value: str) -> str:
    """Return an option as a line of an ssh_config: quoted where ssh reads it as a path, which may hold blanks."""
    return f"{key} {quoted(value, expanded=False) if key in PATHS else value}"
