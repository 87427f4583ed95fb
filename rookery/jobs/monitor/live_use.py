"""What running jobs use now, in words, and warnings before one runs out of memory or time.

A running job keeps the memory that it was given, and only an operator or administrator raises its time limit: scontrol
answers "Job is no longer pending execution" and "Access/permission denied" (tried on Slurm 22.05; scontrol's manual,
TimeLimit).
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rookery.core.invocation import as_typed
from rookery.jobs.monitor.efficiency import ask_for, clock, memory

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
    from rookery.projects.target import Target

ALMOST = 0.9
"""The part of its memory or time from which a job is warned of."""

WATCHED = 60
"""Seconds that memory must have been watched for its growth to tell anything: Slurm looks every half minute or so."""

GROWN, HALF = 0.05, 0.5
"""The parts of its memory by which a job must have grown meanwhile, and it must use: most load their data first."""


class Growth:
    """The memory of running tasks over a watch: what grows without a pause runs out at a time that can be estimated."""

    def __init__(self) -> None:
        self._samples: dict[tuple[int, int | None], list[tuple[int, int]]] = {}

    def add(self, snapshot: "SlurmSnapshot") -> None:
        """Add what is used now."""
        for run in snapshot.runs:
            samples = self._samples.setdefault((run.id, run.memory_now_task), [])
            if samples and samples[-1][1] > run.memory_now:
                samples.clear()  # it gave some back: what was before tells nothing
            if run.memory_now and (not samples or samples[-1][1] < run.memory_now):
                samples.append((snapshot.now, run.memory_now))

    def seconds_left(self, run: "JobRun") -> int | None:
        """Return after how many seconds a task has used up its memory at the rate seen so far; None for unknown."""
        samples = self._samples.get((run.id, run.memory_now_task), [])
        if len(samples) < 3 or not run.memory_asked:
            return None
        (began, least), (ended, most) = samples[0], samples[-1]
        if ended - began < WATCHED or most - least < GROWN * run.memory_asked or most < HALF * run.memory_asked:
            return None
        return max(0, round((run.memory_asked - most) * (ended - began) / (most - least)))


def figures(run: "JobRun") -> str:
    """Return what the running tasks of a job use, in one line; "" where nothing was measured."""
    if not run.measured_now:
        return ""
    parts = [f"{memory(run.memory_now)}{_of(memory(run.memory_asked) if run.memory_asked else '')} memory"]
    if run.memory_peak > run.memory_now:
        parts[0] += f" (at most {memory(run.memory_peak)} so far)"
    if run.cores_now:
        parts.append(f"{run.cores_now:.1f}{_of(str(run.cpus or ''))} cores on average")
    if run.gpus_now:
        busy = "" if run.gpu_now is None else f" {run.gpu_now:.0f} % busy"
        full = f"{memory(run.gpu_memory_now)}{_of(memory(run.gpu_memory_given))} GPU memory"
        parts.append(f"{'GPU' if run.gpus_now == 1 else f'{run.gpus_now} GPUs'}{busy}, {full}")
    which = "" if run.memory_now_task is None else f" by task {run.memory_now_task}, the largest of {run.measured_now}"
    return f"uses {parts[0]}{which}{''.join(f', {part}' for part in parts[1:])}"


def gap(snapshot: "SlurmSnapshot", target: "Target", *, named: bool) -> Iterator[str]:
    """Yield why nothing is known of what running jobs use, where that is so.

    Args:
        snapshot: What Slurm said.
        target: Project and cluster.
        named: Whether jobs were named, so that they were looked into.
    """
    if snapshot.live:
        more = "" if named else f" `{as_typed(target.next('invoke jobs NUMBER'))}` looks inside a job."
        yield f"{target.cluster.name} does not tell what running jobs use ({snapshot.live}).{more}"


def _of(asked: str) -> str:
    return f" of {asked}" if asked else ""


def short_of(run: "JobRun") -> list[str]:
    """Return what a running job has nearly used up: "memory", "time"."""
    is_full = bool(run.memory_asked) and run.memory_now > ALMOST * run.memory_asked
    limit = int(run.limit) if run.limit.isdigit() else 0
    return ["memory"] * is_full + ["time"] * bool(run.running and limit and run.running_longest >= ALMOST * limit)


def warnings(run: "JobRun", growth: Growth | None = None) -> Iterator[str]:
    """Yield what a running job is about to run out of, and what can be done.

    Args:
        run: The job.
        growth: Its memory over a watch; None for a single look.
    """
    asked, now = run.memory_asked, run.memory_now
    left = growth.seconds_left(run) if growth else None
    task = "" if run.memory_now_task is None else f" in task {run.memory_now_task}"
    if "memory" in short_of(run) or (left is not None and run.limit.isdigit() and left < _time_left(run)):
        soon = f", and grows: at this rate it runs out in {clock(left)}" if left else ""
        yield (
            f"uses {memory(now)} of its {memory(asked)} memory{task}{soon}. It is killed when it needs more, and a "
            f"running job can't get more: save a checkpoint if it can, and request {ask_for(1.5 * max(now, asked))} "
            "next time"
        )
    if "time" in short_of(run):
        yield (
            f"has run for {clock(run.running_longest)}: Slurm ends it at its limit of {clock(int(run.limit))}, in "
            f"{clock(_time_left(run))}. Save a checkpoint if it can, and request more time next time; only the "
            "cluster's staff can extend a running job"
        )


def _time_left(run: "JobRun") -> int:
    return max(0, int(run.limit) - run.running_longest)


def remarks(runs: Iterable["JobRun"], growth: Growth | None = None, *, detailed: bool = False) -> Iterator[str]:
    """Yield a line for each warning, and where asked for each job's figures, too."""
    for run in runs:
        if detailed and (line := figures(run)):
            yield f"Job {run.id} {line}"
        for line in warnings(run, growth):
            yield f"Job {run.id} {line}"
