"""Follow a log in a thread, through cut lines, for a screen that looks at it now and then."""

import threading
from collections.abc import Callable

from rookery.clusters.ssh.errors import SshError
from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.jobs.monitor import logs
from rookery.jobs.monitor.log_stream import LogStream, cleaner
from rookery.jobs.top.feeds import explained, pause, reach
from rookery.jobs.top.log_lines import LogLines
from rookery.jobs.top.state import LOGIN_REASONS
from rookery.projects.target import Target

LAST = 1 << 20
"""Bytes of a log that are shown at first, the last ones."""


class LogReader:
    """A log that is read in a thread.

    Attributes:
        lock: To be held while `lines` is looked at.
        lines: The last lines.
        status: What is to be said of it: that it is waited for, where it is, or why there is none.
        path: Where it is; "" as long as that is not known.
        has_ended: Whether nothing more will come.
    """

    def __init__(self, target: Target, number: str, *, error: bool = False) -> None:
        """Prepare a reader.

        Args:
            target: Project and cluster.
            number: The job or task: 41, 43_7.
            error: The error log, where that is a separate file.
        """
        self.lock, self.lines = threading.Lock(), LogLines()
        self.status, self.path, self.has_ended = f"Looking for the log of job {number}", "", False
        self._target, self._number, self._error = target, number, error
        self._ended = threading.Event()
        self._stop_command: Callable[[], object] = bool
        self._thread = threading.Thread(target=self._run, name=f"log {number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the remote command and the thread."""
        self._ended.set()
        self._stop_command()

    def _run(self) -> None:
        failures = 0
        while not self._ended.is_set():
            try:
                self._read()
            except Exception as error:  # a thread that ended would say nothing any more
                self.status = _plain(explained(error))
                if not isinstance(error, SshError) or error.reason in LOGIN_REASONS:
                    self.has_ended = True
                    return
                failures += 1
                self.status += " Trying again …"
                self._ended.wait(pause(failures))
            else:
                self.has_ended = True
                return

    def _read(self) -> None:
        connection = self._target.connection
        reach(connection)
        job, _, task = self._number.partition("_")
        request = {"job": job, "task": task, "follow": True, "error": self._error, "last": LAST}
        with LogStream(connection, request) as stream:
            self._stop_command = stream.stop
            if self._ended.is_set():
                return
            begun = self._header(stream)
            if begun:
                with self.lock:
                    self.lines = LogLines()
                show = cleaner()
                for piece in stream.pieces():
                    self._add(show(piece))
                self._add(show(b"", True))
            if not self._ended.is_set():
                stream.require_whole(begun=begun)
        if begun:
            self.status = "" if len(self.lines) else "The log is empty: the program printed nothing."

    def _header(self, stream: LogStream) -> bool:
        for answer in stream.answers():
            if answer["state"] not in {"begin", "wait"}:
                raise logs.missing(answer, self._target, self._number)
            self.path, self.status = console.clean(answer["path"]), ""
            if answer["state"] == "begin":
                if answer["why"]:
                    self.status = f"Task {answer['task']}: {answer['why']} of {answer['total']}"
                return True
            self.status = logs.awaited(answer, self._number)
        return False

    def _add(self, text: str) -> None:
        with self.lock:
            self.lines.add(text)


def _plain(error: RookeryError) -> str:
    return as_typed(" ".join(error.message.split()))
