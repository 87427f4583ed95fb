"""Commit one file in the user's name: what rookery itself has changed in a project, after they agreed."""

from pathlib import Path

from rookery.core import preferences
from rookery.projects.first_commit import PLACEHOLDER
from rookery.projects.git_command import git


def has_changes(root: Path, name: str) -> bool:
    """Return whether a file has changes that are not committed, or is not in git at all."""
    return bool(git(root, "status", "--porcelain", "--", name, check=False).strip())


def make(root: Path, name: str, message: str) -> None:
    """Commit only one file, in the name that Git or `config` has for the user; else under a placeholder.

    Args:
        root: The project's folder.
        name: The file, as a path in it.
        message: The commit's message.

    Raises:
        RookeryError: Git can't.
    """
    known = git(root, "config", "user.name", check=False) and git(root, "config", "user.email", check=False)
    own = {**PLACEHOLDER, **preferences.values()}
    author = [] if known else [word for key in ("name", "email") for word in ("-c", f"user.{key}={own[key]}")]
    unsigned = [] if known else ["-c", "commit.gpgSign=false"]
    git(root, "add", "--force", "--", name)
    git(root, *author, *unsigned, "commit", "--quiet", "--only", f"--message={message}", "--", name)
