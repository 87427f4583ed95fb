"""Match result files to jobs and array tasks by name."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rookery.jobs.results.source_run import SourceRun

Numbered = tuple[int | None, Path]
"""A file, and the number of the task that wrote it, as far as it tells."""

_WORD = re.compile(r"""[^\s'"<>|;&()]*\{[A-Za-z_]\w*\}[^\s'"<>|;&()]*""")
"""A word of a command with names in braces."""


def of_job(files: Sequence[Numbered], root: Path, job: str, jobs: Iterable[str]) -> list[Numbered]:
    """Return a job's files: those with its name, else those with no other job's name.

    Args:
        files: Files of the project.
        root: Its folder.
        job: The job's name; "" where it is not known.
        jobs: The names of all jobs.
    """
    if not job:
        return list(files)
    known = sorted({job, *jobs}, key=len, reverse=True)
    owners = [_owner(str(path.relative_to(root)), known) for _number, path in files]
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


def by_parameters(files: Sequence[Numbered], root: Path, command: str, run: SourceRun) -> list[Numbered]:
    """Return the files with the task that wrote each, where the command names them after its parameters.

    Args:
        files: Files of the project, with a number from their names.
        root: Its folder.
        command: The job's command, as rookery.yml has it.
        run: The run.
    """
    tasks = _written(command, run)
    return [(tasks.get(str(path.relative_to(root)), number), path) for number, path in files]


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
