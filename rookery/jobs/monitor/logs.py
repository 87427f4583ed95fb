"""The command `logs`: print a job's log as it is; with `follow`, for as long as the job writes."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh.errors import SshError
from rookery.core import console, invocation
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting
from rookery.jobs.monitor.log_stream import LogStream, cleaner
from rookery.jobs.monitor.pending_reasons import explain
from rookery.jobs.options import LogsOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.projects.target import Target


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


def read(target: "Target", options: LogsOptions, take: Callable[[LogStream], bool]) -> bool:
    """Have a log read as it comes; return whether there was any of it.

    Args:
        target: The cluster, connected.
        options: Which log.
        take: Reads it, and returns whether there was any.

    Raises:
        RookeryError: There is no such job, or no log yet.
    """
    number, task = run_record.parse_id(options.job, target.flags)
    request = {"job": number, "task": task, "follow": options.follow, "error": options.error}
    with LogStream(target.connection, request) as stream:
        with console.waiting(f"Looking for the log of job {options.job} on {target.cluster.name}"):
            begun = _read_header(stream, target, options)
        is_empty = begun and not take(stream)
        try:
            stream.require_whole(begun=begun)
        except SshError as error:
            error.hint = error.hint or f"invoke logs {options.job} --follow{target.flags}"
            raise
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


def _read_header(stream: LogStream, target: "Target", options: LogsOptions) -> bool:
    """Read what comes before the log: its path, or why there is none; return whether it begins."""
    for answer in stream.answers():
        if skipped := answer.pop("skipped", ""):
            console.note(f"Skipped {console.clean(skipped)} on {target.cluster.name}: not a run record.")
        if answer["state"] == "begin":
            if answer["why"] or sys.stderr.isatty():
                console.note(*_where(answer, options, target.flags).split("\n"))
            return True
        if answer["state"] != "wait":
            raise missing(answer, target, options.job.strip())
        console.note(awaited(answer, options.job))
    return False


def awaited(answer: Mapping[str, Any], number: str) -> str:
    """Return a line on a job whose log is not there yet."""
    pending = answer["job"] == "PENDING"
    state = f"waiting: {console.clean(explain(answer['reason']))}" if pending else "running, without output yet"
    return f"Job {number} is {state}. Its log will be {console.clean(answer['path'])}"


def _where(answer: Mapping[str, Any], options: LogsOptions, flags: str) -> str:
    """Return a line that says which log it is."""
    path = console.clean(answer["path"])
    if not answer["why"]:
        return path
    number = options.job.strip()
    another = f"{invocation.invocation()} logs {number}_TASK{flags}"
    return f"Task {number}_{answer['task']}: {answer['why']} of {answer['total']}; for another: {another}\n{path}"


def missing(answer: Mapping[str, Any], target: "Target", number: str) -> RookeryError:
    """Return the error that says why there is no log.

    Args:
        answer: The program's.
        target: Project and cluster.
        number: The job or task, as the user named it.
    """
    cluster = target.cluster.name
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
        f"{kind} {name} left no log ({ended}): can't find {path}. Its folder may have been missing, "
        "or the log is elsewhere (`--output`).",
        hint=f"invoke jobs {number.partition('_')[0]}{target.flags}",
    )


def _pass_on(stream: LogStream) -> bool:
    """Pass bytes on as they come; return whether there were any."""
    some = False
    try:
        if not sys.stdout.isatty():
            for piece in stream.pieces():
                some = True
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
            return some
        show = cleaner()
        for piece in stream.pieces():
            some = True
            sys.stdout.write(show(piece))
            sys.stdout.flush()
        sys.stdout.write(show(b"", True))
    except BrokenPipeError:  # `| head`
        sys.stderr.close()
    return some
