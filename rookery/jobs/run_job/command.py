"""The command `run`: start a run of a job, or continue one that was stopped."""

import json as json_
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation, local_time, typed_command
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, job_table
from rookery.jobs.options import RunOptions, SubmitOptions
from rookery.jobs.run_job import progress as kept
from rookery.jobs.run_job import steps
from rookery.jobs.run_job.progress import FAILED, Progress
from rookery.jobs.submit import first
from rookery.jobs.submit.request import FIRST
from rookery.projects import commit, config, deploy
from rookery.projects import target as targets
from rookery.projects.options import DeployOptions

if TYPE_CHECKING:
    from rookery.projects.model import Project
    from rookery.projects.target import Target


def run(options: RunOptions) -> int:
    """Bring a job from the files on this computer to its results.

    Returns:
        The exit code: 0; 1 where a task failed or the table is not complete; 130 where the user stopped waiting.

    Raises:
        RookeryError: There is no such job, nothing to resume, or a step failed.
    """
    console.write_each_line()  # each step is seen when it is done
    if options.cluster == FIRST:
        options = replace(options, cluster=_first_cluster(options))
    target, progress = _wanted(options)
    if options.check:
        return _print_plan(target, options, progress)
    return steps.carry_out(target, options, _current_progress(target, options, progress))


def carry_out(options: RunOptions) -> tuple[int, dict[str, Any]]:
    """Bring a job to its results, and print nothing; return the exit code, and the document for --json.

    Raises:
        RookeryError: As `run`.
    """
    if options.cluster == FIRST:
        options = replace(options, cluster=_first_cluster(replace(options, json=True)))
    target, progress = _wanted(options)
    return steps.results(target, options, _current_progress(target, options, progress))


def _wanted(options: RunOptions) -> "tuple[Target, Progress]":
    """Return where to run, and how far an earlier run has come that this one continues."""
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    if options.resume:
        return _stopped(target, options)
    return target, _begun(target, options) or Progress(options.job, target.cluster.label, dirty=options.dirty)


def _current_progress(target: "Target", options: RunOptions, progress: Progress) -> Progress:
    """Return how far the run has come, by what Slurm still knows of it."""
    progress = _known(target, options, progress) if progress.id else progress
    return replace(progress, dirty=progress.dirty or options.dirty)


def _first_cluster(options: RunOptions) -> str:
    """Return the cluster of a run of this job that was stopped; else, after a deploy to all, the soonest.

    Raises:
        RookeryError: No cluster can be given the job.
    """
    progress = kept.latest(config.load(options.project), options.job)
    if progress and progress.step != FAILED and progress.cluster.endswith("-sandbox") == options.sandbox:
        return progress.cluster.removesuffix("-sandbox")
    if options.resume:
        return ""
    wanted = SubmitOptions(
        job=options.job,
        cluster=FIRST,
        project=options.project,
        deploy=not options.check,
        dirty=options.dirty and not options.check,
        check=options.check,
        unlinted=options.unlinted,
        json=options.json,
        sandbox=options.sandbox,
    )
    return first.choose(wanted)[0]


def _stopped(target: "Target", options: RunOptions) -> "tuple[Target, Progress]":
    """Return the run to resume, and its target, which need not be named again.

    Raises:
        RookeryError: There is none.
    """
    project = target.required_project
    named = target.cluster.label if options.cluster or options.sandbox else ""
    progress = kept.latest(project, options.job, named)
    if progress is None:
        job = options.job or next(iter(project.jobs), "--help")
        raise RookeryError(
            f"There is no unfinished run of {options.job or project.name} to resume.",
            hint=target.next(f"invoke run {shlex.quote(job)}"),
        )
    name = progress.cluster.removesuffix("-sandbox")
    return targets.find(name, options.project, sandbox=progress.cluster != name), progress


def _begun(target: "Target", options: RunOptions) -> Progress | None:
    """Return the run of this job that was stopped, where it is of the same files; None where a new one is meant.

    Raises:
        RookeryError: There is no such job.
    """
    _check_job(target, options)
    project = target.required_project
    progress = kept.latest(project, options.job, target.cluster.label)
    if progress is None or progress.step == FAILED:
        return None
    if not progress.id:
        return progress
    record = run_record.find(project.root, progress.id, progress.cluster)
    if record and record.commit == _current(project):
        return progress
    if record:
        fetch = invocation.as_typed(target.next(f"invoke fetch {record.id}"))
        console.note(f"Job {record.id} ({record.job}) ran an earlier commit; to fetch its results: {fetch}")
    return None


def _current(project: "Project") -> str:
    """Return the commit that the files are, with what is not committed; "" where there is none."""
    try:
        with commit.chosen(project.root, project.linked, dirty=True) as local:
            return local.id
    except RookeryError:
        return ""


def _check_job(target: "Target", options: RunOptions) -> None:
    """Refuse a job that the project does not have, before anything is deployed.

    Raises:
        RookeryError: It does not have it, or not for this cluster.
    """
    project, name = target.required_project, options.job
    jobs = list(project.jobs)
    listed = f"Jobs of {config.shown(project.file)}: {', '.join(jobs)}." if jobs else "rookery.yml has no jobs."
    first = jobs[0] if jobs else "--help"
    if not name:
        raise RookeryError(f"Missing argument JOB. {listed}", hint=target.next(f"invoke run {first}"))
    if name in project.jobs:
        config.job(project, name, target.cluster.name)
    elif not any((folder / name).is_file() for folder in (Path.cwd(), project.root)):
        raise RookeryError(
            f"Unknown job {name!r}{meant(name, jobs)}. {listed}",
            hint=target.next(f"invoke run {closest(name, jobs) or first}"),
        )


def _known(target: "Target", options: RunOptions, progress: Progress) -> Progress:
    """Return a run whose job Slurm still knows; a new one if it does not, as after a miniature was made again.

    Raises:
        RookeryError: It does not, and that run was to be resumed; or Slurm does not answer.
    """
    project, number, name = target.required_project, progress.id, target.cluster.name
    target.connection.open()
    snapshot = accounting.ask(target.connection, ids=[number])
    job_table.check(snapshot, name)
    if snapshot.run(number) or snapshot.squeue or snapshot.sacct:
        record = run_record.find(project.root, number, progress.cluster)
        when = f", submitted {local_time.at(record.submitted)}" if record else ""
        if not options.json:
            console.say(f"Continuing with job {number} ({progress.job}) on {name}{when}")
        return progress
    kept.forget(project, progress)
    if options.resume:
        again = target.next(f"invoke run {shlex.quote(progress.job)}")
        raise RookeryError(f"{snapshot.unknown(name, number)}, so its run can't be resumed.", hint=again)
    console.note(f"{snapshot.unknown(name, number)}: starting a new run.")
    return Progress(progress.job, progress.cluster, dirty=options.dirty)


def _print_plan(target: "Target", options: RunOptions, progress: Progress) -> int:
    """Print what would be done; the cluster is only asked what a deploy would do."""
    project, cluster = target.required_project, target.cluster
    deployed = DeployOptions(check=True, dirty=options.dirty, yes=options.yes, **target.options())
    would = [
        f"wait until {f'job {progress.id}' if progress.id else 'it'} has ended",
        f"fetch {', '.join(project.outputs)}",
        f"combine the tables of its tasks into {steps.table_name(project, cluster.name)}, if it is an array",
    ]
    would = would if progress.id else [f"submit {progress.job}", *would]
    if options.json:
        document = None if progress.id else deploy.carry_out(deployed).document()
        print(json_.dumps({"check": True, "job": progress.job, "id": progress.id, "deploy": document, "steps": would}))
        return 0
    if not progress.id:
        with invocation.guiding():
            deploy.run(deployed)
    console.say("Would then:" if not progress.id else f"Would continue with job {progress.id}:")
    console.say(*(f"  {step}" for step in would))
    console.say(f"  next         {invocation.as_typed(typed_command.again(without=('--check',)))}")
    return 0
