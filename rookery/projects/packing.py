"""Pack a commit for a cluster: git's pack of the objects that the cluster lacks."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Queue

from rookery.core.background import begun
from rookery.projects.commit import Commit
from rookery.projects.git_command import GIT, failure, git, surroundings

PIECE = 100_000
"""Bytes that are read of a pack at once."""

MOST_HELD = 500
"""Pieces that are held where git packs faster than the line takes them."""


class Packing:
    """A commit that is being packed for a cluster; the pack is sent while git makes it.

    Attributes:
        commit: The commit.
        bases: Waits for the commits that it builds on: those that the cluster has and this repository knows.
        is_needed: Whether the cluster lacks the commit.
        is_used: Whether its pieces have been given: there is one pack, once.
    """

    def __init__(self, commit: Commit, cluster_commits: Sequence[str]) -> None:
        """Start git.

        Args:
            commit: The commit.
            cluster_commits: Commits that the cluster has.
        """
        self.commit, self.cluster_commits = commit, tuple(cluster_commits)
        self.is_needed, self.is_used = commit.id not in cluster_commits, False
        self.bases = begun(lambda: known(commit.root, self.cluster_commits))
        self._queue: Queue[bytes] = Queue(MOST_HELD)  # an empty piece is the end
        self._first: bytes | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._has_ended = self._is_closed = False
        self._outcome = begun(self._pack)

    @property
    def is_small(self) -> bool:
        """Whether the whole pack is less than PIECE bytes; waits for as many, or for its end."""
        if self._first is None:
            self._first = self._next()
        return len(self._first) < PIECE

    def pieces(self) -> Iterator[bytes]:
        """Yield the pack piece by piece, once; nothing where it is not needed.

        Raises:
            RookeryError: git failed, in its own words; what was given is no whole pack then.
        """
        self.is_used = True
        try:
            piece = self._next() if self._first is None else self._first
            while piece:
                yield piece
                piece = self._next()
            self._outcome()
        finally:
            self.close()

    def close(self) -> None:
        """End git, where the pack is not wanted any more."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()
        while not self._has_ended:
            self._next()

    def _next(self) -> bytes:
        piece = b"" if self._has_ended else self._queue.get()
        self._has_ended = not piece
        return piece

    def _pack(self) -> None:
        """Have git pack it, and read what comes, to its end."""
        try:
            if self.is_needed:
                self._read(self.bases())
        finally:
            self._queue.put(b"")

    def _read(self, bases: Sequence[str]) -> None:
        revisions = "".join(f"{commit}\n" for commit in (self.commit.id, *(f"^{base}" for base in bases)))
        # What is alike among files that are all new is not looked for: that takes five times as long and saves a
        # hundredth. Nor are they compressed as hard as they can be: that takes twice as long and saves a sixth.
        flags = [] if bases else ["--window=0", "--compression=1"]
        with subprocess.Popen(
            [*GIT, "-C", str(self.commit.root), "pack-objects", "--revs", "--thin", "--stdout", "--delta-base-offset",
             "-q", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=surroundings() | self.commit.environment,
        ) as process:  # fmt: skip
            self._process = process
            if self._is_closed:
                process.kill()
            assert process.stdin and process.stdout and process.stderr  # noqa: S101 they are pipes
            with suppress(BrokenPipeError), process.stdin as stdin:  # it has failed; its last words say why
                stdin.write(revisions.encode())
            while piece := process.stdout.read(PIECE):
                self._queue.put(piece)
            message = process.stderr.read().decode(errors="replace")
        if process.returncode and not self._is_closed:
            raise failure(self.commit.root, message)


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
