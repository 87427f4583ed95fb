"""Find the files of a project that `combine` puts together for a run."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.results import download, file_matching
from rookery.jobs.results.combined_table import RunFiles
from rookery.jobs.results.file_matching import Numbered, Paths
from rookery.jobs.results.source_run import SourceRun
from rookery.projects import run_folders
from rookery.projects.model import Project

_LAST_NUMBER = re.compile(r"([0-9]+)[^0-9]*$")
_NUMBERS = re.compile(r"([0-9]+)")


def of_run(project: Project, source: SourceRun, pattern: str, table: Path, origins: Mapping[str, str]) -> RunFiles:
    """Return the files of a run, each with the number of its task, in the order of these numbers.

    Args:
        project: The project.
        source: The run.
        pattern: Of paths in the project, with `*`, `**`, {run} for the run's number and {task} for the task's; "" for
            the CSV files in the outputs that are the run's.
        table: The table that will be written, which is none of them.
        origins: The cluster that each fetched file came from, by its path.

    Raises:
        RookeryError: The pattern leads out of the project.
    """
    paths = Paths(project, source.cluster)
    if pattern:
        files = file_matching.of_run(list(_matching(project.root, pattern, source.id, table)), paths, source.id)
    else:
        files = list(_numbered(_tables(project, source, table)))
        files = file_matching.of_cluster(files, source.cluster, origins)
        files = file_matching.of_run(files, paths, source.id)
        others = () if _in_folder(files, paths, source.id) else project.jobs  # no other job writes into a run's folder
        files = file_matching.of_job(files, paths, source.job, others)
        command = str(project.jobs.get(source.job, {}).get("command", ""))
        files = file_matching.by_parameters(files, paths, command, source)
    return RunFiles(source, sorted(files, key=_order), _in_folder(files, paths, source.id))


def _in_folder(files: Sequence[Numbered], paths: Paths, run: str) -> bool:
    """Return whether files that `file_matching.of_run` has found are in the run's own folder."""
    return bool(files and run and paths.run_of(files[0][1]) == run)


def _tables(project: Project, source: SourceRun, table: Path) -> list[str]:
    """Return the CSV files in the run's own folders; where there are none, those in the outputs."""
    own = run_folders.of_run(project.run_folders, source.id) if source.id else []
    beside = [download.beside(folder, source.cluster, project.outputs) for folder in own]
    for folders in ([*own, *beside], project.outputs):
        if names := [name for folder in folders for name in _below(project.root, folder, table)]:
            return list(dict.fromkeys(names))
    return []


def _below(root: Path, folder: str, table: Path) -> Iterator[str]:
    """Yield the CSV files below a folder, as paths in the project; none of hidden folders."""
    top = len(f"{root}{os.sep}")
    for path, folders, names in os.walk(root / folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(".csv") and not name.endswith(".params.csv"):
                file = f"{path}{os.sep}{name}"
                if name != table.name or Path(file) != table:
                    yield file[top:]


def _matching(root: Path, pattern: str, run: str, table: Path) -> Iterator[Numbered]:
    """Return the files that a pattern names."""
    pattern = pattern.replace(run_folders.RUN, run or "*")
    plain = pattern.replace("{task}", "*")
    if PurePath(plain).is_absolute() or ".." in PurePath(plain).parts:
        raise RookeryError(
            f"--files {pattern} must be a pattern of paths in the project.",
            hint=typed_command.again("--files", "results/*.csv"),
        )
    files = [path for path in _glob(root, plain) if path != table and not path.name.endswith(".params.csv")]
    names = [str(path.relative_to(root)) for path in files if path.is_file()]
    if "{task}" not in pattern:
        return _numbered(names)
    place = re.compile(re.escape(pattern).replace(r"\{task\}", r"(\d+)").replace(r"\*", ".*"))
    return _numbered(names, place)


def _glob(root: Path, pattern: str) -> Iterator[Path]:
    """Yield files by pattern; one without a folder is looked for everywhere but in hidden folders."""
    deep = pattern if "/" in pattern else f"**/{pattern}"
    for path in root.glob(deep):
        if not any(part.startswith(".") for part in path.relative_to(root).parts[:-1]):
            yield path


def _numbered(names: Iterable[str], place: re.Pattern[str] | None = None) -> Iterator[Numbered]:
    """Yield files with the number of the task in their names.

    Args:
        names: The files.
        place: Where in the name the number is; by default, it is the last one.
    """
    for name in names:
        match = place.search(name) if place else _LAST_NUMBER.search(name.rpartition("/")[2].rpartition(".")[0])
        yield int(match[1]) if match else None, name


def _order(file: Numbered) -> tuple[bool, int, list[tuple[int, str]]]:
    """Return a key that sorts files by task, then by name, with r_10 behind r_9."""
    number, name = file
    parts = [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(name) if part]
    return number is None, number or 0, parts
