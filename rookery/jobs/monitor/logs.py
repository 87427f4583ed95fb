"""The command `logs`: print a job's log as it is; with `follow`, for as long as the job writes."""

import codecs
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.process import Deadline
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


def run(options: LogsOptions) -> int:
    """Print a log. To a file or a pipe it goes unchanged; on a terminal, control characters are left out.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: There is no such job, or no log yet.
    """
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    number = run_record.parse_id(options.job, flags)[0] if options.job else ""
    target = targets.find(options.cluster, sandbox=options.sandbox, needs_project=not options.job)
    number = number or _latest(target)
    options = replace(options, job=options.job or number)
    target.connection.open()
    if not read(target, options, _pass_on):
        console.note("The log is empty: the program printed nothing.")
    return 0


def read(target: "Target", options: LogsOptions, take: Callable[[IO[bytes]], bool]) -> bool:
    """Have the bytes of a log read as they come.

    Args:
        target: The cluster, connected.
        options: Which log.
        take: Reads them, and returns whether there were any.

    Returns:
        Whether there were any.

    Raises:
        RookeryError: There is no such job, or no log yet.
    """
    number, task = run_record.parse_id(options.job, target.flags)
    mark = new_mark()
    request = {"job": number, "task": task, "follow": options.follow, "error": options.error}
    command = remote_client.command(target.connection, "following", request, mark)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        deadline = Deadline(process.kill)
        try:
            with console.waiting(f"Looking for the log of job {options.job} on {target.cluster.name}"):
                begun = _read_header(process.stdout, mark, deadline, target, options) if process.stdout else False
            is_empty = begun and process.stdout is not None and not take(process.stdout)
            stderr = process.stderr.read().decode(errors="replace") if process.stderr else ""
            process.wait()
        finally:
            process.terminate()
    remote_client.require_begun(deadline, process, target.connection, stderr.strip("."))
    if process.returncode == 255:
        error = target.connection.failure(255, stderr.strip("."), "")
        error.hint = error.hint or f"invoke logs {options.job} --follow{target.flags}"
        raise error
    if process.returncode > 0 or not begun:
        raise remote_client.failed(target.connection, process.returncode, stderr.strip("."))
    return not is_empty


def _latest(target: "Target") -> str:
    """Return the number of the project's last run on the cluster.

    Raises:
        RookeryError: There has been none.
    """
    last = run_record.latest(target.project.root, target.cluster.label) if target.project else None
    if last is None:
        job = next(iter(target.project.jobs), "JOB") if target.project else "JOB"
        raise RookeryError(
            f"No job of this project was submitted to {target.cluster.name} yet.",
            hint=target.next(f"invoke submit {job}"),
        )
    return last.id


def _read_header(stream: IO[bytes], mark: str, deadline: Deadline, target: "Target", options: LogsOptions) -> bool:
    """Read what comes before the log: its path, or why there is none; return whether it begins."""
    for line in stream:
        if line.strip() == mark.encode():
            deadline.meet()
        text = line.decode(errors="replace") if deadline.is_met else ""
        answer = remote_client.read(target.connection, "following", text)
        if answer is None:
            continue
        if skipped := answer.pop("skipped", ""):
            console.note(f"Skipped {console.clean(skipped)} on {target.cluster.name}: not a run record.")
        if answer["state"] == "begin":
            if answer["why"] or sys.stderr.isatty():
                console.note(*_where(answer, options, target.flags).split("\n"))
            return True
        if answer["state"] != "wait":
            raise _missing(answer, target, options)
        pending = answer["job"] == "PENDING"
        state = f"waiting: {console.clean(explain(answer['reason']))}" if pending else "running, without output yet"
        console.note(f"Job {options.job} is {state}. Its log will be {console.clean(answer['path'])}")
    return False


def _where(answer: Mapping[str, Any], options: LogsOptions, flags: str) -> str:
    """Return a line that says which log it is."""
    path = console.clean(answer["path"])
    if not answer["why"]:
        return path
    number = options.job.strip()
    another = f"{invocation.invocation()} logs {number}_TASK{flags}"
    return f"Task {number}_{answer['task']}: {answer['why']} of {answer['total']}; for another: {another}\n{path}"


def _missing(answer: Mapping[str, Any], target: "Target", options: LogsOptions) -> RookeryError:
    """Return the error that says why there is no log."""
    cluster, number = target.cluster.name, options.job.strip()
    if answer["state"] == "no-job":
        unknown = accounting.unknown(cluster, number, console.clean(answer.get("silent", "")))
        return RookeryError(f"{unknown}.", hint=f"invoke jobs --all --days 30{target.flags}")
    if answer["state"] == "no-task":
        if not answer["array"]:
            return RookeryError(
                f"Job {number.partition('_')[0]} is not an array.",
                hint=f"invoke logs {number.partition('_')[0]}{target.flags}",
            )
        every = answer["tasks"]
        return RookeryError(
            f"Job {number.partition('_')[0]} has no task {number.partition('_')[2]}: its tasks are {every[0]} to "
            f"{every[-1]}.",
            hint=f"invoke logs {number.partition('_')[0]}_{every[0]}{target.flags}",
        )
    name, path = (
        f"{number.partition('_')[0]}_{answer['task']}" if answer["task"] else number,
        console.clean(answer["path"]),
    )
    kind = "Task" if "_" in name else "Job"
    if answer["job"] in {"PENDING", "CONFIGURING", "REQUEUED"}:
        return RookeryError(
            f"{kind} {name} has no log yet. It is waiting: {console.clean(explain(answer['reason']))}.",
            hint=f"invoke logs {name} --follow{target.flags}",
        )
    if answer["job"] in {"RUNNING", "COMPLETING"}:
        return RookeryError(
            f"{kind} {name} is running, and has written nothing to {path} yet.",
            hint=f"invoke logs {name} --follow{target.flags}",
        )
    ended = answer["job"] or "ended"
    return RookeryError(
        f"{kind} {name} left no log ({ended}): can't find {path}; its folder may have been missing.",
        hint=f"invoke jobs {number.partition('_')[0]}{target.flags}",
    )


def _pass_on(stream: IO[bytes]) -> bool:
    """Pass bytes on as they come; return whether there were any."""
    some = False
    try:
        if not sys.stdout.isatty():
            while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
                some = True
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
            return some
        show = cleaner()
        while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
            some = True
            sys.stdout.write(show(piece))
            sys.stdout.flush()
        sys.stdout.write(show(b"", True))
    except BrokenPipeError:  # `| head`
        sys.stderr.close()
    return some


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
