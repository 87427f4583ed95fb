"""The note of what `fetch` has written into a project's folder, in the state folder.

By it a file that the user has changed, or made, is recognised.
"""

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from rookery.core import paths, state_files
from rookery.core.shapes import MismatchError

TICK = 1_000_000
"""Nanoseconds by which two times may differ and still be one: not every file system keeps them to the last digit."""

_LARGEST = 1 << 28

Note = list[int | str]
"""What is noted of a file: the cluster, its time as it was listed there, and the size that came; it may grow."""


def note(root: Path) -> Path:
    """Return the note of what fetch has written into a project's folder."""
    return state_files.place("fetched", f"{root.name[:40]}-{paths.digest(root)}.json")


def coming(root: Path) -> Path:
    """Return the note of what fetch is about to write; there only while it does, or after it was killed."""
    return note(root).with_suffix(".coming")


def _load(file: Path) -> dict[str, Note]:
    advice = f"rm {shlex.quote(str(file))}   # files fetched before then count as yours, and are kept"
    return state_files.load(file, _notes, advice=advice, most=_LARGEST) or {}


def known(root: Path) -> dict[str, Note]:
    """Return what is noted of a project's files.

    A folder without a note may have been moved, or be a copy. Then another folder's note has the same paths, sizes and
    times to the nanosecond.
    """
    own = note(root)
    if own.exists() or coming(root).exists() or not own.parent.is_dir():
        return {**_load(own), **_arrived(root)}
    for other in sorted(own.parent.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        if here := unchanged(root, _load(other)):
            return here
    return {}


def _arrived(root: Path) -> dict[str, Note]:
    """Return what a fetch that was killed had in place: by its time, and its size, since logs grow as they are sent."""
    arrived: dict[str, Note] = {}
    for path, (cluster, mtime, size) in _load(coming(root)).items():
        with suppress(OSError, ValueError):
            status = os.lstat(f"{os.fspath(root)}/{path}")
            if stat.S_ISREG(status.st_mode) and status.st_mtime_ns == mtime and status.st_size >= int(size):
                arrived[path] = [cluster, mtime, status.st_size]
    return arrived


def unchanged(root: Path, entries: dict[str, Note]) -> dict[str, Note]:
    """Return those of some noted files that are below a folder, as they are noted."""
    return {path: entry for path, entry in entries.items() if is_here(root, path, entry)}


def is_here(root: Path, path: str, entry: Note) -> bool:
    """Return whether a file that is noted is below a folder, unchanged."""
    try:
        status = os.lstat(f"{os.fspath(root)}/{path}")
    except (OSError, ValueError):
        return False
    _, mtime, size = entry
    return stat.S_ISREG(status.st_mode) and alike(status.st_size, status.st_mtime_ns, int(size), int(mtime))


def origins(root: Path) -> dict[str, str]:
    """Return the cluster that each fetched file of a project came from, as Cluster.label names it, by its path."""
    return {path: str(entry[0]) for path, entry in known(root).items()}


def _notes(value: Any) -> dict[str, Note]:
    """Return the shape of the note; by hand, since there may be 100,000 files in it."""
    if not isinstance(value, dict):
        raise MismatchError("is not an object")
    for entry in value.values():
        if type(entry) is not list or len(entry) != 3 or [type(part) for part in entry] != [str, int, int]:
            raise MismatchError("has an entry that is not of cluster, time and size")
    return value


def alike(size: int, mtime: int, other_size: int, other_mtime: int) -> bool:
    """Return whether two files' sizes and times are the same."""
    return size == other_size and abs(mtime - other_mtime) < TICK
