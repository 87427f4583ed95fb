"""Work out digests of input data on this computer, and keep them: what has not changed is not read again."""

import hashlib
import os
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rookery.core import paths, state_files
from rookery.core.errors import RookeryError
from rookery.core.shapes import MismatchError
from rookery.projects.data.scan import DataEntry, LocalData
from rookery.remote.data import manifest
from rookery.remote.data.manifest import PIECE, ManifestLine

_YOUNG = 2 * 10**9
"""Nanoseconds after a change within which the next one may have the same time, as some file systems keep times."""

_LONG = 1 << 26
"""Bytes of a file whose digest is saved at once, as it takes long to work out."""

_LARGEST = 1 << 28


class DigestCache:
    """The digests of a data set's files, each by its size, time and inode."""

    def __init__(self, local: LocalData) -> None:
        """Read what is known."""
        key = paths.digest(local.place, 32)
        self._file = paths.cache_dir() / "data" / f"{key}.json"
        advice = f"rm {shlex.quote(str(self._file))}   # the data is read again"
        self._known: dict[str, list[Any]] = state_files.load(self._file, _shape, advice=advice, most=_LARGEST) or {}
        self._saved, self._is_new = time.monotonic(), False

    def get(self, entry: DataEntry) -> str:
        """Return the digest of a file as it is now; "" where it is not known."""
        *facts, digest = self._known.get(entry.path, [0, 0, 0, ""])
        return str(digest) if facts == [entry.size, entry.mtime, entry.inode] else ""

    def put(self, entry: DataEntry, digest: str) -> None:
        """Note the digest of a file, where a later change will show; all are saved every few seconds."""
        if time.time_ns() - entry.mtime < _YOUNG:
            return
        self._known[entry.path] = [entry.size, entry.mtime, entry.inode, digest]
        self._is_new = True
        if entry.size > _LONG or time.monotonic() - self._saved > 3:
            self.save()

    def save(self) -> None:
        """Write down what is new; a cache that can't be written costs time alone."""
        if self._is_new:
            try:
                state_files.save(self._file, self._known)
            except OSError:
                return
            self._saved, self._is_new = time.monotonic(), False


class ChangingError(RookeryError):
    """The error for a file that changes while it is read."""


def pieces(local: LocalData, entry: DataEntry) -> Iterator[bytes]:
    """Yield the content of a file.

    Raises:
        ChangingError: It is not the one that was listed, or has changed meanwhile.
        OSError: It can't be read.
    """
    with Path(local.file(entry)).open("rb", buffering=0) as stream:
        _require_same(local, entry, stream.fileno())
        left = entry.size  # and no more: a file may grow faster than it is read
        while piece := stream.read(min(left, PIECE)):
            left -= len(piece)
            yield piece
        _require_same(local, entry, stream.fileno())


def _require_same(local: LocalData, entry: DataEntry, handle: int) -> None:
    status = os.fstat(handle)
    if (status.st_size, status.st_mtime_ns, status.st_ino) != (entry.size, entry.mtime, entry.inode):
        raise ChangingError(
            f"{Path(local.path, entry.path)} changed while it was read.",
            hint="wait until whatever writes it has finished, then run the same command again",
        )


def read(local: LocalData, entry: DataEntry, cache: DigestCache, on_bytes: Callable[[int], object] = int) -> str:
    """Return the digest of a file: as it is known, or by reading it.

    Args:
        local: The data set.
        entry: The file.
        cache: Where it may be known, and is noted.
        on_bytes: Called with the size of each piece that was read.
    """
    if known := cache.get(entry):
        return known
    digest = hashlib.sha256()
    for piece in pieces(local, entry):
        digest.update(piece)
        on_bytes(len(piece))
    cache.put(entry, digest.hexdigest())
    return digest.hexdigest()


def of_all(local: LocalData, digests: dict[str, str]) -> str:
    """Return the digest of a data set.

    Args:
        local: The data set.
        digests: That of each of its files.
    """
    lines = []
    for entry in local.entries:
        own = manifest.of_link(entry.goal) if entry.kind == manifest.LINK else digests.get(entry.path, "")
        lines.append(ManifestLine(entry.path or local.place.name, entry.kind, own))
    return manifest.digest(lines, local.is_file)


def at_hand(local: LocalData, most: int = 100 << 20) -> str:
    """Return the digest of a data set if little has to be read for it; "" otherwise.

    Args:
        local: The data set.
        most: Bytes that may be read.
    """
    cache = DigestCache(local)
    if sum(entry.size for entry in local.files if not cache.get(entry)) > most:
        return ""
    try:
        digests = {entry.path: read(local, entry, cache) for entry in local.files}
    except (OSError, ChangingError):
        return ""
    cache.save()
    return of_all(local, digests)


def _shape(value: Any) -> dict[str, list[Any]]:
    """Accept the file; by hand, since there may be 100,000 files in it."""
    if not isinstance(value, dict):
        raise MismatchError("is not an object")
    for entry in value.values():
        if type(entry) is not list or [type(part) for part in entry] != [int, int, int, str]:
            raise MismatchError("has an entry that is not of size, time, inode and digest")
    return value
