"""Write files on this computer, whole or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

KEPT = ".before-rookery"
"""What the name of a copy has behind the file's, before a number."""


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, check: Callable[[Path], None] = lambda _: None) -> Iterator[TextIO]:
    """Open a new file, in UTF-8, that takes the other's place in one step where the block ends without an error.

    Bytes that are no UTF-8, which Python keeps as surrogates, come out as they were.

    Args:
        path: The file; a folder that is missing is made, for the user alone.
        mode: Its permission bits.
        check: Given the new file before it takes its place; where it raises, the old one stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        check(fresh)
        fresh.chmod(mode)
        fresh.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a write does not name what it writes to
        raise
    finally:
        fresh.unlink(missing_ok=True)


def write(path: Path, text: str | bytes, *, mode: int = 0o600, check: Callable[[Path], None] = lambda _: None) -> None:
    """Put a file in place in one step: a reader sees the old content or the new, also after a power cut.

    Args:
        path: The file; a folder that is missing is made, for the user alone.
        text: What it will hold; a text is written in UTF-8.
        mode: Its permission bits.
        check: Given the new file before it takes its place; where it raises, the old one stays.
    """
    with replacing(path, mode=mode, check=check) as stream:
        stream.buffer.write(text.encode() if isinstance(text, str) else text)


def trim(folder: Path, most: int) -> None:
    """Remove the oldest files of a folder of ours, but for some."""
    files = list(folder.iterdir())
    for old in sorted(files, key=os.path.getmtime)[:-most] if len(files) > most else ():
        old.unlink(missing_ok=True)


class ChangedError(OSError):
    """The error for a file that has changed since it was read."""


def exchange(path: Path, before: bytes | None, after: bytes, *, mode: int = 0o644, copy: Path | None = None) -> None:
    """Replace the content of a file of the user's, if it has not changed since it was read; its mode stays.

    Args:
        path: The file itself: what a link leads to.
        before: What it held; None where there was none.
        after: What it is to hold.
        mode: The permission bits of one that was not there.
        copy: Where what it held is kept first.

    Raises:
        ChangedError: It has been changed meanwhile.
        PermissionError: Its owner may not write to it; root is held to that too.
        OSError: It can't be written.
    """

    def unchanged(_: Path) -> None:
        if (path.read_bytes() if path.exists() else None) != before:
            raise ChangedError("it was changed at the same time; run the same command again")

    unchanged(path)
    if before is not None:
        mode = path.stat().st_mode & 0o7777
        if not mode & 0o200:
            raise PermissionError(0, "it is read-only")
        if copy:
            write(copy, before, mode=mode)
    write(path, after, mode=mode, check=unchanged)


def copy_name(path: Path) -> Path:
    """Return a name beside a file for a copy of it, which nothing has yet."""
    names = (path.with_name(f"{path.name}{KEPT}{f'.{number}' * bool(number)}") for number in range(1000))
    return next(name for name in names if not name.exists())
