"""The plan of a reproduction: the run, those that it started after, and the copy of the project that they run from."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters import connect
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.history import proposal
from rookery.projects import commit as commits
from rookery.projects import config, project_copy
from rookery.projects import target as targets
from rookery.projects.git_command import git
from rookery.projects.scripts import job_script
from rookery.remote.slurm import reruns
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
        before: The runs that have to be made again before it, in this order: it started after them.
        cluster: Where they run again.
        name: Name of the copy of the project that they run from.
    """

    project: "Project"
    record: "RunRecord"
    before: "tuple[RunRecord, ...]"
    cluster: "Cluster"
    name: str

    @property
    def runs(self) -> "tuple[RunRecord, ...]":
        """All runs to be made again, in this order."""
        return (*self.before, self.record)

    @property
    def what(self) -> str:
        """The run in a few words, with its commit, and those before it."""
        first = f", after {' and '.join(map(_what, self.before))}" if self.before else ""
        return f"{_what(self.record)} of {_commit(self.record)}{first}"

    def before_of(self, run: "RunRecord") -> "list[RunRecord]":
        """Return those of `before` that a run itself started after."""
        failed_of = {known.id: known.failed_of for known in run_record.every(self.project.root, run.cluster)}
        first = {reruns.first(number, failed_of) for number in run.after}
        return [earlier for earlier in self.before if earlier.id in first]


def _what(run: "RunRecord") -> str:
    tasks = count(run.array)
    size = f", {tasks} task{'s' * (tasks != 1)}" if tasks else ""
    return f"run {run.id} ({run.job}{size})"


def _commit(run: "RunRecord") -> str:
    return f"commit {run.base[:7]}{' with uncommitted changes' * run.dirty}"


def plan(project: "Project", options: "ReproduceOptions") -> Reproduction:
    """Return what is to be done for a run.

    Raises:
        RookeryError: There is no record of the run, or it can't be made again from what is here.
    """
    if project.is_copy:
        raise RookeryError(f"{project.root} is a copy that rookery made of {project.origin}.")
    flags = targets.typed_flags("", sandbox=options.sandbox)
    number = run_record.parse_id(options.job, flags)[0]
    record = run_record.find(project.root, number)
    if record is None:
        raise RookeryError(
            f"Run {number} has no record in {config.shown(project.root / run_record.FOLDER)}/.",
            hint=f"invoke fetch{flags}   # brings the records of runs that were submitted from another computer",
        )
    before = _before(project, record)
    for run in (*before, record):
        _require_complete(project, run)
    label = record.cluster
    sandbox = options.sandbox or (not options.cluster and label.endswith("-sandbox"))
    cluster = connect.connect(options.cluster or label.removesuffix("-sandbox"), sandbox=sandbox).cluster
    others = [known for known in run_record.every(project.root) if known.id == record.id]
    name = f"{project.name}-reproduce-{record.id}" + (f"-{label.replace('.', '_')}" if len(others) > 1 else "")
    name += f"-on-{cluster.label.replace('.', '_')}" if cluster.label != label else ""
    return Reproduction(project, record, before, cluster, name)


def _before(project: "Project", record: "RunRecord") -> "tuple[RunRecord, ...]":
    """Return the runs that a run started after, and those that they started after, in the order to make them again.

    Raises:
        RookeryError: One has no record here, or its failed tasks were completed from another commit.
    """
    known = {run.id: run for run in run_record.every(project.root, record.cluster)}
    failed_of = {run.id: run.failed_of for run in known.values()}
    found: dict[str, RunRecord] = {}

    def add(run: "RunRecord", above: tuple[str, ...]) -> None:
        for number in dict.fromkeys(reruns.first(after, failed_of) for after in run.after):
            if number in found or number in above:  # a record may say anything
                continue
            if number not in known:
                raise RookeryError(
                    f"Run {run.id} started after job {number}, and may have read its results; that job has no record "
                    "here, so it can't be made again.",
                    hint="invoke fetch   # brings the records of runs that were submitted from another computer",
                )
            earlier = known[number]
            for rerun in (known[member] for member in reruns.family(number, failed_of) if member in known):
                if rerun.commit != earlier.commit and rerun.when <= run.when:
                    raise RookeryError(
                        f"Run {run.id} started after run {number}, whose failed tasks run {rerun.id} completed with "
                        f"another commit ({rerun.commit[:7]} instead of {earlier.commit[:7]}): they would fail again."
                    )
            add(earlier, (*above, number))
            found[number] = earlier

    add(record, (record.id,))
    return tuple(found.values())


def _require_complete(project: "Project", record: "RunRecord") -> None:
    """Refuse a run of which something is missing that it was made from."""
    number, commit = record.id, record.commit_in_history
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


def copied(planned: Reproduction) -> "Project":
    """Return the copy of the project, made where it is not there yet.

    Raises:
        RookeryError: The same files can't be restored, or the parameters are not those of a run.
    """
    is_new = project_copy.find(planned.project, planned.name) is None
    try:
        copy = project_copy.make(planned.project, planned.name, planned.record.commit_in_history)
        if is_new:
            for run in planned.runs:
                copy = prepared(copy, planned, run)
    except RookeryError as error:
        if is_new and (copy_or_none := _found(planned)):
            project_copy.remove(copy_or_none)
        raise RookeryError(
            f"Can't make run {planned.record.id} again: {error.message}", hint=error.hint, details=error.details
        ) from error
    return copy


def prepared(copy: "Project", planned: Reproduction, run: "RunRecord") -> "Project":
    """Return the copy with the files that a run had, and the same versions of its input data.

    Raises:
        RookeryError: They can't be restored, or the parameters are not the run's.
    """
    patch = run.patch.encode("utf-8", "surrogateescape") if run.dirty else b""
    copy = project_copy.check_out(copy, run.commit_in_history, patch=patch, inputs=run.inputs)
    with commits.chosen(copy.root, copy.linked, dirty=True) as chosen:
        if chosen.id != run.commit:
            what = "its uncommitted changes" if run.dirty else "its commit"
            raise RookeryError(f"{what} can't be restored exactly ({chosen.id[:7]} instead of {run.commit[:7]})")
    if run.rows and _rows(copy, planned, run) != [dict(row) for row in run.rows]:
        raise RookeryError(f"the parameters of {run.job} in {_commit(run)} differ from those in its record")
    return copy


def _found(planned: Reproduction) -> "Project | None":
    with suppress(RookeryError):
        return project_copy.find(planned.project, planned.name)
    return None


def _rows(copy: "Project", planned: Reproduction, run: "RunRecord") -> list[dict[str, str]]:
    job = config.job(copy, run.job, planned.cluster.name)
    script = job_script.script(copy, job, planned.cluster)
    table = script.files.get(f"slurm/{job.name}.params.csv", "")
    return list(csv.DictReader(io.StringIO(table, newline="")))


def tasks(copy: "Project", planned: Reproduction, run: "RunRecord") -> str:
    """Return the tasks to submit, as sbatch takes them; "" where they are the script's own.

    Args:
        copy: The copy of the project.
        planned: The reproduction.
        run: One of its runs.
    """
    own = ""
    if run.job in copy.jobs:
        script = job_script.script(copy, config.job(copy, run.job, planned.cluster.name), planned.cluster)
        own = script.job.array or _array(script.text)
    elif (copy.root / run.job).is_file():
        own = _array((copy.root / run.job).read_text(encoding="utf-8", errors="replace"))
    return "" if _set(own) == _set(run.array) else run.array


def requests(planned: Reproduction, run: "RunRecord") -> tuple[str, ...]:
    """Return the options of sbatch that `submit --fit` gave a run; none on another cluster, whose nodes differ.

    Args:
        planned: The reproduction.
        run: One of its runs.
    """
    is_same = planned.cluster.label == run.cluster
    return tuple(option for option in run.options if is_same and option.startswith(proposal.OPTIONS))


def _array(text: str) -> str:
    return directives(text).get("array", "")


def _set(array: str) -> Sequence[int]:
    return sorted(numbers(array))
