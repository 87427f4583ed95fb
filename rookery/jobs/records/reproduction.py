"""The plan of a reproduction: the run, where its tasks run again, and the copy of the project that they run from."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters import connect
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.projects import commit as commits
from rookery.projects import config, project_copy
from rookery.projects.git_command import git
from rookery.projects.scripts import job_script
from rookery.remote.slurm.basics import directives
from rookery.remote.slurm.forms import count, numbers

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.options import ReproduceOptions
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

CUT = "\n[cut here: "
"""What the record of a run has where its uncommitted changes were too long (remote/slurm/new_record.py)."""


@dataclass(frozen=True)
class Reproduction:
    """A run that is to be made again.

    Attributes:
        project: The project.
        record: The run.
        cluster: Where it runs again.
        name: Name of the copy of the project that it runs from.
    """

    project: "Project"
    record: "RunRecord"
    cluster: "Cluster"
    name: str

    @property
    def what(self) -> str:
        """The run in a few words."""
        tasks = count(self.record.array)
        size = f", {tasks} task{'s' * (tasks != 1)}" if tasks else ""
        return f"run {self.record.id} ({self.record.job}{size})"

    @property
    def commit(self) -> str:
        """Its commit in a few words."""
        return f"commit {self.record.base[:7]}{' with uncommitted changes' * self.record.dirty}"


def plan(project: "Project", options: "ReproduceOptions") -> Reproduction:
    """Return what is to be done for a run.

    Raises:
        RookeryError: There is no record of the run, or it can't be made again from what is here.
    """
    if project.is_copy:
        raise RookeryError(f"{project.root} is a copy that rookery made of {project.origin}.")
    number = run_record.parse_id(options.job)[0]
    record = run_record.find(project.root, number)
    if record is None:
        raise RookeryError(
            f"No record of run {number} in {config.shown(project.root / run_record.FOLDER)}/.",
            hint="invoke fetch   # brings the records of runs that were submitted from another computer",
        )
    _require_complete(project, record)
    label = record.cluster
    sandbox = options.sandbox or (not options.cluster and label.endswith("-sandbox"))
    cluster = connect.connect(options.cluster or label.removesuffix("-sandbox"), sandbox=sandbox).cluster
    others = [known for known in run_record.every(project.root) if known.id == record.id]
    name = f"{project.name}-reproduce-{record.id}" + (f"-{label.replace('.', '_')}" if len(others) > 1 else "")
    name += f"-on-{cluster.label.replace('.', '_')}" if cluster.label != label else ""
    return Reproduction(project, record, cluster, name)


def _require_complete(project: "Project", record: "RunRecord") -> None:
    """Refuse a run of which something is missing that it was made from."""
    number, commit = record.id, record.base or record.commit
    if not commit:
        raise RookeryError(f"The record of run {number} does not say which commit ran.")
    if not git(project.root, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}", check=False).strip():
        raise RookeryError(
            f"Commit {commit[:12]}, which run {number} ran, is not in this repository.",
            hint="git fetch --all   # or run this command on the computer that deployed it",
        )
    if record.dirty and (CUT in record.patch or not record.patch):
        raise RookeryError(
            f"Run {number} had uncommitted changes, and its record has only a part of them: they were too large.",
            hint="commit before the next deploy: invoke docs deploy",
        )
    if record.after:
        raise RookeryError(
            f"Run {number} started after job {', '.join(record.after)}, and may have read its results. "
            "reproduce makes only one run again.",
            hint=f"invoke reproduce {record.after[0]}   # the run that it started after",
        )


def copied(planned: Reproduction) -> "Project":
    """Return the copy of the project as the run had it, made where it is not there yet.

    Raises:
        RookeryError: The same files can't be restored, or the parameters are not the run's.
    """
    record, base = planned.record, planned.record.base or planned.record.commit
    is_new = project_copy.find(planned.project, planned.name) is None
    patch = record.patch.encode("utf-8", "surrogateescape") if record.dirty else b""
    try:
        copy = project_copy.make(planned.project, planned.name, base, patch=patch)
        if is_new:
            _require_same(copy, planned)
    except RookeryError as error:
        if is_new and (copy_or_none := _found(planned)):
            project_copy.remove(copy_or_none)
        raise RookeryError(
            f"Can't make run {record.id} again: {error.message}", hint=error.hint, details=error.details
        ) from error
    return copy


def _found(planned: Reproduction) -> "Project | None":
    with suppress(RookeryError):
        return project_copy.find(planned.project, planned.name)
    return None


def _require_same(copy: "Project", planned: Reproduction) -> None:
    """Refuse a copy that is not what ran."""
    record = planned.record
    with commits.chosen(copy.root, copy.outputs, dirty=True) as chosen:
        if chosen.id != record.commit:
            what = "its uncommitted changes" if record.dirty else "its commit"
            raise RookeryError(f"{what} can't be restored exactly ({chosen.id[:7]} instead of {record.commit[:7]})")
    if record.rows and _rows(copy, planned) != [dict(row) for row in record.rows]:
        raise RookeryError(f"the parameters of {record.job} in {planned.commit} differ from those in its record")


def _rows(copy: "Project", planned: Reproduction) -> list[dict[str, str]]:
    job = config.job(copy, planned.record.job, planned.cluster.name)
    script = job_script.script(copy, job, planned.cluster)
    table = script.files.get(f"slurm/{job.name}.params.csv", "")
    return list(csv.DictReader(io.StringIO(table, newline="")))


def tasks(copy: "Project", planned: Reproduction) -> str:
    """Return the tasks to submit, as sbatch takes them; "" where they are the script's own.

    Args:
        copy: The copy of the project.
        planned: The run.
    """
    record, own = planned.record, ""
    if record.job in copy.jobs:
        script = job_script.script(copy, config.job(copy, record.job, planned.cluster.name), planned.cluster)
        own = script.job.array or _array(script.text)
    elif (copy.root / record.job).is_file():
        own = _array((copy.root / record.job).read_text(encoding="utf-8", errors="replace"))
    return "" if _set(own) == _set(record.array) else record.array


def _array(text: str) -> str:
    return directives(text).get("array", "")


def _set(array: str) -> Sequence[int]:
    return sorted(numbers(array))
