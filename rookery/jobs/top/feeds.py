"""Ask every cluster for its jobs over and over: a thread and one remote command for each.

The remote command is that of `jobs --watch`, with its pauses, so a screen that stays open is no more work for Slurm.
"""

import threading
import time
from collections.abc import Callable

from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError, again
from rookery.clusters.ssh.prompts import touch
from rookery.core.errors import RookeryError
from rookery.core.invocation import explain
from rookery.jobs.monitor import accounting, job_table
from rookery.jobs.top.state import ANSWERS, LOGIN, NO_SLURM, NO_USER, ClusterState

REST = 15
"""Seconds between two questions where nothing runs: the longest pause of `jobs --watch`."""

SOONEST = 2
"""Seconds between two questions at least, whatever keys are pressed."""

_PAUSES = (5, 10, 20, 40, 60)
"""Seconds after which a cluster that does not answer is asked again, the first time and later."""

_LOOK = 5
"""Seconds between two looks on this computer whether the user has logged in."""


def pause(failures: int) -> int:
    """Return the seconds to wait after so many failures in a row."""
    return _PAUSES[min(failures, len(_PAUSES)) - 1]


def reach(connection: Connection) -> None:
    """Find or open a connection without asking the user anything: the screen has the terminal.

    Raises:
        SshError: The cluster can't be reached, or the login asks for something.
    """
    if connection.is_open():
        return
    if touch(connection.cluster):
        raise SshError("touch", "a login waits for your security key to be touched", hint=again(connection.cluster))
    connection.open(batch=True)


def explained(error: Exception) -> RookeryError:
    """Return an error for the screen: one that nobody foresaw is logged, and said in a line, as other commands do."""
    return error if isinstance(error, RookeryError) else RookeryError(explain(error).partition("\n")[0])


class Feed:
    """The answers of one cluster.

    Attributes:
        state: What is known of the cluster.
    """

    def __init__(self, connection: Connection, days: int, changed: Callable[[ClusterState], object]) -> None:
        """Prepare a feed.

        Args:
            connection: The cluster's; nothing is typed to open it.
            days: How many days to look back.
            changed: Called with each new state, from the feed's thread.
        """
        self.state = ClusterState(connection.cluster.name)
        self._connection, self._days, self._changed = connection, days, changed
        self._wake, self._ended = threading.Event(), threading.Event()
        self._stop_command: Callable[[], object] = bool
        self._thread = threading.Thread(target=self._run, name=f"top {self.state.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def refresh(self) -> None:
        """Ask again now, as after something was cancelled; not sooner than SOONEST after the last answer."""
        if self.state.age(time.time()) >= SOONEST or self.state.status != ANSWERS:
            self._wake.set()
            self._stop_command()

    def stop(self) -> None:
        """End the remote command and the thread."""
        self._ended.set()
        self._wake.set()
        self._stop_command()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, but not for long: it may be in the middle of a login."""
        self._thread.join(seconds)

    def _run(self) -> None:
        if self._connection.cluster.scheduler != "slurm":
            self._tell(ClusterState(self.state.name, NO_SLURM))
            return
        failures = 0
        while not self._ended.is_set():
            self._wake.clear()
            answered = self.state.answered
            try:
                self._follow()
                failures, wait = 0, float(REST)
            except Exception as unforeseen:  # a thread that ended would say nothing any more
                error = explained(unforeseen)
                failures = 1 if self.state.answered > answered else failures + 1
                wait = pause(failures)
                if not self._wake.is_set():  # else it was ended here
                    self._tell(self.state.failure(error))
            if self.state.status == NO_USER:
                return
            if self.state.status == LOGIN:
                self._await_login()
            elif not self._wake.is_set():
                self._wake.wait(wait)
            elif not self._ended.is_set():
                self._ended.wait(max(0.0, SOONEST - self.state.age(time.time())))

    def _follow(self) -> None:
        """Take answers until all jobs have ended.

        Raises:
            RookeryError: The cluster can't be reached, or Slurm does not answer.
        """
        reach(self._connection)
        for snapshot in accounting.watch(self._connection, days=self._days, live=True, on_start=self._started):
            job_table.check(snapshot, self.state.name)
            self._tell(self.state.answer(snapshot, time.time()))

    def _started(self, stop: Callable[[], object]) -> None:
        self._stop_command = stop
        if self._ended.is_set():
            stop()

    def _await_login(self) -> None:
        """Wait until there is a connection, without trying to log in: sites lock out who fails at that too often."""
        while not self._wake.wait(_LOOK):
            if self._connection.has_master():
                return

    def _tell(self, state: ClusterState) -> None:
        self.state = state
        if not self._ended.is_set():
            self._changed(state)
