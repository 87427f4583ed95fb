"""Single changes of a filesystem: atomic, durable, one `step` each."""

import contextlib
import itertools
import os
import signal
import stat
from typing import Any, Dict, Optional

from rookery.remote.apply import fingerprint_check
from rookery.remote.apply.problem import Problem

_steps_taken = itertools.count(1)
_KILL_AT = int(os.environ.get("ROOKERY_TEST_KILL_AT", "0"))


def step() -> None:
    """Count a change of a filesystem, before it is made; a test can have the process killed at any of them."""
    if next(_steps_taken) == _KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    return fingerprint_check.digest(data)


def type_of(path: str) -> str:
    """Return `absent`, `file`, `dir`, `link` or `other`; a link is not followed."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "absent"
    known = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "dir"), (stat.S_ISLNK, "link"))
    return next((name for test, name in known if test(mode)), "other")


def read(path: str) -> Optional[bytes]:
    """Return a file's bytes, or None where there is none.

    Raises:
        Problem: It is no file: to read a fifo would take until a program writes to it.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise Problem("{} is not a file".format(path), "rename it, then run the same command again")
            return stream.read()
    except FileNotFoundError:
        return None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def mode_of(path: str) -> Optional[int]:
    """Return the permission bits of a path, or None where nothing is there."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return None


def snapshot(path: str) -> Dict[str, Any]:
    """Return the state of a path as the ledger has it; `mtime` in nanoseconds. A link is not followed."""
    kind = type_of(path)
    state: Dict[str, Any] = {"type": kind}
    if kind == "link":
        state["target"] = os.fsencode(os.readlink(path)).decode("utf-8", "surrogateescape")
        state["mtime"] = os.lstat(path).st_mtime_ns
    elif kind != "absent":
        status = os.lstat(path)
        mode = "{:04o}".format(stat.S_IMODE(status.st_mode))
        state.update(mode=mode, mtime=status.st_mtime_ns, group=status.st_gid)
    if kind == "file":
        state["digest"] = digest(read(path) or b"")
    return state


def default_mode(base: int = 0o666) -> int:
    """Return the mode of a new file or folder, by the user's umask.

    But nobody else may write to it, and its owner may use it.
    """
    umask = os.umask(0o077)
    os.umask(umask)
    return base & ~(umask & ~0o700 | 0o022)


def write(path: str, data: bytes, mode: int, mtime: Optional[int] = None, group: Optional[int] = None) -> None:
    """Put a file in place atomically: a reader sees the old content or the new, also after a power cut.

    The new file gets the old one's group (and its owner, where rookery may set it).

    Args:
        path: The file.
        data: Its content.
        mode: Its permission bits.
        mtime: The time of change that it shall have, in nanoseconds; now where None.
        group: The group that it shall have, where the user may give it that.
    """
    temporary = beside(path)
    try:
        discard(temporary)
        step()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as stream:
            _lend_owner(handle, path)
            if group is not None:
                give_group(handle, group)
            stream.write(data)
            stream.flush()
            os.fchmod(handle, mode)  # a write takes setuid and setgid away
            if mtime is not None:
                os.utime(handle, ns=(mtime, mtime))
            os.fsync(handle)
        step()
        os.rename(temporary, path)
        sync_folder(os.path.dirname(path))
    except OSError as error:
        error.filename = path
        raise
    finally:
        discard(temporary)


def link(path: str, target: str, mtime: Optional[int] = None) -> None:
    """Put a symbolic link in place atomically, over a file or a link that is there."""
    temporary = beside(path)
    discard(temporary)
    step()
    os.symlink(target, temporary)
    if mtime is not None:
        os.utime(temporary, ns=(mtime, mtime), follow_symlinks=False)
    step()
    os.rename(temporary, path)
    sync_folder(os.path.dirname(path))


def rename(old: str, new: str) -> None:
    """Rename within a filesystem, durably."""
    step()
    os.rename(old, new)
    sync_folder(os.path.dirname(new))


def make_folder(path: str, mode: Optional[int] = None) -> None:
    """Make one folder; its parent is there.

    What is made in it goes to the group that its parent gives (setgid), as in the folder of a project.
    """
    step()
    os.mkdir(path)
    if mode is not None:
        step()
        os.chmod(path, mode | (os.stat(path).st_mode & stat.S_ISGID))


def beside(path: str) -> str:
    """Return the temporary name for a write to `path`: always the same, so that a killed run leaves it to the next."""
    folder, name = os.path.split(path)
    return os.path.join(folder, ".rookery-new-" + digest(os.fsencode(name))[:12])


def discard(path: str) -> None:
    """Remove a temporary file or link, if it is there."""
    try:
        os.lstat(path)
    except OSError:
        return
    step()
    os.unlink(path)


def clear(path: str) -> None:
    """Remove a file, a link or a whole folder."""
    if type_of(path) == "dir":
        sweep(path)
    else:
        discard(path)


def remove(path: str) -> None:
    """Remove a file, a link or a whole folder; a folder disappears from its place atomically."""
    if type_of(path) != "dir":
        discard(path)
        return
    gone = gone_of(path)
    sweep(gone)
    rename(path, gone)
    sweep(gone)


def gone_of(path: str) -> str:
    """Return the temporary name of a folder that is being removed, by which the next run finds it."""
    return os.path.join(os.path.dirname(path), ".rookery-gone-" + os.path.basename(path))


def make_writable(folder: str) -> None:
    """Let the user list, enter and change a folder of their own."""
    mode = stat.S_IMODE(os.lstat(folder).st_mode)
    if mode & 0o700 != 0o700:
        step()
        os.chmod(folder, mode | 0o700)


def sweep(folder: str) -> None:
    """Remove a folder with all that is in it, if it is there; also folders that can't be written to.

    Where something can't be removed, the folders that stay have their modes again.
    """
    if type_of(folder) != "dir":
        return
    step()
    _sweep(folder)


def _sweep(folder: str) -> None:
    mode = stat.S_IMODE(os.lstat(folder).st_mode)
    if mode & 0o700 != 0o700:
        os.chmod(folder, mode | 0o700)
    try:
        with os.scandir(folder) as entries:
            inner = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for path, is_folder in inner:
            if is_folder:
                _sweep(path)
            else:
                os.unlink(path)
        os.rmdir(folder)
    except OSError:
        if type_of(folder) == "dir":
            os.chmod(folder, mode)
        raise


def sync_folder(folder: str) -> None:
    """Make a rename in this folder durable."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # a folder that can be written to and not listed
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network filesystems know no fsync of a folder: there the server orders renames itself
    finally:
        os.close(handle)


def give_group(path: "int | str", group: int) -> None:
    """Give a group to a file or folder, where the user is in that group."""
    if os.stat(path).st_gid != group:
        with contextlib.suppress(OSError):
            os.chown(path, -1, group)


def _lend_owner(handle: int, path: str) -> None:
    if type_of(path) != "file":
        return
    old, new = os.lstat(path), os.fstat(handle)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(handle, old.st_uid, old.st_gid)
        except PermissionError:
            if old.st_uid != new.st_uid:
                raise  # another user's file would become this user's: not for rookery to decide
