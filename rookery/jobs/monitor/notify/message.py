"""What a notification says of jobs, from Slurm's answers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rookery.core import console
from rookery.jobs.monitor import job_states
from rookery.jobs.monitor.accounting import ACTIVE, JobRun

ENDED, FAILED, STOPPED = "ended", "failed", "stopped"
"""Events: all jobs have ended; the first task failed while others go on; rookery could not go on itself."""

_LONGEST_TITLE, _LONGEST_TEXT, _MOST = 100, 300, 5
"""Characters, and jobs that are named."""


@dataclass(frozen=True)
class NamedJob:
    """What a message says of a job.

    Attributes:
        id: Its number.
        name: Its name.
        state: Its state in a few words, such as "163 done, 37 failed".
        tasks: How many tasks it has; 1 where it is no array.
        completed: How many have completed.
        failed: How many have ended otherwise.
    """

    id: str
    name: str
    state: str
    tasks: int
    completed: int
    failed: int


@dataclass(frozen=True)
class Message:
    """A notification.

    Attributes:
        event: ENDED, FAILED or STOPPED.
        ok: Whether nothing has failed.
        title: What happened, in a few words.
        text: More of it, in a line.
        cluster: The cluster's name.
        project: The project's name; "" outside of one.
        jobs: The jobs.
    """

    event: str
    ok: bool
    title: str
    text: str
    cluster: str
    project: str = ""
    jobs: tuple[NamedJob, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; `content` is where Discord looks for a text, `text` where Slack and others do."""
        said = f"{self.title}: {self.text}" if self.text else self.title
        return {"format": 1, **asdict(self), "text": said, "content": said}


def ended(runs: Sequence[JobRun], cluster: str, project: str, more: str = "") -> Message:
    """Return the message that jobs have ended.

    Args:
        runs: The jobs.
        cluster: The cluster's name.
        project: The project's name; "" outside of one.
        more: What else was done, such as that the results are here.
    """
    failed = [run for run in runs if run.failed_count]
    if len(runs) == 1:
        title = f"{runs[0].name} on {cluster}: {job_states.state(runs[0])}"
        text = f"job {runs[0].id}"
    else:
        bad = f", {len(failed)} of them with failures" if failed else ""
        title, text = f"{len(runs)} jobs on {cluster} have ended{bad}", _listed([*failed, *_without(runs, failed)])
    return _message(ENDED, title, "; ".join(filter(None, [text, more])), (cluster, project), runs)


def first_failure(run: JobRun, cluster: str, project: str) -> Message:
    """Return the message that a task of a job has failed while others go on."""
    ended_count = run.completed_count + run.failed_count
    title = f"{run.name} on {cluster}: {job_states.word(_worst(run))}"
    text = f"job {run.id}: {run.failed_count} of {run.total} tasks failed so far, {ended_count} have ended"
    return _message(FAILED, title, text, (cluster, project), [run])


def stopped(reason: str, runs: Sequence[JobRun], cluster: str, project: str) -> Message:
    """Return the message that rookery could not go on; jobs may."""
    return _message(STOPPED, f"rookery on {cluster} stopped early", reason, (cluster, project), runs)


def _message(event: str, title: str, text: str, where: tuple[str, str], runs: Sequence[JobRun]) -> Message:
    jobs = tuple(
        NamedJob(str(run.id), run.name, job_states.state(run), run.total, run.completed_count, run.failed_count)
        for run in runs
    )
    ok = event == ENDED and not any(job.failed for job in jobs)
    return Message(event, ok, line(title, _LONGEST_TITLE), line(text, _LONGEST_TEXT), *where, jobs)


def line(text: str, longest: int) -> str:
    """Return a text from elsewhere as one short line without control characters."""
    words = " ".join(console.clean(text).split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _listed(runs: Sequence[JobRun]) -> str:
    named = [f"{run.id} {run.name}: {job_states.state(run)}" for run in runs[:_MOST]]
    return "; ".join([*named, f"{len(runs) - _MOST} more"] if len(runs) > _MOST else named)


def _without(runs: Sequence[JobRun], others: Sequence[JobRun]) -> list[JobRun]:
    return [run for run in runs if run not in others]


def _worst(run: JobRun) -> str:
    """Return the state of the tasks that failed, the most frequent one."""
    bad = {state: count for state, count in run.counts.items() if state not in {"COMPLETED", *ACTIVE}}
    return max(bad, key=lambda state: bad[state], default="FAILED")
