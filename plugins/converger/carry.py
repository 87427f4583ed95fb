"""A tree of files carried to another filesystem: contents, modes, times and links; never a file overwritten unasked."""

import os
import shutil
import stat
from typing import Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

from converger import disk
from converger.paths import Roots, portable
from converger.problem import Problem

# What happens to a file at the destination that differs from the one that comes:
ALWAYS = "always"  # it is replaced: it came from the same tree before
NEWER = "newer"  # it is replaced if it is the older one
NEVER = "never"  # it stays, and the one that comes is put into the folder for what clashed

Stamp = Tuple[int, int, int]  # kind and mode, size, time of change in nanoseconds: another stamp, another content


class Load(NamedTuple):
    """How much there is to carry."""

    files: int
    bytes: int


class Report:
    """What a person is told of a move.

    Attributes:
        clashes: The folder for files that were at the destination already, with other content.
        clashed: Those files.
        sockets: Sockets, which belong to a running program and hold nothing.
    """

    def __init__(self, clashes: str) -> None:
        self.clashes = clashes
        self.clashed: Set[str] = set()
        self.sockets: Set[str] = set()

    def note(self, roots: Roots) -> str:
        """One line, or nothing."""
        notes = []
        if self.clashed:
            names = ", ".join(sorted(self.clashed)[:3]) + (", …" if len(self.clashed) > 3 else "")
            where = roots.show(self.clashes)
            notes.append(
                "{} of yours clashed with what was there and are in {}: {}".format(len(self.clashed), where, names)
            )
        if self.sockets:
            notes.append("sockets of running programs were left out: " + ", ".join(sorted(self.sockets)[:3]))
        return "; ".join(notes)


def weigh(folder: str, grain: int = 1) -> Load:
    """Files in a folder and their bytes; everything that can't be read is found before anything is carried.

    Args:
        folder: The folder.
        grain: Bytes that the smallest file takes where it will go; others take a multiple of it.

    Raises:
        OSError: A folder can't be listed, or a file can't be read.
    """
    files = size = 0
    seen: Set[Tuple[int, int]] = set()
    for path, status in _walk(folder):
        files += 1
        size += 0 if _inode(status) in seen else -(-status.st_size // grain) * grain
        seen.add(_inode(status))
        if stat.S_ISREG(status.st_mode):
            with open(path, "rb"):
                pass
    return Load(files, size)


def listing(folder: str) -> Dict[str, List[int]]:
    """Everything in a tree, by its name in it (the tree itself as `.`): mode bits and time of change."""
    found = {}
    for path, names, files in os.walk(folder, onerror=_fail):
        for inner in [path] + [os.path.join(path, name) for name in files + names]:
            status = os.lstat(inner)
            found[portable(os.path.relpath(inner, folder))] = [stat.S_IMODE(status.st_mode), status.st_mtime_ns]
    return found


def is_copy(folder: str, other: str) -> bool:
    """Whether everything in a tree is in another one as well."""
    return all(_is_there(path, os.path.join(other, os.path.relpath(path, folder)), ALWAYS) for path, _ in _walk(folder))


def over(
    source: str, target: str, clash: str, report: Report, leave: Callable[[str], bool] = lambda _: False
) -> Dict[str, Stamp]:
    """Carry a tree. What is there already and is the same is left; names of one file stay names of one file.

    Args:
        source: The tree.
        target: Where it goes.
        clash: What happens to a file at the destination that differs.
        report: What a person is told of it.
        leave: Whether something, by its name in the tree, stays behind.

    Returns:
        The stamp of each file in `source` that is at the destination now.
    """
    carried: Dict[str, Stamp] = {}
    folders: List[Tuple[str, str]] = []
    first_names: Dict[Tuple[int, int], str] = {}
    for folder, names, files in os.walk(source, onerror=_fail):
        goal = _goal(source, target, folder, report)
        if not os.path.isdir(goal):
            os.makedirs(os.path.dirname(goal), exist_ok=True)
            disk.make_folder(goal, stat.S_IMODE(os.stat(folder).st_mode) | 0o700)
            folders.append((folder, goal))
        elif clash != NEVER:
            os.chmod(goal, stat.S_IMODE(os.stat(goal).st_mode) | 0o700)
            folders.append((folder, goal))
        for name in files + [name for name in names if os.path.islink(os.path.join(folder, name))]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if _is_nfs_s(name) or leave(os.path.relpath(path, source)):
                continue
            carried[path] = _stamp(status)
            wanted = os.path.join(goal, name)
            first = first_names.setdefault(_inode(status), wanted)
            if first != wanted and disk.type_of(wanted) == "absent" and _is_there(path, first, ALWAYS):
                disk.step()
                os.link(first, wanted)
            else:
                _carry_one(path, wanted, clash, report, os.path.relpath(path, source))
    for folder, goal in reversed(folders):
        shutil.copystat(folder, goal)
    return carried


def remove(folder: str, carried: Dict[str, Stamp]) -> bool:
    """Remove a tree that was carried. A file that changed since, or came, stays.

    Returns:
        Whether nothing is left, but what NFS keeps of files that programs have open; that goes in a later run.
    """
    for path, _, _ in os.walk(folder):  # a folder that can't be written to gives nothing away
        os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o700)
    for path, status in list(_walk(folder)):
        if carried.get(path) == _stamp(status):
            disk.step()
            os.unlink(path)
    for path, _, _ in os.walk(folder, topdown=False):
        if not os.listdir(path):
            disk.step()
            os.rmdir(path)
    return not os.path.isdir(folder) or not any(True for _ in _walk(folder))


def _goal(source: str, target: str, folder: str, report: Report) -> str:
    """Where a folder goes: to the destination, or among the clashes if something else has its name there."""
    inner = os.path.relpath(folder, source)
    if inner == ".":
        return target
    goal = target
    for name in inner.split(os.sep):
        goal = os.path.join(goal, name)
        if disk.type_of(goal) not in ("absent", "dir"):
            report.clashed.add(inner)
            return os.path.join(report.clashes, inner)
    return goal


def _carry_one(path: str, goal: str, clash: str, report: Report, name: str) -> None:
    if stat.S_ISSOCK(os.lstat(path).st_mode):
        report.sockets.add(name)
        return
    if _is_there(path, goal, clash):
        return
    if disk.type_of(goal) != "absent" and not _may_replace(path, goal, clash):
        report.clashed.add(name)
        goal = _free_name(path, os.path.join(report.clashes, name))
        if disk.type_of(goal) != "absent":
            return
        os.makedirs(os.path.dirname(goal), mode=0o700, exist_ok=True)
    _copy(path, goal)


def _free_name(path: str, wanted: str) -> str:
    """The name for something that clashed: its own, or with a number, unless the same is there already."""
    number, goal = 1, wanted
    while disk.type_of(goal) != "absent" and not _is_there(path, goal, NEVER):
        number += 1
        goal = "{}.{}".format(wanted, number)
    return goal


def _may_replace(path: str, goal: str, clash: str) -> bool:
    if disk.type_of(goal) == "dir":
        return False
    return clash == ALWAYS or (clash == NEWER and os.lstat(path).st_mtime_ns >= os.lstat(goal).st_mtime_ns)


def _is_there(path: str, goal: str, clash: str) -> bool:
    """Whether the destination has the same already. The time of change is proof only for what was carried before."""
    kind = disk.type_of(path)
    if kind != disk.type_of(goal):
        return False
    if kind == "link":
        return os.readlink(path) == os.readlink(goal)
    if kind != "file":
        return True
    one, other = os.stat(path), os.stat(goal)
    if one.st_size != other.st_size:
        return False
    if clash != NEVER and one.st_mtime_ns == other.st_mtime_ns and one.st_mode == other.st_mode:
        return True
    return clash == NEVER and _same_bytes(path, goal)


def _same_bytes(one: str, other: str) -> bool:
    with open(one, "rb") as left, open(other, "rb") as right:
        while True:
            piece = left.read(1 << 20)
            if piece != right.read(1 << 20):
                return False
            if not piece:
                return True


def _copy(path: str, goal: str) -> None:
    """Copy one file, link or fifo; it has its name only when it is whole."""
    temporary = disk.beside(goal)
    disk.discard(temporary)
    disk.step()
    kind = disk.type_of(path)
    if kind == "link":
        os.symlink(os.readlink(path), temporary)
    elif kind == "file":
        with open(path, "rb") as source, open(temporary, "xb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    elif stat.S_ISFIFO(os.lstat(path).st_mode):
        os.mkfifo(temporary)
    else:
        raise Problem("{} is a device, which can't be moved".format(path))
    shutil.copystat(path, temporary, follow_symlinks=False)
    disk.step()
    os.rename(temporary, goal)


def _is_nfs_s(name: str) -> bool:
    """Whether NFS keeps a removed file under this name as long as a program has it open; it is nobody's any more."""
    return name.startswith(".nfs")


def _inode(status: os.stat_result) -> Tuple[int, int]:
    return status.st_dev, status.st_ino


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mode, status.st_size, status.st_mtime_ns


def _walk(folder: str) -> Iterator[Tuple[str, os.stat_result]]:
    """Everything in a tree that is not a folder."""
    for path, names, files in os.walk(folder, onerror=_fail):
        for name in files + names:
            inner = os.path.join(path, name)
            status = os.lstat(inner)
            if not stat.S_ISDIR(status.st_mode) and not _is_nfs_s(name):
                yield inner, status


def _fail(error: OSError) -> None:
    raise error
