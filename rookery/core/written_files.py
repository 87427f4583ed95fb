"""Remember by digests the files that rookery wrote for the user, so that edited ones are recognised."""

import hashlib
from contextlib import suppress
from pathlib import Path

from rookery.core import atomic_files, paths, state_files
from rookery.remote import strict_json


def remember(kind: str, path: Path) -> None:
    """Note that rookery wrote a file. Where the note can't be written, the file counts as the user's.

    Args:
        kind: What wrote it: a folder of the state folder.
        path: The file.
    """
    with suppress(OSError):
        atomic_files.write(_note(kind, path), _digest(path))


def is_known(kind: str, path: Path) -> bool:
    """Return whether rookery has ever written a file of that path."""
    return _note(kind, path).is_file()


def is_unchanged(kind: str, path: Path) -> bool:
    """Return whether a file is there as rookery wrote it last."""
    try:
        return strict_json.read_bytes(_note(kind, path), 1000) == _digest(path).encode()
    except (OSError, ValueError):
        return False


def _note(kind: str, path: Path) -> Path:
    return state_files.place(kind, paths.digest(path.resolve(), 32))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
