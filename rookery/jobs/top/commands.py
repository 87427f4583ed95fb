"""The command lines that do what the screen of `top` does, as the user types them here."""

from collections.abc import Iterable

from rookery.core.invocation import as_typed
from rookery.core.options import Options
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.options import CancelOptions, JobsOptions, LogsOptions, QueueOptions


def jobs(clusters: Iterable[str], *, sandbox: bool, days: int) -> str:
    """Return the command that shows the jobs."""
    options = JobsOptions(cluster=_list(clusters), all=True, watch=False, days=days, sandbox=sandbox)
    return _typed("jobs", options)


def job(number: int, cluster: str, *, sandbox: bool) -> str:
    """Return the command that shows one job."""
    return _typed("jobs", JobsOptions(job=str(number), cluster=cluster, sandbox=sandbox))


def logs(job: str, cluster: str, *, sandbox: bool, error: bool = False) -> str:
    """Return the command that follows a log."""
    return _typed("logs", LogsOptions(job=job, cluster=cluster, follow=True, error=error, sandbox=sandbox))


def cancel(job: str, cluster: str, *, sandbox: bool, tasks: int) -> str:
    """Return the command that cancels a job or task."""
    return _typed("cancel", CancelOptions(job=job, cluster=cluster, yes=tasks > 1, sandbox=sandbox))


def queue(clusters: Iterable[str], *, sandbox: bool) -> str:
    """Return the command that shows partitions."""
    return _typed("queue", QueueOptions(cluster=_list(clusters), sandbox=sandbox))


def name(run: JobRun, task: int | None = None) -> str:
    """Return a job or task as commands take it: 41, 43_7."""
    return str(run.id) if task is None else f"{run.id}_{task}"


def _list(clusters: Iterable[str]) -> str:
    return ",".join(clusters)


def _typed(command: str, options: Options) -> str:
    return as_typed(options.command(command))
