"""`init --from-script`: a job script as a job, in a new project or in one that is there."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rookery.core import prompts
from rookery.core.errors import RookeryError
from rookery.projects import config, job_settings
from rookery.projects.adoption import added_job, batch_scripts, screen, translation
from rookery.projects.adoption.folder_files import text_of
from rookery.projects.adoption.project_file import JobDraft, ProjectDraft
from rookery.projects.adoption.proposal import Advice
from rookery.projects.adoption.translation import Translation
from rookery.projects.model import Environment, Project
from rookery.projects.options import InitOptions
from rookery.projects.scripts import job_script


def translated(root: Path, script: str, taken: Mapping[str, object]) -> tuple[str, Translation]:
    """Return the path in the project of a job script, and what it is as a job.

    Args:
        root: The project's folder.
        script: The script, as the user named it.
        taken: Names of other jobs.

    Raises:
        RookeryError: It is not there, not in the folder, or can't be translated.
    """
    file = Path(script).expanduser()
    if not file.is_file():
        raise RookeryError(f"Can't find the job script {script}.", hint=f"ls {shlex.quote(str(file.parent))}")
    if not file.resolve().is_relative_to(root):
        raise RookeryError(f"{script} is not in {root}.", hint=f"cp {shlex.quote(script)} {shlex.quote(str(root))}")
    path = file.resolve().relative_to(root).as_posix()
    return path, translation.translate(path, text_of(file), list(taken))


def advice(
    path: str, made: Translation, outputs: Sequence[str], clusters: Sequence[str], problems: Mapping[str, str]
) -> Iterator[Advice]:
    """Yield what is different from a script that was translated.

    Args:
        path: The script.
        made: The job.
        outputs: The project's folders for results and logs.
        clusters: The project's; the first is the one that `run` uses.
        problems: The clusters that can't run it, each with why.
    """
    for note in made.notes:
        yield Advice(f"{path}: {note}")
    for log in [str(made.job.keys[key]) for key in ("output", "error") if key in made.job.keys]:
        if not batch_scripts.is_fetched(log, outputs):
            yield Advice(f"The log {log} is in no folder of `outputs`, so fetch does not copy it")
    for cluster, why in problems.items():
        text = f"{made.job.name} can't run on {cluster} yet: {why}"
        edit = f"edit {config.NAME}, until `invoke render {made.job.name} --cluster {cluster}` prints the script"
        yield Advice(text, edit, (config.NAME,)) if cluster == clusters[0] else Advice(text)


def problems(root: Path, draft: ProjectDraft, job: JobDraft) -> dict[str, str]:
    """Return the clusters of a project that can't run a job as it is, each with why.

    Args:
        root: The project's folder.
        draft: The project.
        job: The job.
    """
    environment = Environment(**{language: way for language, (way, _) in draft.environment.items()})
    project = Project(root, draft.name, draft.clusters, environment, draft.outputs, {job.name: job.keys})
    return _problems(project, job.name)


def _problems(project: Project, name: str) -> dict[str, str]:
    from rookery.clusters.config import profile  # noqa: PLC0415 start-up

    found: dict[str, str] = {}
    for cluster in project.clusters:
        try:
            job_script.script(project, config.job(project, name, cluster), profile.load(cluster))
        except RookeryError as error:
            reason = re.sub(r"^[^\n:]*:\d+: (?:job `[^`]*`: )?", "", error.message.partition("\n")[0])
            found[cluster] = reason.rstrip(".")
    return found


def add(root: Path, options: InitOptions) -> int:
    """Add a job to the rookery.yml of a project that is there, after a yes.

    Raises:
        RookeryError: It can't be translated or added, or the file can't be written.
    """
    project = config.load(root)
    path, made = translated(root, options.from_script, project.jobs)
    file = root / config.NAME
    before = file.read_bytes().decode("utf-8")
    after = added_job.with_job(before, made.job)
    settings = {**project.jobs, made.job.name: made.job.keys}
    clashes = _problems(replace(project, jobs=settings), made.job.name)
    notes = list(advice(path, made, project.outputs, project.clusters, clashes))
    if others := [name for name, job in project.jobs.items() if path in job_settings.listed(job.get("script"))]:
        notes.append(Advice(f"The job {others[0]} runs {path} unchanged: remove it, or the new job {made.job.name}"))
    asks = prompts.is_interactive() and not (options.yes or options.check or options.json)
    if not options.json:
        screen.show_diffs({config.NAME: after}, {config.NAME: before})
        screen.show_advice(notes)
    writes = (
        prompts.confirm(f"Add the job {made.job.name} to {config.NAME}?") if asks else options.yes and not options.check
    )
    if writes:
        screen.replace_file(file, before, after)
    if options.json:
        screen.print_job(root, made.job, after, notes, written=writes)
    elif writes:
        screen.show_added(root, made.job.name)
    elif not options.check:
        screen.show_nothing_written(options, asks=asks)
    return 0
