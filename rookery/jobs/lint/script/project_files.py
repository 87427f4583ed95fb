"""The surroundings of a job script: the other files of its project, and the folders that deploy makes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.projects.git_command import git

if TYPE_CHECKING:
    from rookery.projects.model import Project

_READABLE = 1_000_000
"""Most bytes of another file of the project that is looked into."""


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of scripts: their project, or their folder; looked at once, however many scripts there are.

    Attributes:
        root: That folder.
        project: The project, None where there is none.
    """

    root: Path
    project: "Project | None" = None
    _texts: dict[str, str | None] = field(default_factory=dict, compare=False, repr=False)
    _folders: dict[str, bool | None] = field(default_factory=dict, compare=False, repr=False)

    def files(self, path: str) -> str | None:
        """Return the text of a file of the project; None where it is not there, lies elsewhere or is very large."""
        if path not in self._texts:
            self._texts[path] = self._text(path)
        return self._texts[path]

    def folder(self, path: str) -> bool | None:
        """Return whether a folder will be there when a job starts: an output, or a folder with a committed file."""
        if path not in self._folders:
            self._folders[path] = self._is_there(path)
        return self._folders[path]

    def _text(self, path: str) -> str | None:
        file = self.root / path
        try:
            if not file.resolve().is_relative_to(self.root.resolve()) or file.stat().st_size > _READABLE:
                return None
            return file.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            return None

    def _is_there(self, path: str) -> bool | None:
        if self.project is None:
            return (self.root / path).is_dir() or Path(path).is_dir() or None
        return path in self.project.linked or _holds_files(self.root, path)

    def name(self, file: Path) -> str:
        """Return a script's path: in the project where it is in it, else as it was given."""
        try:
            return str(file.resolve().relative_to(self.root.resolve())) if self.project else str(file)
        except ValueError:
            return str(file)


def _holds_files(root: Path, folder: str) -> bool:
    """Return whether a folder holds files: git brings no empty folder along."""
    if not (root / folder).is_dir():
        return False
    return bool(git(root, "ls-files", "--cached", "--others", "--exclude-standard", "--", folder, check=False))


def around(project: "Project") -> Surroundings:
    """Return the surroundings of a project's scripts: `files` and `folder` for `check`."""
    return Surroundings(project.root, project)
