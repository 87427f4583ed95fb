"""Paths of rookery's own files, and of the user's folders.

Every function reads the environment when it is called, so that a test or a sandbox can give a user another home.
"""

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rookery.core.errors import RookeryError

_PACKAGE = Path(__file__).resolve().parents[1]


def root() -> Path:
    """Return the folder with playbooks/, roles/, inventory/ …: the checkout, or the copy that the wheel carries."""
    carried = package() / "_data"
    return carried if carried.is_dir() else package().parent


def package() -> Path:
    """Return the folder of the package itself."""
    return _PACKAGE


def remote(name: str) -> str:
    """Return the text of a file of rookery/remote.

    Args:
        name: A file of rookery/remote.
    """
    return (package() / "remote" / name).read_text(encoding="utf-8")


def digest(path: Path, digits: int = 16) -> str:
    """Return digits by which a path has a name of its own among the files that rookery keeps.

    Args:
        path: A file or folder of the user's.
        digits: How many.
    """
    import hashlib  # noqa: PLC0415 start-up

    return hashlib.sha256(os.fsencode(path)).hexdigest()[:digits]


def _xdg(variable: str, default: str) -> Path:
    """Return a base folder of the XDG specification; a relative value counts as unset, as the specification asks."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


def config_dir() -> Path:
    """Return the folder with the user's choices: inventory/, ssh_config."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "rookery"


def state_dir() -> Path:
    """Return the folder with what rookery remembers between runs: known hosts, sandboxes, locks."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "rookery"


@contextmanager
def writing_state(folder: Path) -> Iterator[None]:
    """Make a folder of the state folder, and explain errors when the block writes to it.

    Raises:
        OSError: There is no room.
        RookeryError: It can't be written, for another reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RookeryError(
            f"Can't write to rookery's state folder {folder}: {error.strerror}.",
            hint=f"ls -ld {shlex.quote(str(folder))}",
        ) from error


def cache_dir() -> Path:
    """Return the folder with what can be fetched again."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "rookery"


def _is_short(folder: str, longest: int = 20) -> bool:
    """Return whether a folder can be written to, and its path leaves room for a socket's."""
    return folder.startswith("/") and len(folder) <= longest and os.access(folder, os.W_OK)


def runtime_dir() -> Path:
    """Return a short folder of mode 0700 for sockets, made if need be.

    A socket's whole path may have 107 bytes (sun_path, unix(7)), and ssh adds 17 to it while it connects, so a folder
    deep in a home won't do.

    Raises:
        RookeryError: The folder belongs to another user, or others can write to it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if _is_short(base, 30):
        folder = Path(base) / "rookery"
    else:
        given = os.environ.get("TMPDIR", "")
        folder = Path(given if _is_short(given) else "/tmp") / f"rookery-{os.getuid()}"  # noqa: S108
    folder.mkdir(mode=0o700, parents=False, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise RookeryError(
            f"Can't keep connections in {folder}: it is not yours, or others have access to it.",
            hint=f"ls -ld {folder}   # then remove it, or set XDG_RUNTIME_DIR to a folder of your own",
        )
    return folder


def shown(path: Path) -> str:
    """Return a path of this computer for a sentence: from ~ on where it is in the home."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def typed(path: Path) -> str:
    """Return a path of this computer as a user would type it in a shell: from ~ on where it is in the home."""
    home = Path.home()
    return f"~/{shlex.quote(str(path.relative_to(home)))}" if path.is_relative_to(home) else shlex.quote(str(path))
