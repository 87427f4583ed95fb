"""The job of a service: its resources, and its script, which is a job script of the project's with another command."""

import hashlib
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rookery.core import paths
from rookery.jobs.interactive import job_request
from rookery.jobs.interactive.job_request import ComputeNodeOptions, ComputeNodeRequest
from rookery.projects import config, remote_paths
from rookery.projects.job import Job
from rookery.projects.model import Environment, Project
from rookery.projects.scripts import own_script, placement, template_context, templates
from rookery.projects.source_tree import Folder

if TYPE_CHECKING:
    from rookery.projects.target import Target

_TEMPLATE = "_service.sh.j2"

_START = """
name={name} ROOKERY_RELEASE={release} folder={folder} python={python}
program={program}
export ROOKERY_RELEASE
{make}cd "$folder" || exit
{start}"""


@dataclass(frozen=True)
class ServiceProgram:
    """What runs in the job.

    Attributes:
        title: As messages call it.
        start: Shell that becomes it; it listens on $ROOKERY_SOCKET.
        python: The Python that runs it, on the cluster; "" where it needs none.
        file: The file of rookery/remote that it runs; "" for none.
        begins: Where it begins, if the user names no folder (kinds.py).
        folder: The folder that the user named; "" for none.
        typed: What the user said of it, and where: a service of that name of which something else was said is refused.
    """

    title: str
    start: str
    python: str = ""
    file: str = ""
    begins: Literal["notebooks", "results", "release"] = "notebooks"
    folder: str = ""
    typed: str = ""


def sized(target: "Target", job_name: str, options: ComputeNodeOptions) -> Job:
    """Return the job of a service with its resources, and its partition.

    Args:
        target: The cluster, and the project.
        job_name: The job of rookery.yml whose resources and modules it has; "" for none.
        options: What the user named.

    Raises:
        RookeryError: There is no such job, an amount is none, or no partition fits.
    """
    job = Job("service")
    if job_name:
        project = target.required_project
        job = config.job(project, job_name, target.cluster.name)
        if job.script:
            job = own_script.described(job, own_script.text(project, job, Folder(project.root)))
        job = Job(
            "service",
            cpus=max(1, job.cpus * job.tasks // job.nodes),
            memory=job.memory,
            minutes=job.minutes,
            gpus=job.gpus,
            gpu_type=job.gpu_type,
            partition=job.partition,
            account=job.account,
            qos=job.qos,
            modules=job.modules,
            environment=job.environment,
        )
    return job_request.placed(job_request.sized(job, options), target.cluster)


def architecture(job: Job, target: "Target") -> str:
    """Return the architecture of the job's nodes where it is not the login node's, else ""."""
    return placement.foreign(placement.partition_entry(job, target.cluster), target.cluster)


def request(
    target: "Target", name: str, job: Job, options: ComputeNodeOptions, program: ServiceProgram
) -> ComputeNodeRequest:
    """Return the request for the job of a service.

    Args:
        target: The cluster, and the project.
        name: The job's name.
        job: Its resources (`sized`).
        options: What the user named of them.
        program: What runs in it.

    Raises:
        RookeryError: The cluster wants an account that is not known.
    """
    cluster, project = target.cluster, target.project or _none(target)
    job = replace(job, name=name, output="@FOLDER@/%j.log", sbatch=("--no-requeue",))
    place = str(remote_paths.current(project.name)) if target.project else ""
    variables = {
        **template_context.context(project, job, cluster),
        "title": program.title,
        "service": _START.format(
            name=shlex.quote(project.name),
            release='"$PWD"' if target.project else "",
            folder=folder(target, program),
            make='mkdir -p "$folder" && ' if program.begins == "notebooks" and not program.folder else "",
            python=shlex.quote(program.python),
            program=shlex.quote(paths.remote(program.file)) if program.file else "",
            start=program.start.strip(),
        ).strip(),
        "keeper": job_request.program("sshd_keeper"),
        "pythons": paths.remote("scripts/python.sh"),
    }
    script = templates.render(_TEMPLATE, variables, Folder(project.root))
    same = {"program": hashlib.sha256(program.typed.encode()).hexdigest()}
    asked = {**job_request.asked(job), **same}
    return ComputeNodeRequest(script, asked, {**job_request.named(job, options), **same}, place)


def folder(target: "Target", program: ServiceProgram) -> str:
    """Return the folder that a program begins in, as a word of shell.

    A release is no place for notebooks: the next deploy makes another one.
    """
    named, project = program.folder, target.project
    if named.startswith("/"):
        return shlex.quote(named)
    if named == "~" or named.startswith("~/"):
        return f'"$HOME"{shlex.quote(named[1:])}'
    above = '"$ROOKERY_RELEASE"' if project else '"$HOME"'
    if named or not project or program.begins == "release":
        return f"{above}/{shlex.quote(named)}" if named else above
    if program.begins == "results":
        results = next((output for output in project.outputs if output != project.logs), "")
        return f"{above}/{shlex.quote(results)}" if results else above
    return f'"$HOME"/{shlex.quote(str(remote_paths.base(project.name) / "notebooks"))}'


def _none(target: "Target") -> Project:
    """Return what stands for a project outside of one: no environment of its own."""
    return Project(Path("/nonexistent"), "", (target.cluster.name,), Environment(), (), {})
