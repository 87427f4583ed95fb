"""Submit each run of a measurement from a copy of the project, wait for all of them, and remove the copy again.

Each run is a commit of the copy with other cores, by which one is found again that was submitted before a stop.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.jobs.copies import copy_runs
from rookery.jobs.copies.copy_runs import CopyRuns
from rookery.jobs.scaling import measurement as measurements
from rookery.jobs.scaling.measurement import Measurement, ScaleRun
from rookery.projects import project_copy

if TYPE_CHECKING:
    from rookery.jobs.scaling.plan import ScalingPlan
    from rookery.projects.model import Project
    from rookery.projects.target import Target


@dataclass
class ScalingSession:
    """A measurement that is being made.

    Attributes:
        target: Project and cluster; its connection is open when anything is done.
        name: That of the project's copy.
        plan: What is measured.
        file: Where the measurement is kept.
        measurement: What there is of it.
        again: The command that continues it.
        discard: The command that cancels its runs and discards it.
        say: Prints a line for the user.
    """

    target: "Target"
    name: str
    plan: "ScalingPlan"
    file: Path
    measurement: Measurement
    again: str
    discard: str
    say: Callable[[str], None]

    @cached_property
    def _runs(self) -> CopyRuns:
        return CopyRuns(self.target, self.plan.job.name, self.again)

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
        project = self.target.required_project
        commit = self.measurement.commit
        return project_copy.make(project, self.name, commit, outputs_per_release=True, discard=self.discard)

    def _submit(self, copy: "Project", run: ScaleRun) -> None:
        changed = project_copy.change(copy, self.plan.changes(run.cores, run.repetition))
        run = replace(run, commit=copy_runs.head(changed))
        self.save(self.measurement.put(run))
        number = self._runs.submit(changed, tried=run.tried)
        self.save(self.measurement.put(replace(run, id=number)))
        self.say(f"  job {number}: {run.title}")

    def wait(self) -> None:
        """Wait until all runs have ended; the jobs keep running if the user stops waiting."""
        ids = [run.id for run in self.measurement.active]
        if not ids:
            return
        snapshot = self._runs.wait(ids)
        found = measurements.updated(self.measurement, snapshot)
        for run in found.active:
            if snapshot.run(run.id) is None:
                found = found.put(replace(run, state="UNKNOWN", word="unknown to Slurm"))
        self.save(found)

    def clean_up(self) -> None:
        """Remove the copy there and here, once all runs have ended."""
        if not self.measurement.is_deployed or not self.measurement.is_complete:
            return
        self._runs.remove(self._copy())
        self.save(replace(self.measurement, is_deployed=False))
