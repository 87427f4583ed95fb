"""Decide what `scale` measures: which sizes, which task, and what of the job is changed for each run."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.core.near_names import meant
from rookery.projects import config, slurm_values
from rookery.projects.scripts import job_script, parameters, partition
from rookery.projects.source_tree import Folder
from rookery.remote.slurm.forms import numbers

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
"""What a program asks for the number of its cores by, or is told it by."""

VARIABLE = "ROOKERY_SCALE"
"""The variable that tells a program which run it is: cores and repetition, 8.2."""


@dataclass(frozen=True)
class ScalingPlan:
    """What is measured.

    Attributes:
        job: The job as it is.
        sizes: Numbers of cores, the fewest first.
        repeat: Runs at each of them.
        task: The array's task that is run; 0 where the job is no array.
        row: The parameters of that task; empty where there are none.
        rows: All rows that the task runs.
        tasks: How many tasks the job has.
        weak: The parameter or variable that grows with the cores; "" for none.
        minutes: The time limit of each run; 0 for the partition's.
    """

    job: "Job"
    sizes: tuple[int, ...]
    repeat: int
    task: int
    row: Mapping[str, str]
    rows: tuple[Mapping[str, str], ...]
    tasks: int
    weak: str
    minutes: int

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Cores and repetition of each run; all sizes once, then all again."""
        return [(cores, repetition) for repetition in range(1, self.repeat + 1) for cores in self.sizes]

    @property
    def what(self) -> str:
        """The job, and which of its tasks, in a few words."""
        values = ", ".join(f"{name}={value}" for name, value in self.row.items())
        which = f", task {self.task} of {self.tasks:,}" if self.task else ""
        return f"{self.job.name}{which}{f' ({values})' if values else ''}"

    def changes(self, cores: int, repetition: int) -> dict[str, dict[str, Any]]:
        """Return what of the job is changed in rookery.yml for one run; None takes a key away."""
        job = self.job
        variables = {**job.environment, VARIABLE: f"{cores}.{repetition}"}
        values: dict[str, Any] = {"after": None, "mail": None, "max_running": None, **_cores(job, cores)}
        if self.weak and not self.rows:
            variables[self.weak] = _grown(variables[self.weak], cores)
        if self.rows:
            rows = [
                {name: _grown(value, cores) if name == self.weak else value for name, value in row.items()}
                for row in self.rows
            ]
            values |= {"params": None, "grid": None, "array": None, "rows": rows}
        elif self.task:
            values["array"] = str(self.task)
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
            f"{len(sizes)} sizes measured {options.repeat} times are not 1 to {_MOST_RUNS} runs.",
            hint=typed_command.again("--repeat", "3"),
        )
    _refuse_what_ignores_cores(project, job)
    table = parameters.table(project, job, Folder(project.root))
    tasks = _tasks(job, table)
    task = _task(options.task, tasks, job)
    rows = _rows(table, job, task)
    plan = ScalingPlan(
        job, sizes, options.repeat, task, rows[0] if rows else {}, rows, max(len(tasks), 1), options.weak,
        _minutes(options.time) or job.minutes,
    )  # fmt: skip
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
    if (project.root / job_script.path_of(job.name)).is_file():
        raise config.problem(
            project, job.name, "", f"its script is {job_script.path_of(job.name)}, which scale can't change",
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


def _tasks(job: "Job", table: parameters.Table | None) -> list[int]:
    if table:
        return list(range(1, -(-len(table.rows) // job.chunk) + 1))
    return numbers(job.array) if job.array else []


def _task(wanted: int, tasks: Sequence[int], job: "Job") -> int:
    if wanted and wanted not in tasks:
        which = f"its tasks are {tasks[0]} to {tasks[-1]}" if tasks else "it is no array"
        raise RookeryError(
            f"{job.name} has no task {wanted}: {which}.",
            hint=typed_command.again("--task", str(tasks[0])) if tasks else typed_command.again(without=("--task",)),
        )
    return wanted or (tasks[0] if tasks else 0)


def _rows(table: parameters.Table | None, job: "Job", task: int) -> tuple[dict[str, str], ...]:
    """Return the rows that a task runs."""
    if not table:
        return ()
    chosen = table.rows[(task - 1) * job.chunk : task * job.chunk]
    return tuple(dict(zip(table.columns, row, strict=True)) for row in chosen)


def _check_weak(plan: ScalingPlan) -> None:
    if not plan.weak:
        return
    values = plan.row or plan.job.environment
    if plan.weak not in values:
        known = ", ".join(values) or "none"
        kind = "parameters" if plan.row else "variables (environment:)"
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
        job = replace(plan.job, minutes=plan.minutes, array=str(plan.task or ""), **_cores(plan.job, cores))
        try:
            partition.placed(job, cluster)
        except RookeryError as error:
            wrong[cores] = error
    if wrong:
        fitting = [str(cores) for cores in plan.sizes if cores not in wrong]
        messages = "\n".join(f"{cores} cores: {error.message}" for cores, error in wrong.items())
        hint = typed_command.again("--cpus", ",".join(fitting)) if len(fitting) > 1 else None
        raise RookeryError(messages, hint=hint or f"invoke queue {shlex.quote(cluster.name)}")
