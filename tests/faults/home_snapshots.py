"""What a home holds, down to nanoseconds and extended attributes, and how two such looks differ."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Seen(NamedTuple):
    """One file, folder or link.

    Attributes:
        kind: As `ls -l` shows it, with the permission bits.
        owner: Numbers of user and group.
        mtime: In nanoseconds.
        content: A file's digest, or where a link leads.
        attributes: Extended attributes, access control lists among them.
        names: The other names of the same file.
    """

    kind: str
    owner: tuple[int, int]
    mtime: int
    content: str
    attributes: tuple[tuple[str, bytes], ...]
    names: frozenset[str]


Snapshot = dict[str, Seen]


def look(top: Path) -> Snapshot:
    """All that is in a folder, by path."""
    statuses = {str(path.relative_to(top)): path.lstat() for path in walk(top)}
    names: dict[tuple[int, int], set[str]] = {}
    for name, status in statuses.items():
        names.setdefault((status.st_dev, status.st_ino), set()).add(name)
    return {
        name: Seen(
            stat.filemode(status.st_mode),
            (status.st_uid, status.st_gid),
            status.st_mtime_ns,
            _content(top / name, status),
            _attributes(top / name),
            frozenset(names[status.st_dev, status.st_ino] - {name}),
        )
        for name, status in statuses.items()
    }


def walk(top: Path) -> Iterator[Path]:
    """All that is in a folder; links are not followed."""
    for folder, folders, files in os.walk(top):
        yield from (Path(folder, name) for name in folders + files)


def contents(top: Path) -> set[str]:
    """The digests of all files in a folder, whatever they are called; those of empty ones say nothing."""
    digests = {_content(path, path.lstat()) for path in walk(top) if stat.S_ISREG(path.lstat().st_mode)}
    return digests - {hashlib.sha256().hexdigest(), ""}


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What differs, a line each."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            lines.append(f"{name!r} {'has come' if old is None else 'is gone'}: {old or new}")
        elif old != new:
            fields = [field for field in Seen._fields if getattr(old, field) != getattr(new, field)]
            lines += [f"{name!r} {field}: {getattr(old, field)!r} -> {getattr(new, field)!r}" for field in fields]
    return lines


def _content(path: Path, status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return str(path.readlink())
    if not stat.S_ISREG(status.st_mode):
        return ""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except PermissionError:
        return ""


def _attributes(path: Path) -> tuple[tuple[str, bytes], ...]:
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return tuple(sorted((name, os.getxattr(path, name, follow_symlinks=False)) for name in names))
    except OSError:
        return ()
