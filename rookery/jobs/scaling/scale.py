"""The command `scale`: run a job at several numbers of cores, and say how many to ask for."""

import hashlib
import json as json_
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console, locking, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs import pictures
from rookery.jobs.copies import copy_runs
from rookery.jobs.copies.copy_runs import CopyRuns
from rookery.jobs.monitor import accounting
from rookery.jobs.options import ScaleOptions
from rookery.jobs.scaling import measurement as measurements
from rookery.jobs.scaling import plan as plans
from rookery.jobs.scaling import report
from rookery.jobs.scaling.measurement import Measurement
from rookery.jobs.scaling.submission import ScalingSession
from rookery.projects import project_copy
from rookery.projects import target as targets
from rookery.projects.git_command import git

if TYPE_CHECKING:
    from rookery.jobs.scaling.plan import ScalingPlan
    from rookery.projects.model import Project
    from rookery.projects.target import Target

_FORGETTING = ("--again", "--discard")


def run(options: ScaleOptions) -> int:
    """Measure a job's scaling, or continue a measurement.

    Returns:
        1 where a run failed, or there are too few for an answer.

    Raises:
        RookeryError: It can't be measured, or what was begun before has to end first.
    """
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    project = target.required_project
    picture = pictures.path(options.plot_file) if options.plot_file else None
    if picture:
        pictures.check(picture, options.plot_file)
    with locking.held(measurements.copy_name(project, options, target.cluster)):
        return _run(target, project, options, picture)


def _run(target: "Target", project: "Project", options: ScaleOptions, picture: Path | None) -> int:
    name = measurements.copy_name(project, options, target.cluster)
    file = measurements.file(project, options, target.cluster)
    before = measurements.load(file)
    if options.discard:
        return _discard(target, options, file, before)
    copy = project_copy.find_used(project, name)
    if before and not copy:  # what was to be submitted next was not
        before = replace(before, runs=before.submitted)
    plan = plans.make(copy or project, target.cluster, options)
    measured = _begun(target, plan, before, options, is_used=copy is not None)
    say = (lambda _: None) if options.json else _say
    session = ScalingSession(target, name, plan, file, measured, options_again(options), _discarding(), say)
    if options.check:
        _show_plan(session, json=options.json)
        return 0
    if session.missing or measured.active or measured.is_deployed:
        _measure(session)
    found = report.result(plan, session.measurement)
    if picture and len(found.results) > 1:
        pictures.write(report.plot(plan, found), picture)
    if options.json:
        print(json_.dumps(report.document(plan, session.measurement, found, options.plot_file), indent=2))
    else:
        report.show(plan, session.measurement, found)
        if picture and len(found.results) > 1:
            console.say(f"Plotted into {options.plot_file}.")
    return int(bool(found.failed) or found.fit is None)


def _say(line: str) -> None:
    """Print a line at once, also into a file or a pipe, since a measurement takes long."""
    console.say(line)
    sys.stdout.flush()


def options_again(options: ScaleOptions) -> str:
    """Return the command that continues a measurement."""
    return typed_command.again(without=_FORGETTING) if typed_command.takes("--repeat") else options.command("scale")


def _discarding() -> str:
    """Return the command that discards a measurement."""
    return typed_command.again("--discard", without=("--again",))


def _begun(
    target: "Target", plan: "ScalingPlan", before: Measurement | None, options: ScaleOptions, *, is_used: bool
) -> Measurement:
    """Return the measurement to continue: the one that was begun, or a new one.

    Args:
        target: The project, and the cluster.
        plan: What is measured.
        before: What there is of a measurement.
        options: The command's.
        is_used: Something was submitted from the project's copy.

    Raises:
        RookeryError: One of something else has not ended; there are uncommitted changes, or jobs that can't run there.
    """
    project, key = target.required_project, _key(plan)
    if before and (before.active or is_used):
        if before.key != key or (options.again and not before.is_again):
            what = f"Runs of {before.what}, commit {before.commit[:7]}, have not ended or are still on the cluster."
            raise RookeryError(what, hint=_discarding())
        return before
    head = git(project.root, "rev-parse", "HEAD", check=False).decode().strip()
    if before and before.runs and before.key == key and before.commit == head and not options.again:
        return before
    drawn = [os.path.relpath(pictures.path(options.plot_file), project.root)] if options.plot_file else []
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    commit = copy_runs.commit_to_copy(target, [path for path in drawn if not path.startswith("..")])
    return Measurement(commit, plan.task.what, key, when, is_again=options.again)


def _key(plan: "ScalingPlan") -> str:
    """Return a digest of what must be the same for runs to be compared; the time limit need not."""
    (changes,) = plan.changes(1, 1).values()
    same = {key: value for key, value in changes.items() if key != "time"}
    text = json_.dumps([plan.task.what, plan.weak, same], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _measure(session: ScalingSession) -> None:
    """Submit what is missing, wait for it, and remove the copy.

    Raises:
        RookeryError: The cluster keeps no job accounting, or a step failed.
    """
    connection = session.target.connection
    connection.open()
    if accounting.ask(connection, ids=["1"]).keeps_none:
        raise RookeryError(
            f"{session.target.cluster.name} keeps no job accounting, so scale can't know how long jobs took.",
            hint="measure by hand: submit the job with several values of cpus:, and time the program in it",
        )
    if session.missing:
        session.say(
            f"Measuring {session.plan.task.what}, commit {session.measurement.commit[:7]}{_most(session.plan)}:"
        )
    session.submit_all()
    session.wait()
    session.clean_up()


def _most(plan: "ScalingPlan") -> str:
    """Return what it may cost at most; "" where no limit is known."""
    hours = sum(cores for cores, _ in plan.runs) * plan.minutes / 60
    return f", at most {hours:.2g} core hours" if hours else ""


def _show_plan(session: ScalingSession, *, json: bool) -> None:
    missing = [(run.cores, run.repetition) for run in session.missing]
    if json:
        document = {
            "job": session.plan.job.name,
            "task": session.plan.task.number,
            "parameters": dict(session.plan.task.row),
            "would_submit": [{"cores": cores, "repetition": repetition} for cores, repetition in missing],
            "running": [run.id for run in session.measurement.active],
        }
        print(json_.dumps(document, indent=2))
        return
    sizes = ", ".join(str(cores) for cores in session.plan.sizes)
    console.say(
        f"Would run {session.plan.task.what} with {sizes} cores: {len(missing)} jobs to submit{_most(session.plan)}."
    )


def _discard(target: "Target", options: ScaleOptions, file: Path, before: Measurement | None) -> int:
    name = measurements.copy_name(target.required_project, options, target.cluster)
    copy = project_copy.find(target.required_project, name)
    if not (before or copy):
        raise RookeryError(f"No runs of {options.job} were measured on {target.cluster.name}.")
    what = before.what if before else options.job
    if options.check:
        jobs = ", ".join(run.id for run in before.active) if before else ""
        console.say(f"Would discard the runs of {what}, and cancel jobs: {jobs or 'none'}.")
        return 0
    cancelled = CopyRuns(target, options.job, options_again(options)).discard(copy) if copy else 0
    file.unlink(missing_ok=True)
    console.say(f"Discarded the runs of {what}; cancelled jobs: {cancelled}.")
    return 0
