"""The steps from code to results, each by its command's own function: deploy, submit, wait, fetch, combine.

How far they have come is written down before and after each, so that a run that is stopped anywhere can go on there.
"""

import json as json_
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh.errors import SshError
from rookery.core import console, invocation, locking
from rookery.core.errors import RookeryError
from rookery.core.startup import INTERRUPTED
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, job_states, job_table, reruns, watch
from rookery.jobs.monitor.notify import notifier
from rookery.jobs.options import CombineOptions, FetchOptions, RunOptions, SubmitOptions
from rookery.jobs.results import combine, fetch
from rookery.jobs.run_job import progress as kept
from rookery.jobs.run_job.progress import FAILED, Progress
from rookery.jobs.submit import request as submit_request
from rookery.jobs.submit import submit
from rookery.projects import deploy
from rookery.projects.options import DeployOptions
from rookery.remote.slurm import reruns as rerun_families
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun
    from rookery.projects.model import Project
    from rookery.projects.target import Target


def carry_out(target: "Target", options: RunOptions, progress: Progress, *, again: str = "") -> int:
    """Bring a job to its results, from where it was stopped.

    Args:
        target: Project and cluster.
        options: What was asked for.
        progress: How far it has come.
        again: The command that goes on from wherever this stops; by default `run --resume`.

    Returns:
        The exit code: 0; 1 where a task failed or the table is not complete; 130 where the user stopped waiting.

    Raises:
        RookeryError: A step failed.
    """
    code, document = results(target, options, progress, again=again)
    if options.json:
        print(json_.dumps(document, indent=2))
    return code


def results(
    target: "Target", options: RunOptions, progress: Progress, *, again: str = ""
) -> tuple[int, dict[str, Any]]:
    """Bring a job to its results, as `carry_out` does; return the exit code, and the document for --json."""
    run = _Run(target, options, progress, again or target.next("invoke run --resume"))
    code = run.go()
    return code, run.document(code)


def table_name(project: "Project", cluster_name: str) -> str:
    """Return the name of the table of a cluster's results: a project's second cluster has one beside the first's."""
    return "combined.csv" if cluster_name == project.clusters[0] else f"combined-{cluster_name}.csv"


def undone(run: "JobRun", runs: "Sequence[JobRun]") -> int:
    """Return how many tasks of a run have not completed, neither in it nor in those that did tasks of it again.

    Tasks that the user cancelled count, too: they have no result.

    Args:
        run: The run.
        runs: All runs of its tasks.
    """
    if not run.array:
        return int(not any(other.completed_count for other in runs))
    tasks = {number for expression in run.tasks.values() for number in numbers(expression)}
    return len(tasks - {number for other in runs for number in numbers(other.tasks.get("COMPLETED", ""))})


class _Run:
    """A job on its way to its results."""

    def __init__(self, target: "Target", options: RunOptions, progress: Progress, again: str) -> None:
        self._target, self._options, self._project = target, options, target.required_project
        self._progress, self._again, self._is_step = progress, again, invocation.is_guided()
        self._documents: dict[str, Any] = {}
        self._notifier = notifier.prepare(target, is_last=False) if options.notify else None

    def go(self) -> int:
        """Take the steps that are missing; with --notify, say how it ended, unless the user stopped it."""
        try:
            code = self._steps()
        except RookeryError as error:
            if self._notifier:
                self._notifier.stopped(error)
            raise
        if self._notifier and code != INTERRUPTED:
            self._notifier.ended("results are here" if code == 0 else "")
        return code

    def _steps(self) -> int:
        with invocation.guiding():
            if not self._progress.id:
                name, cluster = self._project.name, self._target.cluster
                with locking.held(f"run-{name}-{cluster.label}", f"deploying and submitting {name} to {cluster.name}"):
                    if not self._may_be_submitted():
                        self._deploy()
                    self._submit()
            code = self._wait() or self._fetch() or self._combine()
        if code == 0:
            kept.forget(self._project, self._progress)
        return code

    def document(self, code: int) -> dict[str, Any]:
        """Return the document for --json; only with it, the steps have theirs."""
        state = "unfinished" if code == INTERRUPTED else "failed" if code else "complete"
        known = {"job": self._progress.job, "cluster": self._target.cluster.name, "id": self._progress.id}
        return {"state": state, **known, **{step: self._documents.get(step) for step in kept.STEPS}}

    def _note(self, **changes: Any) -> None:
        self._progress = replace(self._progress, **changes)
        kept.save(self._project, self._progress)

    @property
    def _where(self) -> dict[str, Any]:
        """The options of each step by which it means this cluster and project, and prints nothing with --json."""
        return {**self._target.options(), "json": self._options.json}

    def _may_be_submitted(self) -> bool:
        """Return whether a submission was sent whose answer never came: then that is looked for first."""
        request = submit_request.build_request(self._submission(), self._target)
        return bool(submit_request.read_token(submit_request.token_file(self._target, request))[0])

    def _submission(self) -> SubmitOptions:
        known, options = self._progress, self._options
        return SubmitOptions(
            job=known.job,
            token=known.token,
            unchecked=options.unchecked,
            unlinted=options.unlinted,
            **self._where,
        )

    def _deploy(self) -> None:
        """Deploy; until that is done, an earlier run of the job can still be resumed."""
        if not kept.latest(self._project, self._progress.job, self._progress.cluster):
            self._note(step="deploy")
        options = DeployOptions(dirty=self._progress.dirty, yes=self._options.yes, **self._where)
        result = deploy.carry_out(options)
        if self._options.json:
            self._documents["deploy"] = result.document()
        else:
            result.show()

    def _submit(self) -> None:
        """Submit the job once: a submission that was sent before is found by its token."""
        sent = submit_request.build_request(self._submission(), self._target)
        token = submit_request.read_token(submit_request.token_file(self._target, sent))[0]
        self._note(step="submit", token=token or secrets.token_hex(16))
        if self._options.json:
            self._documents["submit"] = submit.carry_out(self._submission()).document()
        else:
            submit.run(self._submission())
        record = kept.submitted(self._project, self._target.cluster.label, self._progress.token)
        if record is None:
            raise RookeryError(f"{self._progress.job} was submitted, but its record is not in runs/.", hint=self._again)
        self._note(step="wait", id=record.id)

    def _wait(self) -> int:
        """Wait until the job has ended.

        Raises:
            RookeryError: A task failed; or Slurm does not answer.
        """
        target, number = self._target, self._progress.id
        ids = rerun_families.family(number, reruns.known(target))
        self._note(step="wait")
        target.connection.open()
        try:
            code = self._watch(ids)
        except KeyboardInterrupt:
            if self._is_step:
                raise
            console.note("", f"Job {number} is still running on {target.cluster.name}.")
            console.note(f"  next: {invocation.as_typed(self._again)}   # waits for it, then fetches and combines")
            return INTERRUPTED
        except RookeryError as error:
            error.hint = self._again if isinstance(error, SshError) else error.hint or self._again
            raise
        return self._failed(ids) if code else 0

    def _watch(self, ids: Sequence[str]) -> int:
        if not self._options.json:
            return watch.run(self._target, ids=ids, notifier=self._notifier)
        snapshot = watch.ended(self._target, *ids, notifier=self._notifier)
        self._documents["wait"] = job_table.document(snapshot, self._target)
        return int(any(run.failed_count for run in snapshot.runs))

    def _failed(self, ids: Sequence[str]) -> int:
        """Report failed tasks and how to continue; tasks that a later run has completed do not count.

        Raises:
            RookeryError: Something did; with --json, the document and the exit code 1 say so.
        """
        snapshot = accounting.ask(self._target.connection, ids=ids)
        number, run = self._progress.id, snapshot.run(self._progress.id)
        if run and not undone(run, reruns.family(run, snapshot, reruns.known(self._target, snapshot))):
            return 0
        self._note(step=FAILED)
        if self._options.json:
            return 1
        if self._notifier:
            self._notifier.ended()
        flags, state = self._target.flags, f": {job_states.state(run)}" if run else ""
        again = self._target.next(f"invoke submit --failed {number} --wait")
        raise RookeryError(
            f"Job {number} ({self._progress.job}) did not succeed{state}.",
            hint=f"invoke logs {number}{flags}   # then: {again}, and {self._again}",
        )

    def _fetch(self) -> int:
        self._note(step="fetch")
        fetched = fetch.carry_out(FetchOptions(**self._where))
        if self._options.json:
            self._documents["fetch"] = fetched.document()
        else:
            fetched.show()
        if fetched.code:
            raise RookeryError("Some results could not be fetched.", hint=self._again)
        return 0

    def _combine(self) -> int:
        """Put the tables of an array's tasks together, where there are several."""
        number = self._progress.id
        record = run_record.find(self._project.root, number, self._target.cluster.label)
        if not (record and (record.array or record.rows)):
            return 0
        self._note(step="combine")
        output = table_name(self._project, self._target.cluster.name)
        options = CombineOptions(number, output=output, **self._where)
        try:
            plan = combine.carry_out(replace(options, check=True))
        except combine.NothingToCombineError as error:
            if not self._options.json:
                console.say(error.message)
            return 0
        if plan.count < 2:
            return 0
        combined = combine.carry_out(options)
        if self._options.json:
            self._documents["combine"] = combined.document()
        if combined.code:
            self._note(step=FAILED)
        return combined.code
