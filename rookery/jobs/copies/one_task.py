"""Choose one task of a job: its number, and its rows of parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.projects.scripts import parameters
from rookery.projects.source_tree import Folder
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rookery.projects.job import Job
    from rookery.projects.model import Project


@dataclass(frozen=True)
class OneTask:
    """A task of a job.

    Attributes:
        job: The job's name.
        number: The task's number; 0 where the job is no array.
        rows: All rows that it runs.
        tasks: How many tasks the job has.
    """

    job: str
    number: int
    rows: tuple[Mapping[str, str], ...]
    tasks: int

    @property
    def row(self) -> Mapping[str, str]:
        """The parameters of its first row; empty where there are none."""
        return self.rows[0] if self.rows else {}

    @property
    def what(self) -> str:
        """The job, and which of its tasks, in a few words."""
        values = ", ".join(f"{name}={value}" for name, value in self.row.items())
        which = f", task {self.number} of {self.tasks:,}" if self.number else ""
        return f"{self.job}{which}{f' ({values})' if values else ''}"

    def changes(self) -> dict[str, Any]:
        """Return the keys of the job that change so that it runs only this task; None removes a key."""
        values: dict[str, Any] = {"after": None, "mail": None, "max_running": None}
        if self.rows:
            return {**values, "params": None, "grid": None, "array": None, "rows": [dict(row) for row in self.rows]}
        return {**values, "array": str(self.number)} if self.number else values


def choose(project: "Project", job: "Job", wanted: int) -> OneTask:
    """Return a task of a job.

    Args:
        project: The project.
        job: The job.
        wanted: The task's number; 0 for the first.

    Raises:
        RookeryError: It has no such task, or its parameters can't be read.
    """
    table = parameters.table(project, job, Folder(project.root))
    tasks: Sequence[int] = numbers(job.array) if job.array else []
    if table:
        tasks = range(1, -(-len(table.rows) // job.chunk) + 1)
    if wanted and wanted not in tasks:
        which = f"its tasks are {tasks[0]} to {tasks[-1]}" if tasks else "it is no array"
        raise RookeryError(
            f"{job.name} has no task {wanted}: {which}.",
            hint=typed_command.again("--task", str(tasks[0])) if tasks else typed_command.again(without=("--task",)),
        )
    number = wanted or (tasks[0] if tasks else 0)
    chosen = table.rows[(number - 1) * job.chunk : number * job.chunk] if table else ()
    rows = tuple(dict(zip(table.columns, row, strict=True)) for row in chosen) if table else ()
    return OneTask(job.name, number, rows, max(len(tasks), 1))
