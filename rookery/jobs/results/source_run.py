"""Find the run whose results `combine` puts together, from the project's records."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.projects.model import Project
from rookery.remote.slurm.forms import numbers


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
    record = run_record.find(project.root, run_record.parse_id(job)[0], where) if job else None
    if job and not record:
        raise RookeryError(
            f"Run {job} has no record in runs/.",
            hint=f"{_listing(project, flags)}   # shows your job numbers; `invoke fetch` fetches other records",
        )
    if not job:
        arrays = [record for record in run_record.every(project.root, where) if record.array or record.rows]
        named = [record for record in arrays if record.job in pattern]
        record = next(reversed(named or arrays), None)
    while record and record.failed_of and (earlier := run_record.find(project.root, record.failed_of, record.cluster)):
        record = earlier
    if not record and where:
        cluster, sandbox = where.removesuffix("-sandbox"), where.endswith("-sandbox")
        raise RookeryError(
            f"No run on {cluster}{' (miniature)' * sandbox} has a record in runs/.",
            hint=f"invoke fetch --cluster {cluster}{' --sandbox' * sandbox}{flags}",
        )
    if not record:
        return SourceRun()
    until, again = _afterwards(project, record)
    known = SourceRun(record.id, record.job, record.cluster, began=_seconds(record.when), until=until, again=again)
    if record.rows:
        names = tuple(str(name) for name in record.rows[0])
        rows = {number: tuple(str(row.get(name, "")) for name in names) for number, row in enumerate(record.rows, 1)}
        return replace(known, tasks=frozenset(rows), parameters=names, rows=rows)
    return replace(known, tasks=frozenset(numbers(record.array)))


def _listing(project: Project, flags: str) -> str:
    """Return the command that lists the user's jobs; outside the project, it names the cluster."""
    return f"invoke jobs --all{f' --cluster {project.clusters[0]}' * bool(flags)}"


def _afterwards(project: Project, first: run_record.RunRecord) -> tuple[float, frozenset[str]]:
    """Return when the next run of the same job there was submitted (0 for none), and the runs of the first's tasks."""
    began, until, again = _seconds(first.when), 0.0, {first.id}
    for record in run_record.every(project.root):
        if record.cluster == first.cluster and record.failed_of in again:
            again.add(record.id)
        elif (
            (record.job, record.cluster) == (first.job, first.cluster)
            and not until
            and _seconds(record.when) > began > 0
        ):
            until = _seconds(record.when)
    return until, frozenset(again)


def _seconds(when: str) -> float:
    try:
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        return 0
