"""Which tasks of a run are still to be done: those that failed, and that no later run has mended."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting
from rookery.remote.slurm.forms import expression, numbers

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target

SETTLED = 60
"""Seconds after which Slurm's accounts of a job that has ended are taken to be complete."""


def tasks(found: "Target", wish: "SubmitRequest") -> "SubmitRequest":
    """Return the tasks of an earlier run that failed, in place of all; asked of Slurm there.

    Raises:
        RookeryError: There is no such run, it or one that does its tasks again is still going on, or nothing is left.
    """
    assert found.project is not None  # noqa: S101 submit asks for one
    number, root, label = wish.failed_of, found.project.root, found.cluster.label
    again = run_record.later(root, label, number)
    told = accounting.ask(found.connection, ids=[number, *again])
    if told.keeps_none:
        raise RookeryError(
            f"{found.cluster.name} keeps no accounts (sacct is switched off there), so nothing tells which tasks of "
            f"{number} failed.",
            hint=f"invoke logs {number}{found.flags}   # then submit the whole job again, or its array by hand",
        )
    if told.sacct:
        raise RookeryError(
            f"{found.cluster.name} can't say which tasks of {number} failed: {told.sacct}",
            hint="the same command again, in a while",
        )
    run = told.run(number)
    if run is None:
        raise RookeryError(f"{told.unknown(found.cluster.name, number)}.", hint=f"invoke jobs --days 30{found.flags}")
    runs = [run, *(one for one in map(told.run, again) if one)]
    for one in runs:
        _ended(one, number, found)
    left, count = _left(runs, told)
    if not count:
        cancelled = run.counts.get("CANCELLED", 0)
        rest = f"; {cancelled} were cancelled by you, which is not failing" if cancelled else ""
        if len(runs) > 1:
            raise RookeryError(f"Nothing of {number} is left to do: what failed ended well in {runs[-1].id}.")
        raise RookeryError(f"Nothing of {number} failed: {run.completed_count} of {run.total} ended well{rest}.")
    before = run_record.find(root, number, label)
    # the accounts lag behind by a moment; and tasks that were cancelled before they began are never in them
    fresh = told.now - run.end < SETTLED
    if fresh and before and before.array and run.total < len(numbers(before.array)):
        raise RookeryError(
            f"{found.cluster.name} has not yet accounted for all of {number}.",
            hint="the same command again, in a minute",
        )
    throttle = re.search(r"%\d+$", before.array) if before else None
    return replace(wish, array=left + (throttle[0] if throttle else "") if run.array else "")


def _ended(one: "JobRun", number: str, found: "Target") -> None:
    """Refuse to go on while a run's tasks may still fail, or end well.

    Raises:
        RookeryError: They may.
    """
    if one.is_active:
        what = number if str(one.id) == number else f"{one.id}, which does failed tasks of {number} again,"
        raise RookeryError(
            f"{what} has not ended: {one.waiting + one.running} of its tasks wait or run, and may fail too.",
            hint=f"invoke jobs {one.id} --watch{found.flags}",
        )


def _left(runs: Sequence["JobRun"], told: "SlurmSnapshot") -> tuple[str, int]:
    """Return the failed tasks that are still to be done, as Slurm's expression, and how many.

    Args:
        runs: The run, and those that did tasks of it again, in their order.
        told: What Slurm said of them.
    """
    left, count = runs[0].failed(told.uid)
    for one in runs[1:]:
        failed, number = one.failed(told.uid)
        done = {task for tasks in one.tasks.values() for task in numbers(tasks)}
        left = expression((set(numbers(left)) - done) | set(numbers(failed)))
        count = len(numbers(left)) if runs[0].array else number
    return left, count
