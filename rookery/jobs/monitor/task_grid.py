"""The tasks of an array as a grid: a cell a task, or a cell for several where there are thousands."""

from collections import Counter

from rookery.core.drawing import StateMark, TaskGrid
from rookery.core.drawing.plots import rounded_up
from rookery.jobs.monitor import job_states
from rookery.jobs.monitor.accounting import JobRun
from rookery.remote.slurm.forms import numbers

MOST_CELLS = 3000
"""Cells of a grid; more are no picture any more, nor does a terminal show them at once."""

_BEST = ("COMPLETED", "CANCELLED", "PENDING", "RUNNING")
"""The states that stand for several tasks where none of them is in a later one of these, or failed."""


def states(run: JobRun) -> dict[int, str]:
    """Return the state of each task of an array; those killed for memory have one of their own."""
    codes = {number: code for code, tasks in run.tasks.items() for number in numbers(tasks)}
    for number in numbers(run.killed_for_memory):
        if codes.get(number) in {"FAILED", "CANCELLED"}:
            codes[number] = "OUT_OF_MEMORY"
    return codes


def of(run: JobRun) -> TaskGrid:
    """Return the grid of an array."""
    codes = states(run)
    tasks = sorted(codes)
    marks = {code: job_states.mark(code) for code in codes.values()}
    each = max(int(rounded_up(len(tasks) / MOST_CELLS)), 1) if len(tasks) > MOST_CELLS else 1
    counted = Counter(marks[codes[number]].word for number in tasks)
    order = [job_states.mark(code).word for code in job_states.KINDS]
    title = f"Tasks of job {run.id} ({run.name}): {len(tasks):,}"
    return TaskGrid(
        title,
        tasks[::each],
        [marks[_worst([codes[task] for task in tasks[at : at + each]])] for at in range(0, len(tasks), each)],
        {word: counted[word] for word in sorted(counted, key=order.index)},
        each,
    )


def _worst(codes: list[str]) -> str:
    """Return the worst state of some tasks: a failure, else the one that is furthest from the end."""
    best = [job_states.mark(code) for code in _BEST]

    def rank(code: str) -> int:
        mark: StateMark = job_states.mark(code)
        return best.index(mark) if mark in best else len(best)

    return max(codes, key=rank)
