"""Decide how a job with `total_time` runs in parts: put back into the queue each time, or as a chain of jobs."""

import re
from dataclasses import dataclass
from typing import Final

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.model import Project

MOST_PARTS: Final = 100
"""Jobs that a chain may have: each of them is in the queue from the beginning."""

_SPARE = 10
"""One more job for each ten: a part whose node fails does not count."""

_CALLS_R = re.compile(r"(^|[\s;|&(/])R(script)?(\s|$)", re.MULTILINE)


@dataclass(frozen=True)
class JobParts:
    """What a script that runs in parts says of them, as words of bash.

    Attributes:
        before: Seconds before the end of a part at which the program is asked for its checkpoint.
        total: Seconds that all parts may run together.
        forward: `yes` where the program gets the signal, too; R would be ended by it.
        name: What is of one run and one task in the names of files: `${run}_${task}`.
        folder: The folder for its checkpoints.
        is_chained: Whether each part is a job.
    """

    before: int
    total: int
    forward: str
    name: str
    folder: str
    is_chained: bool


def of_job(project: Project, job: Job, cluster: Cluster) -> JobParts:
    """Return what the script of a job that runs in parts says of them."""
    task = "${SLURM_ARRAY_TASK_ID}"
    return JobParts(
        before=60 * job.checkpoint_minutes,
        total=60 * job.total_minutes,
        forward="no" if calls_r(job) else "yes",
        name=f"${{run}}_{task}" if job.array else "${run}",
        folder=f"projects/{project.name}/.checkpoints/${{run}}{f'/{task}' if job.array else ''}",
        is_chained=count(job, cluster) > 1,
    )


def calls_r(job: Job) -> bool:
    """Return whether the job's own command runs R."""
    return job.template.startswith("r-") or bool(_CALLS_R.search(job.command))


def count(job: Job, cluster: Cluster) -> int:
    """Return how many jobs are submitted for a job: more than one where each part is one, with some to spare.

    Args:
        job: The job.
        cluster: Where it runs.

    Raises:
        RookeryError: That can't be told, or there would be too many.
    """
    if not job.total_minutes or cluster.data.get("cluster_requeue", True):
        return 1
    if not job.minutes:
        raise RookeryError(
            f"`total_time` needs `time` on {cluster.name}: jobs can't go back into the queue there, so all parts are "
            "submitted together, as many as fit into `total_time`."
        )
    needed = -(-job.total_minutes // max(1, job.minutes - job.checkpoint_minutes))
    jobs = needed + max(1, needed // _SPARE)
    if jobs > MOST_PARTS:
        raise RookeryError(
            f"`total_time` needs {needed} parts on {cluster.name}, where each part is a job in the queue from the "
            f"beginning: with those to spare, more than {MOST_PARTS}.",
            hint="give each part more `time`, or less than that to `total_time` and continue with submit --failed",
        )
    return jobs
