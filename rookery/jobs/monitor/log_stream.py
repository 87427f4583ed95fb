"""Read a job's log as it comes from the cluster: first where it is, or why there is none, then its bytes."""

import codecs
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.process import Deadline
from rookery.clusters.ssh.remote_command import new_mark
from rookery.core import console

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

PIECE = 1 << 16
"""Bytes that are passed on at a time."""


class LogStream:
    """One remote command that sends a log; a context manager, at whose end the command ends."""

    def __init__(self, connection: "Connection", request: Mapping[str, Any]) -> None:
        """Start the command.

        Args:
            connection: The cluster's, open.
            request: What rookery/remote/slurm/following.py takes: `job`, `task`, `follow`, `error`, `last`.
        """
        self._connection, self._mark = connection, new_mark()
        command = remote_client.command(connection, "following", request, self._mark)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self._deadline = Deadline(self._process.kill)

    def __enter__(self) -> "LogStream":
        """Return the stream."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the command."""
        self.stop()
        self._process.__exit__(None, None, None)

    def stop(self) -> None:
        """End the command; whoever reads gets the end. Another thread may call it."""
        self._deadline.cancel()
        self._process.terminate()

    def answers(self) -> Iterator[dict[str, Any]]:
        """Yield what is said before the log; after the one whose state is `begin`, the log itself follows.

        Raises:
            RookeryError: An answer is not what that program may answer.
        """
        for line in self._output:
            if line.strip() == self._mark.encode():
                self._deadline.meet()
            text = line.decode(errors="replace") if self._deadline.is_met else ""
            if answer := remote_client.read(self._connection, "following", text):
                yield answer
                if answer["state"] == "begin":
                    return

    def pieces(self) -> Iterator[bytes]:
        """Yield the log's bytes as they come."""
        while piece := self._output.read1(PIECE):  # type: ignore[attr-defined]
            yield piece

    def require_whole(self, *, begun: bool) -> None:
        """Wait for the end of the command, and raise the error where it is not that of the log.

        Args:
            begun: Whether the log has begun.

        Raises:
            SshError: The connection failed or broke off.
            RookeryError: There is no Python there, or the program failed.
        """
        stderr = self._process.stderr.read().decode(errors="replace").strip(".") if self._process.stderr else ""
        code = self._process.wait()
        remote_client.require_begun(self._deadline, self._process, self._connection, stderr)
        if code == 255:
            raise self._connection.failure(255, stderr, "")
        if code > 0 or not begun:
            raise remote_client.failed(self._connection, code, stderr)

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 it is a pipe
        return self._process.stdout


_UNFINISHED = re.compile(r"(\x1b[^@-Z\\^_a-z~]{0,30}|\r)\Z")


def cleaner() -> Callable[..., str]:
    r"""Return a function that makes bytes, as they come, fit for a terminal; \r, by which bars redraw, ends a line."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    kept = ""

    def show(piece: bytes, final: bool = False) -> str:
        nonlocal kept
        text = kept + decoder.decode(piece, final)
        cut = None if final else _UNFINISHED.search(text)
        kept = text[cut.start() :] if cut else ""
        text = text[: cut.start()] if cut else text
        return console.clean(text.replace("\r\n", "\n").replace("\r", "\n"))

    return show
