"""Pack a commit for a cluster: git's pack of the objects that the cluster lacks."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from rookery.core.background import begun
from rookery.projects.commit import Commit
from rookery.projects.git_command import GIT, failure, git, surroundings

PIECE = 100_000
"""Bytes that are read of a pack at once."""


class Packing:
    """A commit that is being packed for a cluster; the pack is sent while git makes it.

    Attributes:
        commit: The commit.
        bases: Waits for the commits that it builds on: those that the cluster has and this repository knows.
        is_needed: Whether the cluster lacks the commit.
    """

    def __init__(self, commit: Commit, cluster_commits: Sequence[str]) -> None:
        """Start git.

        Args:
            commit: The commit.
            cluster_commits: Commits that the cluster has.
        """
        self.commit, self.cluster_commits = commit, tuple(cluster_commits)
        self.is_needed = commit.id not in cluster_commits
        self.bases = begun(lambda: known(commit.root, self.cluster_commits))
        self._process: subprocess.Popen[bytes] | None = None
        self._first = begun(self._begin)

    @property
    def is_small(self) -> bool:
        """Whether the whole pack is less than PIECE bytes; waits for as many, or for its end."""
        return len(self._first()) < PIECE

    def pieces(self) -> Iterator[bytes]:
        """Yield the pack piece by piece, once; nothing where it is not needed.

        Raises:
            RookeryError: git failed, in its own words; what was given is no whole pack then.
        """
        piece = self._first()
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdout and process.stderr  # noqa: S101 they are pipes
        with process:
            try:
                while piece:
                    yield piece
                    piece = process.stdout.read(PIECE)
            except GeneratorExit:
                process.kill()
                raise
            message = process.stderr.read().decode(errors="replace")
        if process.returncode:
            raise failure(self.commit.root, message)

    def close(self) -> None:
        """End git, where the pack is not wanted any more."""
        self._first()
        process, self._process = self._process, None
        if process is not None:
            with process:
                process.kill()

    def _begin(self) -> bytes:
        if not self.is_needed:
            return b""
        bases = self.bases()
        revisions = "".join(f"{commit}\n" for commit in (self.commit.id, *(f"^{base}" for base in bases)))
        # What is alike among files that are all new is not looked for: that takes five times as long and saves a
        # hundredth. Nor are they compressed as hard as they can be: that takes twice as long and saves a sixth.
        flags = [] if bases else ["--window=0", "--compression=1"]
        self._process = process = subprocess.Popen(
            [*GIT, "-C", str(self.commit.root), "pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset",
             "-q", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=surroundings() | self.commit.environment,
        )  # fmt: skip
        assert process.stdin and process.stdout  # noqa: S101 they are pipes
        with process.stdin as stdin:
            stdin.write(revisions.encode())
        return process.stdout.read(PIECE)


def known(root: Path, commits: Sequence[str]) -> list[str]:
    """Return the commits that this repository has, with everything before them."""
    if not commits:
        return []
    queries = "".join(f"{commit}^{{commit}}\n" for commit in commits).encode()
    out = git(root, "cat-file", "--batch-check", input=queries).decode().splitlines()
    return [commit for commit, line in zip(commits, out, strict=True) if not line.endswith(("missing", "ambiguous"))]


def boundary(commit: Commit) -> list[str]:
    """Return the commits where a shallow clone's history ends; nothing in a whole one."""
    path = commit.shallow
    return path.read_text(encoding="ascii").split() if path and path.is_file() else []
