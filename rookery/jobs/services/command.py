"""The command `serve`: find or start a service in a job, and lead the user's browser to it."""

import shlex
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
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

# $ROOKERY_PYTHON is the one that runs the job's keeper
_BEHIND_A_PORT = 'exec "$ROOKERY_PYTHON" -ISc "$program" "$ROOKERY_SOCKET" {port} bash -c {command}'


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    Attributes:
        kind: The service.
        program: What runs; the Python is added to it when it is known.
        job: The job of rookery.yml whose resources it gets; "" for none.
        resources: What else was said of them.
    """

    kind: Kind
    program: ServiceProgram
    job: str
    resources: ComputeNodeOptions


def run(options: ServeOptions) -> int:
    """Open a service.

    Returns:
        The exit code: 0 where the user ended the connection.

    Raises:
        RookeryError: There is no such service, the job can't be had, what it needs is missing, or it ended.
    """
    _check_ports(options)
    kind = _kind(options)
    needs_project = bool(options.job or options.project)
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox, needs_project=needs_project)
    check(target)
    name = naming.checked(options.name) if options.name else naming.default(kind.name, target)
    program = _program(kind, options, target.project.name if target.project else "")
    wanted = Wanted(kind, program, options.job, _resources(options))
    commands = naming.commands(name, target, options.command("serve"))
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


def _check_ports(options: ServeOptions) -> None:
    """Refuse ports that are none.

    Raises:
        RookeryError: One is.
    """
    for option, port in (("--local-port", options.local_port), ("--port", options.port)):
        if not 0 <= port <= 65535:
            raise RookeryError(
                f"{option} must be from 1 to 65535, not {port}.", hint=typed_command.again(without=(option,))
            )
    if 0 < options.port < 1024 and options.command_:
        raise RookeryError(
            f"--port must be 1024 or more, not {options.port}: the others are for root.",
            hint=typed_command.again("--port", "8000"),
        )


def _kind(options: ServeOptions) -> Kind:
    """Return the service that the user means.

    Raises:
        RookeryError: There is none of that name; or none or two are named.
    """
    if options.command_:
        if options.service:
            raise RookeryError(
                f"Use either {options.service} or a command behind `--`, not both.",
                hint=replace(options, command_=()).command("serve"),
            )
        words = shlex.split(options.command_[0]) if len(options.command_) == 1 else options.command_
        title = PurePosixPath(words[0] if words else "").name
        return Kind(title or "program", title or "The program", "", "", "", begins="release")
    if options.port:
        example = replace(options, service="", command_=("python", "-m", "http.server", str(options.port)))
        raise RookeryError("--port is for a command of yours, behind `--`.", hint=example.command("serve"))
    if not options.service:
        raise RookeryError(f"Missing SERVICE: {either(KINDS)}.", hint=typed_command.again(argument="lab"))
    if options.service not in KINDS:
        hint = replace(options, service="lab").command("serve")
        raise RookeryError(f"Unknown service {options.service!r}: use {either(KINDS)}.", hint=hint)
    return KINDS[options.service]


def _program(kind: Kind, options: ServeOptions, project: str) -> ServiceProgram:
    """Return what runs in the job, of a project or of none ("")."""
    typed = f"{project}\0{kind.name}\0{options.port}\0{options.folder}\0"
    if not options.command_:
        return ServiceProgram(kind.title, kind.start, "", kind.program, kind.begins, options.folder, typed)
    # one word is a line for the shell, as with ssh
    line = options.command_[0] if len(options.command_) == 1 else shlex.join(options.command_)
    typed += line
    if not options.port:
        return ServiceProgram(kind.title, line, "", "", kind.begins, options.folder, typed)
    start = _BEHIND_A_PORT.format(port=options.port, command=shlex.quote(line))
    return ServiceProgram(kind.title, start, "", "slurm/port_bridge.py", kind.begins, options.folder, typed)


def _resources(options: ServeOptions) -> ComputeNodeOptions:
    gpu_type = options.gpu if isinstance(options.gpu, str) else ""
    return ComputeNodeOptions(options.cpus, options.memory, options.time, bool(options.gpu), gpu_type)


def _running(target: "Target", wanted: Wanted, commands: "JobCommands") -> "RunningJob":
    """Return the service's job: the one that is there, else a new one."""
    job, program = service_job.sized(target, wanted.job, wanted.resources), wanted.program
    found = service_job.request(target, commands.job, job, wanted.resources, program)
    if running := compute_node_job.find_or_start(target.connection, found, commands, start=False):
        return running
    if wanted.kind.package:
        python = tools.python(target, wanted.kind, service_job.architecture(job, target))
        program = replace(program, python=python)
    request = service_job.request(target, commands.job, job, wanted.resources, program)
    running = compute_node_job.find_or_start(target.connection, request, commands, again=True)
    if running is None:
        raise RookeryError(f"No answer from {target.cluster.name} about the job.", hint="run the same command again")
    return running
