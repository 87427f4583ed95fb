"""The command `shell`: a shell on a compute node, in a tmux session on the login node, so that it survives a break."""

from typing import TYPE_CHECKING

from rookery.clusters.cluster import job_folders
from rookery.clusters.login_node import tmux
from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.options import ShellOptions
from rookery.projects import remote_paths, slurm_values
from rookery.projects import target as targets
from rookery.projects.job import Job
from rookery.projects.scripts import partition, placement, sbatch_options

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

MEMORY_GB = 2
"""Memory for each core where none is asked for: what one leaves out, some sites give as all that the node has."""

MINUTES = 240
"""How long it may run where that is not asked for, nor a partition, which may allow less."""

# What the session runs. Positional parameters: the project's folder there or "", then srun's arguments.
# A shell that ends badly would take srun's words with it when tmux closes the window.
_SESSION = r"""
cd -P "$1" 2>/dev/null
shift
echo "Ctrl-b d detaches and keeps this shell running; the same command returns to it. exit ends it."
command -v srun >/dev/null 2>&1 || exec bash -lc 'srun "$@" || { echo "Press Enter."; read -r _; }' srun "$@"
srun "$@" && exit
echo "The shell on the compute node has ended. Press Enter."
read -r _
"""

# What srun runs: what a job script begins with, then the shell. Each line may fail without taking the shell with it.
_INSIDE = """{preamble}
[ -r {env_file} ] && . {env_file}
exec bash -i"""


def run(options: ShellOptions) -> int:
    """Open the shell, or come back to the one that is open.

    Returns:
        The exit status of ssh: 0 where the user detached or ended the shell.

    Raises:
        RookeryError: There is no terminal here, the cluster can't be reached or has no Slurm, or no partition fits.
    """
    target = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False)
    cluster = target.cluster
    if cluster.scheduler != "slurm":
        raise RookeryError(
            f"{cluster.name} has no compute nodes: work on its login node.",
            hint=f"invoke tmux {cluster.argument}",
        )
    default = "projects" if job_folders(cluster.data) else ""
    folder = str(remote_paths.current(target.project.name)) if target.project else default
    chosen = partition.placed(job(options), cluster)
    srun_arguments = srun_options(chosen, cluster)
    inside = _INSIDE.format(preamble="\n".join(placement.preamble(chosen, cluster)), env_file=cluster.env_file)
    command = ["sh", "-c", _SESSION, "shell", folder, *srun_arguments, "--pty", "bash", "-c", inside]
    again = f"invoke shell {cluster.argument}"
    return tmux.attach(target.connection, options.session, again=again, command=command)


def job(options: ShellOptions) -> "Job":
    """Return the job that the flags ask for.

    Raises:
        RookeryError: The time, the memory or the number of cores is none.
    """
    if options.cpus < 1:
        raise RookeryError(f"--cpus must be at least 1, not {options.cpus}.", hint=typed_command.again("--cpus", "1"))
    try:
        minutes = slurm_values.minutes(options.time) if options.time else (0 if options.partition else MINUTES)
    except ValueError:
        raise RookeryError(
            f"Invalid value {options.time!r} of --time: write it like 02:00:00 or 2h.",
            hint=typed_command.again("--time", "02:00:00"),
        ) from None
    try:
        memory = f"{slurm_values.mebibytes(options.memory)}M" if options.memory else f"{MEMORY_GB * options.cpus}G"
    except ValueError:
        raise RookeryError(
            f"Invalid value {options.memory!r} of --memory: write it like 4G.",
            hint=typed_command.again("--memory", "4G"),
        ) from None
    return Job(
        "shell", cpus=options.cpus, memory=memory, minutes=minutes, gpus=int(options.gpu), partition=options.partition
    )


def srun_options(job: "Job", cluster: "Cluster") -> list[str]:
    """Return srun's options for an interactive job: those that its job script would have, but for the log.

    Raises:
        RookeryError: The cluster wants an account that is not known.
    """
    return [option.text for option in sbatch_options.options(job, cluster) if not option.text.startswith("--output=")]
