"""Make the variables of a job script's template: everything is decided here, the template only writes it down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.projects import environment, run_folders
from rookery.projects.job import Job
from rookery.projects.model import Project
from rookery.projects.scripts import command_line, job_parts, placement, sbatch_options
from rookery.projects.scripts.parameters import Table
from rookery.projects.scripts.placement import processes

PURPOSES: Final = ("r", "python", "conda", "cuda", "mpi", "gcc", "intel", "ml")
"""Purposes: each means the module that a cluster has for it."""

OFFLINE: Final = (
    "UV_OFFLINE=1",
    "CONDA_OFFLINE=true",
    "JULIA_PKG_OFFLINE=true",
    "WANDB_MODE=offline",
    "HF_HUB_OFFLINE=1",
    "HF_DATASETS_OFFLINE=1",
    "TRANSFORMERS_OFFLINE=1",
    "MLFLOW_DISABLE_TELEMETRY=true",
)
"""What keeps programs of a job from waiting for an internet that its node does not have."""


@dataclass(frozen=True)
class Rows:
    """The facts about its rows that a script needs.

    Attributes:
        count: How many there are.
        params: The table, as a path in the release.
        file: The file with a quoted row a line.
        assign: The line of bash that gives each column's value a name.
    """

    count: int
    params: str
    file: str
    assign: str


def context(project: Project, job: Job, cluster: Cluster, table: Table | None = None) -> dict[str, Any]:
    """Return the variables of a template.

    Args:
        project: The project.
        job: The job, its partition chosen and its array counted.
        cluster: Where it will run.
        table: Its rows.

    Raises:
        RookeryError: The job can't be run on this cluster; see options.options, and modules below.
    """
    own = cluster.data.get("cluster_limits", {}).get("follow_gpus", False)
    cores = "${SLURM_CPUS_ON_NODE}" if own else "${SLURM_CPUS_PER_TASK}"
    launcher = _launcher(job, cluster)
    text = _command(job, cores, launcher, table)
    return {
        "job": job,
        "project": project,
        "cluster": cluster,
        "options": _lines(sbatch_options.options(job, cluster)),
        "preamble": placement.preamble(job, cluster),
        "modules": modules(project, job, cluster),
        "module_verb": cluster.data.get("cluster_module_verb", "load"),
        "environment": project.environment,
        "offline": OFFLINE if (cluster.data.get("cluster_internet") or {}).get("compute") == "no" else (),
        "links": {
            kind: environment.link(way, placement.foreign(placement.partition_entry(job, cluster), cluster))
            for kind, way in (("python", project.environment.python), ("r", project.environment.r))
            if way != "none"
        },
        "variables": [f"{name}={command_line.quoted(value)}" for name, value in job.environment.items()],
        "cores": cores,
        "launcher": launcher,
        "rows": _rows(job, table, text) if table else None,
        "numbered": bool(re.search(r"\btask\b", text)),
        "parts": job_parts.of_job(project, job, cluster) if job.total_minutes else None,
        "named_run": "${run}" in text or bool(project.run_folders) or bool(job.total_minutes),
        "run_folders": [_run_folder(folder) for folder in project.run_folders],
        "named_commit": "${commit}" in text,
        "command": text,
    }


def _command(job: Job, cores: str, launcher: str, table: Table | None) -> str:
    """Return the command, its braces filled in; without the parameters in it, they are put at its end."""
    text = _launched(job, launcher)
    variables = {"cpus": cores, **({"task": "${task}"} if job.array else {}), "run": "${run}", "commit": "${commit}"}
    if job.total_minutes:
        variables["checkpoint"] = "${ROOKERY_CHECKPOINT}"
    words = {"launcher": launcher} if launcher else {}
    if table:
        named = {name: f"${{{variable}}}" for name, variable in zip(table.columns, table.variables, strict=True)}
        if not command_line.names(text) & {"row", *named}:
            text += " {row}"
        variables |= named
        words["row"] = table.arguments()
    return command_line.fill(text, variables, words)


def _run_folder(output: str) -> str:
    """Return an output's folder of a run as a word of bash: `"results/${run}"`."""
    before, _, after = (command_line.escaped(part) for part in output.partition(run_folders.RUN))
    return f'"{before}${{run}}{after}"'


def _rows(job: Job, table: Table, text: str) -> Rows:
    """Return the rows, and the names of those columns that the command uses."""
    assignments = [
        f"{name}={f'${number}' if number < 10 else f'${{{number}}}'}"
        for number, name in enumerate(table.variables, 1)
        if f"${{{name}}}" in text
    ]
    return Rows(
        count=len(table.rows),
        params=f"slurm/{job.name}.params.csv",
        file=f"slurm/{job.name}.rows.sh",
        assign=" ".join(assignments),
    )


def modules(project: Project, job: Job, cluster: Cluster) -> list[str]:
    """Return the modules that the job loads: those it names, before them those that its kind needs.

    Raises:
        RookeryError: The cluster has no modules, or none that its profile knows for a purpose.
    """
    known: Mapping[str, list[str]] = cluster.data.get("cluster_modules", {})
    none = cluster.data.get("cluster_module_system", "none") == "none"
    named: list[str] = []
    for name in job.modules:
        if name not in PURPOSES:
            if none:
                raise RookeryError(
                    f"Can't load the module {name}: {cluster.name} has no modules.",
                    hint="move `modules:` below the job's `clusters:`, to the clusters that have modules",
                )
            named.append(name)
        elif known.get(name):
            named.append(known[name][0])
        elif not none:
            raise RookeryError(
                f"the profile of {cluster.name} has no module for {name}.", hint="use the name of a module"
            )
    needs = {
        "r": project.environment.r != "none" or job_parts.calls_r(job),
        "conda": project.environment.python == "conda",
        "mpi": job.template == "mpi",
    }
    implied = [known[purpose][0] for purpose, needed in needs.items() if needed and known.get(purpose)]
    families = {name.partition("/")[0] for name in named}
    return [name for name in implied if name.partition("/")[0] not in families] + named


def _lines(options: list[sbatch_options.SbatchOption]) -> list[str]:
    """Return the options, their comments one below the other."""
    width = min(max(len(option.text) for option in options if option.why), 40)
    return [f"{option.text:{width}}  # {option.why}" if option.why else option.text for option in options]


def _launcher(job: Job, cluster: Cluster) -> str:
    """Return the command that starts the job's processes; "" where there is only one."""
    if job.template == "mpi":
        return str(cluster.data.get("cluster_mpi_launcher", "srun"))
    return "srun" if processes(job) > 1 else ""


def _launched(job: Job, launcher: str) -> str:
    """Return the command with its launcher, unless it contains one itself."""
    lines = job.command.rstrip("\n")
    begun = launcher and lines.startswith((launcher.split(maxsplit=1)[0] + " ", "srun ", "mpirun ", "mpiexec "))
    if not launcher or "{launcher}" in lines or begun:
        return lines
    if "\n" in lines:
        raise RookeryError(
            f"the command has several lines and the job {processes(job)} processes: write {{launcher}} before the "
            f"program that all processes run ({launcher} on this cluster)."
        )
    return f"{{launcher}} {lines}"
