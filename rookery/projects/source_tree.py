"""Read files of a project on this computer, from its folder or from a commit; never through a link.

A repository may come from anybody: a link in it could lead to a private key, whose text would go to a cluster.
"""

import os
from collections.abc import Hashable, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from rookery.core.errors import RookeryError
from rookery.projects.commit import contents

if TYPE_CHECKING:
    from rookery.projects.commit import Commit

LINK: Final = "120000"
"""The mode of a symbolic link in a commit."""


class TreeEntry(NamedTuple):  # of which there are thousands, and a dataclass takes three times as long to make
    """A file of a commit."""

    mode: str
    """100644, 100755, 120000 for a link, 160000 for a submodule."""
    id: str
    """The id of its content."""


class Source(Hashable, Protocol):
    """A place from which the files of a project are read."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Args:
            path: From the project's root.

        Raises:
            FileNotFoundError: It is not there.
            OSError: It can't be read.
            RookeryError: The path leads out of the project, or through a link.
        """


class Folder:
    """The files as they are in a project's folder."""

    name = "project"

    def __init__(self, root: Path) -> None:
        """Prepare to read below a folder.

        Args:
            root: The project's folder.
        """
        self._root = root

    def read(self, path: str) -> bytes:
        """Return a file's content; see `Source.read`."""
        plain = _inside(path)
        for part in _prefixes(plain):
            if (self._root / part).is_symlink():
                raise _through(path, part, str((self._root / part).readlink()))
        file = self._root / plain
        if file.exists() and not file.is_file():
            raise RookeryError(f"{path} is not a file.", hint=f"ls -ld {file}")
        return file.read_bytes()


class Committed:
    """The files of a commit, whatever is in the folder by now."""

    name = "commit"

    def __init__(self, commit: "Commit", files: "Mapping[str, TreeEntry]") -> None:
        """Prepare to read a commit's objects.

        Args:
            commit: The commit.
            files: Its files, by path from the project's root.
        """
        self._commit, self._files = commit, files

    def read(self, path: str) -> bytes:
        """Return a file's content; see `Source.read`."""
        plain = _inside(path)
        for part in _prefixes(plain):
            if part in self._links:
                raise _through(path, part, self._text(part).decode(errors="replace"))
        if plain not in self._files:
            raise FileNotFoundError(2, "it is not in the commit")
        return self._text(plain)

    @cached_property
    def _links(self) -> set[str]:
        return {path for path, entry in self._files.items() if entry.mode == LINK}

    def _text(self, path: str) -> bytes:
        return contents(self._commit, [self._files[path].id])[0]


def stays_inside(root: Path, path: Path) -> bool:
    """Return whether a path written below a folder also leads there once all links are followed.

    Args:
        root: The folder.
        path: Any path; one that lies elsewhere as it is written is the user's own choice.
    """
    written = Path(os.path.abspath(path))  # noqa: PTH100 which follows no link, as `resolve` does
    real_root = root.resolve()
    lies_there = any(folder.resolve() == real_root for folder in (written, *written.parents))
    return not lies_there or path.resolve().is_relative_to(real_root)


def _inside(path: str) -> str:
    """Return the path in its plain form; refuse one that leads out of the project."""
    plain = PurePosixPath(path)
    if plain.is_absolute() or ".." in plain.parts or not plain.parts or "\0" in path:
        raise RookeryError(f"{path} must be a path inside the project.")
    return str(plain)


def _prefixes(path: str) -> list[str]:
    """Return a path and the folders that it goes through, the outermost first."""
    parts = PurePosixPath(path).parts
    return [str(PurePosixPath(*parts[: number + 1])) for number in range(len(parts))]


def _through(path: str, link: str, goal: str) -> RookeryError:
    what = "is" if path == link else f"is below {link},"
    return RookeryError(
        f"{path} {what} a symbolic link (to {goal}); rookery does not follow links in a project.",
        hint=f"replace {link} with the file itself, or name the file that it points to",
    )
