"""The command `serve`: find or start a service in a job, and lead the user's browser to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.core.near_names import either
from rookery.jobs.interactive import compute_node_job
from rookery.jobs.interactive.job_request import ComputeNodeOptions
from rookery.jobs.options import ServeOptions
from rookery.jobs.services import naming, service_job, session, tools
from rookery.jobs.services.kinds import KINDS, Kind
from rookery.jobs.services.service_job import ServiceProgram
from rookery.jobs.services.session import Service
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.jobs.interactive.compute_node_job import JobCommands, RunningJob
    from rookery.projects.target import Target


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    Attributes:
        kind: The service.
        name: Its name.
        job: The job of rookery.yml whose resources it gets; "" for none.
        resources: What else was said of them.
    """

    kind: Kind
    name: str
    job: str
    resources: ComputeNodeOptions


def run(options: ServeOptions) -> int:
    """Open a service.

    Returns:
        The exit code: 0 where the user ended the connection; 1 where the service ended first.

    Raises:
        RookeryError: There is no such service, the job can't be had, or what it needs is missing.
    """
    kind = _kind(options.service)
    if not 0 <= options.local_port <= 65535:
        raise RookeryError(
            f"--local-port must be from 1 to 65535, not {options.local_port}.",
            hint=typed_command.again(without=("--local-port",)),
        )
    needs_project = bool(options.job or options.project)
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox, needs_project=needs_project)
    check(target)
    name = naming.checked(options.name) if options.name else naming.default(kind.name, target)
    wanted = Wanted(kind, name, options.job, _resources(options))
    again = options.command("serve")
    commands = naming.commands(name, target, again)
    with session.reserved(options.local_port):  # a port that is taken is no reason to start a job
        target.connection.open()
    running = _running(target, wanted, commands)
    service = Service(name, kind.title, kind.page, kind.unsaved)
    return session.run(target, service, running, commands, options)


def check(target: "Target") -> None:
    """Refuse a cluster where no such job can be.

    Raises:
        RookeryError: It has no Slurm, or its compute nodes can't read the home.
    """
    cluster = target.cluster
    if cluster.scheduler != "slurm":
        raise RookeryError(
            f"{cluster.name} has no compute nodes, and `serve` opens pages of jobs alone.",
            hint=f"invoke tmux {cluster.argument}   # a terminal on its login node",
        )
    compute_node_job.require_home_on_nodes(cluster)


def _kind(service: str) -> Kind:
    if not service:
        raise RookeryError(f"Missing SERVICE: {either(KINDS)}.", hint=typed_command.again(argument="lab"))
    if service not in KINDS:
        raise RookeryError(f"Unknown service {service!r}: use {either(KINDS)}.", hint="invoke serve lab")
    return KINDS[service]


def _resources(options: ServeOptions) -> ComputeNodeOptions:
    gpu_type = options.gpu if isinstance(options.gpu, str) else ""
    return ComputeNodeOptions(options.cpus, options.memory, options.time, bool(options.gpu), gpu_type)


def _running(target: "Target", wanted: Wanted, commands: "JobCommands") -> "RunningJob":
    """Return the service's job: the one that is there, else a new one."""
    job = service_job.sized(target, wanted.job, wanted.resources)
    found = service_job.request(target, commands.job, job, wanted.resources, ServiceProgram(wanted.kind.title, ""))
    if running := compute_node_job.find_or_start(target.connection, found, commands, start=False):
        return running
    python = tools.python(target, wanted.kind, service_job.architecture(job, target))
    program = ServiceProgram(wanted.kind.title, wanted.kind.start, python, wanted.kind.program)
    request = service_job.request(target, commands.job, job, wanted.resources, program)
    running = compute_node_job.find_or_start(target.connection, request, commands, again=True)
    if running is None:
        raise RookeryError(f"No answer from {target.cluster.name} about the job.", hint="run the same command again")
    return running
