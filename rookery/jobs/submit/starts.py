"""Which of several jobs has started, and which was the first."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rookery.remote.slurm.forms import WAITING

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun

_NOT_BEGUN = {*WAITING, "CANCELLED", "DEADLINE"}
"""States of tasks that may never have begun."""


def has_started(run: "JobRun") -> bool:
    """Return whether a task of a job has begun to run, whatever became of it."""
    return bool(run.elapsed) or any(state not in _NOT_BEGUN for state in run.counts)


def winner(runs: "Mapping[str, JobRun]") -> str:
    """Return the cluster where the job started first; "" where it has started nowhere.

    Args:
        runs: The job on each cluster, by the cluster's name; of two that started in the same second the first stays.
    """
    started = {name: run.start or float("inf") for name, run in runs.items() if has_started(run)}
    return min(started, key=lambda name: started[name], default="")
