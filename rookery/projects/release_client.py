"""Run the scripts that look at a release on a cluster, or make one, and read their answers."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from threading import Lock, Timer
from typing import TYPE_CHECKING

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.projects import release_protocol
from rookery.projects.release_errors import refused
from rookery.projects.release_protocol import Order, ReleaseAnswer

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

LARGE = 2_000_000
"""Bytes from which it is shown how many have been sent."""


class ReleaseCall:
    """A script that has been sent, for a project on a cluster.

    Attributes:
        running: Its command.
    """

    def __init__(self, connection: "Connection", project: str, script: str, *, sends: bool = False) -> None:
        """Send the script, through a connection that is open.

        Args:
            connection: The cluster's.
            project: The project's name.
            script: The script.
            sends: It waits for what it is about, on its standard input.
        """
        self._connection, self._project = connection, project
        self._progress = _Progress(f"{connection.cluster.name}: {project}", f"checking the release of {project}")
        self.running = connection.begin(script, on_line=self._progress.show_line if sends else None, sends=sends)

    def answer(self, payload: Iterable[bytes] = ()) -> ReleaseAnswer:
        """Wait for the cluster's answer; where it `need`s more than it was sent, that is an answer too.

        Args:
            payload: What the script waits for, piece by piece.

        Raises:
            RookeryError: It was refused, or broke off; what was current there still is.
        """
        name = self._connection.cluster.name
        with self._progress as progress:
            completed = self.running.finish(progress.counted(payload))
        answer = release_protocol.read(completed.stdout)
        if not answer.state and not answer.stop:
            last = (completed.stderr.strip() or completed.stdout.strip() or "no output").splitlines()[-1]
            raise RookeryError(
                f"{name}: the deploy stopped on the cluster (exit status {completed.exit}): {last}",
                hint="run the same command again",
            )
        if answer.stop and answer.stop != "need":
            raise refused(self._connection.cluster, self._project, answer, completed.stderr)
        return answer

    def stop(self) -> None:
        """End the call where it is not needed; nothing is changed on the cluster."""
        with self._progress:
            self.running.stop()


def look_up_release(connection: "Connection", order: Order, *, check: bool = False) -> ReleaseCall:
    """Ask a cluster for a release, without any change; it `need`s more where that is not there.

    Args:
        connection: The cluster's.
        order: The release.
        check: Ask what a deploy would do.
    """
    return ReleaseCall(connection, order.name, release_protocol.look(order, check=check))


def send_release(connection: "Connection", project: str, *, is_new: bool) -> ReleaseCall:
    """Begin to send a release, which is the payload that the answer is asked with.

    Args:
        connection: The cluster's.
        project: The project's name.
        is_new: The commit is probably new there.
    """
    return ReleaseCall(connection, project, release_protocol.deploy(project, is_new=is_new), sends=True)


class _Progress:
    """The current step on the cluster, on a terminal, once a step takes time."""

    def __init__(self, title: str, first: str) -> None:
        """Prepare it; nothing is shown yet.

        Args:
            title: What the line is known by.
            first: What it says before the cluster has named a step.
        """
        self._title, self._stack = title, ExitStack()
        self._first = Timer(console.SOON, lambda: None if self._live else self.show_line(f"doing: {first}"))
        self._first.daemon = True
        self._live: console.LiveStatus | None = None
        self._has_ended = False
        self._lock = Lock()  # what is heard comes from a thread of its own

    def __enter__(self) -> "_Progress":
        if sys.stderr.isatty() and not (self._live or self._has_ended):
            self._first.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._first.cancel()
        with self._lock:
            self._has_ended = True
            self._stack.close()

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield pieces for sending, and show how much was sent."""
        sent = shown = 0
        for piece in pieces:
            yield piece
            sent += len(piece)
            if sent >= shown + LARGE:
                shown = sent
                self.show_line(f"doing: sending, {sent / 1e6:.0f} MB so far")

    def show_line(self, line: str) -> None:
        """Take a line of standard error: `doing: …` begins a step, the rest is output of programs."""
        doing = line.startswith("doing: ")
        if not sys.stderr.isatty() or not (doing or self._live) or not line.strip():
            return

        with self._lock:
            if self._has_ended:
                return
            if self._live is None:
                self._live = self._stack.enter_context(console.LiveStatus([self._title]))
            self._live.say(self._title, console.clean(line.removeprefix("doing: "))[:100])
