"""Load a project's rookery.yml: find, read and validate it, and merge a job's settings for one cluster."""

import os
import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rookery.clusters.config.schema import nearest
from rookery.core import yaml_document
from rookery.core.errors import RookeryError, one_line
from rookery.core.file_problems import FileProblem, FileProblems, FileProblemsError
from rookery.core.yaml_document import Dialect, Document
from rookery.projects import (
    check_key,
    config_checks,
    config_schema,
    copy_note,
    job_settings,
    remote_paths,
    run_folders,
    slurm_values,
)
from rookery.projects.job import Job
from rookery.projects.job_settings import listed
from rookery.projects.model import Environment, Project
from rookery.projects.packages import description
from rookery.projects.source_tree import stays_inside

NAME: Final = "rookery.yml"
_MAKE_ONE = "invoke init   # for the code in this folder; or invoke new my-project, or cd into a project"
PYTHON_LOCKS = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "requirements.txt": "venv",
    "environment.yml": "conda",
    "environment.yaml": "conda",
}
R_LOCKS = {"renv.lock": "renv", "r-packages.txt": "library", description.NAME: "library"}


_MISNAMED = ("rookery.yaml", "Rookery.yml", ".rookery.yml", "rookery.yml.txt")


class NoProject(RookeryError):  # noqa: N818 said of a place, not of something that broke
    """The error where there is no rookery.yml."""


@cache
def _loader(*, numbers: bool = True) -> Any:
    class ConfigLoader(yaml_document.fastest()):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 PyYAML's own way

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # keys are text, numbers too
            return {str(key): value for key, value in super().construct_mapping(node, deep).items()}

    for tag, pattern, first in (
        *([("int", r"-?(0|[1-9][0-9]{0,17})$", list("-0123456789"))] if numbers else []),
        ("null", r"(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("merge", r"<<$", ["<"]),
    ):
        ConfigLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
    return ConfigLoader


DIALECT = Dialect("project-2", _loader)
"""YAML in which a value stays the text that was written, but for plain whole numbers and what is empty.

YAML 1.1 reads 1:30:00 as 5400, `no` as false, 010 as 8 and 0.10 as 0.1; a time limit, a name or a parameter is meant as
it stands.
"""

TEXTS = Dialect("texts", lambda: _loader(numbers=False), kept=False)
"""YAML in which every value stays the text that was written, but for what is empty."""


def find(start: Path) -> Path:
    """Return the folder with rookery.yml: this one, or the nearest above it.

    Raises:
        NoProject: There is none.
    """
    if root := enclosing(start):
        return root
    here = start.resolve()
    other = next((name for name in _MISNAMED if (here / name).is_file()), "")
    raise NoProject(
        f"No {NAME} in {here} or a folder above it{f', but {other}' * bool(other)}.",
        hint=f"mv {other} {NAME}" if other else _MAKE_ONE,
    )


def enclosing(start: Path) -> Path | None:
    """Return the folder of the project that a folder is in; None where it is in none."""
    here = start.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / NAME).is_file()), None)


def load(path: str | Path = "") -> Project:
    """Read a project.

    Args:
        path: Its folder, or its rookery.yml; "" for the one found upwards from here.

    Raises:
        NoProject: There is no rookery.yml.
        RookeryError: It is not as it should be; with file, line and key.
    """
    root = _folder(Path(path)) if str(path) else find(Path.cwd())
    problems = FileProblems()
    document = config_schema.check(_document(root / NAME, problems), problems)
    for complaint in check_key.complaints(document):
        problems.add(document, complaint)
    document = check_key.with_job(document)
    for complaint in config_checks.complaints(document):
        problems.add(document, complaint)
    problems.report()
    data, note = document.data, copy_note.of(root)
    inputs = _inputs(data.get("inputs"))
    if note:
        inputs = {path: note.inputs.get(path, version) for path, version in inputs.items()}
    outputs = [str(PurePosixPath(path)) for path in listed(data.get("outputs", remote_paths.LOGS))]
    return Project(
        root=root,
        name=note.name if note else data["name"],
        clusters=listed(data["clusters"]),
        environment=_environment(root, data.get("environment", {})),
        outputs=tuple(dict.fromkeys(map(run_folders.folder, outputs))),
        run_folders=run_folders.of_outputs(outputs),
        jobs=data.get("jobs", {}),
        lines=document.lines,
        copied_from=note.origin if note else "",
        outputs_per_release=bool(note and note.outputs_per_release),
        inputs=inputs,
        check=check_key.of(data),
    )


def _inputs(value: Any) -> dict[str, str]:
    """Return the inputs that a rookery.yml names, each with the version that it asks for."""
    pairs = value.items() if isinstance(value, Mapping) else ((path, "") for path in listed(value))
    return {str(PurePosixPath(path)): "" if version == "latest" else str(version) for path, version in pairs}


def job(project: Project, name: str, cluster_name: str) -> "Job":
    """Return a job as it is meant for a cluster.

    What is said under its `clusters:` put over the rest, defaults filled in.

    Raises:
        RookeryError: There is no such job, or its settings contradict each other.
    """
    if name not in project.jobs:
        existing = f"Jobs: {', '.join(project.jobs)}." if project.jobs else "It has no jobs."
        raise RookeryError(
            f"Unknown job {name!r} in {shown(project.file)}{nearest(name, project.jobs)}. {existing}",
            hint=f"invoke render{_near(project)}   # lists the jobs",
        )
    if not is_for(project, name, cluster_name):
        raise problem(
            project,
            name,
            "only",
            f"the job does not run on {cluster_name}",
            hint="use another --cluster, or change `only`",
        )
    problems, document = FileProblems(), _described(project)
    for complaint in config_checks.job_complaints(document, name, cluster_name):
        problems.add(document, complaint)
    problems.report()
    merged = job_settings.merged(project.jobs[name], cluster_name)
    times = {"time": "minutes", "total_time": "total_minutes", "checkpoint": "checkpoint_minutes"}
    limits: dict[str, Any] = {
        name: slurm_values.minutes(merged.pop(key)) for key, name in times.items() if key in merged
    }
    texts: dict[str, Any] = {"array": str(merged["array"])} if "array" in merged else {}
    texts |= {"memory": slurm_values.memory(merged["memory"])} if "memory" in merged else {}
    lists: dict[str, Any] = {key: listed(merged[key]) for key in ("modules", "after", "sbatch") if key in merged}
    tables: dict[str, Any] = {
        "environment": {key: str(value) for key, value in merged["environment"].items()},
        "grid": {key: tuple(value) for key, value in merged.get("grid", {}).items()},
        "rows": tuple(merged.get("rows", ())),
    }
    values = {**merged, **texts, **lists, **tables}
    if "script" in values:
        values["script"] = str(PurePosixPath(values["script"]))
    return Job(name, **limits, **values)


def _near(project: Project) -> str:
    """Return the option that names a project, with a blank before it; "" in its folder."""
    inside = Path.cwd().is_relative_to(project.root)
    return "" if inside else f" --project {shlex.quote(str(project.root))}"


def is_for(project: Project, name: str, cluster_name: str) -> bool:
    """Return whether a job is meant for a cluster."""
    return job_settings.is_for(project.jobs[name], cluster_name)


def problem(  # noqa: PLR0913 all of them say where
    project: Project, name: str, key: str, what: str, *, cluster_name: str = "", hint: str | None = None
) -> FileProblemsError:
    """Return an error at a key of a job, with file and line; at the cluster's override where it has one."""
    document = _described(project)
    place = config_checks.override(document, ("jobs", name, key) if key else ("jobs", name), cluster_name)
    text = one_line(f"`{key}`: {what}" if key else f"job `{name}`: {what}")
    return FileProblemsError([FileProblem(document.file, document.line(place), text, hint or "")])


def _described(project: Project) -> Document:
    """Return what a project's rookery.yml says of its jobs, with the lines."""
    return Document(shown(project.file), {"jobs": project.jobs}, project.lines)


def shown(path: Path) -> Path:
    """Return a path for messages: relative to this folder where that is shorter."""
    try:
        near = os.path.relpath(path)
    except OSError:  # the current folder is gone
        return path
    return Path(near) if len(near) < len(str(path)) else path


def _folder(path: Path) -> Path:
    """Return the folder of a project that a user named."""
    folder = (path.parent if path.name == NAME else path).expanduser()
    if not (folder / NAME).is_file():
        what = f"{folder} has no {NAME}." if folder.is_dir() else f"Can't find the folder {folder}."
        raise NoProject(what, hint=_MAKE_ONE)
    return folder.resolve()


def _document(file: Path, problems: FileProblems) -> Document:
    if not stays_inside(file.parent, file):
        raise RookeryError(
            f"{shown(file)} is a symbolic link to {file.resolve()}, outside the project.",
            hint=f"replace the link with the file, or use --project {shlex.quote(str(file.resolve().parent))}",
        )
    if file.stat().st_size > yaml_document.LARGEST:
        raise RookeryError(
            f"{shown(file)} is larger than {yaml_document.LARGEST // 1_000_000} MB.",
            hint="put large tables into a CSV file, and name it under `params:`",
        )
    try:
        return yaml_document.read(shown(file), DIALECT, problems)
    except FileProblemsError as error:
        if "is not YAML" not in error.message:
            raise
        quotes = (
            "a command that begins with { or [, or contains a colon and a space, needs quotes around it; "
            'so does "results/{run}" between [ and ]'
        )
        raise RookeryError(error.message, hint=f"{error.hint} ({quotes})") from error


def _environment(root: Path, declared: Mapping[str, str]) -> Environment:
    """Return the environment in rookery.yml, or else the one that the project's lock files tell."""
    locks = (PYTHON_LOCKS, R_LOCKS)
    guessed = [next((kind for name, kind in known.items() if lists_packages(root / name)), "none") for known in locks]
    return Environment(python=declared.get("python", guessed[0]), r=declared.get("r", guessed[1]))


def lists_packages(file: Path) -> bool:
    """Return whether a file is there that lists packages by its name; a DESCRIPTION may be anything else."""
    if not file.is_file():
        return False
    return file.name != description.NAME or description.is_of_r(file.read_text(encoding="utf-8", errors="replace"))
