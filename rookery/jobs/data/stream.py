"""The stream in which a data set goes to a cluster (rookery/remote/data/receive.py reads it)."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from rookery.projects.data import digests
from rookery.projects.data.digests import ChangingError, DigestCache
from rookery.projects.data.scan import DataEntry, LocalData
from rookery.remote.data import manifest

_SMALL = 1 << 16
"""Bytes up to which pieces are put together: each write wakes up ssh."""


@dataclass
class DataStream:
    """A data set on its way.

    Attributes:
        local: The data set.
        cache: Where digests that are worked out on the way are noted.
        digests: That of each file which is known.
        changing: The error for a file that changed while it was sent; None where none did.
    """

    local: LocalData
    cache: DigestCache
    digests: dict[str, str] = field(default_factory=dict)
    changing: ChangingError | None = None

    def pieces(
        self, have: Collection[str], offsets: Mapping[str, int], on_bytes: Callable[[int], object]
    ) -> Iterator[bytes]:
        """Yield the stream.

        Args:
            have: Paths of files that are there already; their digests are known.
            offsets: Bytes that are there of other files.
            on_bytes: Called with the size of each piece that is sent.
        """
        gathered = bytearray()
        for piece in self._parts(have, offsets, on_bytes):
            if len(piece) < _SMALL and len(gathered) < _SMALL:
                gathered += piece
                continue
            if gathered:
                yield bytes(gathered)
                gathered.clear()
            yield piece
        yield bytes(gathered)

    def _parts(
        self, have: Collection[str], offsets: Mapping[str, int], on_bytes: Callable[[int], object]
    ) -> Iterator[bytes]:
        for entry in self.local.entries:
            facts = {"path": entry.path, "mtime": entry.mtime, "executable": entry.executable}
            if entry.kind == manifest.FOLDER:
                yield _line(op="folder", path=entry.path)
            elif entry.kind == manifest.LINK:
                yield _line(op="link", path=entry.path, goal=entry.goal)
            elif entry.path in have:
                yield _line(op="have", digest=self.digests[entry.path], **facts)
            else:
                offset = offsets.get(entry.path, 0)
                yield _line(op="file", offset=offset, **facts)
                yield from self._file(entry, offset, on_bytes)
        whole = "" if self.changing else digests.of_all(self.local, self.digests)
        yield _line(op="end", digest=whole, source="")

    def _file(self, entry: DataEntry, offset: int, on_bytes: Callable[[int], object]) -> Iterator[bytes]:
        """Yield a file from an offset on; its digest is worked out on the way."""
        digest, left = hashlib.sha256(), offset
        try:
            for piece in digests.pieces(self.local, entry):
                digest.update(piece)
                on_bytes(len(piece))
                if left >= len(piece):
                    left -= len(piece)
                    continue
                rest, left = piece[left:] if left else piece, 0
                yield len(rest).to_bytes(4, "big")
                yield rest
        except ChangingError as error:
            self.changing = error
            yield b"\0\0\0\0" + _line(void=True)
            return
        self.digests[entry.path] = digest.hexdigest()
        self.cache.put(entry, digest.hexdigest())
        yield b"\0\0\0\0" + _line(digest=digest.hexdigest())


def _line(**values: object) -> bytes:
    return json.dumps(values).encode() + b"\n"
