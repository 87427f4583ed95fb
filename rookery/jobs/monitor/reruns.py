"""Failed tasks that are still to be repaired: those that no other run of the same tasks has completed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rookery.jobs import run_record
from rookery.remote.slurm import reruns
from rookery.remote.slurm.forms import expression, numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
    from rookery.projects.target import Target


def known(target: "Target", snapshot: "SlurmSnapshot | None" = None) -> "Mapping[str, str]":
    """Return the run whose failed tasks each run did again, from the records here and what the cluster said.

    Args:
        target: Project and cluster.
        snapshot: What Slurm said.
    """
    root, label = target.project.root if target.project else None, target.cluster.label
    here = {record.id: record.failed_of for record in run_record.every(root, label)} if root else {}
    return here | {str(run.id): run.failed_of for run in (snapshot.runs if snapshot else ()) if run.failed_of}


def family(run: "JobRun", snapshot: "SlurmSnapshot", failed_of: "Mapping[str, str]") -> "list[JobRun]":
    """Return the runs of a run's tasks that Slurm knows, the first submitted first, that run among them."""
    found = map(snapshot.run, reruns.family(str(run.id), failed_of))
    return [member for member in found if member] or [run]


def left(run: "JobRun", runs: "Sequence[JobRun]", uid: int) -> tuple[str, int]:
    """Return a run's failed tasks that none of the runs has completed, as Slurm's expression, and how many.

    Args:
        run: The run.
        runs: All runs of its tasks.
        uid: The user's number there.
    """
    failed, count = run.failed(uid)
    if not run.array:
        return "", 0 if any(other.completed_count for other in runs) else count
    done = {task for other in runs for task in numbers(other.tasks.get("COMPLETED", ""))}
    rest = set(numbers(failed)) - done
    return expression(rest), len(rest)
