"""Send one of the programs of rookery/remote/slurm to a cluster, and read what it answers."""

import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, cast

from rookery.clusters.login_node import answers, bundle, frame
from rookery.clusters.ssh.process import FIRST_ANSWER
from rookery.clusters.ssh.remote_command import marked, new_mark, remote_command
from rookery.core import paths
from rookery.core.console import clean, waiting
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

_NO_PYTHON = 96
_START = """
command -v squeue >/dev/null 2>&1 || {{ . /etc/profile >/dev/null 2>&1; rookery_clean; }}
{pythons}
run_python -IS -c {program} "$1" "$2"
exit 96
"""
"""Slurm may be on PATH in login shells alone. The second argument is the program's name, for whoever looks at ps."""


class NoPythonError(RookeryError):
    """No program has begun, since there is no Python that runs it."""


def call(connection: "Connection", name: str, request: Mapping[str, Any], *, timeout: float = 180) -> dict[str, Any]:
    """Run a program there, in one remote command; its answer is returned.

    Args:
        connection: The cluster's, open.
        name: The program: a file of rookery/remote/slurm.
        request: What it is told.
        timeout: Seconds it may take.

    Raises:
        SshError: The connection failed.
        RookeryError: There is no Python there, or the program failed.
    """
    with _waiting(f"asking {connection.cluster.name}"):
        completed = connection.run(_arguments(name, request), script=_start(), timeout=timeout, check=False)
    answer = read(connection, name, completed.stdout)
    if answer is None:
        raise failed(connection, completed.exit, completed.stderr)
    return answer


def read(connection: "Connection", name: str, output: str) -> dict[str, Any] | None:
    """Return the last answer in what a program printed; None where there is none.

    Raises:
        RookeryError: It is not what that program may answer.
    """
    return cast("dict[str, Any] | None", frame.last(output, answers.PROGRAMS[name], connection.cluster.name))


def _waiting(message: str) -> AbstractContextManager[None]:
    """Show on a terminal that something is being waited for: Slurm may take its time."""
    if not sys.stderr.isatty():
        return nullcontext()

    return waiting(message)


class Deadline:
    """Ends a program's ssh where the program does not begin in time.

    Attributes:
        is_met: Whether it has begun.
    """

    def __init__(self, process: "subprocess.Popen[Any]") -> None:
        """Start the clock.

        Args:
            process: The ssh.
        """
        self._process, self.is_met = process, False
        self._timer = threading.Timer(FIRST_ANSWER, process.kill)
        self._timer.daemon = True
        self._timer.start()

    def met(self) -> None:
        """Stop the clock: it has begun."""
        self.is_met = True
        self._timer.cancel()

    def check(self, connection: "Connection", stderr: str) -> None:
        """Raise the error where it never began; to be called when it has ended.

        Args:
            connection: The cluster's.
            stderr: What came on its standard error.

        Raises:
            SshError: Start-up files keep it from running, or the connection failed.
        """
        self._timer.cancel()
        if self.is_met:
            return
        if self._process.returncode == -signal.SIGKILL:
            raise connection.hangs()
        if self._process.returncode >= 0:
            raise connection.failure(self._process.returncode, stderr, "")


def stream(connection: "Connection", name: str, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Run a program there that answers more than once; each answer as it comes. It ends when no more are taken.

    Raises:
        SshError: The connection failed or broke off.
        RookeryError: There is no Python there, or the program failed.
    """
    mark = new_mark()
    with subprocess.Popen(
        command(connection, name, request, mark),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
        start_new_session=True,
    ) as process:
        deadline = Deadline(process)
        try:
            for line in process.stdout or ():
                if line.rstrip() == mark:
                    deadline.met()
                elif deadline.is_met and (answer := read(connection, name, line)):
                    yield answer
            stderr = process.stderr.read() if process.stderr else ""
            process.wait()
        finally:
            process.terminate()
    deadline.check(connection, stderr)
    if process.returncode == 255:
        raise connection.failure(255, stderr, "")
    if process.returncode > 0:
        raise failed(connection, process.returncode, stderr)


def command(connection: "Connection", name: str, request: Mapping[str, Any], mark: str) -> list[str]:
    """Return the argument list that runs a program there, which prints the mark before its answers."""
    return connection.command(remote_command(marked(_start(), mark), _arguments(name, request)))


def failed(connection: "Connection", code: int, stderr: str) -> RookeryError:
    """Return the error for a program that gave no answer."""
    name = connection.cluster.name
    if code == _NO_PYTHON:
        return NoPythonError(f"{name} has no Python yet.", hint=f"invoke setup --cluster {name}")
    last = (clean(stderr).strip().splitlines() or [f"exit status {code}"])[-1]
    return RookeryError(f"{name} gave no answer: {last}", hint=f"invoke doctor --cluster {name}")


def _start() -> str:
    return _START.format(pythons=paths.remote("scripts/python.sh"), program=shlex.quote(bundle.FROM_ARGUMENT))


def _arguments(name: str, request: Mapping[str, Any]) -> list[str]:
    return [bundle.pack(f"slurm.{name}", dict(request)), f"rookery.remote.slurm.{name}"]
