"""Find the tasks of a run to submit again: those that failed, and that no other run has completed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, reruns
from rookery.remote.slurm import reruns as rerun_families
from rookery.remote.slurm.forms import numbers
from rookery.remote.slurm.tables import LAG

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target


def tasks(target: "Target", request: "SubmitRequest") -> "SubmitRequest":
    """Return the tasks of an earlier run that failed and that no other run has completed, from Slurm on the cluster.

    Raises:
        RookeryError: There is no such run, it or one that does its tasks again is still going on, or nothing is left.
    """
    number, root, label = request.failed_of, target.required_project.root, target.cluster.label
    members = rerun_families.family(number, reruns.known(target))
    snapshot = accounting.ask(target.connection, ids=members, reruns_of=target.required_project.name)
    if snapshot.keeps_none:
        raise RookeryError(
            f"Can't tell which tasks of job {number} failed: {target.cluster.name} has no job accounting "
            "(sacct is off).",
            hint=target.next(
                f"invoke logs {number}   # shows a failed task; to run all again: invoke submit {request.what}"
            ),
        )
    if snapshot.sacct:
        raise RookeryError(
            f"Can't tell which tasks of job {number} failed: sacct on {target.cluster.name} does not answer: "
            f"{snapshot.sacct}",
            hint="run the same command again in a few minutes",
        )
    original = snapshot.run(number)
    if original is None:
        raise RookeryError(
            f"{snapshot.unknown(target.cluster.name, number)}.", hint=target.next("invoke jobs --days 30")
        )
    runs = reruns.family(original, snapshot, reruns.known(target, snapshot))
    for run in runs:
        _require_ended(run, number, target)
    # a task that the accounts do not have yet, or of which they do not say who cancelled it, may have failed
    cancelled = original.counts.get("CANCELLED", 0)
    untold = cancelled - sum(len(numbers(known)) for known in original.cancelled_by.values())
    if untold and not original.parts and snapshot.now - original.end < LAG:
        raise RookeryError(
            f"Slurm's accounting on {target.cluster.name} does not have all of job {number} yet.",
            hint="run the same command again in a minute",
        )
    left, count = reruns.left(original, runs, snapshot.uid)
    if not count:
        rest = f", and you cancelled {cancelled}" if cancelled else ""
        if original.failed(snapshot.uid)[1]:
            where = _succeeded_in(original, runs)
            raise RookeryError(f"Job {number} has no failed tasks left: they succeeded in job {where}.")
        raise RookeryError(
            f"Job {number} has no failed tasks: {original.completed_count} of {original.total} succeeded{rest}."
        )
    before = run_record.find(root, number, label)
    throttle = re.search(r"%\d+$", before.array) if before else None
    return replace(request, array=left + (throttle[0] if throttle else "") if original.array else "")


def _require_ended(run: "JobRun", number: str, target: "Target") -> None:
    """Refuse to go on while a run's tasks are still running or waiting.

    Raises:
        RookeryError: They may.
    """
    if run.is_active:
        which = "" if str(run.id) == number else f" (failed tasks of job {number})"
        count = run.waiting + run.running
        tasks = "1 task is" if count == 1 else f"{count} tasks are"
        raise RookeryError(
            f"Job {run.id}{which} has not ended: {tasks} still waiting or running.",
            hint=target.next(f"invoke jobs {run.id} --watch"),
        )


def _succeeded_in(original: "JobRun", runs: Sequence["JobRun"]) -> str:
    """Return the numbers of the other runs that completed a failed task of a run."""
    failed = {task for state, tasks in original.tasks.items() if state != "COMPLETED" for task in numbers(tasks)}
    others = [run for run in runs if run is not original and run.completed_count]
    wanted = [run.id for run in others if not run.array or failed & set(numbers(run.tasks.get("COMPLETED", "")))]
    return ", ".join(map(str, wanted))
