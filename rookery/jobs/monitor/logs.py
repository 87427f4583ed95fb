"""`logs`: what a job has written, streamed as it is; with `follow`, for as long as the job writes."""

import codecs
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.remote_command import new_mark
from rookery.core import console, invocation
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting
from rookery.jobs.monitor.pending_reasons import explain
from rookery.jobs.options import LogsOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.projects.target import Target

PIECE = 1 << 16
"""Bytes that are passed on at a time."""


def run(request: LogsOptions) -> int:
    """Print a log. What goes to a file or a pipe goes as it is; on a terminal, control characters are left out.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: There is no such job, or no log yet.
    """
    found = targets.find(request.cluster, sandbox=request.sandbox, needs_project=not request.job)
    request = replace(request, job=request.job or _latest(found))
    number, task = run_record.parse_id(request.job, "logs")
    found.connection.open()
    mark = new_mark()
    asked = {"job": number, "task": task, "follow": request.follow, "error": request.error}
    command = remote_client.command(found.connection, "following", asked, mark)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        deadline = remote_client.Deadline(process)
        try:
            begun = _before(process.stdout, mark, deadline, found, request) if process.stdout else False
            if begun and process.stdout:
                _pass_on(process.stdout)
            said = process.stderr.read().decode(errors="replace") if process.stderr else ""
            process.wait()
        finally:
            process.terminate()
    deadline.check(found.connection, said.strip("."))
    if process.returncode == 255:
        error = found.connection.failure(255, said.strip("."), "")
        error.hint = error.hint or f"invoke logs {request.job} --follow{found.flags}"
        raise error
    if process.returncode > 0 or not begun:
        raise remote_client.failed(found.connection, process.returncode, said.strip("."))
    return 0


def _latest(found: "Target") -> str:
    """Return the number of the project's last run on the cluster.

    Raises:
        RookeryError: There has been none.
    """
    last = run_record.latest(found.project.root, found.cluster.label) if found.project else None
    if last is None:
        raise RookeryError(
            f"No job of this project has run on {found.cluster.name} yet.", hint=f"invoke submit{found.flags}"
        )
    return last.id


def _before(
    stream: IO[bytes], mark: str, deadline: remote_client.Deadline, found: "Target", request: LogsOptions
) -> bool:
    """Read what comes before the log: where it is, or why there is none; whether it begins."""
    for line in stream:
        if not line.startswith(mark.encode()):
            continue
        if line.strip() == mark.encode():
            deadline.met()
            continue
        told = remote_client.read(found.connection, "following", line[len(mark) :])
        if skipped := told.pop("skipped", ""):
            print(
                f"Skipped {console.clean(skipped)} on {found.cluster.name}: it is no record of a run.", file=sys.stderr
            )
        if told["state"] == "begin":
            if told["why"] or sys.stderr.isatty():
                print(_where(told, request, found.flags), file=sys.stderr)
            return True
        if told["state"] != "wait":
            raise _missing(told, found, request)
        why = explain(told["reason"]) if told["job"] == "PENDING" else "it has written nothing yet"
        print(
            f"{request.job} waits: {console.clean(why)}. Its log will be {console.clean(told['path'])}", file=sys.stderr
        )
    return False


def _where(told: Mapping[str, Any], request: LogsOptions, flags: str) -> str:
    """Which log it is, in a line."""
    path = console.clean(told["path"])
    if not told["why"]:
        return path
    number = request.job.strip()
    another = f"{invocation.invocation()} logs {number}_TASK{flags}"
    return f"{number}_{told['task']}, {told['why']} of {told['total']} tasks; another: {another}\n{path}"


def _missing(told: Mapping[str, Any], found: "Target", request: LogsOptions) -> RookeryError:
    """Why there is no log."""
    cluster, number = found.cluster.name, request.job.strip()
    if told["state"] == "no-job":
        unknown = accounting.unknown(cluster, number, console.clean(told.get("silent", "")))
        return RookeryError(f"{unknown}.", hint=f"invoke jobs --all --days 30{found.flags}")
    if told["state"] == "no-task":
        if not told["array"]:
            return RookeryError(
                f"{number.partition('_')[0]} is no array.", hint=f"invoke logs {number.partition('_')[0]}{found.flags}"
            )
        every = told["tasks"]
        return RookeryError(
            f"{number.partition('_')[0]} has no task {number.partition('_')[2]}; it has {every[0]} to {every[-1]}.",
            hint=f"invoke logs {number.partition('_')[0]}_{every[0]}{found.flags}",
        )
    name, path = f"{number.partition('_')[0]}_{told['task']}" if told["task"] else number, console.clean(told["path"])
    if told["job"] in {"PENDING", "CONFIGURING", "REQUEUED"}:
        return RookeryError(
            f"{name} has no log yet: it waits, {console.clean(explain(told['reason']))}.",
            hint=f"invoke logs {name} --follow{found.flags}",
        )
    if told["job"] in {"RUNNING", "COMPLETING"}:
        return RookeryError(
            f"{name} runs, and has written nothing yet to {path}.", hint=f"invoke logs {name} --follow{found.flags}"
        )
    ended = told["job"] or "ended"
    return RookeryError(
        f"{name} has left no log ({ended}): there is no {path}; its folder may have been missing.",
        hint=f"invoke jobs {number.partition('_')[0]}{found.flags}",
    )


def _pass_on(stream: IO[bytes]) -> None:
    """Pass bytes on as they come."""
    try:
        if not sys.stdout.isatty():
            while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
            return
        show = cleaner()
        while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
            sys.stdout.write(show(piece))
            sys.stdout.flush()
        sys.stdout.write(show(b"", True))
    except BrokenPipeError:  # `| head`
        sys.stderr.close()


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
