"""Read the stream of files that a cluster sends: GNU tar's format in gzip, parsed by hand, nothing in it trusted.

With many small files, tarfile takes longer than all the rest. Only files that were asked for come out, each once;
anything else in the stream is skipped, and a stream past its limit is stopped.
"""

import gzip
import io
import os
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple, Protocol

from rookery.clusters.ssh.remote_command import INPUT_LOST

LONGEST_NAME = 1 << 16
"""Bytes of a member's name; Linux takes 4,096 for a whole path."""

LONGEST_NOISE = 1 << 26
"""Bytes that start-up files may print before the stream begins."""

_BLOCK = 512
_PIECE = 1 << 20


class File(NamedTuple):
    """A file on the cluster; a tuple, since a listing may have 100,000 of them.

    Attributes:
        path: Where it belongs in the project's folder; bytes that are not UTF-8 are kept as surrogates.
        there: What it is called in the project's folder on the cluster.
        size: Bytes.
        mtime: Nanoseconds since 1970.
    """

    path: str
    there: str
    size: int
    mtime: int


class LargerError(ValueError):
    """The error for a stream that has more bytes than it may have."""


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Bounded:
    """A stream of which only so many bytes are read."""

    def __init__(self, stream: _Readable, most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise LargerError
        return data

    def exactly(self, size: int) -> bytes:
        data = self.read(size)
        if len(data) < size:
            raise EOFError("the data ended early")
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield a member's content; what fills up its last block is read with it."""
        if size > self._left:
            raise LargerError
        while size > _PIECE:
            yield self.exactly(_PIECE)
            size -= _PIECE
        if size:
            yield self.exactly(size + -size % _BLOCK)[:size]


def members(
    stream: IO[bytes], mark: str, wanted: Mapping[str, File], most: int
) -> Iterator[tuple[File, Iterator[bytes]]]:
    """Yield the files of the stream, after any output of start-up files.

    Args:
        stream: What the cluster sends.
        mark: The line after which the archives begin.
        wanted: The files, by the name that they have there.
        most: Bytes that all of it may have, both packed and unpacked.

    Raises:
        EOFError: It ended too early.
        LargerError: It has more bytes than it may have.
        ValueError: It is not such a stream; so do zlib.error and gzip.BadGzipFile.
    """
    _skip_noise(stream, mark)
    packed = gzip.GzipFile(fileobj=_Bounded(stream, most), mode="rb")  # type: ignore[call-overload]
    plain = _Bounded(io.BufferedReader(packed, _PIECE), most)
    awaited, long_name = dict(wanted), b""
    while header := plain.read(_BLOCK):
        if not header.strip(b"\0"):  # the end of an archive; another may follow
            continue
        if len(header) < _BLOCK:
            raise EOFError("the data ended early")
        kind, size = header[156:157], _number(header[124:136])
        content = plain.pieces(size)
        if kind == b"L":  # the name of the next member, too long for its header
            if size > LONGEST_NAME:
                raise ValueError(f"a file name of {size} bytes")
            long_name = b"".join(content).rstrip(b"\0")
        else:
            name = os.fsdecode(long_name or header[:100].partition(b"\0")[0])
            long_name = b""
            if kind in {b"0", b"\0"} and (file := awaited.pop(name, None)):
                yield file, content
        for _ in content:  # what nobody has read of it
            pass


def _skip_noise(stream: IO[bytes], mark: str) -> None:
    end, before, left = f"{mark}\n".encode(), b"", LONGEST_NOISE
    while line := stream.readline(_PIECE):
        if (before + line).endswith(end):
            return
        if INPUT_LOST.encode() in line:
            raise EOFError(INPUT_LOST)
        before, left = line[-len(end) :], left - len(line)
        if left < 0:
            raise LargerError
    raise EOFError("no data received")


def _number(field: bytes) -> int:
    """Return a number of a tar header: octal digits, or, where they are too few, binary with the first bit set."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    number = int(field.strip(b" \0") or b"0", 8)
    if number < 0:
        raise ValueError("a file's size is negative")
    return number
