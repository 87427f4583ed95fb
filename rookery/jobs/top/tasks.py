"""The tasks of an array as a grid: a character for each, in lines of tens."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

from rookery.jobs.monitor import job_states, task_grid
from rookery.jobs.monitor.accounting import JobRun
from rookery.remote.slurm.forms import count, numbers

TEN = 10


@dataclass(frozen=True)
class ShownTasks:
    """Tasks, in the order of their numbers.

    Attributes:
        numbers: Their numbers.
        states: The state of each.
        total: How many the array has, of which these are all or those that the filter leaves.
    """

    numbers: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    total: int = 0

    def failed_from(self, place: int, step: int) -> int:
        """Return the place of the next task that failed, or of the previous one where the step is -1."""
        places = range(place + step, len(self.states) if step > 0 else -1, step)
        return next((at for at in places if job_states.colour(self.states[at]) == "red"), place)

    def place(self, number: int) -> int:
        """Return the place of a task, or of the next that is there; 0 in an empty grid."""
        return min(bisect_left(self.numbers, number), max(0, len(self.numbers) - 1))


def grid(run: JobRun, text: str = "", *, failed: bool = False) -> ShownTasks:
    """Return the tasks of an array.

    Args:
        run: The array.
        text: Tasks as Slurm writes them (3,10-20), or words of a state; "" for all.
        failed: Only those that failed.
    """
    states = task_grid.states(run)
    chosen, text = sorted(states), text.strip().casefold()
    if re.fullmatch(r"[0-9,\-: ]+", text):
        only = set(numbers(text.replace(" ", ",")))
        chosen = [number for number in chosen if number in only]
    elif text:
        matching = {state for state in set(states.values()) if text in f"{job_states.word(state)} {state}".casefold()}
        chosen = [number for number in chosen if states[number] in matching]
    if failed:
        chosen = [number for number in chosen if job_states.colour(states[number]) == "red"]
    return ShownTasks(tuple(chosen), tuple(states[number] for number in chosen), len(states))


@dataclass(frozen=True)
class GridLayout:
    """Where the tasks of a grid are on the screen: lines of as many tens as fit, each after its first task's number.

    Attributes:
        count: How many tasks there are.
        label: Columns that the numbers at the left have, with the blank behind them; 0 for none.
        per_line: How many tasks are on a line.
    """

    count: int
    label: int
    per_line: int

    @property
    def lines(self) -> int:
        """How many lines the grid has."""
        return -(-self.count // self.per_line)

    def column(self, place: int) -> int:
        """Return the column of a task on its line."""
        inside = place % self.per_line
        return self.label + inside + inside // TEN

    def at(self, x: int, line: int) -> int | None:
        """Return the place of the task at a column of a line; None where there is none."""
        inside = x - self.label
        if inside < 0 or inside % (TEN + 1) == TEN:
            return None
        inside -= inside // (TEN + 1)
        place = line * self.per_line + inside
        return place if inside < self.per_line and 0 <= place < self.count else None

    def moved(self, place: int, *, columns: int = 0, lines: int = 0) -> int:
        """Return the place that a step leads to; the same where it would lead out of the grid."""
        to = place + columns + lines * self.per_line
        if lines and not 0 <= to < self.count:
            first, last = place % self.per_line, self.count - 1
            to = first if lines < 0 else min(last, first + (self.lines - 1) * self.per_line)
        return to if 0 <= to < self.count else place


def layout(tasks: ShownTasks, width: int) -> GridLayout:
    """Return how tasks are laid out in a width."""
    label = len(str(tasks.numbers[-1])) + 1 if tasks.numbers else 0
    tens = (width - label + 1) // (TEN + 1)
    if tens < 1:
        label, tens = 0, (width + 1) // (TEN + 1)
    return GridLayout(len(tasks.numbers), label, TEN * tens if tens else max(1, width))


@dataclass(frozen=True)
class TaskFacts:
    """What is known of single tasks of an array.

    Attributes:
        exits: The exit status of each task that has one other than 0:0.
        cancelled_by: The number of the user that cancelled it.
    """

    exits: Mapping[int, str] = field(default_factory=dict)
    cancelled_by: Mapping[int, str] = field(default_factory=dict)


def facts(run: JobRun) -> TaskFacts:
    """Return what is known of the tasks of an array; of arrays so large that it takes long, nothing."""
    if sum(map(count, run.exits.values())) > 1_000_000:
        return TaskFacts()
    exits = {task: code for code, tasks in run.exits.items() for task in numbers(tasks)}
    by = {task: user for user, tasks in run.cancelled_by.items() for task in numbers(tasks)}
    return TaskFacts(exits, by)


def described(number: int, state: str, known: TaskFacts, run: JobRun) -> str:
    """Return a line on a task: its state, and what else is known of it."""
    parts = [f"Task {run.id}_{number}: {job_states.word(state)}"]
    status, _, signal = known.exits.get(number, "").partition(":")
    if signal not in {"", "0"}:
        parts.append(f"ended by signal {signal}")
    elif status not in {"", "0"}:
        parts.append(f"exit status {status}")
    if known.cancelled_by.get(number) == "0":
        parts.append("by Slurm")
    if number == run.memory_peak_task and run.memory_peak:
        parts.append("the most memory of all")
    return ", ".join(parts)
