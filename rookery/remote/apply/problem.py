"""Exceptions that end a call before its work is done: an error in one line, or something that has to be waited for."""

import errno
import os
from typing import Dict, Sequence

_REASONS = {
    errno.EACCES: "permission denied: {path}",
    errno.EPERM: "permission denied: {path}",
    errno.EROFS: "{path} is on a read-only filesystem",
    errno.ELOOP: "{path} is a circular link",
    errno.ENOTDIR: "part of the path {path} is a file, where a folder is needed",
    errno.EISDIR: "{path} is a folder, where a file is needed",
    errno.ENOSPC: "no space is left on {filesystem} (writing {path})",
    errno.EDQUOT: "your quota on {filesystem} is used up (writing {path})",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Problem(Exception):  # noqa: N818 - the word that a user reads
    """An error that a user can act on.

    Attributes:
        message: One line that says what is wrong, and with what.
        hint: What to do next; empty where there is nothing to suggest.
        details: Last lines of a program's output, where there are any.
    """

    def __init__(self, message: str, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = list(details)


class Pending(Exception):  # noqa: N818 - it is no error
    """The state of a Slurm job that is waiting or running: the laptop asks again, then sends the declaration again.

    Attributes:
        job: What the laptop needs for asking: `key`, `id`.
    """

    def __init__(self, job: Dict[str, str]) -> None:
        super().__init__(job["id"])
        self.job = job


def filesystem_of(path: str) -> str:
    """Return the mount point of the filesystem that holds `path`, or will hold it."""
    path = os.path.realpath(path)
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def explain(error: OSError) -> Problem:
    """Return a line for an error of the operating system."""
    path = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else "a file"
    reason = _REASONS.get(error.errno or 0, "{path}: " + (error.strerror or str(error)).lower())
    filesystem = filesystem_of(path) if error.errno in _FULL else ""
    hint = "free some space there, then run the same command again" if error.errno in _FULL else ""
    return Problem(reason.format(path=path, filesystem=filesystem), hint)
