"""Advice from a run for the next one: what it used of what it asked for, and what to ask for instead."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun

WORTH_IT = 60
"""Seconds that a task must have run for its use of cores to tell anything."""

MEASURED = 120
"""Seconds that a task must have run for its memory to be known: sites look every 30 s."""

SHORT = 60
"""Seconds below which tasks are better bunched: HEC's scheduler works in cycles of 15 s (its documentation)."""

MANY = 100
"""Tasks from which that matters."""

SIGNALS = {1: "hung up", 2: "interrupted", 6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}

UNSTARTED = "53"
"""Slurm's signal for a job whose folder or log can't be opened on its node (seen on 22.05)."""


def memory(kilobytes: float) -> str:
    """Return an amount of memory as a user reads it: 900K, 512M, 3.1G."""
    for unit in "KMG":
        if kilobytes < 1000 or unit == "G":
            break
        kilobytes /= 1024
    return f"{kilobytes:.0f}{unit}" if kilobytes >= 99.5 or unit == "K" else f"{kilobytes:.1f}{unit}"


def ask_for(kilobytes: float) -> str:
    """Return the next round number of memory to ask Slurm for: 100M, 200M, 500M, then whole gigabytes."""
    megabytes = kilobytes / 1024
    for step in (100, 200, 500):
        if megabytes <= step:
            return f"{step}M"
    gigabytes = math.ceil(megabytes / 1024)
    return f"{gigabytes}G" if gigabytes <= 16 else f"{math.ceil(gigabytes / 8) * 8}G"


def clock(seconds: float) -> str:
    """Return a span as Slurm writes it: 0:03, 5:00, 1:05:00, 2-03:00:00."""
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}-{hours:02}:{minutes:02}:{left:02}"
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def advice(run: "JobRun", *, asked_memory: bool = True) -> Iterator[str]:
    """Yield advice on a run, a line each.

    Args:
        run: The run.
        asked_memory: Whether the script asked for memory itself; what a cluster gives unasked is nobody's waste.
    """
    yield from _memory(run, asked_memory)
    if run.counts.get("TIMEOUT") and run.limit.isdigit():
        limit = int(run.limit)
        yield f"reached its time limit of {clock(limit)}: request {clock(2 * limit)}, or do less per task"
    yield from _exits(run)
    used = run.cores_used
    if run.cpus > 1 and run.longest >= WORTH_IT and used < 0.7 * run.cpus:
        wanted = max(1, math.ceil(used - 0.2))
        if wanted < run.cpus:
            yield f"used {used:.1f} of {run.cpus} cores: request {wanted}"
    if run.array and run.total >= MANY and run.completed_count == run.total and run.longest < SHORT:
        bunch = max(2, min(run.total // 10, 300 // max(run.longest, 3)))
        yield f"no task took more than {clock(run.longest)}: `chunk: {bunch}` in rookery.yml runs {bunch} in one task"


def _memory(run: "JobRun", asked_memory: bool) -> Iterator[str]:
    requested, peak = run.memory_asked, run.memory_peak
    if run.killed_for_memory:
        which = "" if run.killed_for_memory == "yes" else f" ({_tasks(run.killed_for_memory)})"
        at = memory(requested) if requested else memory(peak)
        yield f"killed for memory at {at}{which}: request {ask_for(max(2 * requested, 1.5 * peak))}"
    elif (
        run.completed_count
        and asked_memory
        and peak
        and requested >= 2 * 1024 * 1024
        and run.longest >= MEASURED
        and 3 * peak < requested
    ):
        yield f"used at most {memory(peak)} of {memory(requested)} memory: {ask_for(1.3 * peak)} is enough"
    elif run.completed_count and peak and requested and peak > 0.9 * requested and run.longest >= MEASURED:
        yield f"used {memory(peak)} of {memory(requested)} memory, close to the limit: request {ask_for(1.5 * peak)}"


def _exits(run: "JobRun") -> Iterator[str]:
    for code, tasks in run.exits.items():
        status, _, signal = code.partition(":")
        if run.killed_for_memory and (signal not in {"", "0"} or status == "137"):
            continue
        first = next(iter(re.findall(r"\d+", tasks)), "")
        where = f"{run.id}_{first}" if first else str(run.id)
        which = f" ({_tasks(tasks)})" if tasks else ""
        if signal == UNSTARTED:
            yield f"did not start{which}: its node could not open its folder or its log; is that storage seen there?"
            continue
        if signal not in {"", "0"}:
            if {"TIMEOUT", "CANCELLED"}.isdisjoint(run.counts):
                word = SIGNALS.get(int(signal) if signal.isdigit() else 0, "")
                yield f"ended by signal {signal}{f', {word}' if word else ''}{which}: invoke logs {where} --error"
            continue
        meaning = {"126": ", program not executable", "127": ", program not found"}.get(status, "")
        yield f"failed with exit status {status}{meaning}{which}: invoke logs {where} --error"


def _tasks(expression: str, longest: int = 40) -> str:
    word = "task" if expression.isdigit() else "tasks"
    if len(expression) <= longest:
        return f"{word} {expression}"
    return f"{word} {expression[:longest].rpartition(',')[0]}, …"
