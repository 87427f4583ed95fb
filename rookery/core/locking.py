"""Lock a cluster for one run at a time on this computer; the lease on the cluster keeps other computers out.

The kernel frees the lock when its process ends, however it ends, so a lock is never left behind.
"""

import getpass
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from rookery.core import paths, state_files
from rookery.core.errors import RookeryError
from rookery.remote import strict_json


class HeldError(RookeryError):
    """The error for a lock that another command holds."""


@contextmanager
def held(
    name: str, doing: str = "", waiting: Callable[[], AbstractContextManager[object]] | None = None
) -> Iterator[None]:
    """Hold a cluster's lock while the block runs.

    Args:
        name: What is locked, a cluster's name or one that is as fit for a file's name.
        doing: What the command does that holds the lock, for the message; empty where the name says it.
        waiting: Entered for as long as another run holds it; None where that is an error.

    Raises:
        HeldError: Another run holds it; the message names its user, process and start.
    """
    import fcntl  # noqa: PLC0415 Windows has none, and `doctor` says there what to do

    folder = state_files.place("locks")
    with paths.writing_state(folder):
        file = (folder / f"{name}.lock").open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                file.seek(0)
                raise HeldError(
                    f"Another rookery command is {doing or f'running on {name}'} ({_holder(file.read())}).",
                    hint="wait until it has finished, then run the same command again",
                ) from None
            with waiting():
                fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        since = time.strftime("%H:%M:%S")
        json.dump({"who": getpass.getuser(), "pid": os.getpid(), "since": since}, file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def waited(file: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold a lock file while the block runs; other threads and processes that want it wait.

    Args:
        file: The lock file, in a folder that is there.
        waiting: Called where another process holds it.
    """
    import fcntl  # noqa: PLC0415 Windows has none, and `doctor` says there what to do

    with file.open("w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _holder(text: str) -> str:
    """Return who holds a lock, from what the holder wrote into it; it may have been read before that."""
    with suppress(ValueError, KeyError, TypeError):
        holder = strict_json.loads(text)
        return f"since {holder['since']}, process {holder['pid']} of {holder['who']}"
    return "just started"
