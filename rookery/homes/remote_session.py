"""Open a remote session: one command on a login node that probes it, then applies one role after another.

It begins while Ansible still starts, and saves each role a command of its own, with a login shell, a Python and a newly
compiled apply program: a tenth of a second each. `begin` is called before Ansible forks a worker for each task, so that
each worker has the session's pipes; when all workers have ended, so does the session. Where there is no session, where
it has ended or does not suit a role, its answer is None, and the role sends a command of its own.
"""

import json
import os
import re
import select
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from rookery.clusters.login_node import answers, bundle, facts, frame
from rookery.clusters.ssh.remote_command import DOWNLOADS, LONGEST_ARGUMENT, new_mark, remote_command
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

PATIENCE = 120
"""Seconds within which the probe's answer comes: it gives up on whatever takes longer than ten."""

_SCRIPT = """
packed=$1
shift
exec 3<&0 </dev/null
glance() {{
{probe}
}}
ROOKERY_PROBED=$(glance "$@")
export ROOKERY_PROBED
(ROOKERY_GLANCE=pythons && glance) | while IFS= read -r python; do
  [ -n "$python" ] && "$python" -IS -c {check} </dev/null || continue
  exec "$python" -IS -c {code} "$packed" "$python" <&3 3<&-
done
"""

_CHECK = f"import sys; sys.exit(sys.version_info < {facts.OLDEST_PYTHON})"

Order = dict[str, Any]
"""How to begin a session: `command`, ssh's arguments, and `asked`, the probe's."""


def order(connection: "Connection") -> Order | None:
    """Return what begins a session on a cluster; None where it would be too long for one argument.

    Args:
        connection: An open connection to the cluster.
    """
    arguments = facts.arguments(connection.cluster.data)
    python = {"check": shlex.quote(_CHECK), "code": shlex.quote(bundle.FROM_ARGUMENT)}
    script = _SCRIPT.format(probe=facts.script(), **python)
    remote = remote_command(DOWNLOADS + script, [bundle.pack("apply.session"), *arguments], stdin="")
    return {"command": connection.command(remote), "asked": arguments} if len(remote) <= LONGEST_ARGUMENT else None


_ERRORS = 1 << 13  # bytes of its standard error that are shown
# Its exit status comes as its last word: a worker is not its parent, and can't wait for it.
_WRAPPER = ["sh", "-c", '"$@"; echo "<<<ended $?>>>"', "sh"]


class EndedError(Exception):
    """The error for a session that ended before its answer: its task may have been begun, or done, or not.

    Attributes:
        exit: The exit status of its ssh: 255 where the connection broke off.
        lines: What came on its standard error.
    """

    def __init__(self, output: bytes, lines: Sequence[str] = ()) -> None:
        """Read the exit status from the end of the output; 1 where it is missing."""
        super().__init__()
        match = re.search(rb"<<<ended (\d+)>>>\n$", output)
        self.exit = int(match[1]) if match else 1
        self.lines = lines


@dataclass(frozen=True)
class _RemoteSession:
    """A running remote session.

    Attributes:
        process: Its ssh.
        errors: What comes on its standard error: a file without a name.
        asked: The probe's arguments.
    """

    process: "subprocess.Popen[bytes]"
    errors: IO[bytes]
    asked: Sequence[str]

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Send a question and return its answer; None where the session had ended before.

        Raises:
            EndedError: It ended at this question.
        """
        assert self.process.stdin  # noqa: S101 for mypy
        name = new_mark()
        try:
            with open(self.process.stdin.fileno(), "wb", closefd=False) as stream:
                stream.write(bundle.word(json.dumps({**question, "to": name})).encode() + b"\n")
        except BrokenPipeError:
            return None
        return self.answer(name)

    def answer(self, name: str, patience: float | None = None) -> dict[str, Any]:
        """Return the answer to the question of that name, whatever start-up files print beside it.

        Args:
            name: The question's; "" for what it says unasked.
            patience: Seconds within which the first word must come.

        Raises:
            EndedError: It ended before.
            TimeoutError: Nothing came.
        """
        assert self.process.stdout  # noqa: S101 for mypy
        output = b""
        if patience is not None and not select.select([self.process.stdout], [], [], patience)[0]:
            self.process.kill()
            raise TimeoutError
        while piece := os.read(self.process.stdout.fileno(), 1 << 16):
            output += piece
            if b":rookery>>>" in output:
                answer: dict[str, Any] | None = frame.last(output.decode(errors="replace"), answers.apply_program)
                if answer is not None and answer.get("to") == name:
                    return answer
        size = os.fstat(self.errors.fileno()).st_size
        last = os.pread(self.errors.fileno(), _ERRORS, max(0, size - _ERRORS))
        raise EndedError(output, last.decode(errors="replace").strip().splitlines())


_begun: dict[str, _RemoteSession] = {}


def begin(orders: Mapping[str, Order]) -> None:
    """Begin the sessions of a run; their answers wait in their pipes.

    Args:
        orders: By cluster, as `order` gave them.
    """
    import tempfile  # noqa: PLC0415 start-up

    pipe = subprocess.PIPE
    for name, order in orders.items():
        command = [*_WRAPPER, *order["command"]]
        errors = tempfile.TemporaryFile()  # noqa: SIM115 it stays; a pipe that nobody reads would be full some day
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors)
        _begun[name] = _RemoteSession(process, errors, order["asked"])


def probed(name: str, arguments: Sequence[str]) -> str | None:
    """Return the probe's output from the session's begin; None where its arguments differ, or there is no session.

    To be called once, before `carry_out`: the session says it unasked, and is there to be asked only then.

    Args:
        name: The cluster.
        arguments: The probe's arguments.

    Raises:
        RookeryError: Start-up files keep it from running.
    """
    session = _begun.get(name)
    if session is None:
        return None
    try:
        answer = session.answer("", PATIENCE)
    except EndedError:
        return None
    except TimeoutError:
        raise RookeryError(
            f"{name}: no command started within {PATIENCE} s. Do your start-up files wait for input?",
            hint=f"invoke doctor {name}",
        ) from None
    return str(answer.get("probed", "")) if list(session.asked) == list(arguments) else None


def carry_out(name: str, python: str, payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the apply program's answer to a role's payload; None where the role must send its own command.

    Args:
        name: The cluster.
        python: The Python on the cluster that shall do it.
        payload: What is sent.

    Raises:
        EndedError: It ended before its answer.
    """
    session = _begun.get(name)
    answer = session.ask({"python": python, "payload": payload}) if session is not None else None
    return answer.get("answer") if answer else None
