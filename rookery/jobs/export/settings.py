"""What any tool that submits jobs needs to know of a cluster: what sbatch is to be asked for, and what comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.projects import config, remote_paths, slurm_values
from rookery.projects.environment import link
from rookery.projects.job import Job
from rookery.projects.model import Project
from rookery.projects.scripts import directives, job_script, placement, sbatch_options, template_context

_OF_EACH_JOB = ("job-name", "array", "output", "error", "mail-type", "mail-user", "nodes", "ntasks-per-node", "ntasks")
_SIZE = ("partition", "account", "qos", "cpus-per-task", "mem", "time")


@dataclass(frozen=True)
class ToolSettings:
    """A task on a cluster, as a tool asks Slurm for it.

    Attributes:
        project: The project's name.
        job: The job whose size it is.
        cluster: The cluster.
        partition: The partition; "" for Slurm's default.
        account: The account; "" for none.
        qos: The quality of service; "" for none.
        cpus: Cores.
        memory: Memory in MiB.
        minutes: The time limit.
        time: The time limit as sbatch takes it.
        most: How many tasks may run at a time.
        sized: Whether cores and memory may be asked for: on some clusters they follow the GPUs.
        named: Other options of sbatch by their long names; True for one without a value.
        setup: Lines of shell before the task: modules, storage, and the environment of the deployed release.
        program: What runs the project's code in that environment: python, Rscript or bash.
        ssh: The name by which the user's ssh reaches the cluster; only for tools that run on this computer.
        storage: Absolute path of $ROOKERY_STORAGE there; likewise.
    """

    project: str
    job: str
    cluster: Cluster
    partition: str
    account: str
    qos: str
    cpus: int
    memory: int
    minutes: int
    time: str
    most: int
    sized: bool
    named: Mapping[str, str | bool]
    setup: tuple[str, ...]
    program: str
    ssh: str = ""
    storage: str = ""

    @property
    def placing(self) -> tuple[str, ...]:
        """The options of sbatch that say nothing of the size: where the task runs and who pays, then the others."""
        named = {"partition": self.partition, "account": self.account, "qos": self.qos}
        return (*(sbatch_options.option(name, value) for name, value in named.items() if value), *self.further)

    @property
    def further(self) -> tuple[str, ...]:
        """The other options, each as an `#SBATCH` line has it."""
        return tuple(
            f"--{name}" if value is True else sbatch_options.option(name, value) for name, value in self.named.items()
        )


MOST = 100
"""Tasks at a time where the job has no max_running."""


def of_job(project: Project, name: str, cluster: Cluster) -> ToolSettings:
    """Return the settings that a job of rookery.yml has on a cluster.

    Raises:
        RookeryError: There is no such job, it is a script of the project's own, it is not for one node, it has no
            memory or time, or the cluster has no place for it.
    """
    job = config.job(project, name, cluster.name)
    if job.script:
        raise RookeryError(
            f"The job {name} is a script of your own: its size is in the script.",
            hint=f"name a job with `command:` in {config.shown(project.file)}",
        )
    if job.nodes > 1 or placement.processes(job) > 1:
        raise RookeryError(f"The job {name} has several processes: tools start tasks of one.", hint="name another job")
    for value, key in ((job.memory, "memory"), (job.minutes, "time")):
        if not value:
            raise RookeryError(
                f"The job {name} has no `{key}`, which tools must ask for.",
                hint=f"add `{key}:` to {name} in {config.shown(project.file)}",
            )
    alone = replace(job, array="", total_minutes=0)  # the tool makes its own arrays, and submits again what has ended
    job = job_script.placed(project, alone, cluster)
    asked = directives.read("".join(f"#SBATCH {each.text}\n" for each in sbatch_options.options(job, cluster))).options
    values = {each.name: True if each.value is None else each.value for each in asked}
    return ToolSettings(
        project=project.name,
        job=name,
        cluster=cluster,
        partition=job.partition,
        account=str(values.get("account", "")),
        qos=job.qos,
        cpus=job.cpus,
        memory=slurm_values.mebibytes(job.memory),
        minutes=job.minutes,
        time=slurm_values.time_limit(job.minutes),
        most=job.max_running or MOST,
        sized="mem" in values,
        named={name: value for name, value in values.items() if name not in (*_OF_EACH_JOB, *_SIZE)},
        setup=tuple(_setup(project, job, cluster)),
        program=_program(project),
    )


def _program(project: Project) -> str:
    if project.environment.python != "none":
        return "python"
    return "Rscript" if project.environment.r != "none" else "bash"


def _setup(project: Project, job: Job, cluster: Cluster) -> Sequence[str]:
    """Return the lines of shell that a job script has before its command."""
    release = f"~/{remote_paths.current(project.name)}"
    python, r = project.environment.python, project.environment.r
    foreign = placement.foreign(placement.partition_entry(job, cluster), cluster)
    verb = cluster.data.get("cluster_module_verb", "load")
    lines = [] if python == "none" else ["unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE"]
    lines += placement.preamble(job, cluster)
    lines.append(f"source {cluster.env_file}")
    lines += [f"module {verb} {module}" for module in template_context.modules(project, job, cluster)]
    if python == "conda":
        lines.append(f"source activate {release}/{link(python, foreign)}")
    elif python != "none":
        lines.append(f"source {release}/{link(python, foreign)}/bin/activate")
    if r != "none":
        lines.append(f"export R_LIBS={release}/{link(r, foreign)} R_ENVIRON_USER=/dev/null")
    return lines
