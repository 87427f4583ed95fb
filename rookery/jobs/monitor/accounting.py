"""Read what Slurm knows of the user's jobs: one remote command, an entry for each job, an array being one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.core import console
from rookery.jobs import measured_runs
from rookery.jobs.measured_runs import MeasuredRun
from rookery.remote.slurm import forms
from rookery.remote.slurm.forms import NO_ACCOUNTS, expression, numbers

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

WAITING = frozenset(forms.WAITING)
ACTIVE = frozenset(forms.ACTIVE)
"""States of a task that has not ended."""


@dataclass(frozen=True)
class JobRun:
    """A job, or an array with all its tasks.

    Attributes:
        id: Its number.
        array: Whether it is an array.
        name: Its name.
        folder: Where it runs.
        partition: Its partition.
        limit: Seconds it may run, or Slurm's word for none.
        depends: What it waits for, in Slurm's words.
        submitted: When, in seconds since 1970; so all times below. 0 for unknown.
        start: When its first task began.
        end: When its last task ended; 0 as long as one has not.
        expected: When Slurm thinks that it begins.
        total: How many tasks it has.
        counts: How many are in each state.
        tasks: Which, as Slurm's expressions; empty where it is no array.
        reasons: Why tasks wait, in Slurm's codes, and how many for each.
        cancelled_by: Which tasks each user cancelled, by the user's number, "0" for Slurm itself; the task is "0" where
            it is no array. Those with an unknown user are left out.
        exits: Exit statuses other than 0:0, "status:signal", and which tasks had them.
        elapsed: Seconds of the task that has run longest so far.
        longest: Seconds of the longest that has ended.
        cpus: Cores of each task.
        cpu_used: Seconds of CPU that ended tasks used.
        cpu_given: Seconds of CPU that they had.
        memory_asked: Memory each asked for on a node, in kB; 0 for unknown.
        memory_peak: The most that one used, in kB; 0 for not measured.
        memory_peak_task: Which that was.
        killed_for_memory: Tasks that were; "yes" where it is no array; "" for none.
        running_longest: Seconds of the running task that has run longest.
        measured_now: How many running tasks were measured; the following is of these, where that was asked for.
        memory_now: The most memory that one uses now on a node, in kB; 0 for not measured.
        memory_now_task: Which that is.
        cores_now: Cores that one used on average since it started; 0 for not measured.
        gpus_now: How many GPUs were looked at.
        gpu_now: How busy they are on average, in percent; None for not measured.
        gpu_memory_now: Memory used on the fullest of them, in kB.
        gpu_memory_given: Memory that this one has.
        failed_of: Number of the run whose failed tasks these are, where that was asked for; "" for none.
        parts: Of a job that runs in parts (`total_time`): their `count`, the `seconds` of those that have ended, the
            `total` that they may have together; empty for other jobs.
        part_jobs: Numbers of the jobs that are these parts, where each is one; `id` is the first.
    """

    id: int
    array: bool = False
    name: str = ""
    folder: str = ""
    partition: str = ""
    limit: str = ""
    depends: str = ""
    submitted: int = 0
    start: int = 0
    end: int = 0
    expected: int = 0
    total: int = 1
    counts: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    cancelled_by: Mapping[str, str] = field(default_factory=dict)
    exits: Mapping[str, str] = field(default_factory=dict)
    elapsed: int = 0
    longest: int = 0
    cpus: int = 0
    cpu_used: float = 0
    cpu_given: float = 0
    memory_asked: int = 0
    memory_peak: int = 0
    memory_peak_task: int | None = None
    killed_for_memory: str = ""
    running_longest: int = 0
    measured_now: int = 0
    memory_now: int = 0
    memory_now_task: int | None = None
    cores_now: float = 0
    gpus_now: int = 0
    gpu_now: float | None = None
    gpu_memory_now: int = 0
    gpu_memory_given: int = 0
    failed_of: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)
    part_jobs: Sequence[int] = ()

    def is_called(self, number: str) -> bool:
        """Return whether a number is the job's, or that of one of its parts."""
        return number in {str(self.id), *map(str, self.part_jobs)}

    @property
    def waiting(self) -> int:
        """How many tasks have not begun."""
        return sum(count for state, count in self.counts.items() if state in WAITING)

    @property
    def running(self) -> int:
        """How many tasks are at work."""
        return sum(count for state, count in self.counts.items() if state in ACTIVE - WAITING)

    @property
    def completed_count(self) -> int:
        """How many tasks have completed."""
        return self.counts.get("COMPLETED", 0)

    @property
    def failed_count(self) -> int:
        """How many tasks have ended otherwise."""
        return self.total - self.waiting - self.running - self.completed_count

    @property
    def cores_used(self) -> float:
        """How many cores a task used, on average over those that have ended; 0 for unknown."""
        return self.cpu_used / self.cpu_given * self.cpus if self.cpu_given else 0

    @property
    def is_active(self) -> bool:
        """Whether a task has not ended."""
        return bool(self.waiting or self.running)

    def failed(self, uid: int) -> tuple[str, int]:
        """Return the tasks that failed, as Slurm's expression, and how many there are.

        Those that the user cancelled are not among them, nor those of which nobody tells who did, unless the job runs
        in parts: then they can be continued. Those that the system cancelled are.

        Args:
            uid: The user's number there.
        """
        kept = {"COMPLETED", *ACTIVE} if self.parts else {"COMPLETED", "CANCELLED", *ACTIVE}
        states = [state for state in self.counts if state not in kept]
        lost = (
            []
            if self.parts
            else [number for user, tasks in self.cancelled_by.items() if user != str(uid) for number in numbers(tasks)]
        )
        count = sum(self.counts[state] for state in states) + len(lost)
        tasks = [number for state in states for number in numbers(self.tasks.get(state, ""))]
        return expression([*tasks, *lost]) if self.array else "", count


@dataclass(frozen=True)
class SlurmSnapshot:
    """Slurm's answers at one moment.

    Attributes:
        now: The time there.
        uid: The user's number there.
        runs: The jobs, the oldest first.
        squeue: Why squeue failed; "" where it did not.
        sacct: Why sacct failed.
        live: Why nothing was measured of running jobs; "" where it was, or was not asked for.
    """

    now: int
    uid: int
    runs: tuple[JobRun, ...]
    squeue: str = ""
    sacct: str = ""
    live: str = ""

    @property
    def keeps_none(self) -> bool:
        """Whether the cluster keeps no accounts at all (AccountingStorageType=accounting_storage/none)."""
        return NO_ACCOUNTS in self.sacct

    def run(self, number: str) -> JobRun | None:
        """Return the job of a number."""
        return next((run for run in self.runs if run.is_called(number)), None)

    def unknown(self, cluster: str, number: str) -> str:
        """Return why jobs were not found."""
        return unknown(cluster, number, self.squeue or self.sacct)


def unknown(cluster: str, number: str, silent: str) -> str:
    """Return why jobs were not found: there are none, or a part of Slurm does not answer, for this reason."""
    jobs = f"job{'s' * (',' in number)} {number}"
    if not silent:
        return f"Unknown {jobs} on {cluster}"
    return (
        f"Can't find {jobs}: Slurm on {cluster} does not fully answer ({silent}); a job that was submitted is not lost"
    )


def read(answer: Mapping[str, Any]) -> SlurmSnapshot:
    """Return the snapshot from the program's answer, made fit for a terminal."""
    known = {field.name for field in fields(JobRun)}
    texts = ("name", "folder", "partition", "limit", "depends")
    runs = []
    for entry in answer["jobs"]:
        values = {key: value for key, value in entry.items() if key in known}
        values |= {key: _line(values[key]) for key in texts}
        values["reasons"] = {_line(reason): count for reason, count in values["reasons"].items()}
        runs.append(JobRun(**values))
    told = [_line(answer.get(part, "")) for part in ("squeue", "sacct", "live")]
    return SlurmSnapshot(answer["now"], answer["uid"], tuple(runs), *told)


def ask(  # noqa: PLR0913 which jobs, and what of them
    connection: "Connection",
    *,
    ids: Sequence[str] = (),
    project: str = "",
    days: int = 7,
    reruns_of: str = "",
    live: bool = False,
) -> SlurmSnapshot:
    """Ask Slurm, in one remote command.

    Args:
        connection: The cluster's, open.
        ids: Numbers of the jobs; none for all of the last days.
        project: That of which the jobs are; "" for all.
        days: How far back to look, where no number is named.
        reruns_of: The project by whose records there the runs are added that did the same tasks as the jobs.
        live: Measure what running jobs use, too.
    """
    request = {"ids": list(ids), "project": project, "days": days, "reruns_of": reruns_of, "live": live}
    snapshot = read(remote_client.call(connection, "accounting", request))
    measured_runs.keep(connection.cluster, _measured(snapshot))
    return snapshot


def watch(  # noqa: PLR0913 which jobs, and what of them
    connection: "Connection",
    *,
    ids: Sequence[str] = (),
    project: str = "",
    days: int = 7,
    live: bool = False,
    on_start: Callable[[Callable[[], object]], object] = callable,
) -> Iterator[SlurmSnapshot]:
    """Yield snapshots from one remote command that stays, until all jobs have ended.

    Args:
        connection: The cluster's, open.
        ids: Numbers of the jobs; none for all of the last days.
        project: That of which the jobs are; "" for all.
        days: How far back to look, where no number is named.
        live: Measure what running jobs use, too.
        on_start: Called with a function that ends the command from another thread.
    """
    request = {"ids": list(ids), "project": project, "days": days, "watch": True, "live": live}
    for answer in remote_client.stream(connection, "accounting", request, on_start):
        snapshot = read(answer)
        measured_runs.keep(connection.cluster, _measured(snapshot))
        yield snapshot


def _measured(snapshot: SlurmSnapshot) -> Iterator[MeasuredRun]:
    """Yield what the runs used of which every task has completed."""
    for run in snapshot.runs:
        if run.completed_count == run.total and run.longest and run.submitted:
            yield MeasuredRun(
                id=str(run.id),
                submitted=run.submitted,
                seconds=run.longest,
                kilobytes=run.memory_peak,
                millicores=round(1000 * run.cores_used),
            )


def _line(text: object) -> str:
    return " ".join(console.clean(text).split())
