"""Find the files that a run wrote: on its cluster, or else those that `fetch` brought here while they were there."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.results import download, remote_listing
from rookery.jobs.results.download import Arrivals
from rookery.projects import fetched_files, remote_paths
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.results.archive import File
    from rookery.jobs.results.remote_listing import RemoteListing
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

_LATE = 2
"""Seconds after a job's end at which a file server may say that it was written."""


def results(files: Iterable[str], record: "RunRecord", others: Iterable["RunRecord"] = ()) -> list[str]:
    """Return the paths of results among those of a run's files: no logs, records or tables of parameters.

    Args:
        files: Paths in the project.
        record: The run.
        others: Other runs on its cluster, whose logs may be among the files, too.
    """
    patterns = {_log(run, log) for run in (record, *others) for log in (run.log, run.error_log) if log}
    logs = re.compile("|".join(sorted(patterns)) or "(?!)")
    mail = re.compile(rf"(?<!\d){record.mail_job}(?!\d)") if record.mail_job else None
    return [
        path
        for path in files
        if not path.startswith(f"{run_record.FOLDER}/")
        and not path.endswith(f"_{record.id}.params.csv")
        and not logs.fullmatch(path)
        and not (mail and mail.search(path))
    ]


def _log(record: "RunRecord", pattern: str) -> str:
    """Return what the paths of a run's logs match."""
    path = pattern.removeprefix(f"{record.release}/")
    parts = re.split(r"(%\d*[A-Za-z])", path)
    known = {"A": r"\d+", "j": r"\d+", "a": r"\d+", "J": r"[\d.]+"}
    words = [known.get(part[-1], "[^/]*") if part.startswith("%") else re.escape(part) for part in parts]
    return "".join(words)


def fetched(
    connection: "Connection", project: "Project", record: "RunRecord", others: Iterable["RunRecord"], folder: Path
) -> dict[str, Path]:
    """Fetch a run's results from its cluster into a folder; return them by their paths in the project.

    Args:
        connection: The cluster's, open.
        project: The project.
        record: The run.
        others: The other runs on its cluster.
        folder: Where to; what is there already is not sent again.
    """
    outputs = record.outputs or project.outputs
    listing = remote_listing.listing(connection, str(remote_paths.base(project.name)), outputs, record.id)
    if listing is None:
        return {}
    wanted = _of_run(listing, project, record, others)
    folder.mkdir(parents=True, exist_ok=True)
    arrivals = Arrivals(folder, record.cluster)
    plan = arrivals.plan(wanted, outputs)
    try:
        if plan.bring:
            with remote_listing.sent(connection, str(remote_paths.base(project.name)), plan.bring) as coming:
                for _ in arrivals.take(coming):
                    pass
    finally:
        arrivals.close()
    return {file.path: folder / file.path for file in wanted if (folder / file.path).is_file()}


def _of_run(
    listing: "RemoteListing", project: "Project", record: "RunRecord", others: Iterable["RunRecord"]
) -> "list[File]":
    """Return the results that a run wrote: those with its number in their path, and those of its time."""
    first, last = listing.submitted or float("inf"), listing.ended or float("inf")
    number = _number(record)
    files = {
        file.path: file
        for file in remote_listing.of_job(
            listing, record.id, run_record.completed(project.root, record).id, project.run_folders
        )
        if number.search(file.path) or first <= file.mtime / 10**9 <= last + _LATE
    }
    return [files[path] for path in results(files, record, others)]


def _number(record: "RunRecord") -> "re.Pattern[str]":
    """Return what finds a job's number in a path; nothing where it may be a task's as well: only times tell then."""
    return re.compile("(?!)" if int(record.id) in numbers(record.array) else rf"(?<!\d){record.id}(?!\d)")


def here(project: "Project", record: "RunRecord", others: Iterable["RunRecord"]) -> dict[str, Path]:
    """Return the results of a run that were fetched into the project and are unchanged, by their paths there.

    Args:
        project: The project.
        record: The run.
        others: The other runs on its cluster: what was written after the next of them began may be that one's.
    """
    began = _seconds(record.when)
    until = min((when for other in others if (when := _seconds(other.when)) > began), default=float("inf"))
    number = _number(record)
    found: dict[str, Path] = {}
    for path, file, mtime in _unchanged(project.root, record.cluster):
        plain = download.without_cluster(path, record.cluster, record.outputs)
        if number.search(plain) or began <= mtime < until:
            found[plain] = file
    return {path: found[path] for path in results(found, record, others)}


def _unchanged(root: Path, cluster: str) -> Iterator[tuple[str, Path, float]]:
    """Yield the files that were fetched from a cluster and are as they came: path, file and time."""
    for path, note in fetched_files.known(root).items():
        if note[0] == cluster and fetched_files.is_here(root, path, note):
            yield path, root / path, int(note[1]) / 10**9


def _seconds(when: str) -> float:
    try:
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        return 0


def require(found: Mapping[str, Path], record: "RunRecord") -> None:
    """Refuse to run tasks again whose results could not be compared with anything.

    Raises:
        RookeryError: There is none.
    """
    if not found:
        raise RookeryError(
            f"Run {record.id} has no results to compare with, on {record.cluster} or here: they were removed, or a "
            "later run wrote files of the same names.",
            hint="put {run} into the path of a job's results, and each run keeps its own: invoke docs run-arrays",
        )


def made(root: Path, outputs: Iterable[str], record: "RunRecord") -> dict[str, Path]:
    """Return the results below a project's folder that has those of one run alone.

    Args:
        root: The folder.
        outputs: Its folders of results.
        record: The run.
    """
    files = {
        os.path.relpath(file, root): file
        for output in outputs
        for file in sorted((root / output).rglob("*"))
        if file.is_file() and not file.is_symlink()
    }
    return {path: files[path] for path in results(files, record)}
