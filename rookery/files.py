"""A file of the person's, on this side, written whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, check: Callable[[Path], None] = lambda _: None) -> Iterator[TextIO]:
    """A new file to write to, in UTF-8, that takes the other's place in one step where the block ends well.

    Bytes that are no UTF-8, which Python keeps as surrogates, come out as they were.

    Args:
        path: The file; a folder that is missing is made, for the person alone.
        mode: Its permission bits.
        check: Given the new file before it takes its place; where it raises, the old one stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(temporary)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        check(fresh)
        fresh.chmod(mode)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def write(path: Path, text: str | bytes, *, mode: int = 0o600, check: Callable[[Path], None] = lambda _: None) -> None:
    """Put a file in place in one step: who reads it sees the old content or the new, also after a power cut.

    Args:
        path: The file; a folder that is missing is made, for the person alone.
        text: What it will hold; a text is written in UTF-8.
        mode: Its permission bits.
        check: Given the new file before it takes its place; where it raises, the old one stays.
    """
    with replacing(path, mode=mode, check=check) as stream:
        stream.buffer.write(text.encode() if isinstance(text, str) else text)
