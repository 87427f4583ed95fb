"""Render job scripts for sbatch from a job of rookery.yml and a cluster's profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblems
from rookery.projects import config, job_settings
from rookery.projects.job import Job
from rookery.projects.model import Project
from rookery.projects.scripts import (
    job_parts,
    own_script,
    parameters,
    partition,
    placement,
    sbatch_options,
    template_context,
    templates,
)
from rookery.projects.source_tree import Folder, Source


@dataclass(frozen=True)
class JobScript:
    """A job script, and what belongs to it.

    Attributes:
        job: The job as it was rendered: partition chosen, array counted.
        path: The script's path in the release, such as slurm/simulate.sh.
        text: The script.
        files: Files beside it, by path: the small job that mails, the rows of a sweep and their table.
        summary: What release.json keeps of it.
    """

    job: Job
    path: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


def scripts(project: Project, cluster: Cluster, source: Source | None = None) -> list[JobScript]:
    """Return the scripts of a project's jobs for a cluster, in the order of rookery.yml, without those for others.

    Args:
        project: The project.
        cluster: Where they will run.
        source: Where templates and tables are read; the project's folder where None.

    Raises:
        RookeryError: Jobs can't run there, or their templates fail; each with file and line.
    """
    source = source or Folder(project.root)
    meant = [name for name in project.jobs if config.is_for(project, name, cluster.name)]
    made, problems = [], FileProblems()
    for name in meant:
        with problems.noting():
            made.append(script(project, config.job(project, name, cluster.name), cluster, source))
    problems.report()
    return made


def path_of(name: str) -> str:
    """Return the path in the release of the script that is rendered for a job."""
    return f"slurm/{name}.sh"


def by_hand(project: Project, job: Job) -> str:
    """Return the path of a job's script that its user wrote; "" where rookery renders it."""
    path = job.script or path_of(job.name)
    return path if (project.root / path).is_file() else ""


def own_path(project: Project, name: str, cluster_name: str) -> str:
    """Return the path of the script that a job names (`script:`); "" for none, and for a job that is not known.

    Args:
        project: The project.
        name: The job.
        cluster_name: The cluster that it is for.
    """
    settings = job_settings.merged(project.jobs.get(name, {}), cluster_name)
    return str(PurePosixPath(settings["script"])) if "script" in settings else ""


def placed(project: Project, job: Job, cluster: Cluster) -> Job:
    """Return a job with its partition chosen, without its script.

    Raises:
        RookeryError: The cluster has no place for it; with file and line.
    """
    _require_scheduler(cluster)
    try:
        return partition.placed(job, cluster)
    except RookeryError as error:
        raise config.problem(
            project, job.name, "", error.message, cluster_name=cluster.name, hint=error.hint
        ) from error


def _require_scheduler(cluster: Cluster) -> None:
    if cluster.scheduler == "none":
        raise RookeryError(
            f"{cluster.name} has no scheduler: log in and start programs there.",
            hint=f"invoke tmux {cluster.argument}",
        )


def script(project: Project, job: Job, cluster: Cluster, source: Source | None = None) -> JobScript:
    """Return the script of one job for a cluster.

    Args:
        project: The project.
        job: The job.
        cluster: Where it will run.
        source: Where its template and its table are read; the project's folder where None.

    Raises:
        RookeryError: It can't run there, or its template fails; with file and line.
    """
    _require_scheduler(cluster)
    source = source or Folder(project.root)
    if job.script:
        text = own_script.text(project, job, source)
        job = own_script.described(job, text)
        return JobScript(job, job.script, text, {}, _summary(job, job.script, None, ""))
    if project.check and job.name == project.check.job and not job.gpus:
        job = replace(job, gpus=partition.fewest_gpus(cluster))  # where every job needs one, the tests do, too
    table = parameters.table(project, job, source)
    job = parameters.as_array(project, job, table, cluster) if table else parameters.checked(project, job, cluster)
    try:
        job = partition.placed(job, cluster)
        job = replace(job, output=job.output or sbatch_options.default_output(project, job))
        variables = template_context.context(project, job, cluster, table)
        mail = _mail(project, job, cluster, source)
    except RookeryError as error:
        raise config.problem(
            project, job.name, "", error.message, cluster_name=cluster.name, hint=error.hint
        ) from error
    path = path_of(job.name)
    files = dict(mail)
    if table:
        files |= {f"slurm/{job.name}.params.csv": table.csv(), f"slurm/{job.name}.rows.sh": table.lines()}
    text = _render(project, job, variables, source)
    summary = _summary(job, path, table, next(iter(mail), ""))
    parts = job_parts.count(job, cluster)
    return JobScript(job, path, text, files, {**summary, "parts": parts} if parts > 1 else summary)


def _mail(project: Project, job: Job, cluster: Cluster, source: Source) -> dict[str, str]:
    """Return the small job that mails when an array has ended, where the array may not do so itself."""
    if not job.mail or sbatch_options.mails_itself(job, cluster):
        return {}
    small = Job(f"{job.name}-has-ended", template="mail", memory="100M", minutes=1, mail=job.mail, account=job.account)
    project_qos = "" if placement.qos_entry(job, cluster) else job.qos  # one that no profile lists
    small = partition.placed(replace(small, qos=project_qos), cluster)
    small = replace(small, output=sbatch_options.default_output(project, small))
    variables = {**template_context.context(project, small, cluster), "after": job.name}
    return {f"slurm/{job.name}.mail.sh": _render(project, small, variables, source)}


def _render(project: Project, job: Job, variables: Mapping[str, Any], source: Source) -> str:
    try:
        return templates.render(job.template, variables, source)
    except RookeryError as error:
        raise config.problem(project, job.name, "template", error.message, hint=error.hint) from error


def _summary(job: Job, path: str, table: parameters.Table | None, mail: str) -> dict[str, Any]:
    """Return what a submission needs to know of a job without rendering it again."""
    return {
        "script": path,
        "template": job.template,
        "partition": job.partition,
        "array": job.array,
        "max_running": job.max_running,
        "chunk": job.chunk,
        "rows": len(table.rows) if table else 0,
        "params": f"slurm/{job.name}.params.csv" if table else "",
        "after": list(job.after),
        "mail_script": mail,
        "output": job.output,
        "error": job.error,
        "memory": job.memory,
        "minutes": job.minutes,
        **({"total_minutes": job.total_minutes} if job.total_minutes else {}),
        "nodes": job.nodes,
        "tasks": placement.processes(job),
        "cpus": job.cpus,
        "gpus": job.gpus,
    }
