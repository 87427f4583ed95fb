"""Find the runs whose results `combine` puts together, from the project's records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.run_record import RunRecord
from rookery.projects import commit
from rookery.projects import target as targets
from rookery.projects.model import Project
from rookery.remote.slurm.forms import numbers


@dataclass(frozen=True)
class Attempt:
    """A submission of some of a run's tasks: the run itself, or a rerun of its failed tasks.

    Attributes:
        began: When it was submitted, in seconds since 1970; 0 where unknown.
        commit: The commit that it ran, short.
        tasks: Its tasks; empty for all.
    """

    began: float
    commit: str
    tasks: frozenset[int] = frozenset()


@dataclass(frozen=True)
class SourceRun:
    """The run whose results are combined.

    Attributes:
        id: Its number; "" where there is no record of one.
        job: The job's name.
        cluster: Where it was; "hec-sandbox" for the miniature of hec.
        tasks: The tasks that must have a result; empty where nobody knows.
        parameters: Names of the parameters.
        rows: Their values, by task.
        began: When it was submitted, in seconds since 1970; 0 where unknown.
        until: When the next run of the same job was submitted; 0 where there is none.
        again: Its number, and those of the runs that submitted its failed tasks again.
        attempts: The submissions of its tasks, the first first.
    """

    id: str = ""
    job: str = ""
    cluster: str = ""
    tasks: frozenset[int] = frozenset()
    parameters: tuple[str, ...] = ()
    rows: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    began: float = 0
    until: float = 0
    again: frozenset[str] = frozenset()
    attempts: tuple[Attempt, ...] = ()

    def commit(self, task: int | None, written: float) -> str:
        """Return the commit that made a task's result: the last submission of it before that was written.

        Args:
            task: The task; None where it is not known.
            written: When the result was written, in seconds since 1970.
        """
        made = ""
        for attempt in self.attempts:
            if not made or (attempt.began <= written and (task in attempt.tasks or not attempt.tasks)):
                made = attempt.commit
        return made


def of_records(
    project: Project, jobs: str = "", pattern: str = "", flags: str = "", where: str = ""
) -> list[SourceRun]:
    """Return the runs to combine, each once: those named, or else the last that was an array.

    Args:
        project: The project.
        jobs: Numbers of runs with commas between them; "" for the last one.
        pattern: As for `of_record`.
        flags: As for `of_record`.
        where: As for `of_record`.

    Raises:
        RookeryError: There is no record of a run that is named, or of any on the cluster that is named.
    """
    sources = [of_record(project, job, pattern, flags, where) for job in jobs.split(",")]
    return list({(source.id, source.cluster): source for source in sources}.values())


def of_record(project: Project, job: str = "", pattern: str = "", flags: str = "", where: str = "") -> SourceRun:
    """Return the run to combine: the one named, or else the last that was an array.

    A run that submitted failed tasks again counts as the run whose tasks they were.

    Args:
        project: The project.
        job: The run's number; "" for the last one.
        pattern: Of its results' files: where it has the name of a job, the last run of that job is meant.
        flags: What `fetch` needs to mean the same project, with a blank before it.
        where: The cluster that it ran on, as Cluster.label names it; "" for any.

    Raises:
        RookeryError: There is no record of the run that is named, or of any on the cluster that is named.
    """
    record = run_record.find(project.root, run_record.parse_id(job, _flags(where))[0], where) if job else None
    if job and not record:
        raise RookeryError(
            f"Run {job} has no record in runs/.",
            hint=f"{_listing(project, flags, where)}   # shows your job numbers; `invoke fetch` fetches other records",
        )
    every = [] if job else run_record.every(project.root, where)
    if every:
        arrays = [record for record in every if record.array or record.rows]
        named = [record for record in arrays if record.job in pattern]
        record = next(reversed(named or arrays), None)
    if not record and not every and where:
        cluster, sandbox = where.removesuffix("-sandbox"), where.endswith("-sandbox")
        hint = f"invoke fetch{_flags(where)}{flags}"
        if not sandbox and any(run_record.every(project.root, f"{where}-sandbox")):
            hint = typed_command.again("--sandbox")
        raise RookeryError(f"No run on {cluster}{' (miniature)' * sandbox} has a record in runs/.", hint=hint)
    if not record:
        return SourceRun(cluster=where)
    record = run_record.completed(project.root, record)
    until, reruns = _afterwards(project, record)
    known = SourceRun(
        record.id,
        record.job,
        record.cluster,
        began=record.submitted,
        until=until,
        again=frozenset([record.id, *(rerun.id for rerun in reruns)]),
        attempts=(_attempt(record), *(_attempt(rerun, _tasks(rerun, record)) for rerun in reruns)),
    )
    if record.rows:
        names = tuple(str(name) for name in record.rows[0])
        rows = {number: tuple(str(row.get(name, "")) for name in names) for number, row in enumerate(record.rows, 1)}
        return replace(known, tasks=frozenset(rows), parameters=names, rows=rows)
    return replace(known, tasks=frozenset(numbers(record.array)))


def _listing(project: Project, flags: str, where: str) -> str:
    """Return the command that lists the user's jobs; outside the project, it names the cluster."""
    return f"invoke jobs --all{_flags(where or project.clusters[0] * bool(flags))}"


def _flags(where: str) -> str:
    """Return the flags that mean a cluster, as Cluster.label names it; "" for any."""
    return targets.typed_flags(where.removesuffix("-sandbox"), sandbox=where.endswith("-sandbox"))


def _afterwards(project: Project, first: RunRecord) -> tuple[float, Sequence[RunRecord]]:
    """Return when the next run of the same job there was submitted (0 for none), and the reruns of the first run."""
    began, until, again = first.submitted, 0.0, [first]
    for record in run_record.every(project.root):
        if record.cluster == first.cluster and record.failed_of in {run.id for run in again}:
            again.append(record)
        elif (record.job, record.cluster) == (first.job, first.cluster) and not until and record.submitted > began > 0:
            until = record.submitted
    return until, again[1:]


def _attempt(record: RunRecord, tasks: frozenset[int] = frozenset()) -> Attempt:
    return Attempt(record.submitted, commit.short(record.commit, dirty=record.dirty) if record.commit else "", tasks)


def _tasks(rerun: RunRecord, first: RunRecord) -> frozenset[int]:
    """Return the tasks of a rerun; where there are rows, these, of which an element of the array may take several."""
    elements = frozenset(numbers(rerun.array))
    if not first.rows:
        return elements
    return frozenset(row for row in range(1, len(first.rows) + 1) if (row - 1) // first.chunk + 1 in elements)
