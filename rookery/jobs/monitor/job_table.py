"""The state of the user's jobs, in one table or document, with advice from those that ended."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rookery.core import console, local_time, tables, wrapping
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.jobs import run_record
from rookery.jobs.monitor import job_states
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.efficiency import advice, clock, cores, memory
from rookery.jobs.monitor.pending_reasons import explain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from rookery.projects.target import Target

MOST = 40
"""Jobs that the table shows; the latest."""


def check(snapshot: SlurmSnapshot, cluster: str) -> None:
    """Refuse a snapshot without any answer of Slurm's.

    Raises:
        RookeryError: Neither squeue nor sacct did.
    """
    if snapshot.squeue and snapshot.sacct:
        raise RookeryError(
            f"Slurm on {cluster} does not answer: {snapshot.squeue}. Your jobs are not lost and keep running.",
            hint="run the same command again in a few minutes",
        )


def document(snapshot: SlurmSnapshot, target: "Target") -> dict[str, Any]:
    """Return the document for --json."""
    return {
        "cluster": target.cluster.name,
        "now": snapshot.now,
        "squeue": snapshot.squeue,
        "sacct": snapshot.sacct,
        "jobs": [
            {
                **asdict(run),
                "state": job_states.state(run),
                "why": [explain(code) for code in run.reasons],
                "advice": list(advice(run, asked_memory=_asked_memory(run, target))),
            }
            for run in snapshot.runs
        ],
    }


def show(snapshot: SlurmSnapshot, target: "Target", project: str, days: int) -> None:
    """Print the table, the newest job first, and below it why jobs wait and advice from those that ended."""
    output = tables.console()
    for line in gaps(snapshot, target.cluster.name):
        console.show(output, line, "yellow")
    if not snapshot.runs:
        whose = f" of {project}" if project else ""
        when = "24 hours" if days == 1 else f"{days} days"
        console.say(f"No jobs{whose} on {target.cluster.name} in the last {when}.")
        return
    shown = snapshot.runs[: -MOST - 1 : -1]
    output.print(table(shown, snapshot.now, wrapping.columns(sys.stdout)))
    if len(shown) < len(snapshot.runs):
        console.say(f"{len(snapshot.runs) - len(shown)} earlier jobs are not shown; use --json for all.")
    console.say(*remarks(snapshot, shown, target))


def gaps(snapshot: SlurmSnapshot, cluster: str) -> Iterator[str]:
    """Yield what the table lacks, since a part of Slurm does not answer."""
    if snapshot.squeue:
        yield (
            f"squeue on {cluster} does not answer ({snapshot.squeue}): this is from sacct, and may be some minutes old."
        )
    if snapshot.keeps_none:
        yield (
            f"{cluster} has no job accounting (sacct is off): jobs that ended some minutes ago are missing; see their "
            "logs and outputs."
        )
    elif snapshot.sacct:
        yield f"sacct on {cluster} does not answer ({snapshot.sacct}): jobs that ended some minutes ago are missing."


def table(runs: Sequence[JobRun], now: float | None = None, room: int | None = None) -> "Table":
    """Return the table of some jobs, in their order.

    Args:
        runs: The jobs.
        now: The time on the cluster, in seconds since 1970, which tells what was yesterday; the time here where None.
        room: How many columns the terminal has; None for a file or a pipe.
    """
    from rich.text import Text

    measured = [f">{figure}\nused/\nasked" for figure in ("time", "cores", "memory")]
    rows: list[list[RenderableType]] = [
        [
            str(run.id),
            Text(run.name),
            local_time.when(run.submitted, now) or tables.UNKNOWN,
            job_states.coloured(run),
            *(_figure(*pair) for pair in (_time(run), _cores(run), _memory(run))),
        ]
        for run in runs
    ]
    return tables.table(["=job", "<name", "when", "state", *measured], rows, room)


def _figure(measured: str, asked: str) -> "Text":
    """Return what was used, and in grey what was asked for."""
    from rich.text import Text

    text = Text(tables.used(measured, asked))
    text.stylize("dim", text.plain.find("/") if "/" in text.plain else 0)
    return text


def _time(run: JobRun) -> tuple[str, str]:
    has_begun = run.start or run.elapsed
    return clock(run.elapsed) if has_begun else "", clock(int(run.limit)) if run.limit.isdigit() else ""


def _cores(run: JobRun) -> tuple[str, str]:
    return f"{cores(run):.1f}" if run.cpu_given else "", str(run.cpus or "")


def _memory(run: JobRun) -> tuple[str, str]:
    peak, asked = run.memory_peak, run.memory_asked
    return memory(peak) if peak else "", memory(asked) if asked else ""


def remarks(snapshot: SlurmSnapshot, runs: Sequence[JobRun], target: "Target") -> Iterator[str]:
    """Yield remarks on jobs, a line each: why they wait, advice from those that ended."""
    for run in runs:
        for code, _ in sorted(run.reasons.items(), key=lambda item: -item[1])[:2]:
            start = local_time.when(run.expected, snapshot.now)
            why = explain(code, run.counts.get("RUNNING", 0))
            yield f"Job {run.id} is waiting: {why}{f'; expected start: {start}' if start else ''}"
        for line in advice(run, asked_memory=_asked_memory(run, target)):
            yield f"Job {run.id}: {spoken(line, target)}"
        if not run.is_active and "0" not in run.cancelled_by and run.counts.get("CANCELLED") == run.total:
            continue
        if "0" in run.cancelled_by and not run.killed_for_memory and not run.elapsed:
            yield f"Slurm cancelled job {run.id} before it started: the job it depends on failed"
        failed, count = run.failed(snapshot.uid)
        if run.array and count and not run.is_active and not _was_retried(run, target):
            line = f"{count} of {run.total} tasks failed ({_short(failed)}): invoke submit --failed {run.id}"
            yield f"Job {run.id}: {spoken(line, target)}"


def _was_retried(run: JobRun, target: "Target") -> bool:
    """Return whether a later run submitted its failed tasks again: their results are shown with that run."""
    return bool(target.project and run_record.retries(target.project.root, target.cluster.label, str(run.id)))


def spoken(line: str, target: "Target") -> str:
    """Return a line that ends with a command, as the user types it here."""
    what, invoke, arguments = line.partition("invoke ")
    return f"{what}{as_typed(target.next(invoke + arguments))}" if invoke else line


def _short(tasks: str) -> str:
    return tasks if len(tasks) <= 50 else tasks[:50].rpartition(",")[0] + ", …"


def _asked_memory(run: JobRun, target: "Target") -> bool:
    """Return whether the script asked for memory itself, by its record; else whether it looks like it."""
    record = run_record.find(target.project.root, str(run.id), target.cluster.label) if target.project else None
    return "--mem" in record.script if record else run.memory_asked < 100 * 1024 * 1024
