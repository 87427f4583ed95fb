"""The steps of a reproduction, each of which finds what an earlier call of the command has done.

A run that started after others is made again after them, in one copy that gets the files of each in turn.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console, invocation, quiet_step
from rookery.core.errors import RookeryError
from rookery.jobs import run_facts, run_record
from rookery.jobs.monitor import job_states, watch
from rookery.jobs.options import FetchOptions, ReproduceOptions, SubmitOptions
from rookery.jobs.records import comparison, differences, originals, remains, reproduction
from rookery.jobs.results import fetch
from rookery.jobs.submit import submit
from rookery.projects import copy_note, deploy, project_copy
from rookery.projects import target as targets
from rookery.projects.options import DeployOptions
from rookery.remote.slurm import reruns

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import SlurmSnapshot
    from rookery.jobs.records.comparison import FileComparison
    from rookery.jobs.records.differences import Difference
    from rookery.jobs.records.originals import Originals
    from rookery.jobs.records.reproduction import Reproduction
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project
    from rookery.projects.target import Target


@dataclass(frozen=True)
class ReproductionResult:
    """What came of a reproduction.

    Attributes:
        planned: The run.
        ids: Numbers of the new jobs, in the order of the runs that are made again; the run's own is the last.
        counts: How many of its tasks ended in each state.
        files: The comparison of each file.
        software: What differs in software and machines.
        kept: The folder with what is kept; None where all was removed.
    """

    planned: "Reproduction"
    ids: Sequence[str]
    counts: Mapping[str, int]
    files: "Sequence[FileComparison]"
    software: "Sequence[Difference]"
    kept: Path | None

    @property
    def is_same(self) -> bool:
        """Whether there are results, and all agree."""
        return bool(self.files) and all(file.agrees for file in self.files)


class ReproductionSteps:
    """The steps of a reproduction."""

    def __init__(self, planned: "Reproduction", options: ReproduceOptions) -> None:
        """Prepare the steps.

        Args:
            planned: The run.
            options: The command's.
        """
        self.planned, self._options = planned, options
        self._folder = project_copy.folder(planned.project, planned.name)
        self._id = ""

    def run(self) -> ReproductionResult:
        """Carry out what is left to do."""
        planned = self.planned
        self._say(f"Reproducing {planned.what} on {planned.cluster.name}")
        if remains.is_compared(self._folder) and (copy := project_copy.find(planned.project, planned.name)):
            remains.remove(copy, self._target(copy).connection)
        copy = reproduction.copied(planned)
        target = self._target(copy)
        target.connection.open()
        remains.remove_old(planned, target.connection)
        first = self._originals(copy)
        made = self._submit_all(copy)
        with invocation.guiding():  # Ctrl-C comes here
            snapshot = watch.ended(target, *(record.id for record in reversed(made)))
        for record in made:
            self._say(f"  ended      {f'{record.job}: ' * bool(planned.before)}{_how(snapshot, record)}")
        quiet_step.run(fetch.run, FetchOptions(max_size=self._options.max_size, **target.options()))
        files = self._compared(copy, first, made, snapshot)
        software = self._software(copy, made[-1])
        ids = tuple(record.id for record in made)
        run = snapshot.run(ids[-1])
        counts = dict(run.counts) if run else {}
        return self._ended(copy, ReproductionResult(planned, ids, counts, files, software, copy.root))

    def detach(self) -> None:
        """Say how to go on, where the user stopped the command."""
        state = f"Job {self._id} is still running on {self.planned.cluster.name}. " if self._id else ""
        console.note("", f"{state}Run the same command to continue.")

    def _say(self, text: str) -> None:
        if not self._options.json:
            console.say(text)
            sys.stdout.flush()  # into a log, too, each step is written when it is done

    def _target(self, copy: "Project") -> "Target":
        cluster = self.planned.cluster
        return targets.find(cluster.name, str(copy.root), sandbox=cluster.sandbox)

    def _originals(self, copy: "Project") -> "Originals":
        """Return the results of the run that is made again; they are fetched before anything is submitted."""
        record, project = self.planned.record, self.planned.project
        here = originals.here(project, record, self._others)
        found = originals.Originals(here)
        connection = targets.find(
            record.cluster.removesuffix("-sandbox"), str(project.root), sandbox=record.cluster.endswith("-sandbox")
        ).connection
        try:
            connection.open()
            there = originals.fetched(connection, project, record, self._others, self._folder / remains.ORIGINALS)
            # what was fetched at the time may have been written over there since
            found = originals.Originals({**there.files, **here}, there.doubtful, there.rewritten)
            if there.rewritten:
                files = f"{there.rewritten:,} file{'s' * (there.rewritten > 1)}"
                self._say(f"  note       not compared: {files} of failed tasks that another commit ran again")
        except RookeryError as error:
            if not here:
                raise
            self._say(f"  note       compared only with files on this computer: {error.message}")
        try:
            originals.require(found, record, self._others, self._options)
        except RookeryError:
            if not copy_note.of(copy.root).clusters:  # type: ignore[union-attr]
                remains.remove(copy, None)
            raise
        return found

    @cached_property
    def _others(self) -> "list[RunRecord]":
        """The other runs on the cluster of the run."""
        record = self.planned.record
        every = run_record.every(self.planned.project.root, record.cluster)
        return [known for known in every if known.id != record.id]

    def _submit_all(self, copy: "Project") -> "list[RunRecord]":
        """Submit each run that is made again, unless it has been; return the records of the new ones, in this order."""
        planned, where = self.planned, self._target(copy).options()
        made = self._made(copy)
        for run in planned.runs[len(made) :]:
            copy = reproduction.prepared(copy, planned, run)
            _, deployed = quiet_step.run(deploy.run, DeployOptions(dirty=run.dirty, yes=True, **where))
            built = any(environment.get("built") for environment in deployed.get("environments", {}).values())
            commit = f" at {run.commit[:7]}" * bool(planned.before)
            self._say(f"  deployed   {planned.name}{commit}{', environment built again' * built}")
            after = tuple(made[planned.runs.index(earlier)].id for earlier in planned.before_of(run))
            tasks, unlinted = reproduction.tasks(copy, planned, run), bool(run.overruled)
            requests = reproduction.requests(planned, run)
            options = SubmitOptions(
                job=run.job, array=tasks, after=after, unlinted=unlinted, requests=requests, **where
            )
            self._submit(run, options)
            made = self._made(copy)
            self._say(f"  submitted  job {made[-1].id}{f' ({run.job})' * bool(planned.before)}")
        return made

    def _made(self, copy: "Project") -> "list[RunRecord]":
        """Return the records of the jobs that are submitted; once all are, `detach` names the last of them."""
        made = run_record.every(copy.root, self.planned.cluster.label)
        self._id = made[-1].id if len(made) >= len(self.planned.runs) else ""
        return made

    def _submit(self, run: "RunRecord", options: SubmitOptions) -> None:
        """Submit a run; where one that it starts after has failed this time, its hint would lead into the copy."""
        try:
            quiet_step.run(submit.run, options)
        except RookeryError as error:
            if error.hint and "--project" in error.hint:
                error.message = f"Can't make run {run.id} again: {error.message}"
                error.hint = removal(self.planned, self._options)
            raise

    def _compared(
        self, copy: "Project", first: "Originals", made: "Sequence[RunRecord]", snapshot: "SlurmSnapshot"
    ) -> "list[FileComparison]":
        """Compare the results of the new run with those of the first."""
        *before, record = made
        spans = [originals.span_of(run) if (run := snapshot.run(known.id)) else originals.NEVER for known in made]
        earlier = list(zip(before, spans, strict=False))
        second = originals.made(copy.root, record.outputs or copy.outputs, record, spans[-1], earlier)
        failed_of = {known.id: known.failed_of for known in (*self._others, self.planned.record)}
        pairs = {
            new.id: tuple(dict.fromkeys((old.id, reruns.family(old.id, failed_of)[0])))
            for old, new in zip(self.planned.runs, made, strict=True)
        }
        numbers = comparison.Numbers(self.planned.record.id, pairs)
        return comparison.compare(first.files, second.files, numbers, first.doubtful | second.doubtful)

    def _software(self, copy: "Project", record: "RunRecord") -> "list[Difference]":
        planned = self.planned
        first = differences.Run(planned.record, run_facts.of(planned.project.root, planned.record))
        return differences.software(first, differences.Run(record, run_facts.of(copy.root, record)))

    def _ended(self, copy: "Project", result: ReproductionResult) -> ReproductionResult:
        """Remove the copy, where all is the same and the user does not want to keep it."""
        if not result.is_same or self._options.keep:
            remains.mark_compared(self._folder)
            return result
        remains.remove(copy, self._target(copy).connection)
        return replace(result, kept=None)


def removal(planned: "Reproduction", options: ReproduceOptions) -> str:
    """Return the command that removes what a reproduction has left."""
    project = f" --project {shlex.quote(options.project)}" if options.project else ""
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox) + project
    command = f"invoke reproduce {planned.record.id} --remove{flags}"
    return f"{command}   # removes what was made, here and on {planned.cluster.name}"


def _how(snapshot: "SlurmSnapshot", record: "RunRecord") -> str:
    run = snapshot.run(record.id)
    return job_states.state(run) if run else "unknown to Slurm"
