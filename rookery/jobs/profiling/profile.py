"""The command `profile`: run one task under a profiler, fetch what it wrote, and show where the time went."""

import json as json_
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, locking, paths, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.copies import copy_runs, one_task
from rookery.jobs.copies.copy_runs import CopyRuns
from rookery.jobs.copies.one_task import OneTask
from rookery.jobs.monitor import job_states
from rookery.jobs.options import ProfileOptions
from rookery.jobs.profiling import profilers, remote_files, top
from rookery.jobs.profiling.profilers import Profiler
from rookery.projects import config, project_copy, slurm_values
from rookery.projects import target as targets
from rookery.projects.scripts import command_line, job_script

if TYPE_CHECKING:
    from rookery.projects.job import Job
    from rookery.projects.model import Project
    from rookery.projects.target import Target


@dataclass(frozen=True)
class ProfilePlan:
    """What is profiled.

    Attributes:
        job: The job as it is.
        task: Which of its tasks.
        profiler: With what.
        folder: Where the profiler writes, as a path in the project.
        minutes: The time limit; 0 for the partition's.
    """

    job: "Job"
    task: OneTask
    profiler: Profiler
    folder: str
    minutes: int

    def changes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what of the job is changed in rookery.yml."""
        command = self.job.command.rstrip("\n")
        if self.task.row and not command_line.names(command) & {"row", *self.task.row}:
            command += " {row}"  # where a command names no parameter, they are put at its end
        command = profilers.profiled(command, self.profiler, self.folder)
        values: dict[str, Any] = {**self.task.changes(), "command": command}
        if self.task.rows:
            values |= {"rows": [dict(self.task.row)], "chunk": None}
        if self.minutes:
            values["time"] = slurm_values.time_limit(self.minutes)
        return {self.job.name: values}


def run(options: ProfileOptions) -> int:
    """Profile one task of a job.

    Returns:
        0.

    Raises:
        RookeryError: It can't be profiled, or the task failed.
    """
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    project = target.required_project
    parts = [project.name, "profile", options.job, target.cluster.label, *([str(options.task)] if options.task else [])]
    name = "-".join(parts)[:150]
    with locking.held(name):
        runs = CopyRuns(target, options.job, _again(options))
        if options.discard:
            return _discard(runs, project_copy.find(project, name), options)
        copy = project_copy.find_used(project, name)
        plan = make_plan(copy or project, target.cluster.name, options)
        if options.check:
            _show_plan(plan, json=options.json)
            return 0
        copy = copy or project_copy.make(project, name, copy_runs.commit_to_copy(target))
        return _profile(runs, copy, plan, options)


def make_plan(project: "Project", cluster_name: str, options: ProfileOptions) -> ProfilePlan:
    """Return what the options of `profile` ask for.

    Raises:
        RookeryError: The job can't be profiled, or has no such task.
    """
    job = config.job(project, options.job, cluster_name)
    if path := job_script.by_hand(project, job):
        own = f"its script is {path}, which profile can't change"
        raise config.problem(project, job.name, "", own, hint="describe the job in rookery.yml instead")
    if job.template == "mpi" or job.tasks > 1 or job.nodes > 1:
        several = "profile runs only jobs of one process"
        raise config.problem(project, job.name, "tasks" if job.tasks > 1 else "template", several)
    try:
        profiler = profilers.choose(job.command, options.with_)
    except RookeryError as error:
        raise config.problem(project, job.name, "command", error.message, hint=error.hint) from None
    try:
        minutes = slurm_values.minutes(options.time) if options.time else 0
    except ValueError:
        hint = typed_command.again("--time", "2h")
        raise RookeryError(f"--time {options.time} is not a time limit, such as 02:00:00 or 2h.", hint=hint) from None
    task = one_task.choose(project, job, options.task)
    return ProfilePlan(job, task, profiler, f"{project.logs}/{profilers.FOLDER}", minutes)


def _again(options: ProfileOptions) -> str:
    return typed_command.again(without=("--discard",)) if typed_command.takes("--with") else options.command("profile")


def _profile(runs: CopyRuns, copy: "Project", plan: ProfilePlan, options: ProfileOptions) -> int:
    """Run the task, and show its profile."""
    target, profiler = runs.target, plan.profiler
    target.connection.open()
    folder = copy.root / profilers.FOLDER
    folder.mkdir(exist_ok=True)
    for file, source in remote_files.needed(profiler).items():
        (copy.root / file).write_text(paths.remote(source), encoding="utf-8")
    copy = project_copy.change(copy, plan.changes())
    number = runs.submit(copy, before=lambda commit: remote_files.install(target, copy, commit, profiler))
    if not options.json:
        console.say(f"Profiling {plan.task.what} with {profiler.name}: job {number}.")
        sys.stdout.flush()
    snapshot = runs.wait([number])
    seen = snapshot.run(number)
    fetched = remote_files.fetch(target, copy, copy_runs.head(copy), plan.folder)
    commit = copy_runs.base(copy)
    if not seen or seen.completed_count != seen.total or remote_files.TABLE not in fetched.files:
        runs.remove(copy)
        how = job_states.state(seen) if seen else "unknown to Slurm"
        raise RookeryError(
            f"Job {number} ({plan.task.what}) produced no profile: {how}.",
            details=fetched.log,
            hint=f"{_again(options)} --time 2h" if seen and seen.counts.get("TIMEOUT") else None,
        )
    place = _keep(target, fetched.files, plan, number)
    runs.remove(copy)
    whole, spots = top.read(fetched.files[remote_files.TABLE].decode("utf-8", "replace"))
    files = sorted(str(path) for path in place.iterdir())
    if options.json:
        document = {
            "job": plan.job.name, "task": plan.task.number, "parameters": dict(plan.task.row), "commit": commit,
            "id": number, "with": profiler.name, "unit": profiler.unit, "seconds": whole,
            "top": [asdict(spot) for spot in spots[: top.SHOWN]], "files": files,
        }  # fmt: skip
        print(json_.dumps(document, indent=2))
        return 0
    time = f"{whole:.1f} s under {profiler.name}" if whole else f"{profiler.name} took no sample of the program"
    console.say(f"{plan.task.what}, commit {commit[:7]}: {time}")
    top.show(whole, spots, profiler.unit, fetched.log)
    for file in (name for name in files if name.endswith(profiler.ending)):
        shown = str(config.shown(Path(file)))
        console.say(f"  report   {shown}")
        console.say(f"  next     {profiler.open_with.replace('FILE', shlex.quote(shown))}")
    return 0


def _keep(target: "Target", files: Mapping[str, bytes], plan: ProfilePlan, number: str) -> Path:
    """Put what the profiler wrote into the project's outputs; return the folder."""
    project = target.required_project
    output = next((output for output in project.outputs if output != project.logs), project.logs)
    place = project.root / output / "profile" / f"{plan.job.name}-{target.cluster.label}-{number}"
    remote_files.write(place, files)
    return place


def _show_plan(plan: ProfilePlan, *, json: bool) -> None:
    command = profilers.profiled(plan.job.command.rstrip("\n"), plan.profiler, plan.folder)
    if json:
        document = {"job": plan.job.name, "task": plan.task.number, "with": plan.profiler.name, "command": command}
        print(json_.dumps(document, indent=2))
        return
    console.say(f"Would run {plan.task.what}, under {plan.profiler.name}:")
    console.say(*(f"    {line}" for line in command.splitlines()))


def _discard(runs: CopyRuns, copy: "Project | None", options: ProfileOptions) -> int:
    if copy is None:
        raise RookeryError(f"No profile of {options.job} is unfinished on {runs.target.cluster.name}.")
    if options.check:
        console.say(f"Would discard the profile of {options.job}, and cancel its job.")
        return 0
    console.say(f"Discarded the profile of {options.job}; cancelled jobs: {runs.discard(copy)}.")
    return 0
