"""The state of the user's jobs, in one table or document, with advice from those that ended."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rookery.core import tables
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.jobs import run_record
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.efficiency import advice, clock, cores, memory
from rookery.jobs.monitor.pending_reasons import explain
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rich.table import Table

    from rookery.projects.target import Target

MOST = 40
"""Jobs that the table shows; the latest."""

_STATES = {
    "COMPLETED": "done",
    "FAILED": "failed",
    "OUT_OF_MEMORY": "killed for memory",
    "TIMEOUT": "out of time",
    "CANCELLED": "cancelled",
    "NODE_FAIL": "node failed",
    "PREEMPTED": "preempted",
    "DEADLINE": "past its deadline",
    "BOOT_FAIL": "node failed",
    "RUNNING": "running",
    "COMPLETING": "ending",
    "CONFIGURING": "starting",
    "SUSPENDED": "suspended",
    "PENDING": "waiting",
}


def check(snapshot: SlurmSnapshot, cluster: str) -> None:
    """Refuse a snapshot without any answer of Slurm's.

    Raises:
        RookeryError: Neither squeue nor sacct did.
    """
    if snapshot.squeue and snapshot.sacct:
        raise RookeryError(
            f"Slurm does not answer on {cluster}: {snapshot.squeue}. Your jobs are not lost: those that run go on.",
            hint="the same command again, in a while",
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
                "state": state(run),
                "why": [explain(code) for code in run.reasons],
                "advice": list(advice(run, asked_memory=_asked_memory(run, target))),
            }
            for run in snapshot.runs
        ],
    }


def show(snapshot: SlurmSnapshot, target: "Target", project: str, days: int) -> None:
    """Print the table, and below it why jobs wait and advice from those that ended."""
    console = tables.console()
    for line in gaps(snapshot, target.cluster.name):
        console.print(line, style="yellow", markup=False)
    if not snapshot.runs:
        whose = f" of {project}" if project else ""
        console.print(f"No jobs{whose} on {target.cluster.name} in the last {days} days.", markup=False)
        return
    shown = snapshot.runs[-MOST:]
    if len(shown) < len(snapshot.runs):
        console.print(f"{len(snapshot.runs) - len(shown)} earlier ones are left out; --json has them all.")
    console.print(table(shown))
    for line in remarks(snapshot, shown, target):
        console.print(line, markup=False, soft_wrap=True)


def gaps(snapshot: SlurmSnapshot, cluster: str) -> Iterator[str]:
    """Yield what the table lacks, since a part of Slurm does not answer."""
    if snapshot.squeue:
        yield (
            f"squeue does not answer on {cluster} ({snapshot.squeue}): these are the accounts, perhaps some minutes "
            "old."
        )
    if snapshot.keeps_none:
        yield (
            f"{cluster} keeps no accounts (sacct is switched off there): jobs that ended some minutes ago are missing; "
            "their logs and outputs tell what came of them."
        )
    elif snapshot.sacct:
        yield f"sacct does not answer on {cluster} ({snapshot.sacct}): jobs that ended some minutes ago are missing."


def table(runs: tuple[JobRun, ...]) -> "Table":
    """Return the table of some jobs."""
    from rich.text import Text

    table = tables.table(["job", "name", "state", ">time", ">cores", ">memory"])
    for run in runs:
        style = "red" if run.failed_count and not run.is_active else ""
        words = [str(run.id), run.name, state(run), _time(run), _cores(run), _memory(run)]
        table.add_row(*(Text(word, style=style if place == 2 else "") for place, word in enumerate(words)))
    return table


def state(run: JobRun) -> str:
    """Return the state of a job in a few words: "running", or "163 done, 37 waiting" of an array."""
    counts = dict(run.counts)
    if run.killed_for_memory:
        killed = len(numbers(run.killed_for_memory)) if run.array else 1
        for code in ("FAILED", "CANCELLED"):
            moved = min(counts.get(code, 0), killed)
            counts |= {code: counts.get(code, 0) - moved, "OUT_OF_MEMORY": counts.get("OUT_OF_MEMORY", 0) + moved}
            killed -= moved
    counts = {code: count for code, count in counts.items() if count}
    if not run.array or (run.total == 1 and len(counts) == 1):
        return word(next(iter(counts)))
    order = [*_STATES, *counts]
    return ", ".join(f"{counts[code]} {word(code)}" for code in sorted(counts, key=order.index))


def word(code: str) -> str:
    """Return the usual word for a state of Slurm's."""
    return _STATES.get(code, code.lower().replace("_", " "))


def _time(run: JobRun) -> str:
    limit = clock(int(run.limit)) if run.limit.isdigit() else ""
    return f"{clock(run.elapsed)} of {limit}" if limit else clock(run.elapsed)


def _cores(run: JobRun) -> str:
    used = cores(run)
    return f"{used:.1f} of {run.cpus}" if run.cpu_given else str(run.cpus or "")


def _memory(run: JobRun) -> str:
    if not run.memory_peak:
        return memory(run.memory_asked) if run.memory_asked else ""
    return f"{memory(run.memory_peak)} of {memory(run.memory_asked)}" if run.memory_asked else memory(run.memory_peak)


def remarks(snapshot: SlurmSnapshot, runs: tuple[JobRun, ...], target: "Target") -> Iterator[str]:
    """Yield remarks on jobs, a line each: why they wait, advice from those that ended."""
    for run in runs:
        for code, _ in sorted(run.reasons.items(), key=lambda item: -item[1])[:2]:
            start = f"; Slurm expects it to start at {moment(run.expected)}" if run.expected else ""
            yield f"{run.id} waits: {explain(code)}{start}"
        for line in advice(run, asked_memory=_asked_memory(run, target)):
            yield f"{run.id} {spoken(line, target.flags)}"
        if not run.is_active and "0" not in run.cancelled_by and run.counts.get("CANCELLED") == run.total:
            continue
        if "0" in run.cancelled_by and not run.killed_for_memory and not run.elapsed:
            yield f"{run.id} was cancelled by Slurm before it began: what it waited for failed"
        failed, count = run.failed(snapshot.uid)
        if run.array and count and not run.is_active and not _was_retried(run, target):
            line = f"{count} of {run.total} tasks failed ({_short(failed)}): invoke submit --failed {run.id}"
            yield f"{run.id} {spoken(line, target.flags)}"


def _was_retried(run: JobRun, target: "Target") -> bool:
    """Return whether a later run submitted its failed tasks again: their results are shown with that run."""
    return bool(target.project and run_record.retries(target.project.root, target.cluster.label, str(run.id)))


def spoken(line: str, flags: str) -> str:
    """Return a line that ends with a command, as the user types it here."""
    what, invoke, arguments = line.partition("invoke ")
    return f"{what}{invocation()} {arguments}{flags}" if invoke else line


def _short(tasks: str) -> str:
    return tasks if len(tasks) <= 50 else tasks[:50].rpartition(",")[0] + ", …"


def moment(when: int) -> str:
    """Return a time as a user reads it: 10:12 today, else with its date."""
    local_time = time.localtime(when)
    same = time.strftime("%F", local_time) == time.strftime("%F")
    return time.strftime("%H:%M" if same else "%F %H:%M", local_time)


def _asked_memory(run: JobRun, target: "Target") -> bool:
    """Return whether the script asked for memory itself, by its record; else whether it looks like it."""
    record = run_record.find(target.project.root, str(run.id), target.cluster.label) if target.project else None
    return "--mem" in record.script if record else run.memory_asked < 100 * 1024 * 1024
