"""Find the files that a run wrote: on its cluster, or else those that `fetch` brought here while they were there."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting
from rookery.jobs.results import download, remote_listing
from rookery.jobs.results.download import Arrivals
from rookery.projects import fetched_files, remote_paths, run_folders
from rookery.remote.slurm import reruns
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
    from rookery.jobs.options import ReproduceOptions
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

_LATE = 2
"""Seconds after a job's end at which a file server may say that it was written."""

_ALWAYS = float("inf")

Span = tuple[float, float]
"""When a job began and when it ended, in seconds since 1970."""

NEVER: Span = (_ALWAYS, 0)
"""Of a job that never began."""


@dataclass(frozen=True)
class Originals:
    """Files of a run.

    Attributes:
        files: By their paths in the project.
        doubtful: Paths of those that another run may have written instead: it was running when they were written.
        rewritten: How many files more there are that a run of another commit has written since, for failed tasks.
    """

    files: Mapping[str, Path]
    doubtful: frozenset[str] = frozenset()
    rewritten: int = 0


def results(files: Iterable[str], record: "RunRecord", others: Iterable["RunRecord"] = ()) -> list[str]:
    """Return the paths of results among those of a run's files: no logs, records or tables of parameters.

    Args:
        files: Paths in the project.
        record: The run.
        others: Other runs on its cluster, whose logs may be among the files, too.
    """
    runs = (record, *others)
    patterns = {_log(run, log) for run in runs for log in (run.log, run.error_log) if log}
    logs = re.compile("|".join(sorted(patterns)) or "(?!)")
    tables = tuple(f"_{run.id}.params.csv" for run in runs)
    mail = re.compile(rf"(?<!\d){record.mail_job}(?!\d)") if record.mail_job else None
    return [
        path
        for path in files
        if not path.startswith(f"{run_record.FOLDER}/")
        and not path.endswith(tables)
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
    connection: "Connection", project: "Project", record: "RunRecord", others: Sequence["RunRecord"], folder: Path
) -> Originals:
    """Fetch a run's results from its cluster into a folder; return them by their paths in the project.

    Args:
        connection: The cluster's, open.
        project: The project.
        record: The run.
        others: The other runs on its cluster.
        folder: Where to; what is there already is not sent again.
    """
    outputs = record.outputs or project.outputs
    base = str(remote_paths.base(project.name))
    folders = remote_listing.folders(outputs, project.outputs, record.release)
    listing = remote_listing.listing(connection, base, folders, record.id)
    if listing is None:
        return Originals({})
    first = run_record.completed(project.root, record).id
    files = {file.path: file for file in remote_listing.of_job(listing, record.id, first, project.run_folders)}
    times = {path: files[path].mtime / 10**9 for path in results(files, record, others)}
    number = _number(record)
    own, spans = (listing.submitted or _ALWAYS, (listing.ended or _ALWAYS) + _LATE), list[Span]()
    if not all(map(number.search, times)):
        family = _family(record, others)
        others_when = {other.id: other.submitted for other in others if other.id not in family}
        snapshot = accounting.ask(connection, ids=[record.id, *others_when])
        own, spans = _spans(snapshot, own, record.id, others_when)
    until = _rewritten(record, others)
    chosen, doubtful = attributed(times, number, own, spans, until=until)
    rewritten = sum(time >= until and bool(number.search(path)) for path, time in times.items())
    folder.mkdir(parents=True, exist_ok=True)
    arrivals = Arrivals(folder, record.cluster)
    plan = arrivals.plan([files[path] for path in chosen], outputs)
    try:
        if plan.bring:
            with remote_listing.sent(connection, base, plan.bring) as coming:
                for _ in arrivals.take(coming):
                    pass
    finally:
        arrivals.close()
    found = {path: folder / path for path in chosen if (folder / path).is_file()}
    return Originals(found, frozenset(doubtful), rewritten)


def attributed(
    times: Mapping[str, float],
    number: "re.Pattern[str]",
    own: Span,
    others: Sequence[Span] = (),
    *,
    until: float = _ALWAYS,
) -> tuple[list[str], list[str]]:
    """Return the paths of files that a run wrote, and which of them another run may have written instead.

    Its files have its number in their paths, or were written while it ran.

    Args:
        times: When each file was written, in seconds since 1970, by its path.
        number: What finds the run's number in a path.
        own: When the run was there.
        others: When other runs were.
        until: When what is there of it began to be written again by a run of another commit.
    """
    chosen, doubtful = [], []
    for path, time in times.items():
        has_number = number.search(path)
        if time >= until or not (has_number or own[0] <= time <= own[1]):
            continue
        chosen.append(path)
        if not has_number and any(began <= time <= ended for began, ended in others):
            doubtful.append(path)
    return chosen, doubtful


def _family(record: "RunRecord", others: Iterable["RunRecord"]) -> set[str]:
    """Return the numbers of the runs that did tasks of a run, or of the one that it completes; its own, too."""
    return set(reruns.family(record.id, {run.id: run.failed_of for run in (*others, record)}))


def _rewritten(record: "RunRecord", others: Sequence["RunRecord"]) -> float:
    """Return when the first run of another commit began to do failed tasks of a run again."""
    return min((run.submitted for run in _of_other_commits(record, others)), default=_ALWAYS)


def _of_other_commits(record: "RunRecord", others: Sequence["RunRecord"]) -> list["RunRecord"]:
    """Return the later runs of another commit that did failed tasks of a run again."""
    family = _family(record, others)
    return [run for run in others if run.id in family and run.when > record.when and run.commit != record.commit]


def _spans(snapshot: "SlurmSnapshot", own: Span, number: str, others: Mapping[str, float]) -> tuple[Span, list[Span]]:
    """Return when a run was running, and when others were: where Slurm does not tell, ever since they were submitted.

    Args:
        snapshot: What Slurm knows of them.
        own: When the run was there, as far as that is known otherwise.
        number: The run's.
        others: When other runs were submitted, by their numbers.
    """
    spans = {str(run.id): span_of(run) for run in snapshot.runs if run.start}
    own = spans.pop(number, own)
    return own, [(when, _ALWAYS) for when in others.values()] if snapshot.sacct else list(spans.values())


def span_of(run: "JobRun") -> Span:
    """Return when a job was running, and its last files were written."""
    return run.start or _ALWAYS, (run.end or _ALWAYS) + _LATE


def _number(record: "RunRecord") -> "re.Pattern[str]":
    """Return what finds a job's number in a path; nothing where it may be a task's as well: only times tell then."""
    return re.compile("(?!)" if int(record.id) in numbers(record.array) else rf"(?<!\d){record.id}(?!\d)")


def here(project: "Project", record: "RunRecord", others: Sequence["RunRecord"]) -> dict[str, Path]:
    """Return the results of a run that were fetched into the project and are unchanged, by their paths there.

    None is in the folder of another run, also if it was written while this run was there.

    Args:
        project: The project.
        record: The run.
        others: The other runs on its cluster: what was written after the next of them began may be that one's.
    """
    began = record.submitted
    later = (other.submitted for other in others if other.id != record.id and other.submitted >= began)
    first = run_record.completed(project.root, record).id
    found, times = dict[str, Path](), dict[str, float]()
    for path, file, mtime in _unchanged(project.root, record.cluster):
        plain = download.without_cluster(path, record.cluster, record.outputs)
        if run_folders.run_of(plain, project.run_folders) in {"", first}:
            found[plain], times[plain] = file, mtime
    times = {path: times[path] for path in results(times, record, others)}
    chosen, _ = attributed(
        times, _number(record), (began, min(later, default=_ALWAYS)), until=_rewritten(record, others)
    )
    return {path: found[path] for path in chosen}


def _unchanged(root: Path, cluster: str) -> Iterator[tuple[str, Path, float]]:
    """Yield the files that were fetched from a cluster and are as they came: path, file and time."""
    for path, note in fetched_files.known(root).items():
        if note[0] == cluster and fetched_files.is_here(root, path, note):
            yield path, root / path, int(note[1]) / 10**9


def require(found: Originals, record: "RunRecord", others: Sequence["RunRecord"], options: "ReproduceOptions") -> None:
    """Refuse to run tasks again whose results could not be compared with anything.

    Args:
        found: The results.
        record: The run.
        others: The other runs on its cluster.
        options: The options of `reproduce`.

    Raises:
        RookeryError: There is none.
    """
    if not found.files and found.rewritten:
        rerun = min(_of_other_commits(record, others), key=lambda run: run.submitted)
        raise RookeryError(
            f"Run {record.id} has no results to compare with: run {rerun.id} wrote them, with another commit "
            f"({rerun.commit[:7]} instead of {record.commit[:7]}).",
            hint=replace(options, job=rerun.id).command("reproduce"),
        )
    if not found.files:
        raise RookeryError(
            f"Run {record.id} has no results to compare with, on {record.cluster} or here: they were removed, or a "
            "later run wrote files of the same names.",
            hint="put {run} into the path of a job's results, and each run keeps its own: invoke docs run-arrays",
        )


def made(
    root: Path, outputs: Iterable[str], record: "RunRecord", own: Span, before: Sequence[tuple["RunRecord", Span]] = ()
) -> Originals:
    """Return the results of a run below the folder of a copy, which has those of no other runs but some before it.

    Args:
        root: The folder.
        outputs: Its folders of results.
        record: The run.
        own: When it ran.
        before: The runs before it, and when they ran.
    """
    files = {
        os.path.relpath(file, root): file
        for output in outputs
        for file in sorted((root / output).rglob("*"))
        if file.is_file() and not file.is_symlink()
    }
    chosen, doubtful = results(files, record, [run for run, _ in before]), list[str]()
    if before:
        times = {path: files[path].stat().st_mtime for path in chosen}
        chosen, doubtful = attributed(times, _number(record), own, [span for _, span in before])
    return Originals({path: files[path] for path in chosen}, frozenset(doubtful))
