"""Decide what `scale` measures: which sizes, which task, and what of the job is changed for each run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.core.near_names import meant
from rookery.jobs.copies import one_task
from rookery.jobs.copies.one_task import OneTask
from rookery.projects import config, slurm_values
from rookery.projects.scripts import job_script, partition

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.options import ScaleOptions
    from rookery.projects.job import Job
    from rookery.projects.model import Project

_MOST_RUNS = 60
_AWARE_TEMPLATES = frozenset({"multicore", "r-multicore", "r-foreach", "mpi"})
"""Templates for programs that start a worker on each core."""

_AWARE = re.compile(
    r"SLURM_CPUS_(PER_TASK|ON_NODE)|SLURM_JOB_CPUS_PER_NODE|sched_getaffinity|process_cpu_count|OMP_NUM_THREADS|MC_CORES"
    r"|availableCores|#pragma omp|omp_get_|RcppParallel|setDTthreads"
)
"""Names by which a program gets the number of its cores."""

VARIABLE = "ROOKERY_SCALE"
"""The variable that tells a program which run it is: cores and repetition, 8.2."""


@dataclass(frozen=True)
class ScalingPlan:
    """What is measured.

    Attributes:
        job: The job as it is.
        sizes: Numbers of cores, the fewest first.
        repeat: Runs at each of them.
        task: The task that is run.
        weak: The parameter or variable that grows with the cores; "" for none.
        minutes: The time limit of each run; 0 for the partition's.
    """

    job: "Job"
    sizes: tuple[int, ...]
    repeat: int
    task: OneTask
    weak: str
    minutes: int

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Cores and repetition of each run; all sizes once, then all again."""
        return [(cores, repetition) for repetition in range(1, self.repeat + 1) for cores in self.sizes]

    def changes(self, cores: int, repetition: int) -> dict[str, dict[str, Any]]:
        """Return what of the job is changed in rookery.yml for one run; None takes a key away."""
        job = self.job
        variables = {**job.environment, VARIABLE: f"{cores}.{repetition}"}
        values: dict[str, Any] = {**self.task.changes(), **_cores(job, cores)}
        if self.weak and self.task.rows:
            values["rows"] = [{**row, self.weak: _grown(row[self.weak], cores)} for row in self.task.rows]
        elif self.weak:
            variables[self.weak] = _grown(variables[self.weak], cores)
        if self.minutes:
            values["time"] = slurm_values.time_limit(self.minutes)
        return {job.name: {**values, "environment": variables}}


def make(project: "Project", cluster: "Cluster", options: "ScaleOptions") -> ScalingPlan:
    """Return the plan for the options of `scale`.

    Raises:
        RookeryError: The job ignores its cores, the cluster offers no such size, or an option is wrong; all problems of
            the sizes at once.
    """
    job = config.job(project, options.job, cluster.name)
    sizes = _sizes(options.cpus)
    if not 1 <= options.repeat <= _MOST_RUNS or len(sizes) * options.repeat > _MOST_RUNS:
        raise RookeryError(
            f"{len(sizes)} sizes with --repeat {options.repeat} must be 1 to {_MOST_RUNS} runs.",
            hint=typed_command.again("--repeat", "3"),
        )
    _refuse_what_ignores_cores(project, job)
    task = one_task.choose(project, job, options.task)
    plan = ScalingPlan(job, sizes, options.repeat, task, options.weak, _minutes(options.time) or job.minutes)
    _check_weak(plan)
    _check_places(plan, cluster)
    return plan


def _sizes(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(re.fullmatch("[1-9][0-9]{0,4}", part) for part in parts) or len(set(parts)) < 2:
        raise RookeryError(
            f"--cpus {text} must be two or more numbers of cores, with commas between them.",
            hint=typed_command.again("--cpus", "1,2,4,8"),
        )
    return tuple(sorted(set(map(int, parts))))


def _minutes(text: str) -> int:
    try:
        return slurm_values.minutes(text) if text else 0
    except ValueError:
        raise RookeryError(
            f"--time {text} is not a time limit, such as 02:00:00 or 2h.", hint=typed_command.again("--time", "2h")
        ) from None


def _cores(job: "Job", cores: int) -> dict[str, Any]:
    """Return the keys that give a job so many cores: processes of an MPI job, cores of one process otherwise."""
    if job.template == "mpi" or job.tasks > 1:
        return {"tasks": cores, "cpus": 1}
    return {"cpus": cores}


def _refuse_what_ignores_cores(project: "Project", job: "Job") -> None:
    """Refuse a job that would do the same whatever number of cores it gets.

    Raises:
        RookeryError: It would.
    """
    if path := job_script.by_hand(project, job):
        raise config.problem(
            project, job.name, "", f"its script is {path}, which scale can't change",
            hint="describe the job in rookery.yml instead: invoke docs rookery-yml",
        )  # fmt: skip
    if (job.template == "mpi" or job.tasks > 1) and (job.cpus > 1 or job.nodes > 1):
        raise config.problem(
            project, job.name, "cpus", "scale changes the number of processes only where each has one core on one node"
        )
    if "{cpus}" in job.command or job.template in _AWARE_TEMPLATES or _AWARE.search(job.command) or job.tasks > 1:
        return
    if any(_AWARE.search(text) for text in _programs(project.root, job.command)):
        return
    raise config.problem(
        project, job.name, "command", "the job ignores how many cores it gets: neither its command nor its program "
        "uses their number",
        hint="pass it to the program, as in `command: python fit.py --workers {cpus}`",
    )  # fmt: skip


def _programs(root: Path, command: str) -> Iterator[str]:
    """Yield the text of the project's files that a command names."""
    for word in re.findall(r"[\w./-]+", command):
        file = root / word
        if "." in word and ".." not in word and not file.is_symlink() and file.is_file():
            yield file.read_bytes()[:1_000_000].decode("utf-8", "replace")


def _check_weak(plan: ScalingPlan) -> None:
    if not plan.weak:
        return
    values = plan.task.row or plan.job.environment
    if plan.weak not in values:
        known = ", ".join(values) or "none"
        kind = "parameters" if plan.task.row else "variables (environment:)"
        raise RookeryError(
            f"{plan.job.name} has no parameter {plan.weak!r}{meant(plan.weak, values)}. Its {kind}: {known}.",
            hint=typed_command.again("--weak", next(iter(values)))
            if values
            else typed_command.again(without=("--weak",)),
        )
    for cores in plan.sizes:
        _grown(values[plan.weak], cores)


def _grown(text: str, cores: int) -> str:
    """Return a number times the number of cores, written as it was.

    Raises:
        RookeryError: It is no number.
    """
    try:
        value = Decimal(text) * cores
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise RookeryError(
            f"--weak needs a number that can grow with the cores, not {text!r}.",
            hint=typed_command.again(without=("--weak",)),
        )
    return str(value)


def _check_places(plan: ScalingPlan, cluster: "Cluster") -> None:
    """Refuse sizes for which the cluster has no place.

    Raises:
        RookeryError: There are some; with those that would do.
    """
    wrong: dict[int, RookeryError] = {}
    for cores in plan.sizes:
        job = replace(plan.job, minutes=plan.minutes, array=str(plan.task.number or ""), **_cores(plan.job, cores))
        try:
            partition.placed(job, cluster)
        except RookeryError as error:
            wrong[cores] = error
    if wrong:
        fitting = [str(cores) for cores in plan.sizes if cores not in wrong]
        messages = "\n".join(f"{cores} cores: {error.message}" for cores, error in wrong.items())
        hint = typed_command.again("--cpus", ",".join(fitting)) if len(fitting) > 1 else None
        raise RookeryError(messages, hint=hint or f"invoke queue {cluster.argument}")
