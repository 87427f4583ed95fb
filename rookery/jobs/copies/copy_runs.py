"""Deploy and submit a copy of a project, wait for its jobs, and remove it again; each step can be repeated.

A run is known by its commit in the copy: by that, one is found again that was submitted before the command was stopped.
"""

import io
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.core import console, local_time, quiet_step
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, is_guided
from rookery.core.startup import INTERRUPTED
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, cancel, job_table
from rookery.jobs.monitor.accounting import SlurmSnapshot
from rookery.jobs.monitor.pending_reasons import explain
from rookery.jobs.options import CancelOptions, SubmitOptions
from rookery.jobs.submit import submit
from rookery.projects import commit as commits
from rookery.projects import copy_note, deploy, project_copy
from rookery.projects.git_command import git
from rookery.projects.options import DeployOptions
from rookery.projects.scripts import job_script

if TYPE_CHECKING:
    from rookery.projects.model import Project
    from rookery.projects.target import Target

_PATIENCE = 60
_PAUSE = 2


def head(copy: "Project") -> str:
    """Return the commit of a copy."""
    return git(copy.root, "rev-parse", "HEAD").decode().strip()


def base(copy: "Project") -> str:
    """Return the commit of the project that a copy was made from."""
    note = copy_note.of(copy.root)
    return note.commit if note else ""


def commit_to_copy(target: "Target", left_out: Sequence[str] = ()) -> str:
    """Return the project's commit, to make a copy of; errors in its rookery.yml are found there, not in the copy's.

    Args:
        target: The project, and the cluster.
        left_out: Paths in the project that are no uncommitted change, besides outputs and inputs.

    Raises:
        RookeryError: There are uncommitted changes, or a job of rookery.yml can't run on the cluster.
    """
    project = target.required_project
    try:
        with commits.chosen(project.root, (*project.linked, *left_out)) as commit:
            identity = commit.id
    except RookeryError as error:
        error.hint = error.hint and error.hint.partition("   #")[0]  # a copy has no --dirty
        raise
    job_script.scripts(project, target.cluster)
    return identity


@dataclass
class CopyRuns:
    """Runs of one job from a copy of a project.

    Attributes:
        target: The project itself, and the cluster; its connection is open when anything is done.
        job: The job.
        again: The command that continues what was begun, for hints.
    """

    target: "Target"
    job: str
    again: str
    _warned: set[str] = field(default_factory=set)

    def submit(
        self, copy: "Project", *, tried: Collection[str] = (), before: Callable[[str], object] = lambda _: None
    ) -> str:
        """Deploy the copy as it is and submit the job, unless it has been; return the job's number.

        Args:
            copy: The copy.
            tried: Numbers of jobs that do not count, since they failed.
            before: Called with the release's commit when it is deployed, before the job is submitted.
        """
        commit = head(copy)
        records = run_record.every(copy.root, self.target.cluster.label)
        found = next((each.id for each in records if each.commit == commit and each.id not in tried), "")
        if found:
            return found
        where = self.target.options(str(copy.root))
        try:
            self._step(deploy.run, DeployOptions(**where))
            before(commit)
            return str(self._step(submit.run, SubmitOptions(job=self.job, **where))["id"])
        except RookeryError as error:
            if project_copy.is_used(copy):
                error.message += f"\nJobs of commit {base(copy)[:7]} may be submitted already. --discard cancels them."
            raise

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

    def wait(self, ids: Sequence[str]) -> SlurmSnapshot:
        """Wait until jobs have ended; the jobs keep running if the user stops waiting.

        Raises:
            RookeryError: Slurm does not answer, or the connection broke off.
            SystemExit: The user left.
        """
        snapshot = None
        with self._leaving(), console.LiveStatus(["runs"]) as live:
            before = ""
            for snapshot in accounting.watch(self.target.connection, ids=ids):
                job_table.check(snapshot, self.target.cluster.name)
                now = progress(snapshot)
                if now != before:
                    live.say("runs", f"{now} (Ctrl-C stops waiting; the jobs keep running)")
                    if not sys.stderr.isatty():
                        console.note(now)
                before = now
        if snapshot is None:
            raise RookeryError(f"Slurm does not answer for job {ids[0]}.", hint=self.again)
        return snapshot

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Print how to continue if the user stops waiting, or the connection breaks."""
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

    def discard(self, copy: "Project") -> int:
        """Cancel all jobs of a copy, and remove it; return how many jobs there were."""
        self.target.connection.open()
        count = self._cancel(copy)
        self.remove(copy)
        return count

    def _cancel(self, copy: "Project") -> int:
        seen = accounting.ask(self.target.connection, project=copy.name)
        active = [str(run.id) for run in seen.runs if run.is_active]
        if active:
            cluster = self.target.cluster
            options = CancelOptions(job=",".join(active), cluster=cluster.name, yes=True, sandbox=cluster.sandbox)
            with suppress(RookeryError):  # all have just ended
                self._step(cancel.run, options)
        return len(active)

    def remove(self, copy: "Project") -> None:
        """Remove a copy; a job that has ended is still known to Slurm as ending for some seconds."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                project_copy.remove(copy, self.target.connection)
            except RookeryError as error:
                if "still uses it" not in error.message or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE)
            else:
                return


def progress(snapshot: SlurmSnapshot) -> str:
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
