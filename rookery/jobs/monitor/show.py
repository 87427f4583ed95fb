"""The command `jobs`: the state of the user's jobs, from squeue and sacct in one table, with advice."""

from collections.abc import Mapping, Sequence
from typing import Any

from rookery.clusters.cluster import NotApplicableError
from rookery.clusters.query import ClusterQuery, require_scheduler
from rookery.core import console, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs import pictures, run_record
from rookery.jobs.monitor import accounting, job_table, task_grid, watch
from rookery.jobs.monitor.accounting import SlurmSnapshot
from rookery.jobs.monitor.notify import notifier
from rookery.jobs.options import JobsOptions
from rookery.projects import target as targets


def run(options: JobsOptions) -> int:
    """Show jobs.

    Returns:
        The exit code: 0; with `watch`, 1 where a task failed.

    Raises:
        RookeryError: Slurm does not answer, or there is no such job; those that there are have been shown then.
    """
    check(options)
    if options.watch:
        target, ids, project = _meant(options)
        sender = notifier.prepare(target) if options.notify else None
        target.connection.open()
        return watch.run(target, ids=ids, project=project, days=options.days, json=options.json, notifier=sender)
    return query(options).answer(json=options.json)


def check(options: JobsOptions) -> None:
    """Refuse options that can't be, of one cluster or several.

    Raises:
        RookeryError: The days are none, several clusters are to be watched or drawn, or a picture can't be drawn.
    """
    if options.days < 1:
        raise RookeryError("--days must be at least 1.", hint=typed_command.again("--days", "1"))
    if options.notify and not options.watch:
        raise RookeryError("--notify needs --watch.", hint=typed_command.again("--watch"))
    if options.watch:
        targets.only_one(options.cluster, "--watch")
    if options.plot_file:
        targets.only_one(options.cluster, "--plot-file")
        if not options.job or "," in options.job:
            hint = typed_command.again(argument="NUMBER")
            raise RookeryError("--plot-file draws the tasks of one array; which?", hint=hint)
        pictures.check(pictures.path(options.plot_file), options.plot_file)


def query(options: JobsOptions, target: targets.Target | None = None) -> ClusterQuery[SlurmSnapshot]:
    """Return the question to one cluster.

    Args:
        options: Which jobs.
        target: Project and cluster; by default those that the options mean here.

    Raises:
        RookeryError: The cluster or a number is not one.
        NotApplicableError: The cluster has no Slurm.
    """
    target, ids, project = _meant(options, target)
    reruns_of = target.project.name if target.project and ids else ""

    def ask() -> SlurmSnapshot:
        connection, days = target.connection, options.days
        snapshot = accounting.ask(connection, ids=ids, project=project, days=days, reruns_of=reruns_of, live=True)
        job_table.check(snapshot, target.cluster.name)
        if ids and not job_table.chosen(snapshot, ids):
            raise _unknown(snapshot, target, ids)
        return snapshot

    def document(snapshot: SlurmSnapshot) -> Mapping[str, Any]:
        _draw(snapshot, options)
        return job_table.document(snapshot, target, ids)

    def show(snapshot: SlurmSnapshot) -> None:
        job_table.show(snapshot, target, project, options.days, ids)
        if unknown := [number for number in ids if not snapshot.run(number)]:
            raise _unknown(snapshot, target, unknown)
        _draw(snapshot, options)

    return ClusterQuery(target.connection, ask, document, show)


def _unknown(snapshot: SlurmSnapshot, target: targets.Target, numbers: Sequence[str]) -> NotApplicableError:
    """Return the error for jobs that the cluster does not know: of several clusters, another one may."""
    return NotApplicableError(
        f"{snapshot.unknown(target.cluster.name, ', '.join(dict.fromkeys(numbers)))}.",
        hint=f"invoke jobs --all --days 30{target.flags}   # shows all your jobs",
    )


def _draw(snapshot: SlurmSnapshot, options: JobsOptions) -> None:
    """Draw the tasks of the array into the file that is named, if one is.

    Raises:
        RookeryError: The job is no array.
    """
    if not options.plot_file:
        return
    run = snapshot.run(options.job.partition("_")[0])
    if run is None or not run.array:
        raise RookeryError(f"Job {options.job} is not an array: there are no tasks to draw.")
    pictures.write(task_grid.of(run), pictures.path(options.plot_file))
    console.note(f"Plotted into {options.plot_file}.")


def _meant(options: JobsOptions, target: targets.Target | None = None) -> tuple[targets.Target, list[str], str]:
    """Return the cluster, the numbers of the jobs, and the project whose jobs are meant; "" for all."""
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    ids = [run_record.parse_id(job, flags)[0] for job in options.job.split(",")] if options.job else []
    target = target or targets.find(options.cluster, sandbox=options.sandbox, needs_project=False)
    require_scheduler(target.cluster)
    return target, ids, target.project.name if target.project and not options.all and not ids else ""
