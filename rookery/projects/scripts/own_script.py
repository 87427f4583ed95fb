"""Read the job script that a job names (`script:` in rookery.yml): a file of the project, submitted unchanged."""

from contextlib import suppress
from dataclasses import replace

from rookery.core.errors import RookeryError
from rookery.projects import config, slurm_values
from rookery.projects.job import Job
from rookery.projects.model import Project
from rookery.projects.scripts import directives
from rookery.projects.scripts.directives import Directives
from rookery.projects.source_tree import Source


def text(project: Project, job: Job, source: Source) -> str:
    """Return what a job's own script says.

    Args:
        project: The project.
        job: The job.
        source: Where the script is read.

    Raises:
        RookeryError: It is not there, or can't be read; with file and line of rookery.yml.
    """
    try:
        return source.read(job.script).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        why, hint = f"can't find {job.script} in the {source.name}", None
        if (project.root / job.script).is_file():
            hint = f"git add {job.script} && git commit -m 'Add {job.script}'"
    except OSError as error:
        why, hint = f"can't read {job.script}: {error.strerror}", None
    except RookeryError as error:
        why, hint = error.message, error.hint
    raise config.problem(project, job.name, "script", why, hint=hint)


def described(job: Job, text: str) -> Job:
    """Return a job with what the #SBATCH lines of its script ask for, as far as rookery has keys for it.

    Args:
        job: The job.
        text: Its script.
    """
    asked = directives.read(text.replace("\r\n", "\n"))
    tasks, _, limit = (asked.value("array") or "").partition("%")
    minutes = 0
    with suppress(ValueError):
        minutes = slurm_values.minutes(asked.value("time") or "0")
    return replace(
        job,
        array=tasks,
        max_running=int(limit) if limit.isdecimal() else None,
        partition=(asked.value("partition") or "").partition(",")[0],
        account=asked.value("account") or "",
        qos=asked.value("qos") or "",
        memory=asked.value("mem") or "",
        minutes=minutes,
        nodes=_number(asked, "nodes"),
        tasks=_number(asked, "ntasks"),
        cpus=_number(asked, "cpus-per-task"),
        output=asked.value("output") or "",
        error=asked.value("error") or "",
    )


def _number(asked: Directives, name: str) -> int:
    value = asked.value(name) or ""
    return int(value) if value.isdecimal() and 0 < len(value) < 10 else 1
