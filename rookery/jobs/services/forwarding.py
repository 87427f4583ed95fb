"""The line to a service: an ssh that forwards a socket on this computer to the service's, on its compute node.

ssh logs in to the service's own job, by its number, so the line never leads to another job or to another user's
program. It ends with the command, even where that is killed.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from rookery.clusters.ssh import compute_node
from rookery.clusters.ssh.compute_node_keys import SUFFIX
from rookery.core import paths, process_group
from rookery.core.console import clean
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.interactive.compute_node_job import RunningJob

_WITH_US = r"""
folder=$1
shift
exec 3<&0
(cat <&3 >/dev/null; rm -rf -- "$folder"; kill -- "-$$") &
exec "$@" 3<&- </dev/null
"""
"""POSIX sh that becomes ssh, and ends it with all that belongs to it when standard input ends: with this process.

The folder, the first argument, goes too: nobody else is left to remove it.
"""

_LONGEST_SOCKET = 107
"""Bytes of a socket's path (sun_path, unix(7))."""

PAUSE = 0.3
"""Seconds between two looks at whether the service answers."""


class Forwarding:
    """The line, while its block runs: a context manager."""

    def __init__(self, connection: "Connection", running: "RunningJob") -> None:
        """Prepare it.

        Args:
            connection: The cluster's.
            running: The service's job.

        Raises:
            RookeryError: The path of the socket there is longer than a socket's may be.
        """
        self._connection, self._running = connection, running
        self._there = f"{running.folder}/{running.number}/serve"
        name = connection.cluster.name
        if len(os.fsencode(self._there)) > _LONGEST_SOCKET or ":" in self._there:
            raise RookeryError(
                f"Can't forward the service: the path of your home on {name} is too long, or has a colon in it.",
                hint=f"invoke shell {connection.cluster.argument}   # a terminal on a compute node",
            )
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self.folder = Path()

    def __enter__(self) -> Self:
        """Make the folder of the socket, the user's alone."""
        self.folder = Path(tempfile.mkdtemp(prefix="serve-", dir=paths.runtime_dir()))
        return self

    def __exit__(self, *_: object) -> None:
        """End the line."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def socket(self) -> Path:
        """The socket on this computer, in a folder of the user's alone."""
        return self.folder / "s"

    def start(self) -> None:
        """Start ssh."""
        self.end()
        self.socket.unlink(missing_ok=True)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 ssh writes as long as it runs
        self._process = subprocess.Popen(
            ["sh", "-c", _WITH_US, "sh", str(self.folder), *self._command()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
        )

    def _command(self) -> list[str]:
        cluster = self._connection.cluster
        job = [self._running.number, *(["overlap"] if self._running.overlap else [])]
        options = {
            "BatchMode": "yes",
            "ProxyCommand": compute_node.proxy_command(cluster, *job),
            "ExitOnForwardFailure": "yes",
            "ClearAllForwardings": "no",
            "StreamLocalBindMask": "0177",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "3",
            "LogLevel": "ERROR",
        }
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        forward = ["-L", f"{self.socket}:{self._there}"]
        return [*self._connection.ssh, "-N", "-T", *flags, *forward, f"{cluster.name}{SUFFIX}"]

    def has_ended(self, seconds: float) -> bool:
        """Return whether ssh ends within some seconds."""
        if self._process is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def answers(self) -> bool:
        """Return whether the service answers through the line."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            try:
                client.connect(str(self.socket))
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return client.recv(5) == b"HTTP/"
            except OSError:
                return False

    def end(self) -> str:
        """End ssh; return the last line that it printed."""
        process, stderr = self._process, self._stderr
        self._process = self._stderr = None
        if process is None or stderr is None:
            return ""
        # the group has the process that waits for the end of standard input, so its number belongs to nobody else
        process_group.end(process, 5)
        if process.stdin:
            process.stdin.close()
        with stderr:
            stderr.seek(0)
            lines = clean(stderr.read().decode(errors="replace")).strip().splitlines()
        return lines[-1] if lines else ""


def wait_until_it_answers(line: Forwarding, seconds: float) -> bool:
    """Return whether the service answers within a time; False where ssh ends before, too.

    Args:
        line: The line, begun.
        seconds: The time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if line.answers():
            return True
        if line.has_ended(PAUSE):
            return False
    return False
