"""Job scripts: a job of rookery.yml and a cluster's profile, made into what sbatch is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rookery import house
from rookery.errors import RookeryError
from rookery.jobs import context, options, partition, sweep
from rookery.profile import Cluster
from rookery.project import read
from rookery.project.job import Job
from rookery.project.spec import Project
from rookery.schema import nearest

if TYPE_CHECKING:
    from jinja2 import Environment

ARRAYS: Final = ("python-array", "r-array", "sweep")
"""The templates that are for arrays alone."""


@dataclass(frozen=True)
class Script:
    """A job script, and what belongs to it.

    Attributes:
        job: The job as it was rendered: partition chosen, array counted.
        path: Where the script stands in the release, such as slurm/simulate.sh.
        text: The script.
        files: What stands beside it, by path: the small job that mails, the rows of a sweep and their table.
        summary: What release.json keeps of it.
    """

    job: Job
    path: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


def templates() -> list[str]:
    """The names of the templates that rookery has."""
    return sorted(path.name.removesuffix(".sh.j2") for path in _folder().glob("[!_]*.sh.j2"))


def scripts(project: Project, cluster: Cluster) -> list[Script]:
    """The scripts of a project's jobs for a cluster, in the order of rookery.yml, without those for others.

    Raises:
        RookeryError: A job can't run there, or its template fails; with file and line.
    """
    meant = [name for name in project.jobs if read.is_for(project, name, cluster.name)]
    return [script(project, read.job(project, name, cluster.name), cluster) for name in meant]


def script(project: Project, job: Job, cluster: Cluster) -> Script:
    """The script of one job for a cluster.

    Raises:
        RookeryError: It can't run there, or its template fails; with file and line.
    """
    if cluster.scheduler == "none":
        raise RookeryError(
            f"{cluster.name} has no scheduler: one logs in and starts programs there.",
            hint=f"invoke tmux --cluster {cluster.name}",
        )
    if not job.command:
        raise read.problem(project, job.name, "", "has no command: what shall it run?", cluster_name=cluster.name)
    table = sweep.table(project, job)
    job = sweep.as_array(project, job, table, cluster) if table else sweep.checked(project, job, cluster)
    if job.template in ARRAYS and not job.array:
        what = f"{job.template} is for arrays: say which tasks, as array: 1-200, or give it params, grid or rows."
        raise read.problem(project, job.name, "template", what, cluster_name=cluster.name)
    try:
        job = replace(
            job, partition=partition.choose(job, cluster), output=job.output or options.default_output(project, job)
        )
        variables = context.context(project, job, cluster, table)
        mail = _mail(project, job, cluster)
    except RookeryError as error:
        raise read.problem(project, job.name, "", error.message, cluster_name=cluster.name, hint=error.hint) from error
    path = f"slurm/{job.name}.sh"
    files = dict(mail)
    if table:
        files |= {f"slurm/{job.name}.params.csv": table.csv(), f"slurm/{job.name}.rows.sh": table.lines()}
    return Script(job, path, _render(project, job, variables), files, _summary(job, path, table, next(iter(mail), "")))


def _mail(project: Project, job: Job, cluster: Cluster) -> dict[str, str]:
    """The small job that mails when an array has ended, where the array may not do so itself."""
    if not job.mail or options.mails_itself(job, cluster):
        return {}
    small = Job(f"{job.name}-has-ended", template="mail", memory="100M", minutes=1, mail=job.mail, account=job.account)
    small = replace(small, qos=job.qos, partition=partition.choose(small, cluster))
    small = replace(small, output=options.default_output(project, small))
    variables = {**context.context(project, small, cluster), "after": job.name}
    return {f"slurm/{job.name}.mail.sh": _render(project, small, variables)}


def _render(project: Project, job: Job, variables: Mapping[str, Any]) -> str:
    import jinja2

    name = job.template
    if name in templates():
        template = f"{name}.sh.j2"
    elif (project.root / name).is_file():
        template = name
    else:
        what = f"{name} is neither one of rookery's{nearest(name, templates())} nor a file of the project. There are: "
        raise read.problem(project, job.name, "template", what + ", ".join(templates()) + ".")
    try:
        return _jinja(project.root).get_template(template).render(variables)
    except jinja2.TemplateError as error:
        raise read.problem(project, job.name, "template", f"{name}: {_said(error)}") from error


def _said(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    words = " ".join(str(getattr(error, "message", "") or error).split())
    return f"line {line}: {words}" if line else words


@cache
def _jinja(root: Path) -> "Environment":
    """Jinja over rookery's templates and the project's own, which can so extend and include rookery's."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([_folder(), root]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="{##",  # {# is bash's, in ${#array[@]}
        comment_end_string="##}",
        autoescape=False,  # noqa: S701 shell, not HTML: each value is quoted where it is decided
    )


def _folder() -> Path:
    return house.root() / "templates" / "sbatch"


def _summary(job: Job, path: str, table: sweep.Table | None, mail: str) -> dict[str, Any]:
    """What a submission needs to know of a job without rendering it again."""
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
        "nodes": job.nodes,
        "tasks": partition.processes(job),
        "cpus": job.cpus,
        "gpus": job.gpus,
    }
