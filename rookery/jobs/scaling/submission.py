"""Submit each run of a measurement from a copy of the project, wait for all of them, and remove the copy again.

Each run has a commit in the copy, which names its cores: by it a run is found again that was submitted before the
command was stopped.
"""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, local_time
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, is_guided
from rookery.core.startup import INTERRUPTED
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, cancel, job_table
from rookery.jobs.monitor.accounting import SlurmSnapshot
from rookery.jobs.monitor.pending_reasons import explain
from rookery.jobs.options import CancelOptions, SubmitOptions
from rookery.jobs.records import quiet_step
from rookery.jobs.scaling import measurement as measurements
from rookery.jobs.scaling.measurement import Measurement, ScaleRun
from rookery.jobs.submit import submit
from rookery.projects import deploy, project_copy
from rookery.projects.git_command import git
from rookery.projects.options import DeployOptions

if TYPE_CHECKING:
    from rookery.jobs.scaling.plan import ScalingPlan
    from rookery.projects.model import Project
    from rookery.projects.target import Target

_PATIENCE = 60
_PAUSE = 2


@dataclass
class ScalingSession:
    """A measurement that is being made.

    Attributes:
        target: Project and cluster; its connection is open.
        name: That of the project's copy.
        plan: What is measured.
        file: Where the measurement is kept.
        measurement: What there is of it.
        again: The command that continues it.
        say: Prints a line for the user.
    """

    target: "Target"
    name: str
    plan: "ScalingPlan"
    file: Path
    measurement: Measurement
    again: str
    say: Callable[[str], None]
    _warned: set[str] = field(default_factory=set)

    def save(self, measurement: Measurement) -> None:
        """Keep the measurement as it is now."""
        self.measurement = measurement
        measurements.save(self.file, measurement)

    @property
    def missing(self) -> list[ScaleRun]:
        """Runs of the plan that have to be submitted; first those that may have been when the command was stopped."""
        known = [self.measurement.find(*key) or ScaleRun(*key) for key in self.plan.runs]
        begun = [run for run in self.measurement.runs if run.commit and not run.id]
        failed = [run for run in known if run.state and run.state != measurements.DONE]
        again = [ScaleRun(run.cores, run.repetition, tried=(*run.tried, run.id)) for run in failed]
        fresh = [run for run in known if not run.id and run not in begun]
        return [*begun, *again, *fresh]

    def submit_all(self) -> None:
        """Submit what is missing, one after the other."""
        missing = self.missing
        if not missing:
            return
        copy = self._copy()
        if not self.measurement.is_deployed:
            self.save(replace(self.measurement, is_deployed=True))
        for run in missing:
            self._submit(copy, run)

    def _copy(self) -> "Project":
        project = self.target.project
        assert project is not None  # noqa: S101 scale asks for one
        return project_copy.make(project, self.name, self.measurement.commit, outputs_per_release=True)

    def _submit(self, copy: "Project", run: ScaleRun) -> None:
        changed = project_copy.change(copy, self.plan.changes(run.cores, run.repetition))
        head = git(changed.root, "rev-parse", "HEAD").decode().strip()
        run = replace(run, commit=head)
        self.save(self.measurement.put(run))
        number = self._found(changed, run)
        if not number:
            self._step(deploy.run, DeployOptions(**self._where(changed)))
            document = self._step(submit.run, SubmitOptions(job=self.plan.job.name, **self._where(changed)))
            number = str(document["id"])
        self.save(self.measurement.put(replace(run, id=number)))
        self.say(f"  job {number}: {run.title}")

    def _found(self, copy: "Project", run: ScaleRun) -> str:
        """Return the number of a run that was submitted before the command was stopped; "" where none was."""
        records = run_record.every(copy.root, self.target.cluster.label)
        return next((each.id for each in records if each.commit == run.commit and each.id not in run.tried), "")

    def _where(self, copy: "Project") -> dict[str, Any]:
        cluster = self.target.cluster
        return {"cluster": cluster.name, "project": str(copy.root), "sandbox": cluster.sandbox}

    def _step(self, function: Callable[[Any], int | None], options: Any) -> dict[str, Any]:
        """Run a command quietly; what it warns of is shown once."""
        warnings = io.StringIO()
        try:
            with redirect_stderr(warnings):
                _, document = quiet_step.run(function, options)
        except RookeryError as error:
            error.hint = error.hint if error.hint and "--project" not in error.hint else self.again
            raise
        for line in warnings.getvalue().splitlines():
            if line not in self._warned:
                self._warned.add(line)
                console.note(line)
        return document

    def wait(self) -> None:
        """Wait until all runs have ended; the user may leave, and the jobs keep running."""
        ids = [run.id for run in self.measurement.active]
        if not ids:
            return
        snapshot = None
        with self._leaving(), console.LiveStatus(["runs"]) as live:
            before = ""
            for snapshot in accounting.watch(self.target.connection, ids=ids):
                job_table.check(snapshot, self.target.cluster.name)
                now = _progress(snapshot)
                if now != before:
                    live.say("runs", f"{now} (Ctrl-C stops waiting; the jobs keep running)")
                    if not sys.stderr.isatty():
                        console.note(now)
                before = now
        for run in self.measurement.active if snapshot is None else ():
            raise RookeryError(f"Slurm does not answer for job {run.id}.", hint=self.again)
        assert snapshot is not None  # noqa: S101 there are active runs
        found = measurements.updated(self.measurement, snapshot)
        for run in found.active:
            if snapshot.run(run.id) is None:
                found = found.put(replace(run, state="UNKNOWN", word="unknown to Slurm"))
        self.save(found)

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Say how to come back where the user leaves, or the connection breaks off.

        Raises:
            SystemExit: The user left.
        """
        try:
            yield
        except KeyboardInterrupt:
            if is_guided():
                raise
            console.note(
                "",
                f"The jobs are still running on {self.target.cluster.name}. Run the same command to continue.",
                f"  next: {as_typed(self.again)}   # or with --discard: cancels them",
            )
            raise SystemExit(INTERRUPTED) from None
        except RookeryError as error:
            error.hint = error.hint or self.again
            raise

    def clean_up(self) -> None:
        """Remove the copy there and here, once all runs have ended."""
        if not self.measurement.is_deployed or not self.measurement.is_complete:
            return
        _remove(self._copy(), self.target)
        self.save(replace(self.measurement, is_deployed=False))

    def discard(self) -> int:
        """Cancel the runs, remove the copy, and forget the measurement; return how many jobs were cancelled."""
        copy, active = self._copy(), []
        if self.measurement.is_deployed:
            seen = accounting.ask(self.target.connection, project=copy.name)
            active = [str(run.id) for run in seen.runs if run.is_active]
        if active:
            name, sandbox = self.target.cluster.name, self.target.cluster.sandbox
            with suppress(RookeryError):  # all have just ended
                self._step(cancel.run, CancelOptions(job=",".join(active), cluster=name, yes=True, sandbox=sandbox))
        _remove(copy, self.target)
        self.file.unlink(missing_ok=True)
        return len(active)


def _remove(copy: "Project", target: "Target") -> None:
    """Remove a copy; a job that has ended is still known to Slurm as ending for some seconds."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            project_copy.remove(copy, target.connection)
        except RookeryError as error:
            if "still uses it" not in error.message or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _progress(snapshot: SlurmSnapshot) -> str:
    """Return how many runs have ended, are running and wait, and why the first of these waits."""
    ended = sum(not run.is_active for run in snapshot.runs)
    running, waiting = sum(run.running for run in snapshot.runs), [run for run in snapshot.runs if run.waiting]
    parts = [f"{ended} of {len(snapshot.runs)} runs have ended", f"{running} running" * bool(running)]
    if waiting:
        why = next((explain(reason) for run in waiting for reason in run.reasons), "")
        expected = min((run.expected for run in waiting if run.expected), default=0)
        when = local_time.at(expected) if expected else ""
        details = ", ".join(filter(None, (why, f"expected to start {when}" if when else "")))
        parts.append(f"{len(waiting)} waiting{f' ({details})' if details else ''}")
    return ", ".join(filter(None, parts))
