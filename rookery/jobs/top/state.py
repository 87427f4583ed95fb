"""What the screen of `top` shows: what each cluster answered last, and which of the jobs are wanted, in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rookery.clusters.cluster import NotApplicableError
from rookery.core.errors import RookeryError
from rookery.jobs.monitor import job_states
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot

ASKING, ANSWERS, SILENT, LOGIN = "asking", "answers", "silent", "login"
"""How a cluster stands: not answered yet; answered last time; did not; waits for a login by the user."""

NO_SLURM, NO_USER = "no scheduler", "no username"
"""How one stands that is not asked: it has no Slurm; the user's name there is not known."""

LOGIN_REASONS = frozenset({"denied", "unknown-key", "touch"})
"""Reasons of ssh's for which a login is not tried again by itself: the user has to type, compare or touch something."""

LATE = 75
"""Seconds after which an answer that is due has not come: `jobs --watch` pauses for 15 s, or for four times as long as
Slurm took to answer."""


@dataclass(frozen=True)
class JobRow:
    """A job of one of the clusters.

    Attributes:
        cluster: The cluster's name.
        run: The job.
        uid: The user's number there.
    """

    cluster: str
    run: JobRun
    uid: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from any other."""
        return self.cluster, self.run.id

    @cached_property
    def failed(self) -> int:
        """How many of its tasks failed."""
        return self.run.failed(self.uid)[1]

    @cached_property
    def order(self) -> int:
        """By its state: what runs before what waits, and what failed before what is done."""
        return 3 if self.run.running else 2 if self.run.waiting else 1 if self.failed else 0

    @cached_property
    def _words(self) -> tuple[str, str]:
        run = self.run
        return f"{self.cluster} {run.id} {run.name} {run.partition}".casefold(), f" {job_states.state(run)}".casefold()

    def matches(self, word: str) -> bool:
        """Return whether a word is part of its cluster, number, name or partition, or begins one of its state's."""
        text, state = self._words
        return word in text or f" {word}" in state


@dataclass(frozen=True)
class ClusterState:
    """A cluster as the screen knows it.

    Attributes:
        name: Its name.
        status: One of ASKING, ANSWERS, SILENT, LOGIN, NO_SLURM, NO_USER.
        rows: Its jobs, by the last answer that there was.
        snapshot: That answer; None where there was none.
        answered: When it came, by the clock here.
        problem: Why it does not answer, in a sentence.
        hint: The command that helps; "" for none.
        running: How many of its tasks run.
        waiting: How many wait.
    """

    name: str
    status: str = ASKING
    rows: tuple[JobRow, ...] = ()
    snapshot: SlurmSnapshot | None = None
    answered: float = 0
    problem: str = ""
    hint: str = ""
    running: int = 0
    waiting: int = 0

    def answer(self, snapshot: SlurmSnapshot, now: float) -> "ClusterState":
        """Return the state after an answer; an entry that is as before stays the same object."""
        before = {row.run.id: row for row in self.rows}
        rows = []
        for run in reversed(snapshot.runs):
            known = before.get(run.id)
            rows.append(known if known and known.run == run else JobRow(self.name, run, snapshot.uid))
        problem = ""
        if snapshot.squeue:
            problem = f"squeue does not answer ({snapshot.squeue})"
        elif snapshot.sacct and not snapshot.keeps_none:
            problem = f"sacct does not answer ({snapshot.sacct}): jobs that ended some minutes ago are missing"
        running, waiting = sum(run.running for run in snapshot.runs), sum(run.waiting for run in snapshot.runs)
        return ClusterState(self.name, ANSWERS, tuple(rows), snapshot, now, problem, running=running, waiting=waiting)

    def failure(self, error: RookeryError) -> "ClusterState":
        """Return the state after an error; what was known of the jobs is kept."""
        reason = getattr(error, "reason", "")
        status = LOGIN if reason in LOGIN_REASONS else SILENT
        if isinstance(error, NotApplicableError):
            status = NO_USER
        hint = error.hint if error.hint and error.hint.startswith("invoke ") else ""  # it is asked again by itself
        problem = " ".join(error.message.split())
        return replace(self, status=status, problem=problem, hint=hint)

    def age(self, now: float) -> float:
        """Return the seconds since the last answer; 0 where there was none."""
        return max(0.0, now - self.answered) if self.answered else 0.0

    def is_stale(self, now: float) -> bool:
        """Return whether what is known of its jobs may have changed since."""
        return self.status != ANSWERS or self.age(now) > LATE


def _submitted(row: JobRow) -> object:
    return row.run.submitted, row.run.id


def _state(row: JobRow) -> object:
    return row.order, row.run.submitted


def _name(row: JobRow) -> object:
    return row.run.name.casefold(), row.run.submitted


SORTS: dict[str, tuple[Callable[[JobRow], object], bool]] = {
    "when": (_submitted, True),
    "cluster": (lambda row: (row.cluster, -row.run.submitted), False),
    "job": (lambda row: (row.run.id, row.cluster), True),
    "name": (_name, False),
    "state": (_state, True),
    "time": (lambda row: row.run.elapsed, True),
    "cores": (lambda row: row.run.cpus, True),
    "memory": (lambda row: row.run.memory_peak, True),
    "now": (lambda row: row.run.memory_now, True),
}
"""By column: what it is sorted by, and whether the largest comes first."""


@dataclass(frozen=True)
class Query:
    """Which jobs are wanted, and in which order.

    Attributes:
        text: Words that each of them must have, in any case of letters.
        failed: Only those with failed tasks.
        sort: A key of SORTS.
        reverse: The other way round.
    """

    text: str = ""
    failed: bool = False
    sort: str = "when"
    reverse: bool = False

    def by(self, column: str) -> "Query":
        """Return the query sorted by a column; the other way round where it is by that already."""
        if column == self.sort:
            return replace(self, reverse=not self.reverse)
        return replace(self, sort=column, reverse=False)

    def next_sort(self) -> "Query":
        """Return the query sorted by the next column."""
        names = list(SORTS)
        return replace(self, sort=names[(names.index(self.sort) + 1) % len(names)], reverse=False)


def wanted(clusters: Iterable[ClusterState], query: Query) -> tuple[JobRow, ...]:
    """Return the jobs that are wanted, in their order."""
    words = query.text.casefold().split()
    rows = [
        row
        for cluster in clusters
        for row in cluster.rows
        if (not query.failed or row.failed) and all(map(row.matches, words))
    ]
    key, descending = SORTS[query.sort]
    rows.sort(key=key, reverse=descending != query.reverse)  # type: ignore[arg-type]
    return tuple(rows)


def totals(clusters: Sequence[ClusterState]) -> str:
    """Return how many jobs there are, and tasks that run and wait, in a few words."""
    count = sum(len(cluster.rows) for cluster in clusters)
    counts = {
        "running": sum(cluster.running for cluster in clusters),
        "waiting": sum(cluster.waiting for cluster in clusters),
    }
    tasks = [f"{number} {word}" for word, number in counts.items() if number]
    jobs = f"{count} job{'' if count == 1 else 's'}"
    return f"{jobs}; tasks: {', '.join(tasks)}" if tasks else jobs
