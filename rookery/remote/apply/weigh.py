"""Measure how much there is to copy of a folder, and whether all of it can be copied and removed."""

import os
import pwd
import stat
from typing import Iterator, List, NamedTuple, Set, Tuple

from rookery.remote.apply import tree_copy
from rookery.remote.apply.problem import Problem


class Load(NamedTuple):
    """The amount of data to copy."""

    files: int
    bytes: int


def weigh(folder: str, grain: int = 1) -> Load:
    """Count the files in a folder and their bytes, and check that all of it can be copied and removed.

    Args:
        folder: The folder.
        grain: Bytes that the smallest file takes where it will go; others take a multiple of it.

    Raises:
        OSError: A folder can't be listed, or a file can't be read.
        Problem: Something in it belongs to another user, is a device, or is another filesystem.
    """
    files = size = 0
    counted: Set[tree_copy.Inode] = set()
    device = os.lstat(folder).st_dev
    for path, status in _everything(folder):
        fault = _fault(path, status, device)
        if fault:
            os.lstat(path)  # of all these looks, the one that decides, and that a trace (fingerprint.py) is to note
            raise Problem(fault)
        if stat.S_ISDIR(status.st_mode):
            continue
        files += 1
        if tree_copy.inode(status) not in counted:
            size += -(-min(status.st_size, status.st_blocks * 512 or status.st_size) // grain) * grain
        counted.add(tree_copy.inode(status))
    return Load(files, size)


def _fault(path: str, status: os.stat_result, device: int) -> str:
    """Return why something can't be copied and removed; "" where it can."""
    if status.st_uid != os.getuid():
        return "{} belongs to {}".format(path, _user_name(status.st_uid))
    if stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
        return "{} is a device".format(path)
    if status.st_dev != device:
        return "another filesystem is mounted at {}".format(path)
    is_readable = not stat.S_ISREG(status.st_mode) or os.access(path, os.R_OK) or not os.path.lexists(path)
    return "" if is_readable else "permission denied: {}".format(path)


def _everything(folder: str) -> Iterator[Tuple[str, os.stat_result]]:
    """Yield a folder and all in it, unrecorded, since the fingerprint would note a whole cache file by file."""
    yield folder, os.lstat(folder)
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        entries: List[os.DirEntry[str]] = []
        try:
            with tree_copy.may_vanish(path), os.scandir(path) as listing:
                entries = list(listing)
        except OSError:
            os.lstat(path)
            raise
        for entry in entries:
            with tree_copy.may_vanish(entry.path):
                status = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(status.st_mode)
                if is_folder or not entry.name.startswith(".nfs"):
                    yield entry.path, status
                if is_folder:
                    waiting.append(entry.path)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "user ID {}".format(uid)
