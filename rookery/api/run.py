"""`rookery.Run`: a run of a job, followed from a program."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.api import calls
from rookery.api.table import Table
from rookery.core.errors import RookeryError
from rookery.jobs.monitor import accounting, cancel, job_states, job_table, logs, watch
from rookery.jobs.options import CancelOptions, CombineOptions, FetchOptions, LogsOptions
from rookery.jobs.results import combine, fetch
from rookery.jobs.run_record import RunRecord
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.jobs.monitor.accounting import JobRun
    from rookery.jobs.monitor.log_stream import LogStream
    from rookery.jobs.results.combine import Combined
    from rookery.projects.target import Target


@dataclass(frozen=True)
class Run:
    """A run of a job.

    Attributes:
        number: The job's number.
        job: The job's name.
        cluster: Where it runs.
        record: What ran: commit, parameters, job script.
        notes: What the submission noted.
        root: The project's folder.
    """

    number: str
    job: str
    cluster: str
    record: RunRecord
    notes: tuple[str, ...]
    root: Path

    def __repr__(self) -> str:
        """Return it in short."""
        return f"Run({self.number!r}, job={self.job!r}, cluster={self.cluster!r})"

    def known(self) -> Mapping[str, Any]:
        """Return the options that are the same for all of its commands."""
        return {"job": self.number, "cluster": self.cluster, "project": str(self.root), "sandbox": self._sandbox}

    @property
    def state(self) -> str:
        """The state as `rookery jobs` shows it; the cluster is asked each time."""
        with calls.quietly():
            target = self._target()
            target.connection.open()
            snapshot = accounting.ask(target.connection, ids=[self.number])
            job_table.check(snapshot, target.cluster.name)
            run = snapshot.run(self.number)
            if run is None:
                raise RookeryError(
                    f"{snapshot.unknown(self.cluster, self.number)}.",
                    hint=f"invoke jobs --all --days 30{target.flags}",
                )
            return job_states.state(run)

    def wait(self, *, check: bool = True, on_change: Callable[[str], object] | None = None) -> "Run":
        """Wait until it has ended, and return it. The job keeps running if the wait is interrupted.

        Args:
            check: Raise an error where a task did not complete.
            on_change: Called with a line when the state changes, such as `print`; by default nothing is shown.

        Raises:
            RookeryError: A task did not complete (with `check`), or Slurm does not answer.
        """
        with calls.quietly():
            target = self._target()
            target.connection.open()
            run = watch.ended(target, self.number, on_change=on_change).run(self.number)
            if check and (run is None or run.completed_count < run.total):
                raise self._failed(run, target)
        return self

    def _failed(self, run: "JobRun | None", target: "Target") -> RookeryError:
        state = f": {job_states.state(run)}" if run else ""
        return RookeryError(
            f"Job {self.number} ({self.job}) did not succeed{state}.", hint=f"invoke logs {self.number}{target.flags}"
        )

    def log(self, task: int | None = None, *, error: bool = False) -> str:
        """Return what it has printed so far.

        Args:
            task: The task of an array [one that failed, or the first].
            error: The error log, if it is a separate file.

        Raises:
            RookeryError: There is no log yet.
        """
        pieces: list[bytes] = []

        def take(stream: "LogStream") -> bool:
            pieces.extend(stream.pieces())
            return bool(pieces)

        with calls.quietly():
            target = self._target()
            target.connection.open()
            number = self.number if task is None else f"{self.number}_{task}"
            logs.read(target, LogsOptions(job=number, error=error, cluster=self.cluster, sandbox=self._sandbox), take)
        return b"".join(pieces).decode(errors="replace")

    @calls.takes(FetchOptions, "job", "cluster")
    def fetch(self, options: FetchOptions) -> dict[str, Any]:
        """Copy its results into the project, and return what `rookery fetch --json` prints."""
        return fetch.carry_out(options).document()

    @calls.takes(CombineOptions, "job", "cluster", "check", "plot", "plot_by")
    def table(self, options: CombineOptions) -> Table:
        """Fetch its results, and combine them into one table.

        Raises:
            RookeryError: A task has no result, or a file can't be used; `Project.combine` returns what there is.
        """
        fetch.carry_out(FetchOptions(json=True, **self.known()))
        combined = combine.carry_out(options)
        lines, following = combined.problems()
        if combined.code:
            raise RookeryError("\n".join([f"The table of run {self.number} is not complete.", *lines]), hint=following)
        return combined_table(combined)

    def cancel(self) -> None:
        """Cancel it.

        Raises:
            RookeryError: It has ended already, or is not yours.
        """
        with calls.quietly():
            options = CancelOptions(job=self.number, cluster=self.cluster, sandbox=self._sandbox, yes=True)
            cancel.carry_out(self._target(), options)

    @property
    def _sandbox(self) -> bool:
        return self.record.cluster != self.cluster

    def _target(self) -> "Target":
        return targets.find(self.cluster, str(self.root), sandbox=self._sandbox)


def of_record(root: Path, record: RunRecord, notes: tuple[str, ...] = ()) -> Run:
    """Return the run of a record."""
    return Run(record.id, record.job, record.cluster.removesuffix("-sandbox"), record, notes, root)


def combined_table(combined: "Combined") -> Table:
    """Return the table that was written."""
    outcome = combined.outcome
    assert outcome is not None  # noqa: S101 it was written
    path = combined.project.root / combined.options.output
    text = path.read_bytes().decode("utf-8", "replace")
    return Table(path, outcome.columns, tuple(outcome.missing), text)
