"""Make a project's git repository with its first commit: beside its place, and moved there when it is complete."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.projects.git_command import UNBURIED, surroundings

PLACEHOLDER = {"name": "New project", "email": "new-project@localhost"}
"""The author of commits where neither git nor rookery knows the user."""

BUILDING = ".rookery-git-"
"""The beginning of the name of the folder in which a repository is made."""


@dataclass(frozen=True)
class GitOutput:
    """The result of a git command."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.returncode == 0

    @property
    def last(self) -> str:
        """The last line of its output."""
        output = self.stderr.strip() or self.stdout.strip()
        return (output.splitlines() or [f"exit status {self.returncode}"])[-1]


def git(folder: Path, *arguments: str, settings: Sequence[str] = (), repository: Path | None = None) -> GitOutput:
    """Return the result of a git command in a folder, with the user's own settings and name, and these.

    Args:
        folder: Where it is run.
        arguments: The command.
        settings: Settings of git for this command, such as `user.name=Ada`.
        repository: The folder of the repository (`.git`), where it is not the one that git would find.
    """
    flags = [part for setting in settings for part in ("-c", setting)]
    flags += [f"--git-dir={repository}", f"--work-tree={folder}"] if repository else []
    completed = subprocess.run(
        ["git", *UNBURIED, "-C", str(folder), *flags, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=surroundings("GIT_AUTHOR_", "GIT_COMMITTER_"),
    )
    return GitOutput(completed.returncode, completed.stdout, completed.stderr)


def require_git() -> None:
    """Refuse to continue without git.

    Raises:
        RookeryError: There is none.
    """
    if not shutil.which("git"):
        raise RookeryError(
            "git is not installed on this computer, and projects need it.",
            hint="sudo apt install git   # on Debian and Ubuntu; on a Mac: xcode-select --install",
        )


def knows_author(folder: Path) -> bool:
    """Return whether git would make a commit of the user's in a repository, or a folder that is to be one."""
    return git(folder, "var", "GIT_AUTHOR_IDENT").ok


def make(folder: Path, author: tuple[str, str], message: str) -> str:
    """Make the repository of a folder, with all its files that git does not ignore in a first commit.

    Args:
        folder: The project's.
        author: Name and address to set in the repository where git knows none; empty for a placeholder.
        message: The commit's.

    Returns:
        What there is to know of the commit: "" where it is the user's own; "unknown" where git does not know who
        that is and the commit has a placeholder author; else git's own reason for making none.

    Raises:
        RookeryError: There can't be a repository.
    """
    branch = [] if git(folder, "config", "init.defaultBranch").stdout.strip() else ["init.defaultBranch=main"]
    with tempfile.TemporaryDirectory(prefix=BUILDING, dir=folder) as building:
        init = git(Path(building), "init", "--quiet", settings=branch)
        if init.returncode:
            raise RookeryError(f"git init failed: {init.last}")
        repository = Path(building) / ".git"
        signed = _commit(folder, repository, author, message)
        repository.rename(folder / ".git")
    return signed


def _commit(folder: Path, repository: Path, author: tuple[str, str], message: str) -> str:
    known = all(git(folder, "config", f"user.{key}", repository=repository).ok for key in ("name", "email"))
    if not known and all(author):
        fields = zip(("name", "email"), author, strict=True)
        known = all(git(folder, "config", f"user.{key}", value, repository=repository).ok for key, value in fields)
    unsigned = [*(f"user.{key}={value}" for key, value in PLACEHOLDER.items()), "commit.gpgSign=false"]
    placeholder = [] if known else unsigned
    added = git(folder, "add", "--all", "--", ".", f":(exclude){BUILDING}*", repository=repository)
    if not added.ok:
        return added.last
    commit = ("commit", "--quiet", "--message", message)
    committed = git(folder, *commit, settings=placeholder, repository=repository)
    if not committed.ok:
        return committed.last
    return "" if known else "unknown"


def warn(signed: str, where: str) -> None:
    """Print what the user has to do about a first commit.

    Args:
        signed: What `make` returned.
        where: git's option for the folder, with a blank before it; "" where the user is there.
    """
    if signed == "unknown":
        console.say(
            "  warning  Git has no name and email for you yet, so the first commit has a placeholder author. "
            "Set yours:",
            '            git config --global user.name "YOUR NAME"',
            '            git config --global user.email "YOU@EXAMPLE.AC.UK"',
            f"            git{where} commit --amend --reset-author --no-edit",
        )
    elif signed:
        console.say(
            f"  warning  git could not commit ({signed}). Commit before you deploy:",
            f"            git{where} commit -m 'First version'   # add --no-gpg-sign if signing fails",
        )
