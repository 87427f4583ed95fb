"""`fetch --follow`: bring a run's results and logs while its job runs, by one remote command that tells what is new."""

import base64
import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.core import console, locking, paths, sizes
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.results import remote_listing
from rookery.jobs.results.archive import File
from rookery.jobs.results.download import Arrivals, Plan
from rookery.projects import remote_paths

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

_PART = 1 << 20

_MOST_HERE = 1000
"""Logs of which the cluster is told how much is here: a command line has room for no more, others are sent again."""

_REWRITTEN = 2 << 20
"""Bytes a second up to which a log that grows is written here: all of it each time, so that it is never in parts."""

_TOLD = 60.0
"""Seconds between two lines without a terminal that tell of logs alone."""

Piece = tuple[str, int, int, int, str]
"""Of a log: its path there, where the piece begins and ends, the log's time, the piece in base64."""


@dataclass
class Followed:
    """What has been brought.

    Attributes:
        files: The files, as they were brought last, by path.
        updated: Those that replaced an older version that was here before.
        size: Bytes that came.
    """

    files: dict[str, File] = field(default_factory=dict)
    updated: set[str] = field(default_factory=set)
    size: int = 0

    def merged(self, plan: Plan, brought: Sequence[File]) -> list[File]:
        """Return what was brought in all; the plan of the last part becomes that of the whole.

        Args:
            plan: Of what was fetched at the end.
            brought: What came of that.
        """
        last = {file.path for file in plan.bring}
        earlier = [file for path, file in self.files.items() if path not in last]
        plan.here -= len(earlier)
        plan.updated = {path for path in plan.updated if path not in self.files} | self.updated
        plan.bring = [*earlier, *plan.bring]
        return [*earlier, *brought]


class RunFollower:
    """The files of one run, which are brought as they come."""

    def __init__(
        self,
        connection: "Connection",
        project: "Project",
        record: "RunRecord",
        outputs: tuple[str, ...],
        check: Callable[[Plan, int], RookeryError | None],
    ) -> None:
        """Prepare it.

        Args:
            connection: The cluster's, open.
            project: The project.
            record: The run's.
            outputs: Outputs to look into.
            check: Returns an error where a plan is more than may be brought after so many bytes.
        """
        self._connection, self._project, self._record = connection, project, record
        self._outputs, self._check = outputs, check
        self._folders = remote_listing.folders(outputs, project.outputs, record.release)
        self._files: list[tuple[str, int, int]] = []
        self._logs: list[LogPiece] = []
        self._written: dict[str, float] = {}
        self.followed = Followed()

    def until_end(self, *, quiet: bool) -> Followed:
        """Bring files until the job has ended.

        Args:
            quiet: Whether to print nothing where there is no terminal.

        Raises:
            RookeryError: The connection broke off, or there is more than may be brought.
        """
        what = f"Following job {self._record.id} on {self._connection.cluster.name}"
        told, told_files = 0.0, -1
        live = console.LiveStatus([what])
        with live:
            live.say(what, f"{what}: nothing new yet (Ctrl-C stops following; the job keeps running)")
            for answer in remote_client.stream(self._connection, "new_outputs", self._request()):
                if answer["state"] == "ended":
                    self._take((), (), is_last=True)
                    break
                if not self._take(answer["files"], answer["logs"]):
                    continue
                count = len(self.followed.files)
                line = f"{what}: {count:,} file{'' if count == 1 else 's'}, {sizes.of_bytes(self.followed.size)}"
                live.say(what, line)
                if not quiet and not sys.stdout.isatty() and (count != told_files or time.monotonic() - told >= _TOLD):
                    told, told_files = time.monotonic(), count
                    console.say(line)
                    sys.stdout.flush()
        return self.followed

    def _request(self) -> dict[str, Any]:
        """Return the request: where to look, what logs are called, and how much of them is here."""
        pattern = log_pattern(self._record)
        arrivals, logs = self._arrivals(), re.compile(pattern)
        here = {there: size for path, size in arrivals.sizes() if pattern and logs.match(there := f"current/{path}")}
        return {
            "base": str(remote_paths.base(self._project.name)),
            "folders": self._folders,
            "job": self._record.id,
            "logs": pattern,
            "here": dict(list(here.items())[-_MOST_HERE:]),
        }

    def _arrivals(self) -> Arrivals:
        return Arrivals(self._project.root, self._connection.cluster.label, self._project.run_folders)

    def _take(self, files: Iterable[tuple[str, int, int]], pieces: Iterable[Piece], *, is_last: bool = False) -> bool:
        """Bring what an answer tells of; return whether anything came.

        Where another `fetch` of the project is at work, it waits for the next answer; so it does with what is added to
        a large log.

        Args:
            files: Whole files.
            pieces: What is added to logs.
            is_last: Whether no other answer comes.
        """
        self._files += files
        self._logs, now = joined(pieces, self._logs), time.monotonic()
        due = [log for log in self._logs if is_last or log.is_due(now - self._written.get(log.there, -math.inf))]
        if not self._files and not due:
            return False
        before = (len(self.followed.files), self.followed.size)
        try:
            with locking.held(lock(self._project.root)):
                files, self._files = self._files, []
                self._logs = [log for log in self._logs if log not in due]
                self._written |= dict.fromkeys((log.there for log in due), now)
                arrivals = self._arrivals()
                try:
                    self._bring_files(arrivals, files)
                    self._bring_logs(arrivals, due)
                finally:
                    arrivals.close()
        except locking.HeldError:
            return False
        return (len(self.followed.files), self.followed.size) != before

    def _bring_files(self, arrivals: Arrivals, told: Iterable[tuple[str, int, int]]) -> None:
        listed = [File(remote_listing.in_project(there), there, size, mtime) for there, size, mtime in told]
        plan = self._planned(arrivals, listed)
        if not plan.bring:
            return
        arrivals.expect(plan.bring)
        base = str(remote_paths.base(self._project.name))
        with remote_listing.sent(self._connection, base, plan.bring) as coming:
            for file in arrivals.take(coming):
                self._note(file, file.size, is_update=file.path in plan.updated)

    def _bring_logs(self, arrivals: Arrivals, logs: Iterable["LogPiece"]) -> None:
        """Add pieces to logs, each of which is replaced in one step."""
        for log in logs:
            file = File(remote_listing.in_project(log.there), log.there, log.end, log.mtime)
            plan = self._planned(arrivals, [file], here=log.begin)
            for wanted in plan.bring:
                before = self._project.root / wanted.path
                if log.begin and not (before.is_file() and before.stat().st_size == log.begin):
                    continue  # a piece is missing here: the fetch at the end brings the whole log
                arrivals.expect([wanted])
                for _ in arrivals.take([(wanted, log.content(before))]):
                    self._note(wanted, log.end - log.begin, is_update=bool(plan.updated))

    def _planned(self, arrivals: Arrivals, files: Iterable[File], *, here: int = 0) -> Plan:
        """Return what to bring of some files: those of this run.

        Args:
            arrivals: What is here.
            files: The files.
            here: How many of their bytes need not come.

        Raises:
            RookeryError: It is more than may be brought.
        """
        listing = remote_listing.RemoteListing(tuple(files), submitted=int(self._record.submitted) or None)
        run = run_record.completed(self._project.root, self._record).id
        own = remote_listing.of_job(listing, self._record.id, run, self._project.run_folders)
        plan = arrivals.plan(own, self._outputs)
        if error := self._check(plan, self.followed.size - here):
            raise error
        return plan

    def _note(self, file: File, size: int, *, is_update: bool) -> None:
        if is_update and file.path not in self.followed.files:
            self.followed.updated.add(file.path)
        self.followed.files[file.path] = file
        self.followed.size += size


@dataclass
class LogPiece:
    """What is added to a log.

    Attributes:
        there: Its path in the project's folder on the cluster.
        begin: Where the piece begins, in bytes.
        end: Where it ends.
        mtime: The log's time there, in nanoseconds since 1970.
        texts: The piece, in parts.
    """

    there: str
    begin: int
    end: int
    mtime: int
    texts: list[bytes]

    def is_due(self, since: float) -> bool:
        """Return whether to write the log now: it is small or new, it has grown much, or has waited for long enough.

        Args:
            since: Seconds since it was written last.
        """
        return self.end - self.begin >= self.begin // 10 or since >= self.end / _REWRITTEN

    def content(self, before: Path) -> Iterator[bytes]:
        """Yield the log as it is with the piece.

        Args:
            before: The log without it.
        """
        if self.begin:
            with before.open("rb") as stream:
                while part := stream.read(_PART):
                    yield part
        yield from self.texts


def lock(root: Path) -> str:
    """Return the name of the lock that commands hold which fetch files of a project."""
    return f"fetch-{paths.digest(root)}"


def record_of(project: "Project", job: str, cluster: "Cluster", flags: str) -> "RunRecord":
    """Return the record of the run to follow: the one named, or the project's latest there.

    Raises:
        RookeryError: There is none here.
    """
    if job:
        if record := run_record.find(project.root, job, cluster.label):
            return record
        raise RookeryError(f"Run {job} has no record in runs/.", hint=f"invoke fetch{flags}   # fetches records, too")
    if record := run_record.latest(project.root, cluster.label):
        return record
    raise RookeryError(
        f"No job of this project was submitted to {cluster.name} yet.",
        hint=f"invoke submit {next(iter(project.jobs), 'JOB')}{flags}",
    )


def joined(pieces: Iterable[Piece], earlier: Iterable[LogPiece] = ()) -> list[LogPiece]:
    """Return pieces, those that follow on each other as one; without those that are not as long as they say.

    Args:
        pieces: The pieces.
        earlier: Those that came before, to which these are added.
    """
    logs = {log.there: log for log in earlier}
    for there, begin, end, mtime, text in pieces:
        part = base64.b64decode(text)
        if len(part) != end - begin:
            continue
        log = logs.get(there)
        if log and log.end == begin:
            log.texts.append(part)
            log.end, log.mtime = end, mtime
        else:
            logs[there] = LogPiece(there, begin, end, mtime, [part])
    return list(logs.values())


def log_pattern(record: "RunRecord") -> str:
    """Return a pattern of the paths of a run's logs, in the project's folder there; "" where they are in no output.

    Only what Slurm fills in with numbers, or is the same for all tasks, is filled in: the rest may be anything.
    """
    patterns = []
    for log in filter(None, (record.log, record.error_log)):
        path = PurePosixPath(log)
        if not record.release or not path.is_relative_to(record.release):
            continue
        parts = re.split(r"%[0-9]*([A-Za-z%])", str(path.relative_to(record.release)))
        texts = [_LETTERS.get(part, r"[^/]*") if number % 2 else re.escape(part) for number, part in enumerate(parts)]
        patterns.append("".join(record.id if text == "A" else text for text in texts))
    return rf"(?:current|releases/[^/]+)/(?:{'|'.join(patterns)})\Z" if patterns else ""


_LETTERS = {"A": "A", "a": "[0-9]+", "j": "[0-9]+", "%": "%"}
"""Slurm's letters in names of logs (sbatch(1), filename pattern); A becomes the job's number."""
