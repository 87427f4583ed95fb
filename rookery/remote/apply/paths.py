"""Resolve the paths of a declaration, and limit where rookery may write."""

import os
from typing import Iterable

from rookery.remote.apply.problem import Problem


def native(text: str) -> str:
    """Return text from the declaration as this Python names files.

    A login in the C locale gives Python 3.6 an ASCII filesystem encoding, which has no `é`: its bytes go through.
    """
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def portable(path: str) -> str:
    """Return a path of this machine as text for the ledger and the result: `native` undone."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")


def is_inside(path: str, folder: str) -> bool:
    """Return whether `path` is `folder` or something in it. Both are compared as they are written."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


class Roots:
    """The user's home, and the folders that rookery may write in.

    Attributes:
        home: The home folder, as $HOME has it.
        allowed: Home and storage, links resolved.
    """

    def __init__(self, home: str, storage: Iterable[str]) -> None:
        self.home = home
        self.allowed = [os.path.realpath(folder) for folder in [home] + [native(path) for path in storage if path]]

    def tilde(self, text: str) -> str:
        """Replace `~` and `~/…` by the home. Nothing else is expanded."""
        text = native(text)
        return self.home + text[1:] if text == "~" or text.startswith("~/") else text

    def expand(self, text: str) -> str:
        """Return the absolute path that a declaration's path means; links are not followed.

        Raises:
            Problem: The path is relative, or holds a NUL byte.
        """
        path = self.tilde(text)
        if not os.path.isabs(path) or "\0" in path:
            raise Problem("the path {!r} must be absolute or begin with ~".format(text))
        return os.path.normpath(path)

    def show(self, path: str) -> str:
        """Return a path as a user reads it."""
        return portable("~" + path[len(self.home) :] if is_inside(path, self.home) else path)

    def follow(self, path: str) -> str:
        """Return where a write to `path` lands, every link followed.

        Raises:
            Problem: That is outside the home and the storage.
        """
        return self._inside(os.path.realpath(path), path)

    def place(self, path: str) -> str:
        """Return where the name `path` itself is: links on the way to it are followed, one at the end is not.

        Raises:
            Problem: That is outside the home and the storage.
        """
        folder, name = os.path.split(path)
        return self._inside(os.path.join(os.path.realpath(folder), name), path)

    def has_own(self, folder: str) -> bool:
        """Return whether a folder is in the home or the storage, and the user's own, who alone can give it a time.

        The folder of a project, say, in which a user's own is made, is neither.
        """
        real = os.path.realpath(folder)
        return self._holds(real) and os.stat(real).st_uid == os.getuid()

    def _holds(self, real: str) -> bool:
        return any(is_inside(real, root) for root in self.allowed)

    def _inside(self, real: str, path: str) -> str:
        if self._holds(real):
            return real
        through = " leads to {}, which".format(portable(real)) if real != path else ""
        raise Problem(
            "{}{} is outside the home and the storage of this cluster; nothing was written there".format(
                self.show(path), through
            ),
            "change the link to lead into the home or the storage, or add that folder to cluster_storage",
        )
