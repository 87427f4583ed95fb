"""The command `reproduce`: make a run again from its record, and say whether the results are the same.

It runs from a copy of the project (projects/project_copy.py), so neither the project here nor its releases and results
on the cluster change. Each step finds what an earlier call of the command has done; nothing is submitted twice.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation, locking, quiet_step, startup
from rookery.core.errors import RookeryError
from rookery.jobs import run_facts, run_record
from rookery.jobs.monitor import job_states, watch
from rookery.jobs.options import FetchOptions, ReproduceOptions, SubmitOptions
from rookery.jobs.records import comparison, differences, originals, reproduction, show
from rookery.jobs.results import fetch
from rookery.jobs.submit import submit
from rookery.projects import config, copy_note, deploy, fetched_files, project_copy
from rookery.projects import target as targets
from rookery.projects.options import DeployOptions
from rookery.remote.slurm import reruns

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.monitor.accounting import JobRun
    from rookery.jobs.records.comparison import FileComparison
    from rookery.jobs.records.differences import Difference
    from rookery.jobs.records.reproduction import Reproduction
    from rookery.projects.model import Project
    from rookery.projects.target import Target

SHOWN = 10
"""Files that are named; of the others only the number."""

KEPT_DAYS = 30
"""After how many days what a reproduction left is removed by the next one on that cluster."""

_COUNTED = {
    comparison.DIFFERS: "different",
    comparison.MISSING: "missing",
    comparison.EXTRA: "without an original",
}

COMPARED = "compared"
"""A file beside a copy: the reproduction has come to its end, and the next call of the command begins anew."""


def run(options: ReproduceOptions) -> int:
    """Make a run again and compare the results.

    Returns:
        The exit code: 0 where all files are the same, 1 where not, 130 where the user stopped waiting.

    Raises:
        RookeryError: The run can't be made again, or a step failed; the same command continues.
    """
    project = config.load(options.project)
    planned = reproduction.plan(project, options)
    if options.remove:
        return _remove(planned)
    if options.check:
        return _show_plan(planned, options)
    with locking.held(planned.name):
        steps = _Steps(planned, options)
        try:
            result = steps.run()
        except KeyboardInterrupt:
            steps.detach()
            return startup.INTERRUPTED
    _report(result, options)
    return 0 if result.is_same else 1


@dataclass
class _Result:
    """What came of a reproduction.

    Attributes:
        planned: The run.
        id: Number of the new job.
        job: What Slurm says of it.
        files: The comparison of each file.
        software: What differs in software and machines.
        kept: The folder with what is kept; None where all was removed.
    """

    planned: "Reproduction"
    id: str
    job: "JobRun"
    files: "Sequence[FileComparison]" = ()
    software: "Sequence[Difference]" = ()
    kept: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether all results agree."""
        return all(file.agrees for file in self.files)


class _Steps:
    """The steps of a reproduction, each of which finds what was done before."""

    def __init__(self, planned: "Reproduction", options: ReproduceOptions) -> None:
        """Prepare the steps.

        Args:
            planned: The run.
            options: The command's.
        """
        self.planned, self._options = planned, options
        self._folder = project_copy.folder(planned.project, planned.name)
        self._id = ""

    def run(self) -> _Result:
        """Carry out what is left to do."""
        planned = self.planned
        self._say(f"Reproducing {planned.what} of {planned.commit} on {planned.cluster.name}")
        if (self._folder / COMPARED).exists() and (copy := project_copy.find(planned.project, planned.name)):
            _removed(copy, self._target(copy).connection)
        copy = reproduction.copied(planned)
        target = self._target(copy)
        target.connection.open()
        _remove_old(planned, target.connection)
        first = self._originals(copy)
        record = self._submitted(copy) or self._deploy_and_submit(copy)
        self._id = record.id
        with invocation.guiding():  # Ctrl-C comes here
            job = watch.ended(target, record.id).runs[-1]
        self._say(f"  ended      {job_states.state(job)}")
        quiet_step.run(fetch.run, FetchOptions(max_size=self._options.max_size, **self._where(copy)))
        second = originals.made(copy.root, record.outputs or copy.outputs, record)
        files = comparison.compare(first, second, comparison.Numbers(self._numbers(), record.id))
        software = self._software(copy, record)
        result = _Result(planned, record.id, job, files, software)
        if result.is_same and not self._options.keep:
            _removed(copy, target.connection)
        else:
            (self._folder / COMPARED).touch()
            result.kept = copy.root
        return result

    def detach(self) -> None:
        """Say how to go on, where the user stopped the command."""
        state = f"Job {self._id} is still running on {self.planned.cluster.name}. " if self._id else ""
        console.note("", f"{state}Run the same command to continue.")

    def _say(self, text: str) -> None:
        if not self._options.json:
            console.say(text)
            sys.stdout.flush()  # into a log, too, each step is written when it is done

    def _where(self, copy: "Project") -> dict[str, Any]:
        cluster = self.planned.cluster
        return {"cluster": cluster.name, "project": str(copy.root), "sandbox": cluster.sandbox}

    def _target(self, copy: "Project") -> "Target":
        cluster = self.planned.cluster
        return targets.find(cluster.name, str(copy.root), sandbox=cluster.sandbox)

    def _submitted(self, copy: "Project") -> run_record.RunRecord | None:
        """Return the record of the new run, where it was submitted before."""
        return run_record.latest(copy.root, self.planned.cluster.label)

    def _originals(self, copy: "Project") -> dict[str, Path]:
        """Return the results of the run that is made again; they are fetched before anything is submitted."""
        record, project = self.planned.record, self.planned.project
        others = run_record.every(project.root, record.cluster)
        here = found = originals.here(project, record, others)
        connection = targets.find(
            record.cluster.removesuffix("-sandbox"), str(project.root), sandbox=record.cluster.endswith("-sandbox")
        ).connection
        try:
            connection.open()
            # what was fetched at the time may have been written over there since
            found = originals.fetched(connection, project, record, others, self._folder / "original") | here
        except RookeryError as error:
            if not here:
                raise
            self._say(f"  note       compared only with files on this computer: {error.message}")
        try:
            originals.require(found, record)
        except RookeryError:
            if not copy_note.of(copy.root).clusters:  # type: ignore[union-attr]
                _removed(copy, None)
            raise
        return found

    def _numbers(self) -> tuple[str, ...]:
        """Return the numbers that the run may have written: its own, and {run}, that of the run that it repeated."""
        project, record = self.planned.project, self.planned.record
        failed_of = {known.id: known.failed_of for known in run_record.every(project.root, record.cluster)}
        return tuple(dict.fromkeys((record.id, reruns.family(record.id, failed_of)[0])))

    def _deploy_and_submit(self, copy: "Project") -> run_record.RunRecord:
        planned, where = self.planned, self._where(copy)
        record = planned.record
        _, deployed = quiet_step.run(deploy.run, DeployOptions(dirty=record.dirty, yes=True, **where))
        built = any(environment.get("built") for environment in deployed.get("environments", {}).values())
        self._say(f"  deployed   {planned.name}{', environment built again' * built}")
        array = reproduction.tasks(copy, planned)
        quiet_step.run(submit.run, SubmitOptions(job=record.job, array=array, **where))
        submitted = self._submitted(copy)
        assert submitted is not None  # noqa: S101 submit has kept the record
        self._say(f"  submitted  job {submitted.id}")
        return submitted

    def _software(self, copy: "Project", record: run_record.RunRecord) -> "list[Difference]":
        planned = self.planned
        first = differences.Run(planned.record, run_facts.of(planned.project.root, planned.record))
        return differences.software(first, differences.Run(record, run_facts.of(copy.root, record)))


def _removed(copy: "Project", connection: "Connection | None") -> None:
    """Remove a copy here and on the cluster."""
    if connection is not None:
        connection.open()
    folder = copy_note.folder_of(copy.root)
    project_copy.remove(copy, connection)
    for root in (copy.root, *([folder / "original"] if folder else [])):
        fetched_files.note(root).unlink(missing_ok=True)


def _remove(planned: "Reproduction") -> int:
    """Remove what an earlier reproduction of the run has left."""
    copy = project_copy.find(planned.project, planned.name)
    if copy is None:
        console.say(f"No reproduction of run {planned.record.id} is left on {planned.cluster.name}.")
        return 0
    cluster = planned.cluster
    note = copy_note.of(copy.root)
    is_there = bool(note and cluster.label in note.clusters)
    target = targets.find(cluster.name, str(copy.root), sandbox=cluster.sandbox)
    _removed(copy, target.connection if is_there else None)
    console.say(f"Removed {planned.name}{f', here and on {cluster.name}' * is_there}.")
    return 0


def _remove_old(planned: "Reproduction", connection: "Connection") -> None:
    """Remove what earlier reproductions left on this cluster and nobody has looked at for long."""
    limit = (datetime.now(UTC) - timedelta(days=KEPT_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for folder, note in copy_note.every():
        is_ours = note.name.startswith(f"{planned.project.name}-reproduce-") and note.name != planned.name
        is_done = (folder / COMPARED).exists() and set(note.clusters) <= {connection.cluster.label}
        if is_ours and is_done and note.when < limit and note.root == str(planned.project.root):
            try:
                _removed(config.load(folder / copy_note.INSIDE / note.folder), connection)
            except RookeryError as error:
                console.note(error.message)


def _show_plan(planned: "Reproduction", options: ReproduceOptions) -> int:
    copy = project_copy.find(planned.project, planned.name)
    submitted = run_record.latest(copy.root, planned.cluster.label) if copy else None
    if options.json:
        state = {"state": "check", "submitted": submitted.id if submitted else ""}
        print(json.dumps({**_heading(planned), **state}, indent=2))
        return 0
    console.say(f"Would reproduce {planned.what} of {planned.commit} on {planned.cluster.name}, as {planned.name}.")
    if submitted:
        console.say(f"  Job {submitted.id} is submitted already.")
    return 0


def _heading(planned: "Reproduction") -> Mapping[str, Any]:
    record = planned.record
    return {"run": record.id, "job": record.job, "commit": record.commit, "dirty": record.dirty,
            "cluster": planned.cluster.label, "copy": planned.name}  # fmt: skip


def _report(result: _Result, options: ReproduceOptions) -> None:
    planned, same = result.planned, [file for file in result.files if file.agrees]
    if options.json:
        document = {
            **_heading(planned),
            "state": "same" if result.is_same else "differs",
            "submitted": result.id,
            "tasks": dict(result.job.counts),
            "files": [asdict(file) for file in result.files],
            "software": [asdict(difference) for difference in result.software],
            "kept": str(result.kept or ""),
        }
        print(json.dumps(document, indent=2))
        return
    total = f"{len(result.files):,} file{'s' * (len(result.files) != 1)}"
    by_number = sum(file.state == comparison.NUMBER for file in result.files)
    remark = f" ({by_number:,} but for the job's number)" if by_number else ""
    if result.is_same:
        console.say(f"  compared   {total}: all are the same, byte for byte{remark}")
    else:
        counts = {state: sum(file.state == state for file in result.files) for state in _COUNTED}
        parts = [f"{count:,} {_COUNTED[state]}" for state, count in counts.items() if count]
        console.say(f"  compared   {total}: {len(same):,} the same{remark}, {', '.join(parts)}")
    other = [file for file in result.files if not file.agrees]
    for file in other[:SHOWN]:
        console.say(f"    {fetch.shown(file.path)}: {file.how}")
    if len(other) > SHOWN:
        console.say(f"    … and {len(other) - SHOWN:,} more; all of them: --json")
    if result.software:
        console.say("  software and machines that differ:")
        for difference in result.software[:SHOWN]:
            console.say(*(f"  {line}" for line in show.shown(difference)))
    if result.kept:
        console.say(f"  kept       {result.kept}")
        remove = invocation.as_typed(f"invoke reproduce {planned.record.id} --remove{_flags(options)}")
        console.say(f"  next       {remove}   # removes it, here and on {planned.cluster.name}")


def _flags(options: ReproduceOptions) -> str:
    project = f" --project {options.project}" if options.project else ""
    return targets.typed_flags(options.cluster, sandbox=options.sandbox) + project
