"""How the user's jobs stand, in one table or document, and what those that ended teach for the next ones."""

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


def check(told: SlurmSnapshot, cluster: str) -> None:
    """See that Slurm said something.

    Raises:
        RookeryError: Neither squeue nor sacct did.
    """
    if told.squeue and told.sacct:
        raise RookeryError(
            f"Slurm does not answer on {cluster}: {told.squeue}. Your jobs are not lost: those that run go on.",
            hint="the same command again, in a while",
        )


def document(told: SlurmSnapshot, found: "Target") -> dict[str, Any]:
    """Return what --json says."""
    return {
        "cluster": found.cluster.name,
        "now": told.now,
        "squeue": told.squeue,
        "sacct": told.sacct,
        "jobs": [
            {
                **asdict(run),
                "state": state(run),
                "why": [explain(code) for code in run.reasons],
                "advice": list(advice(run, asked_memory=_asked_memory(run, found))),
            }
            for run in told.runs
        ],
    }


def show(told: SlurmSnapshot, found: "Target", project: str, days: int) -> None:
    """Print the table, and below it why jobs wait and what they teach."""
    console = tables.console()
    for line in gaps(told, found.cluster.name):
        console.print(line, style="yellow", markup=False)
    if not told.runs:
        whose = f" of {project}" if project else ""
        console.print(f"No jobs{whose} on {found.cluster.name} in the last {days} days.", markup=False)
        return
    shown = told.runs[-MOST:]
    if len(shown) < len(told.runs):
        console.print(f"{len(told.runs) - len(shown)} earlier ones are left out; --json has them all.")
    console.print(table(shown))
    for line in remarks(told, shown, found):
        console.print(line, markup=False, soft_wrap=True)


def gaps(told: SlurmSnapshot, cluster: str) -> Iterator[str]:
    """Yield what is missing from the table, since a part of Slurm does not answer."""
    if told.squeue:
        yield f"squeue does not answer on {cluster} ({told.squeue}): these are the accounts, perhaps some minutes old."
    if told.keeps_none:
        yield (
            f"{cluster} keeps no accounts (sacct is switched off there): jobs that ended some minutes ago are missing; "
            "their logs and outputs tell what came of them."
        )
    elif told.sacct:
        yield f"sacct does not answer on {cluster} ({told.sacct}): jobs that ended some minutes ago are missing."


def table(runs: tuple[JobRun, ...]) -> "Table":
    """Return the table of some jobs."""
    from rich.text import Text

    made = tables.table(["job", "name", "state", ">time", ">cores", ">memory"])
    for one in runs:
        style = "red" if one.failed_count and not one.is_active else ""
        words = [str(one.id), one.name, state(one), _time(one), _cores(one), _memory(one)]
        made.add_row(*(Text(word, style=style if place == 2 else "") for place, word in enumerate(words)))
    return made


def state(run: JobRun) -> str:
    """How a job stands, in a few words: "running", or "163 done, 37 waiting" of an array."""
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
    """Return what a user calls a state of Slurm's."""
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


def remarks(told: SlurmSnapshot, runs: tuple[JobRun, ...], found: "Target") -> Iterator[str]:
    """Yield what there is to say of jobs, a line each: why they wait, what they teach."""
    for one in runs:
        for code, _ in sorted(one.reasons.items(), key=lambda item: -item[1])[:2]:
            start = f"; Slurm expects it to start at {moment(one.expected)}" if one.expected else ""
            yield f"{one.id} waits: {explain(code)}{start}"
        for line in advice(one, asked_memory=_asked_memory(one, found)):
            yield f"{one.id} {spoken(line, found.flags)}"
        if not one.is_active and "0" not in one.cancelled_by and one.counts.get("CANCELLED") == one.total:
            continue
        if "0" in one.cancelled_by and not one.killed_for_memory and not one.elapsed:
            yield f"{one.id} was cancelled by Slurm before it began: what it waited for failed"
        failed, count = one.failed(told.uid)
        if one.array and count and not one.is_active and not _done_again(one, found):
            line = f"{count} of {one.total} tasks failed ({_short(failed)}): invoke submit --failed {one.id}"
            yield f"{one.id} {spoken(line, found.flags)}"


def _done_again(one: JobRun, found: "Target") -> bool:
    """Whether a later run of the project was of its failed tasks: what that came to is said with that run."""
    return bool(found.project and run_record.retries(found.project.root, found.cluster.label, str(one.id)))


def spoken(line: str, flags: str) -> str:
    """Return a line that ends with a command, as the user types it here."""
    what, invoke, arguments = line.partition("invoke ")
    return f"{what}{invocation()} {arguments}{flags}" if invoke else line


def _short(tasks: str) -> str:
    return tasks if len(tasks) <= 50 else tasks[:50].rpartition(",")[0] + ", …"


def moment(when: int) -> str:
    """Return a time as a user reads it: 10:12 today, else with its date."""
    there = time.localtime(when)
    same = time.strftime("%F", there) == time.strftime("%F")
    return time.strftime("%H:%M" if same else "%F %H:%M", there)


def _asked_memory(run: JobRun, found: "Target") -> bool:
    """Whether the script asked for memory itself, as far as its record tells; else where it looks like it."""
    kept = run_record.find(found.project.root, str(run.id), found.cluster.label) if found.project else None
    return "--mem" in kept.script if kept else run.memory_asked < 100 * 1024 * 1024
