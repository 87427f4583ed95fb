"""The rows of a job's parameters: read or computed, named for the shell, quoted, and written as a table.

A script reads its row from slurm/JOB.rows.sh: a line for each row, its values quoted for the shell, so that any text
arrives exactly, and line 10,000 is found as quickly as the first. slurm/JOB.params.csv is the same for users and for
`combine`.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from rookery.clusters.cluster import Cluster
from rookery.projects import config
from rookery.projects.job import Job
from rookery.projects.model import Project
from rookery.projects.scripts import parameter_files
from rookery.projects.scripts.command_line import quoted
from rookery.projects.slurm_values import task_ranges
from rookery.projects.source_tree import Source

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# names that the script uses for itself, or that bash gives a meaning
_TAKEN = frozenset({"task", "run", "commit", "first", "last", "row", "status", "failed", "_"})


@dataclass(frozen=True)
class Table:
    """The rows of a job.

    Attributes:
        columns: The parameters' names.
        rows: Their values as text, a tuple a row in the order of the columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """For each column the variable that a script reads it into: its name, as far as bash can bear it."""
        names: list[str] = []
        for column in self.columns:
            plain = re.sub(r"[^a-z0-9_]", "_", column.lower())
            name = plain if re.match(r"[a-z]", plain) else f"column_{plain}"
            numbers = (f"{name}_{number}" for number in itertools.count(2))
            names.append(name if name not in _TAKEN.union(names) else next(n for n in numbers if n not in names))
        return tuple(names)

    def csv(self) -> str:
        """Return the table as CSV, quoted where need be."""
        return "".join(",".join(map(_cell, row)) + "\n" for row in (self.columns, *self.rows))

    def lines(self) -> str:
        """Return the rows for the script: one a line, each value a word of bash."""
        return "".join(" ".join(map(_word, row)) + "\n" for row in self.rows)

    def arguments(self) -> str:
        """Return all parameters as arguments of a command, `--NAME "${name}"` each."""
        pairs = zip(self.columns, self.variables, strict=True)
        return " ".join(f'{quoted(f"--{column}")} "${{{variable}}}"' for column, variable in pairs)


def table(project: Project, job: Job, source: Source) -> Table | None:
    """Return the rows of a job; None where it has no parameters.

    Args:
        project: The project.
        job: The job.
        source: Where its file of parameters is read.

    Raises:
        RookeryError: The table can't be read, or is not one; with file and line.
    """
    if job.params:
        return Table(*parameter_files.read(project, job, source))
    if job.grid:
        return _table(tuple(job.grid), itertools.product(*job.grid.values()))
    if job.rows:
        columns = tuple(job.rows[0])
        return _table(columns, ([row[name] for name in columns] for row in job.rows))
    return None


def as_array(project: Project, job: Job, rows: Table, cluster: Cluster) -> Job:
    """Return the job with its array: a task for each row, or for each chunk of rows.

    Raises:
        RookeryError: The cluster takes no array of that many tasks; with the chunk that would do.
    """
    return checked(project, replace(job, array=f"1-{-(-len(rows.rows) // job.chunk)}"), cluster, len(rows.rows))


def checked(project: Project, job: Job, cluster: Cluster, rows: int = 0) -> Job:
    """Return the job itself, if the cluster takes an array with such numbers.

    Raises:
        RookeryError: It does not; with the chunk that would do, where there are rows.
    """
    largest = max((numbers[-1] for numbers in task_ranges(job.array)), default=0) if job.array else 0
    most = cluster.data.get("cluster_array", {}).get("max_size", largest)
    if largest <= most:
        return job
    made = f"{rows} rows make {largest} tasks" if rows else f"array {job.array} goes up to {largest}"
    hint = (
        f"add `chunk: {-(-rows // most)}` to the job (rows for each task)"
        if rows
        else "use rows (params or grid), and `chunk`, the number of rows for each task"
    )
    message = f"{made}; {cluster.name} allows at most {most}."
    raise config.problem(project, job.name, "", message, cluster_name=cluster.name, hint=hint)


def _cell(value: str) -> str:
    """Return a value for a table; Python's writer leaves a lone carriage return unquoted, and can't read it back.

    And then can't read it.
    """
    return '"' + value.replace('"', '""') + '"' if not value or re.search(r'[",\r\n]', value) else value


def _word(value: str) -> str:
    """Return a value as one word of bash that has no line break in it."""
    if not _CONTROL.search(value):
        return quoted(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + _CONTROL.sub(lambda match: f"\\{ord(match[0]):03o}", escaped) + "'"


def _table(columns: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> Table:
    """Return the rows that rookery.yml itself has."""
    return Table(columns, tuple(tuple(str(value) for value in row) for row in rows))
