"""Read files that other people sent, a folder of them: no link is followed, and nothing large is read.

A file that is damaged is named, and the others are read all the same.
"""

import os
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from rookery.core.errors import RookeryError
from rookery.support.account_request import one_line

LARGEST: Final = 1_000_000
"""Most bytes of a file."""

MOST_FILES: Final = 2_000
"""Most files of a folder that are read."""

T = TypeVar("T")


class DamagedError(ValueError):
    """The error for a file that can't be read as what it should be; the message says why."""


@dataclass(frozen=True)
class Unread:
    """A file that was skipped.

    Attributes:
        file: Its name, as it may be shown.
        why: Why.
    """

    file: str
    why: str


def read(
    folder: Path, suffixes: Collection[str], parsed: Callable[[str, str], T], *, option: str
) -> tuple[list[T], list[Unread]]:
    """Read all files of a folder, in the order of their names; return those that were skipped too.

    Args:
        folder: The folder.
        suffixes: The endings of names that are read.
        parsed: Makes what a file holds of its name and its text; raises DamagedError.
        option: The option that named the folder.

    Raises:
        RookeryError: The folder can't be read.
    """
    try:
        entries = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        hint = f"run the command again with the folder of the reports for {option}"
        raise RookeryError(f"Can't read {folder}: {error.strerror}.", hint=hint) from error
    names = [name for name in entries if not name.startswith(".") and Path(name).suffix.lower() in suffixes]
    found: list[T] = []
    unread = [
        Unread(one_line(name), f"comes after {MOST_FILES} other files, the most that are read")
        for name in names[MOST_FILES:]
    ]
    for name in names[:MOST_FILES]:
        try:
            found.append(parsed(name, _content(folder / name)))
        except DamagedError as error:
            unread.append(Unread(one_line(name), str(error)))
    return found, unread


def _content(path: Path) -> str:
    """Return the text of a file that is an ordinary one, and not too large.

    Raises:
        DamagedError: It is a link, a device, too large, or can't be read.
    """
    try:
        # not through a link, and without waiting at a pipe that nobody writes to
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise DamagedError("is a link: copy the file itself into the folder") from None
        raise DamagedError(f"can't be read: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise DamagedError("is not a file")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise DamagedError(f"can't be read: {error.strerror}") from None
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        raise DamagedError(f"is larger than {LARGEST // 1_000_000} MB")
    # Windows' own editor and shell write UTF-16, with its mark in front
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return content.decode(encoding, errors="replace")
