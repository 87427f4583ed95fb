"""The request for a job that ssh can log in to: its resources; and the script of the one behind NAME-job."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery.core import paths, typed_command
from rookery.core.errors import RookeryError
from rookery.projects import slurm_values
from rookery.projects.job import Job
from rookery.projects.scripts import partition, placement, sbatch_options
from rookery.remote.slurm.forms import INTERACTIVE

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

JOB, SERVICES = INTERACTIVE
"""The job's name, by which it is found again; and what the names of jobs with a service begin with (`serve`)."""

CPUS, MEMORY_MB, MINUTES = 2, 4096, 240
"""Default resources: for an editor's server, its language server, and a small run beside."""

KEEPER = 2
"""Version of remote/slurm/sshd_keeper.py and sshd_relay.py; the job of another version is not used."""

IDLE_MINUTES = 30
"""How long nobody need be connected before it ends."""

_SCRIPT = """#!/bin/bash
# rookery: a compute node for VS Code and ssh. It ends when nobody has been connected for {idle} minutes.
{options}
{preamble}
[ -r ~/.config/rookery/env.sh ] && . ~/.config/rookery/env.sh
IFS= read -r -d '' program <<'END_OF_PROGRAM'
{program}
END_OF_PROGRAM
{pythons}
run_python -ISc "$program" "@FOLDER@" {idle}
echo "No Python 3.6 or newer on $(hostname)."
exit 1
"""

_RELAY = """
command -v srun >/dev/null 2>&1 || . /etc/profile >/dev/null 2>&1
cd || exit
exec srun --jobid="$1" {overlap}--quiet --unbuffered --nodes=1 --ntasks=1 --mem=0 --gres=none sh -c '
{pythons}
run_python -ISc "$1"' relay "$2"
"""
"""srun buffers lines unless told not to, and ssh's messages are not lines."""


@dataclass(frozen=True)
class ComputeNodeOptions:
    """The resources of the job that the user named; the defaults are not in it.

    Attributes:
        cpus: Cores.
        memory: As Slurm writes it, 8G.
        time: As Slurm writes it, 02:00:00.
        gpu: Whether a GPU is asked for.
        gpu_type: Its type; "" for any.
    """

    cpus: int = 0
    memory: str = ""
    time: str = ""
    gpu: bool = False
    gpu_type: str = ""

    @property
    def flags(self) -> str:
        """The flags that ask for the same, a blank before each."""
        named = (("--cpus", self.cpus), ("--memory", self.memory), ("--time", self.time))
        gpu = " --gpu" + (f" {self.gpu_type}" if self.gpu_type else "") if self.gpu else ""
        return gpu + "".join(f" {flag} {shlex.quote(str(value))}" for flag, value in named if value)


@dataclass(frozen=True)
class ComputeNodeRequest:
    """The request that is sent to the cluster.

    Attributes:
        script: The job's.
        asked: All that it asks for.
        wanted: What of that the user named.
        place: The folder below the home that it starts in.
    """

    script: str
    asked: dict[str, Any]
    wanted: dict[str, Any]
    place: str = ""


def build_request(options: ComputeNodeOptions, cluster: "Cluster") -> ComputeNodeRequest:
    """Return the job's script, and the resources it asks for.

    Raises:
        RookeryError: An amount is none, no partition fits, or the cluster wants an account that is not known.
    """
    chosen = placed(sized(Job(JOB), options), cluster)
    lines = [
        option.text for option in sbatch_options.options(chosen, cluster) if not option.text.startswith("--output=")
    ]
    script = _SCRIPT.format(
        idle=IDLE_MINUTES,
        options="\n".join(f"#SBATCH {line}" for line in [*lines, '--output="@FOLDER@/%j.log"', "--no-requeue"]),
        preamble="\n".join(placement.preamble(chosen, cluster)),
        program=program("sshd_keeper"),
        pythons=paths.remote("scripts/python.sh"),
    )
    return ComputeNodeRequest(script, asked(chosen), named(chosen, options))


def relay(number: str, *, overlap: bool) -> tuple[str, list[str]]:
    """Return a script for the login node that carries a connection into the job, and its arguments.

    Args:
        number: The job's.
        overlap: Whether srun has to be told to share the job's cores.
    """
    script = _RELAY.format(overlap="--overlap " if overlap else "", pythons=paths.remote("scripts/python.sh"))
    return script, [number, program("sshd_relay")]


def sized(job: "Job", options: ComputeNodeOptions) -> "Job":
    """Return a job with the resources that a user named, or has by default.

    Args:
        job: The job; what it says of memory and time itself comes before the defaults.
        options: What was named.

    Raises:
        RookeryError: An amount is none.
    """
    has_size = bool(job.memory or job.minutes or job.cpus > 1)
    cpus = _amount("--cpus 4", options.cpus, int) or (job.cpus if has_size else CPUS)
    memory = _amount("--memory 8G", options.memory, slurm_values.mebibytes)
    minutes = _amount("--time 02:00:00", options.time, slurm_values.minutes)
    return replace(
        job,
        cpus=cpus,
        memory=f"{memory}M" if memory else job.memory or f"{MEMORY_MB // CPUS * cpus}M",
        minutes=minutes or job.minutes or MINUTES,
        gpus=int(options.gpu) or job.gpus,
        gpu_type=options.gpu_type or job.gpu_type,
    )


def placed(job: "Job", cluster: "Cluster") -> "Job":
    """Return a job that no rookery.yml describes with its partition.

    Raises:
        RookeryError: None fits.
    """
    try:
        return partition.placed(job, cluster)
    except RookeryError as error:  # what it says to do next is for jobs of rookery.yml
        raise RookeryError(error.message, hint=f"invoke queue {cluster.argument}   # shows the partitions") from None


def asked(job: "Job") -> dict[str, Any]:
    """Return what a job asks for, as it is kept beside its log."""
    resources = {"cpus": job.cpus, "memory": job.memory, "minutes": job.minutes, "gpus": job.gpus}
    return {**resources, "gpu_type": job.gpu_type, "keeper": KEEPER}


def named(job: "Job", options: ComputeNodeOptions) -> dict[str, Any]:
    """Return what of that a user named: a job that is there must have the same."""
    given = {
        "cpus": options.cpus,
        "memory": options.memory,
        "minutes": options.time,
        "gpus": options.gpu,
        "gpu_type": options.gpu_type,
        "keeper": True,
    }
    return {key: value for key, value in asked(job).items() if given[key]}


def _amount(example: str, value: Any, read: Callable[[Any], int]) -> int:
    """Return a flag's value as a number; 0 where it has none.

    Args:
        example: The flag with a correct value.
        value: Its value.
        read: What makes a number of it.

    Raises:
        RookeryError: It is no amount, or none at all.
    """
    if not value:
        return 0
    try:
        number = read(value)
    except ValueError:
        number = 0
    if number < 1:
        flag, _, correct = example.partition(" ")
        raise RookeryError(
            f"Invalid value {value!r} of {flag}: write it like {correct}.", hint=typed_command.again(flag, correct)
        )
    return number


def program(name: str) -> str:
    """Return the text of a program that runs on a compute node."""
    return paths.remote(f"slurm/{name}.py")
