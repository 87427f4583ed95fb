"""The data class of a job of rookery.yml. Nothing is read or decided here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """A job of rookery.yml as it is meant for one cluster: that cluster's overrides merged, defaults filled in.

    Attributes:
        name: Its key under `jobs:`.
        script: Path of a job script of the project, which is submitted unchanged; "" where one is rendered.
        template: A name of templates/sbatch, or the path of a template in the project.
        command: What it runs, a line or several of shell. `{task}` is the number of the array's task, `{cpus}` the
            cores it was given, `{run}` the run's number, `{commit}` the release's commit, `{checkpoint}` the folder for
            its checkpoints; `{NAME}` is the value of that column of the parameters, `{row}` all of them as
            `--NAME VALUE`. Where the job has parameters and the command names none, `{row}` is put at its end.
        array: Numbers of its tasks as Slurm takes them, "1-200"; "" where it is not an array.
        max_running: Tasks that may run at once; None for no limit.
        nodes: How many nodes.
        tasks: Processes (Slurm's tasks), started by srun where more than one.
        cpus: Cores for each of them.
        memory: Memory for each node, such as "1G"; "" where the cluster's default will do.
        minutes: How long it may run; 0 where the partition's default will do.
        total_minutes: How long all its parts may run together; 0 where it does not run in parts.
        checkpoint_minutes: How long before the end of a part its program is asked to write a checkpoint.
        gpus: How many GPUs.
        gpu_type: Type of them, as the profile names it; "" for any.
        partition: "" where it is chosen by what the job asks for.
        account: "" where the profile's will do.
        qos: "" where the profile's will do.
        modules: Modules to load, or purposes (`r`, `cuda`) that the profile knows modules for.
        mail: Address for mail at the end of the job; "" for none.
        environment: Environment variables, set before the command.
        params: Path of a table in the project, CSV or YAML, a row a task; "" where there is none.
        grid: Lists of values whose combinations are the rows.
        rows: The rows themselves, where rookery.yml holds them.
        chunk: Rows that one element of the array runs, one after another.
        after: Names of jobs that must complete before.
        output: Path of the log, with Slurm's own patterns; "" for `LOGS/%x_%A_%a.out` or `LOGS/%x_%j.out`.
        error: Path of the log of errors; "" for the same file.
        sbatch: Further options of sbatch, as written (`--nice=100`).
    """

    name: str
    script: str = ""
    template: str = "serial"
    command: str = ""
    array: str = ""
    max_running: int | None = None
    nodes: int = 1
    tasks: int = 1
    cpus: int = 1
    memory: str = ""
    minutes: int = 0
    total_minutes: int = 0
    checkpoint_minutes: int = 0
    gpus: int = 0
    gpu_type: str = ""
    partition: str = ""
    account: str = ""
    qos: str = ""
    modules: tuple[str, ...] = ()
    mail: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    params: str = ""
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] = ()
    chunk: int = 1
    after: tuple[str, ...] = ()
    output: str = ""
    error: str = ""
    sbatch: tuple[str, ...] = ()
