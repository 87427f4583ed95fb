"""`jobs`: how the user's jobs stand, squeue's word and sacct's in one table, and what those that ended teach."""

import json as json_
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, job_table, watch
from rookery.jobs.options import JobsOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    pass


def run(request: JobsOptions) -> int:
    """Show jobs.

    Returns:
        The exit code: 0; with `watch`, 1 where a task failed.

    Raises:
        RookeryError: Slurm does not answer, or there is no such job.
    """
    if request.days < 1:
        raise RookeryError("--days is at least 1.")
    ids = [run_record.parse_id(request.job, "jobs")[0]] if request.job else []
    found = targets.find(request.cluster, sandbox=request.sandbox, needs_project=False)
    project = found.project.name if found.project and not request.all and not ids else ""
    found.connection.open()
    if request.watch:
        return watch.run(found, ids=ids, project=project, days=request.days, json=request.json)
    told = accounting.ask(found.connection, ids=ids, project=project, days=request.days)
    job_table.check(told, found.cluster.name)
    if ids and not told.runs:
        raise RookeryError(
            f"{told.unknown(found.cluster.name, ids[0])}.",
            hint=f"invoke jobs --all --days 30{found.flags}   # lists them",
        )
    if request.json:
        print(json_.dumps(job_table.document(told, found), indent=2))
        return 0
    job_table.show(told, found, project, request.days)
    return 0
