"""Match result files to runs, jobs and array tasks by name."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rookery.jobs.results.download import without_cluster
from rookery.jobs.results.source_run import SourceRun
from rookery.projects import run_folders
from rookery.projects.model import Project

Numbered = tuple[int | None, str]
"""A file, as a path in the project, and the number of the task that wrote it, as far as it tells."""

_WORD = re.compile(r"""[^\s'"<>|;&()]*\{[A-Za-z_]\w*\}[^\s'"<>|;&()]*""")
"""A word of a command with names in braces."""


@dataclass(frozen=True)
class Paths:
    """How files of a project are called on the cluster of a run.

    Attributes:
        project: The project.
        cluster: The run's, as Cluster.label names it; its files may be in folders of its own.
    """

    project: Project
    cluster: str

    def of(self, name: str) -> str:
        """Return the path of a file in the project's folder there."""
        return without_cluster(name, self.cluster, self.project.outputs)

    def run_of(self, name: str) -> str:
        """Return the number of the run in whose folder a file is; "" where it is in no run's."""
        return run_folders.run_of(self.of(name), self.project.run_folders)


def of_cluster(files: Sequence[Numbered], cluster: str, origins: Mapping[str, str]) -> list[Numbered]:
    """Return the files without those that were fetched from another cluster.

    Args:
        files: Files of the project.
        cluster: The run's, as Cluster.label names it; "" where it is not known.
        origins: The cluster of each file that was fetched, by its path.
    """
    if not cluster:
        return list(files)
    return [file for file in files if origins.get(file[1], cluster) == cluster]


def of_run(files: Sequence[Numbered], paths: Paths, run: str) -> list[Numbered]:
    """Return the files in a run's own folders; where there are none, those that are in no run's.

    Args:
        files: Files of the project.
        paths: How they are called on the run's cluster.
        run: The run's number; "" where it is not known.
    """
    if not run or not paths.project.run_folders:
        return list(files)
    runs = [paths.run_of(name) for _number, name in files]
    for wanted in (run, ""):
        if matching := [file for file, file_run in zip(files, runs, strict=True) if file_run == wanted]:
            return matching
    return []


def of_job(files: Sequence[Numbered], paths: Paths, job: str, jobs: Iterable[str]) -> list[Numbered]:
    """Return a job's files: those with its name, else those with no other job's name.

    Args:
        files: Files of the project.
        paths: How they are called on the run's cluster.
        job: The job's name; "" where it is not known.
        jobs: The names of all jobs.
    """
    if not job:
        return list(files)
    known = sorted({job, *jobs}, key=len, reverse=True)
    owners = [_owner(paths.of(name), known) for _number, name in files]
    for owner in (job, ""):
        if matching := [file for file, file_owner in zip(files, owners, strict=True) if file_owner == owner]:
            return matching
    return []


def _owner(path: str, jobs: Iterable[str]) -> str:
    """Return the longest name of a job that is a word of the path; "" where none is."""
    plain = _plain(path.partition("/")[2] or path)
    return next((job for job in jobs if re.search(rf"(?<![a-z0-9]){_plain(job)}(?![a-z])", plain)), "")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9/]+", "_", text.casefold())


def by_parameters(files: Sequence[Numbered], paths: Paths, command: str, run: SourceRun) -> list[Numbered]:
    """Return the files with the task that wrote each, where the command names them after its parameters.

    Args:
        files: Files of the project, with a number from their names.
        paths: How they are called on the run's cluster.
        command: The job's command, as rookery.yml has it.
        run: The run.
    """
    tasks = _written(command, run)
    return [(tasks.get(paths.of(name), number), name) for number, name in files] if tasks else list(files)


def _written(command: str, run: SourceRun) -> Mapping[str, int]:
    """Return the task of each path that a command names after its parameters; paths of several tasks are left out."""
    words = [word for word in _WORD.findall(command) if any(f"{{{name}}}" in word for name in run.parameters)]
    written: dict[str, set[int]] = {}
    for task, row in run.rows.items():
        values = {**dict(zip(run.parameters, row, strict=True)), "task": str(task), "run": run.id}
        for word in words:
            path = re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], name[0]), word)  # noqa: B023 used at once
            for part in (path, path.rpartition("=")[2]):  # --out=results/x.csv
                written.setdefault(os.path.normpath(part), set()).add(task)
    return {path: min(tasks) for path, tasks in written.items() if len(tasks) == 1}
