"""Sent to a cluster: a Slurm job and its tasks."""

from typing import Any, Dict, List, Optional, Set

from rookery.remote.slurm.basics import cut
from rookery.remote.slurm.forms import ACTIVE, WAITING, expression

UNMEASURED: Dict[str, Any] = {
    "measured_now": 0,
    "memory_now": 0,
    "memory_now_task": None,
    "cores_now": 0,
    "gpus_now": 0,
    "gpu_now": None,
    "gpu_memory_now": 0,
    "gpu_memory_given": 0,
}
"""What an entry says of running tasks of which nothing was measured (rookery.remote.slurm.live_use)."""


class SlurmTask:
    """One task of an array, or a job that is none.

    `by` is the number of the user that cancelled it, 0 for Slurm itself; None where that is not known.
    """

    __slots__ = ("asked", "by", "cpu", "cpus", "elapsed", "end", "exit", "killed", "peak", "settled", "start", "state")

    def __init__(self, state: str) -> None:
        self.state, self.exit = state, ""
        self.asked = self.cpus = self.elapsed = self.peak = self.start = self.end = 0
        self.cpu, self.killed, self.settled = 0.0, False, True
        self.by: Optional[int] = None

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ACTIVE

    def settle(self) -> None:
        """Decide whether it was killed for memory, once all its lines have been read.

        Sites that watch memory by cgroups say OUT_OF_MEMORY; others kill by signal 9, which the shell turns into exit
        status 137, at a memory at or over what was asked for.
        """
        if self.state == "OUT_OF_MEMORY":
            self.killed = True
        elif self.state in ("FAILED", "CANCELLED", "NODE_FAIL"):
            self.killed = self.killed and bool(self.asked) and self.peak >= 0.95 * self.asked
        else:
            self.killed = False


class SlurmJob:
    """A job with everything that is known of it; an array with its tasks is one."""

    def __init__(self, number: int) -> None:
        self.number, self.is_array = number, False
        self.name = self.folder = self.partition = self.limit = self.depends = ""
        self.submitted = 0
        self.tasks: Dict[int, SlurmTask] = {}
        self.reasons: Dict[str, int] = {}
        self.expected = 0
        self.listed: Set[int] = set()  # by squeue
        self.live = UNMEASURED

    @property
    def key(self) -> str:
        """What tells it from any other: numbers may be given out again one day."""
        return "%d-%d" % (self.number, self.submitted)

    @property
    def is_over(self) -> bool:
        """Whether all of it has ended."""
        return not any(task.is_active for task in self.tasks.values())

    def entry(self) -> Dict[str, Any]:
        """Return the job's entry in the answer."""
        tasks = self.tasks
        states: Dict[str, List[int]] = {}
        for number, task in tasks.items():
            states.setdefault(task.state, []).append(number)
        ended = [task for task in tasks.values() if not task.is_active]
        peak = max(tasks, key=lambda number: tasks[number].peak)
        killed = [number for number, task in tasks.items() if task.killed]
        exits: Dict[str, List[int]] = {}
        for number, task in tasks.items():
            if task.exit not in ("", "0:0"):
                exits.setdefault(task.exit, []).append(number)
        by: Dict[int, List[int]] = {}
        for number, task in tasks.items():
            if task.by is not None:
                by.setdefault(task.by, []).append(number)
        began = [task.start for task in tasks.values() if task.start and task.state not in WAITING]
        return {
            "id": self.number,
            "array": self.is_array,
            "name": cut(self.name),
            "folder": cut(self.folder),
            "partition": cut(self.partition),
            "limit": self.limit,
            "depends": cut(self.depends),
            "submitted": self.submitted,
            "start": min(began or [0]),
            "end": max([task.end for task in ended] or [0]) if len(ended) == len(tasks) else 0,
            "expected": self.expected,
            "settled": all(task.settled for task in tasks.values()),
            "total": len(tasks),
            "counts": {state: len(numbers) for state, numbers in states.items()},
            "tasks": {state: expression(numbers) for state, numbers in states.items()} if self.is_array else {},
            "reasons": self.reasons,
            "cancelled_by": {str(user): expression(numbers) for user, numbers in sorted(by.items())},
            "exits": {code: expression(numbers) if self.is_array else "" for code, numbers in exits.items()},
            "elapsed": max([task.elapsed for task in tasks.values()] or [0]),
            "running_longest": max([task.elapsed for task in tasks.values() if task.state == "RUNNING"] or [0]),
            "longest": max([task.elapsed for task in ended] or [0]),
            "cpus": max([task.cpus for task in tasks.values()] or [0]),
            "cpu_used": sum(task.cpu for task in ended),
            "cpu_given": sum(task.elapsed * task.cpus for task in ended),
            "memory_asked": max([task.asked for task in tasks.values()] or [0]),
            "memory_peak": tasks[peak].peak,
            "memory_peak_task": peak if self.is_array else None,
            "killed_for_memory": expression(killed) if self.is_array else "yes" * bool(killed),
            **self.live,
        }
