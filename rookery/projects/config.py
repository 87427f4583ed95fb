"""Load a project's rookery.yml: find, read and validate it, and merge a job's settings for one cluster."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rookery.clusters.config.schema import nearest
from rookery.core import yaml_document
from rookery.core.errors import RookeryError
from rookery.core.yaml_document import Dialect, Document, Place
from rookery.projects import remote_paths, slurm_values
from rookery.projects.config_schema import check, complaint
from rookery.projects.job import Job
from rookery.projects.model import Environment, Project
from rookery.projects.source_tree import stays_inside

NAME: Final = "rookery.yml"
ROWS: Final = ("array", "params", "grid", "rows")
"""The keys that make a job an array; it has one of them."""

_TAKEN = (".git", ".rookery", "slurm", "runs", ".venv", ".conda", ".rlibrary", NAME)
_PYTHON_LOCKS = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "requirements.txt": "venv",
    "environment.yml": "conda",
    "environment.yaml": "conda",
}
_R_LOCKS = {"renv.lock": "renv", "r-packages.txt": "library"}


class NoProject(RookeryError):  # noqa: N818 said of a place, not of something that broke
    """The error where there is no rookery.yml."""


@cache
def _loader() -> Any:
    class ConfigLoader(yaml_document.fastest()):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 PyYAML's own way

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # keys are text, numbers too
            return {str(key): value for key, value in super().construct_mapping(node, deep).items()}

    for tag, pattern, first in (
        ("int", r"-?(0|[1-9][0-9]{0,17})$", list("-0123456789")),
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


def find(start: Path) -> Path:
    """Return the folder with rookery.yml: this one, or the nearest above it.

    Raises:
        NoProject: There is none.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / NAME).is_file():
            return folder
    raise NoProject(f"There is no {NAME} in {here}, nor in a folder above it.", hint="invoke new NAME")


def load(path: str | Path = "") -> Project:
    """Read a project.

    Args:
        path: Its folder, or its rookery.yml; "" for the one found upwards from here.

    Raises:
        NoProject: There is no rookery.yml.
        RookeryError: It is not as it should be; with file, line and key.
    """
    root = _folder(Path(path)) if str(path) else find(Path.cwd())
    document = _document(root / NAME)
    check(document)
    data = document.data
    outputs = _outputs(document, _list(data.get("outputs", remote_paths.LOGS)))
    jobs = data.get("jobs", {})
    _names_known(document, jobs, _list(data["clusters"]))
    return Project(
        root=root,
        name=data["name"],
        clusters=_list(data["clusters"]),
        environment=_environment(root, data.get("environment", {})),
        outputs=outputs,
        jobs=jobs,
        lines=document.lines,
    )


def job(project: Project, name: str, cluster_name: str) -> "Job":
    """Return a job as it is meant for a cluster.

    What is said under its `clusters:` put over the rest, defaults filled in.

    Raises:
        RookeryError: There is no such job, or its settings contradict each other.
    """
    if name not in project.jobs:
        existing = f"There are: {', '.join(project.jobs)}." if project.jobs else "It has none."
        raise RookeryError(
            f"{shown(project.file)} has no job {name}{nearest(name, project.jobs)}. {existing}",
            hint="invoke render   # prints those there are",
        )
    if not is_for(project, name, cluster_name):
        raise problem(
            project, name, "only", f"the job is not for {cluster_name}.", hint="the same with another --cluster"
        )
    settings = {key: value for key, value in project.jobs[name].items() if key != "only"}
    overrides = settings.pop("clusters", {}).get(cluster_name, {})
    if any(key in overrides for key in ROWS):
        settings = {key: value for key, value in settings.items() if key not in ROWS}
    merged = {**settings, **overrides}
    merged["environment"] = {**settings.get("environment", {}), **overrides.get("environment", {})}
    _together(project, name, cluster_name, merged)
    limit = slurm_values.minutes(merged.pop("time")) if "time" in merged else 0
    texts = {key: str(merged[key]) for key in ("array", "memory") if key in merged}
    lists = {key: _list(merged[key]) for key in ("modules", "after", "sbatch") if key in merged}
    tables = {
        "environment": {key: str(value) for key, value in merged["environment"].items()},
        "grid": {key: tuple(value) for key, value in merged.get("grid", {}).items()},
        "rows": tuple(merged.get("rows", ())),
    }
    return Job(name, minutes=limit, **{**merged, **texts, **lists, **tables})


def is_for(project: Project, name: str, cluster_name: str) -> bool:
    """Return whether a job is meant for a cluster."""
    return cluster_name in _list(project.jobs[name].get("only", [cluster_name]))


def problem(  # noqa: PLR0913 all of them say where
    project: Project, name: str, key: str, what: str, *, cluster_name: str = "", hint: str | None = None
) -> RookeryError:
    """Return an error at a key of a job, with file and line; at the cluster's override where it has one."""
    place: Place = ("jobs", name, "clusters", cluster_name, key)
    if place not in project.lines:
        place = ("jobs", name, key) if key else ("jobs", name)
    return complaint(Document(shown(project.file), {}, project.lines), place, what, hint)


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
        what = f"{folder} has no {NAME}." if folder.is_dir() else f"There is no folder {folder}."
        raise NoProject(what, hint="invoke new NAME")
    return folder.resolve()


def _document(file: Path) -> Document:
    if not stays_inside(file.parent, file):
        raise RookeryError(
            f"{shown(file)} is a symbolic link that leads out of the project, to {file.resolve()}.",
            hint=f"put the file itself there, or use --project {shlex.quote(str(file.resolve().parent))}",
        )
    if file.stat().st_size > yaml_document.LARGEST:
        raise RookeryError(
            f"{shown(file)} is larger than {yaml_document.LARGEST // 1_000_000} MB.",
            hint="put tables into a CSV file, as `params:`",
        )
    try:
        return yaml_document.read(shown(file), DIALECT)
    except RookeryError as error:
        if "is not YAML" not in error.message:
            raise
        quotes = "a command that begins with { or [, or holds a colon and a blank, needs quotes around it"
        raise RookeryError(error.message, hint=f"mend {shown(file)} ({quotes})") from error


def _list(value: Any) -> tuple[str, ...]:
    """Return a value that may be written as a list, or alone, as a list."""
    return (value,) if isinstance(value, str) else tuple(value)


def _environment(root: Path, declared: Mapping[str, str]) -> Environment:
    """Return the environment in rookery.yml, or else the one that the project's lock files tell."""
    locks = (_PYTHON_LOCKS, _R_LOCKS)
    guessed = [next((kind for name, kind in known.items() if (root / name).is_file()), "none") for known in locks]
    return Environment(python=declared.get("python", guessed[0]), r=declared.get("r", guessed[1]))


def _outputs(document: Document, written: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders as plain paths; folders within one another, rookery's and git's are refused."""
    folders: list[PurePosixPath] = []
    for number, text in enumerate(written):
        path = PurePosixPath(text)
        wrong = ""
        if path.is_absolute() or text.startswith("~"):
            wrong = "must be a path from the project's root, not an absolute one."
        elif ".." in path.parts or not path.parts:
            wrong = "must be a folder below the project's root."
        elif path.parts[0] in _TAKEN:
            wrong = f"can't be {path.parts[0]}, which has another use."
        elif not text.isprintable() or any(part.startswith("-") for part in path.parts):
            wrong = "must be a plain name: no line breaks, no dash in front."
        elif clash := [other for other in folders if other == path or other in path.parents or path in other.parents]:
            wrong = f"and {clash[0]} lie one in the other: name the outer one alone."
        if wrong:
            raise complaint(document, ("outputs", number), f"{' '.join(text.split())} {wrong}")
        folders.append(path)
    return tuple(str(path) for path in folders)


def _names_known(document: Document, jobs: Mapping[str, Any], clusters: tuple[str, ...]) -> None:
    """Refuse jobs named under `after`, and clusters under a job's `only` and `clusters`, that there are not."""
    for name, settings in jobs.items():
        overrides = settings.get("clusters", {})
        named: list[tuple[tuple[str, ...], str]] = [(("only",), cluster) for cluster in _list(settings.get("only", ()))]
        named += [(("clusters", cluster), cluster) for cluster in overrides]
        for place, other in named:
            if other not in clusters:
                what = f"{other} is not among the project's clusters{nearest(other, clusters)}."
                raise complaint(document, ("jobs", name, *place), what)
        for other, inner in overrides.items():
            for key in {"clusters", "only"} & inner.keys():
                raise complaint(document, ("jobs", name, "clusters", other, key), "can't stand here.")
        for other in _list(settings.get("after", ())):
            if other not in jobs or other == name:
                what = "the job itself" if other == name else f"no job of this file{nearest(other, jobs)}"
                raise complaint(document, ("jobs", name, "after"), f"{other} is {what}.")


def _together(project: Project, name: str, cluster_name: str, settings: Mapping[str, Any]) -> None:
    """Refuse combinations that the schema can't see."""
    for key, what in _clashes(settings):
        raise problem(project, name, key, what, cluster_name=cluster_name)


def _clashes(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield keys of a job that rule each other out or need another, and values that only look like ones."""
    several = [key for key in ROWS if key in settings]
    if len(several) > 1:
        yield several[1], f"can't stand beside {several[0]}: each of them says what the array's tasks are."
    for key, needed, why in (
        ("chunk", set(several) - {"array"}, "needs rows to bunch: params, grid or rows."),
        ("max_running", several, "needs an array: array, params, grid or rows."),
        ("gpu_type", settings.get("gpus"), "needs gpus: how many of them."),
    ):
        if key in settings and not needed:
            yield key, why
    if "time" in settings and slurm_values.minutes(settings["time"]) < 1:
        yield "time", "must be longer than nothing."
    try:
        slurm_values.task_ranges(str(settings.get("array", "1")))
    except ValueError:
        large = any(
            int(number) > slurm_values.LAST_TASK for number in re.findall(r"[0-9]{1,4000}", str(settings["array"]))
        )
        most = f"has a task number over {slurm_values.LAST_TASK}, the largest that Slurm takes."
        yield "array", most if large else f"{settings['array']} runs backwards: write the smaller number first."
    rows = settings.get("rows", [])
    yield from (
        ("rows", f"row {n} has other names than the first.")
        for n, row in enumerate(rows, 1)
        if row.keys() != rows[0].keys()
    )
