"""Ask git about a folder, which may be in no repository yet; nothing of either is changed."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rookery.core.errors import RookeryError
from rookery.projects.adoption.facts import GitFacts
from rookery.projects.first_commit import git as own_git
from rookery.projects.git_command import GIT, failure, git, surroundings


def look(root: Path, paths: Iterable[str] = ()) -> GitFacts:
    """Return the folder as git sees it.

    Args:
        root: The folder.
        paths: Paths in it of which is asked whether git ignores them; they need not exist.

    Raises:
        RookeryError: git can't use the repository that is there.
    """
    top = _top(root)
    with _repository(root, top) as arguments:
        names = b"".join(os.fsencode(path) + b"\0" for path in paths)
        output = _output(arguments, "check-ignore", "--no-index", "-z", "--stdin", given=names) if names else b""
        ignored = frozenset(os.fsdecode(path) for path in output.split(b"\0") if path)
    if top is None:
        return GitFacts(ignored=ignored)
    staged = git(root, "ls-files", "-z", "--stage", "--", ".").split(b"\0")
    entries = [line.partition(b"\t") for line in staged if line]
    modes = {os.fsdecode(path): facts[:6] for facts, _, path in entries}
    return GitFacts(
        top=top,
        has_commit=bool(git(root, "rev-parse", "--verify", "--quiet", "HEAD", check=False)),
        tracked=frozenset(modes),
        ignored=ignored,
        submodules=tuple(path for path, mode in modes.items() if mode == b"160000"),
    )


def would_add(root: Path, lines: Iterable[str]) -> list[str]:
    """Return the files that a first commit of a folder without a repository would have.

    Args:
        root: The folder.
        lines: Lines of .gitignore that are proposed.
    """
    with _repository(root, None) as arguments:
        (Path(arguments[0].partition("=")[2]) / "info/exclude").write_text("".join(f"{line}\n" for line in lines))
        output = _output(arguments, "ls-files", "-z", "--others", "--exclude-standard")
    return sorted(os.fsdecode(path) for path in output.split(b"\0") if path)


def _top(root: Path) -> Path | None:
    """Return the folder of the repository that a folder is in.

    Raises:
        RookeryError: git does not trust it, or it is broken.
    """
    answer = own_git(root, "rev-parse", "--show-toplevel")
    if answer.ok:
        return Path(answer.stdout.removesuffix("\n"))
    if "not a git repository" in answer.stderr and not (root / ".git").exists():
        return None
    if "must be run in a work tree" in answer.stderr:
        raise RookeryError(f"{root} is inside a .git folder.", hint="cd into the folder of your code")
    raise failure(root, answer.stderr)


@contextmanager
def _repository(root: Path, top: Path | None) -> Iterator[list[str]]:
    """Yield git's arguments for the folder's repository, or for an empty one elsewhere that has the folder's files."""
    if top is not None:
        yield ["-C", str(root)]
        return
    with tempfile.TemporaryDirectory(prefix="rookery-") as scratch:
        made = own_git(Path(scratch), "init", "--quiet")
        if not made.ok:
            raise RookeryError(f"git init failed: {made.last}")
        (Path(scratch) / ".git/info").mkdir(exist_ok=True)
        yield [f"--git-dir={scratch}/.git", f"--work-tree={root}", "-C", str(root)]


def _output(arguments: list[str], *command: str, given: bytes = b"") -> bytes:
    return subprocess.run(
        [*GIT, *arguments, *command], input=given, capture_output=True, check=False, env=surroundings()
    ).stdout
