"""Send one of the programs of rookery/remote/slurm or rookery/remote/data to a cluster, and read its answer."""

import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from rookery.clusters.login_node import answers, bundle, data_answers, frame, output_answers
from rookery.clusters.ssh.process import Deadline
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
"""Slurm may be on PATH in login shells alone. The second argument is the program's name, as ps shows it."""


_SHAPES = {**answers.PROGRAMS, **data_answers.PROGRAMS, **output_answers.PROGRAMS}


class NoPythonError(RookeryError):
    """The error where no program has begun, since there is no Python that runs it."""


def call(connection: "Connection", name: str, request: Mapping[str, Any], *, timeout: float = 180) -> dict[str, Any]:
    """Run a program on the cluster, in one remote command; return its answer.

    Args:
        connection: The cluster's, open.
        name: The program: a file of rookery/remote/slurm, or data.NAME.
        request: Its request; JSON can hold it.
        timeout: Seconds it may take.

    Raises:
        SshError: The connection failed.
        RookeryError: There is no Python there, or the program failed.
    """
    with waiting(f"Asking {connection.cluster.name}"):
        completed = connection.run(_arguments(name, request), script=_start(), timeout=timeout, check=False)
    answer = read(connection, name, completed.stdout)
    if answer is None:
        raise failed(connection, completed.exit, completed.stderr)
    return answer


def feed(  # noqa: PLR0913 all that a program is given
    connection: "Connection",
    name: str,
    request: Mapping[str, Any],
    pieces: Iterable[bytes] = (),
    *,
    on_line: Callable[[str], object] = len,
    before: str = "",
) -> dict[str, Any]:
    """Run a program on the cluster that takes as long as it needs, and send its standard input; return its answer.

    Args:
        connection: The cluster's, open.
        name: The program.
        request: Its request.
        pieces: The input; an error that they raise is raised here, once the program has ended.
        on_line: Called with each line of its standard error as it comes.
        before: POSIX sh that is run before it.

    Raises:
        SshError: The connection failed.
        RookeryError: There is no Python there, or the program failed.
    """
    running = connection.begin(before + _start(), _arguments(name, request), on_line=on_line, sends=True)
    completed = running.finish(pieces)
    answer = read(connection, name, completed.stdout)
    if answer is None:
        raise failed(connection, completed.exit, completed.stderr)
    return answer


def read(connection: "Connection", name: str, output: str) -> dict[str, Any] | None:
    """Return the last answer in what a program printed; None where there is none.

    Raises:
        RookeryError: It is not what that program may answer.
    """
    return cast("dict[str, Any] | None", frame.last(output, _SHAPES[name], connection.cluster.name))


def require_begun(deadline: Deadline, process: "subprocess.Popen[Any]", connection: "Connection", stderr: str) -> None:
    """Raise the error for a program that never began; to be called when its ssh has ended.

    Args:
        deadline: The program's.
        process: The ssh.
        connection: The cluster's.
        stderr: What came on its standard error.

    Raises:
        SshError: Start-up files keep it from running, or the connection failed.
    """
    deadline.cancel()
    if deadline.is_missed:
        raise connection.hangs()
    if not deadline.is_met and process.returncode >= 0:
        raise connection.failure(process.returncode, stderr, "")


def stream(
    connection: "Connection",
    name: str,
    request: Mapping[str, Any],
    on_start: Callable[[Callable[[], object]], object] = callable,
) -> Iterator[dict[str, Any]]:
    """Run a program on the cluster that answers more than once; yield each answer, and end it with the iteration.

    Args:
        connection: The cluster's, open.
        name: The program.
        request: Its request.
        on_start: Called with a function that ends the program, and so the iteration, from another thread.

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
        deadline = Deadline(process.kill)
        try:
            on_start(process.terminate)
            for line in process.stdout or ():
                if line.rstrip() == mark:
                    deadline.meet()
                elif deadline.is_met and (answer := read(connection, name, line)):
                    yield answer
            stderr = process.stderr.read().rpartition(f"{mark}\n")[2] if process.stderr else ""
            process.wait()
        finally:
            process.terminate()
    require_begun(deadline, process, connection, stderr)
    if process.returncode > 0:
        raise failed(connection, process.returncode, stderr)


def command(connection: "Connection", name: str, request: Mapping[str, Any], mark: str) -> list[str]:
    """Return the argument list that runs a program on the cluster, which prints the mark before its answers."""
    return connection.command(remote_command(marked(_start(), mark), _arguments(name, request)))


def failed(connection: "Connection", code: int, stderr: str) -> RookeryError:
    """Return the error for a program that gave no answer."""
    if code == 255:  # ssh's own, which may come without a word where the master connection was killed
        return connection.failure(code, stderr, "")
    name, argument = connection.cluster.name, connection.cluster.argument
    if code == _NO_PYTHON:
        return NoPythonError(f"{name} has no Python yet.", hint=f"invoke setup {argument}")
    last = (clean(stderr).strip().splitlines() or [f"exit status {code}"])[-1]
    return RookeryError(f"{name} sent no answer: {last}", hint=f"invoke doctor {argument}")


def _start() -> str:
    return _START.format(pythons=paths.remote("scripts/python.sh"), program=shlex.quote(bundle.FROM_ARGUMENT))


def _arguments(name: str, request: Mapping[str, Any]) -> list[str]:
    module = name if "." in name else f"slurm.{name}"
    return [bundle.pack(module, dict(request)), f"rookery.remote.{module}"]
