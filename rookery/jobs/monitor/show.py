"""The command `jobs`: the state of the user's jobs, from squeue and sacct in one table, with advice."""

import json as json_
from typing import TYPE_CHECKING

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, job_table, watch
from rookery.jobs.options import JobsOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rookery.jobs.monitor.accounting import SlurmSnapshot
    from rookery.projects.target import Target


def run(options: JobsOptions) -> int:
    """Show jobs.

    Returns:
        The exit code: 0; with `watch`, 1 where a task failed.

    Raises:
        RookeryError: Slurm does not answer, or there is no such job; those that there are have been shown then.
    """
    if options.days < 1:
        raise RookeryError("--days must be at least 1.", hint=typed_command.again("--days", "1"))
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    ids = [run_record.parse_id(job, flags)[0] for job in options.job.split(",")] if options.job else []
    target = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False)
    project = _project(target, options, ids)
    target.connection.open()
    if options.watch:
        return watch.run(target, ids=ids, project=project, days=options.days, json=options.json)
    snapshot = look(target, options, ids)
    known = {str(run.id) for run in job_table.chosen(snapshot, ids)}
    unknown = list(dict.fromkeys(number for number in ids if number not in known))
    if options.json and (known or not unknown):
        print(json_.dumps(job_table.document(snapshot, target, ids), indent=2))
        return 0
    if known or not unknown:
        job_table.show(snapshot, target, project, options.days, ids)
    if unknown:
        raise RookeryError(
            f"{snapshot.unknown(target.cluster.name, ', '.join(unknown))}.",
            hint=f"invoke jobs --all --days 30{target.flags}   # shows all your jobs",
        )
    return 0


def look(target: "Target", options: JobsOptions, ids: "Sequence[str]") -> "SlurmSnapshot":
    """Return the jobs that the options mean.

    Args:
        target: Project and cluster; its connection is open.
        options: Which jobs.
        ids: Numbers of jobs; none for the latest.

    Raises:
        RookeryError: Slurm does not answer.
    """
    reruns_of = target.project.name if target.project and ids else ""
    project = _project(target, options, ids)
    snapshot = accounting.ask(target.connection, ids=ids, project=project, days=options.days, reruns_of=reruns_of)
    job_table.check(snapshot, target.cluster.name)
    return snapshot


def _project(target: "Target", options: JobsOptions, ids: "Sequence[str]") -> str:
    """Return the project whose jobs are meant; "" for all of the user's."""
    return target.project.name if target.project and not options.all and not ids else ""
