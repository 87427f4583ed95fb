"""Copy a tree of files to another filesystem, exactly, and remove the tree that was copied.

A file gets its name in the copy only when it is whole. So a call that was cut off is continued by the next one.
"""

import contextlib
import errno
import os
import shutil
import stat
from typing import BinaryIO, Dict, Iterator, List, Optional, Set, Tuple

from rookery.remote.apply import disk
from rookery.remote.apply.problem import Problem

_PIECE = 1 << 20  # bytes read at once

Inode = Tuple[int, int]
Groups = Tuple[int, int]


def mirror(source: str, target: str) -> Set[str]:
    """Make `target` a copy of `source`: content, modes, times, links, hard links; anything else in it is removed.

    Returns:
        Sockets that were left out, by their names in the tree: they belong to running programs and hold nothing.
    """
    os.lstat(source)  # what is not there has no copy
    sockets: Set[str] = set()
    usual = usual_groups(source, target)
    first_names: Dict[Inode, str] = {}
    folders: List[Tuple[str, str]] = []
    for folder, names, others in _walk(source):
        goal = _counterpart(folder, source, target)
        if disk.type_of(goal) != "dir":
            disk.clear(goal)
            disk.make_folder(goal, 0o700)
        else:
            disk.make_writable(goal)
        folders.append((folder, goal))
        for name in others:
            path = os.path.join(folder, name)
            with may_vanish(path):
                status = os.lstat(path)
                if stat.S_ISSOCK(status.st_mode):
                    sockets.add(os.path.relpath(path, source))
                else:
                    _mirror_file(path, status, os.path.join(goal, name), first_names, usual)
        for name in set(os.listdir(goal)).difference(names, others):
            disk.clear(os.path.join(goal, name))
    for folder, goal in reversed(folders):
        with may_vanish(folder):
            _copy_status(folder, goal, usual)
    return sockets


def drain(source: str, target: str) -> bool:
    """Remove a tree that was copied to `target`; changes since then are copied first.

    A file is removed only as long as it is the one that was looked at. Where both trees have a file of one name, the
    one that was written last stays.

    Returns:
        Whether nothing is left, but for what NFS keeps of files that programs have open.
    """
    folders, usual = list(_walk(source)), usual_groups(source, target)
    for folder, _, others in folders:
        with may_vanish(folder):
            disk.make_writable(folder)
        for name in others:
            path = os.path.join(folder, name)
            with may_vanish(path):
                _drain_file(path, _counterpart(path, source, target), source, usual)
    for folder, _, _ in reversed(folders):
        with may_vanish(folder):
            remove_if_empty(folder)
    return disk.type_of(source) != "dir" or not any(others for _, _, others in _walk(source))


def _drain_file(path: str, goal: str, source: str, usual: Groups) -> None:
    status = os.lstat(path)
    if not stat.S_ISSOCK(status.st_mode):
        _bring(path, status, goal, source, usual)
        if stat.S_ISREG(status.st_mode) and not _is_whole(status, goal):
            return
    if _stamp(os.lstat(path)) == _stamp(status):
        disk.discard(path)


def _is_whole(status: os.stat_result, goal: str) -> bool:
    """Return whether a file's copy is as long as the file, or has been written to since."""
    other = os.lstat(goal)
    return other.st_size == status.st_size or other.st_mtime_ns > status.st_mtime_ns


def remove_if_empty(folder: str) -> None:
    """Remove an empty folder; one in which a program has just written stays."""
    if os.listdir(folder):
        return
    disk.step()
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:  # a program has just written in it
            raise


def same_content(path: str, other: str) -> bool:
    """Return whether two files, links or folders hold the same bytes. Folders: all in the first is in the other."""
    kind = disk.type_of(path)
    if kind != disk.type_of(other):
        return False
    if kind == "link":
        return os.readlink(path) == os.readlink(other)
    if kind == "dir":
        return all(same_content(os.path.join(path, name), os.path.join(other, name)) for name in os.listdir(path))
    return kind != "file" or _same_bytes(path, other)


def usual_groups(path: str, goal: str) -> Groups:
    """Return the groups that a new file gets at `path`, and at `goal`: that of a project, say.

    A file of the first is given the second, since room is counted by groups in the folders of projects.
    """
    return _usual_group(os.path.dirname(path)), _usual_group(os.path.dirname(goal))


def _usual_group(folder: str) -> int:
    status = os.stat(folder)
    return status.st_gid if status.st_mode & stat.S_ISGID else os.getgid()


def copy(path: str, goal: str, usual: Groups) -> None:
    """Copy one file, link or fifo over an existing one; it gets its name only when it is whole.

    Args:
        path: The file.
        goal: Its new name.
        usual: As `usual_groups` tells them.

    Raises:
        OSError: It can't be read, or there is no room for it.
        Problem: It is a device.
    """
    temporary = disk.beside(goal)
    disk.discard(temporary)
    disk.step()
    kind, before = disk.type_of(path), os.lstat(path)
    try:
        if kind == "link":
            os.symlink(os.readlink(path), temporary)
        elif kind == "file":
            # without a buffer: what is sought for holes would leave it out of step with the file
            with open(path, "rb", buffering=0) as source, open(temporary, "xb") as sink:
                _copy_bytes(source, sink)
        elif stat.S_ISFIFO(before.st_mode):
            os.mkfifo(temporary)
        else:
            raise Problem("{} is a device".format(path))
        _copy_status(path, temporary, usual)
        # that of before it was read: what a program has written meanwhile makes the file another than its copy
        os.utime(temporary, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)
        disk.step()
        os.rename(temporary, goal)
    except OSError:
        disk.discard(temporary)
        raise


def _mirror_file(path: str, status: os.stat_result, goal: str, first_names: Dict[Inode, str], usual: Groups) -> None:
    first = first_names.setdefault(inode(status), goal) if status.st_nlink > 1 else goal
    if first != goal and _is_linked(first, goal):
        return
    if not _is_copy(status, path, goal):
        if disk.type_of(goal) == "dir":
            disk.sweep(goal)
        copy(path, goal, usual)


def _is_linked(first: str, goal: str) -> bool:
    """Make `goal` another name of the file `first`; False where the filesystem has no hard links."""
    if os.path.lexists(goal) and inode(os.lstat(goal)) == inode(os.lstat(first)):
        return True
    disk.clear(goal)
    disk.step()
    try:
        os.link(first, goal, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        return False
    return True


def _bring(path: str, status: os.stat_result, goal: str, source: str, usual: Groups) -> None:
    """Copy changes that were made after the copy, unless the copy was changed later still."""
    if _is_copy(status, path, goal):
        return
    stands = disk.type_of(goal)
    if stands == "dir" or not _make_folders(os.path.dirname(path), os.path.dirname(goal), source):
        raise Problem(
            "{} is in the way of {}".format(goal, path), "rename one of them, then run the same command again"
        )
    if stands == "absent" or status.st_mtime_ns >= os.lstat(goal).st_mtime_ns:
        copy(path, goal, usual)


def _make_folders(folder: str, goal: str, source: str) -> bool:
    """Make a folder of the copy, and those above it; return False where something else is there."""
    if os.path.lexists(goal):
        return disk.type_of(goal) == "dir"
    if folder == source or not _make_folders(os.path.dirname(folder), os.path.dirname(goal), source):
        return False
    disk.make_folder(goal, stat.S_IMODE(os.lstat(folder).st_mode) | 0o700)
    return True


def _is_copy(status: os.stat_result, path: str, goal: str) -> bool:
    """Return whether `goal` was copied from this file, as it is now: a copy has its size, its mode and its time."""
    try:
        other = os.lstat(goal)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(status.st_mode):
        return stat.S_ISLNK(other.st_mode) and os.readlink(path) == os.readlink(goal)
    return _stamp(status) == _stamp(other)


def _copy_bytes(source: BinaryIO, sink: BinaryIO) -> None:
    """Copy a file's content; holes stay holes, so that a sparse file takes no more room than it did."""
    size, position = os.fstat(source.fileno()).st_size, 0
    while position < size:
        data = _next_data(source, position)
        if data is None:
            break
        end = _next_hole(source, data, size)
        source.seek(data)
        sink.seek(data)
        while data < end:
            piece = source.read(min(_PIECE, end - data))
            if not piece:
                return  # it has been made shorter meanwhile
            sink.write(piece)
            data += len(piece)
        position = end
    sink.truncate(size)


def _next_data(source: BinaryIO, position: int) -> Optional[int]:
    try:
        return os.lseek(source.fileno(), position, os.SEEK_DATA)
    except OSError as error:
        return None if error.errno == errno.ENXIO else position


def _next_hole(source: BinaryIO, position: int, size: int) -> int:
    try:
        return os.lseek(source.fileno(), position, os.SEEK_HOLE)
    except OSError:
        return size


def _copy_status(path: str, goal: str, usual: Groups) -> None:
    """Copy mode, times, group and extended attributes, as far as the filesystem knows them."""
    status = os.lstat(path)
    group = usual[1] if status.st_gid == usual[0] else status.st_gid
    if group != os.lstat(goal).st_gid:
        with contextlib.suppress(OSError):  # the user has left that group, or the filesystem knows no groups
            os.chown(goal, -1, group, follow_symlinks=False)
    try:
        shutil.copystat(path, goal, follow_symlinks=False)
    except OSError as error:  # attributes that the other filesystem refuses
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(goal, stat.S_IMODE(status.st_mode))
        os.utime(goal, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def _same_bytes(path: str, other: str) -> bool:
    if os.path.getsize(path) != os.path.getsize(other):
        return False
    with open(path, "rb") as left, open(other, "rb") as right:
        while True:
            piece = left.read(_PIECE)
            if piece != right.read(_PIECE):
                return False
            if not piece:
                return True


def inode(status: os.stat_result) -> Inode:
    """Return what tells one file from another, whatever names it has."""
    return status.st_dev, status.st_ino


def _stamp(status: os.stat_result) -> Tuple[int, int, int]:
    return status.st_mode, status.st_size, status.st_mtime_ns


def _counterpart(path: str, source: str, target: str) -> str:
    return target + path[len(source) :]


@contextlib.contextmanager
def may_vanish(path: str) -> Iterator[None]:
    """Ignore files that a program removes while they are looked at."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename != path and os.path.lexists(path):  # a program may have made it anew
            raise


def _walk(folder: str) -> Iterator[Tuple[str, List[str], List[str]]]:
    """Yield each folder of a tree, those above it first, with the names of folders and of all else in it.

    NFS keeps a removed file under a name `.nfs…` as long as a program has it open: it is nobody's any more.

    Raises:
        OSError: A folder can't be listed.
    """
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        inner: List[Tuple[str, bool]] = []
        with may_vanish(path), os.scandir(path) as entries:
            inner = sorted(((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries), reverse=True)
        names = [name for name, is_folder in inner if is_folder]
        yield path, names, [name for name, is_folder in inner if not is_folder and not name.startswith(".nfs")]
        waiting += [os.path.join(path, name) for name in names]
