"""Match result files to jobs and array tasks by name."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rookery.jobs.results.download import without_cluster
from rookery.jobs.results.source_run import SourceRun

Numbered = tuple[int | None, Path]
"""A file, and the number of the task that wrote it, as far as it tells."""

_WORD = re.compile(r"""[^\s'"<>|;&()]*\{[A-Za-z_]\w*\}[^\s'"<>|;&()]*""")
"""A word of a command with names in braces."""


@dataclass(frozen=True)
class Paths:
    """How files of a project are called on the cluster of a run.

    Attributes:
        root: The project's folder.
        outputs: Its folders of results.
        cluster: The run's, as Cluster.label names it; its files may be in folders of its own.
    """

    root: Path
    outputs: Sequence[str]
    cluster: str

    def of(self, path: Path) -> str:
        """Return the path of a file in the project's folder there."""
        return without_cluster(str(path.relative_to(self.root)), self.cluster, self.outputs)


def of_cluster(files: Sequence[Numbered], root: Path, cluster: str, origins: Mapping[str, str]) -> list[Numbered]:
    """Return the files without those that were fetched from another cluster.

    Args:
        files: Files of the project.
        root: Its folder.
        cluster: The run's, as Cluster.label names it; "" where it is not known.
        origins: The cluster of each file that was fetched, by its path.
    """
    if not cluster:
        return list(files)
    return [file for file in files if origins.get(str(file[1].relative_to(root)), cluster) == cluster]


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
    owners = [_owner(paths.of(path), known) for _number, path in files]
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
    return [(tasks.get(paths.of(path), number), path) for number, path in files]


def _written(command: str, run: SourceRun) -> Mapping[str, int]:
    """Return the task of each path that a command names after its parameters; paths of several tasks are left out."""
    words = [word for word in _WORD.findall(command) if any(f"{{{name}}}" in word for name in run.parameters)]
    written: dict[str, set[int]] = {}
    for task, row in run.rows.items():
        values = {**dict(zip(run.parameters, row, strict=True)), "task": str(task)}
        for word in words:
            path = re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], name[0]), word)  # noqa: B023 used at once
            for part in (path, path.rpartition("=")[2]):  # --out=results/x.csv
                written.setdefault(os.path.normpath(part), set()).add(task)
    return {path: min(tasks) for path, tasks in written.items() if len(tasks) == 1}
