"""What the tasks of runs used and how they ended: kept from earlier questions, and asked of the cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from rookery.clusters.login_node import remote_client
from rookery.core import console
from rookery.jobs import measured_runs
from rookery.jobs.history.percentiles import Groups, largest
from rookery.jobs.measured_runs import MeasuredRun
from rookery.remote.slurm.forms import NO_ACCOUNTS

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

DAYS = 90
"""How far back accounting is asked; what was kept here from earlier is added."""

_PATIENCE = 400
"""Seconds that the cluster is given: sacct is asked twice."""


@dataclass(frozen=True)
class RunUse:
    """What the tasks of a run used; groups are values with how many tasks have each.

    Attributes:
        id: Its number.
        submitted: When, in seconds since 1970.
        end: When its last task ended; 0 as long as one has not.
        settled: Whether nothing of this changes any more.
        project: Its project; "" for none.
        job: Its job of rookery.yml, or the path of the project's script; "" where it has no record.
        script_path: Its script's path in the project.
        name: What Slurm calls it.
        counts: Tasks by state.
        limit: Seconds it could run; 0 for no limit.
        asked_kilobytes: Memory it had on a node.
        cpus: Cores of a task.
        seconds: Of tasks that completed.
        kilobytes: Memory of tasks that completed.
        millicores: Cores that tasks used on average, in thousandths: of those that completed, or were ended for memory
            or time.
        killed_at: Memory at which tasks were killed for memory.
        killed_after: Seconds for which these ran.
        late_at: Seconds after which tasks were out of time.
        largest_failed: The most memory that a task used which did not complete.
        waits: Seconds from when tasks could have started to when they did.
        core_seconds: Cores times seconds of all tasks.
        lost_core_seconds: The same of tasks that did not complete.
        cpu_seconds: CPU time that was used.
        gpu_seconds: GPUs times seconds.
        megabyte_seconds: Memory requested, times seconds.
        measured_megabyte_seconds: The same of tasks whose memory was measured.
        used_megabyte_seconds: The memory that these used, times seconds.
        joules: Energy, where the site measures it and all tasks had whole nodes; 0 where not.
    """

    id: str
    submitted: int
    end: int = 0
    settled: bool = True
    project: str = ""
    job: str = ""
    script_path: str = ""
    name: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    limit: int = 0
    asked_kilobytes: int = 0
    cpus: int = 1
    seconds: Groups = ()
    kilobytes: Groups = ()
    millicores: Groups = ()
    killed_at: Groups = ()
    killed_after: Groups = ()
    late_at: Groups = ()
    largest_failed: int = 0
    waits: Groups = ()
    core_seconds: int = 0
    lost_core_seconds: int = 0
    cpu_seconds: int = 0
    gpu_seconds: int = 0
    megabyte_seconds: int = 0
    measured_megabyte_seconds: int = 0
    used_megabyte_seconds: int = 0
    joules: int = 0

    @property
    def longest(self) -> int:
        """Seconds for which a task ran that completed, or was ended for memory or time."""
        return largest(self.seconds, self.late_at, self.killed_after)

    @property
    def most_kilobytes(self) -> int:
        """The most memory that a task was seen to use, or was killed at."""
        return max(largest(self.kilobytes, self.killed_at), self.largest_failed)

    @property
    def measured(self) -> MeasuredRun:
        """What `measured_runs` keeps of it."""
        return MeasuredRun(
            id=self.id,
            submitted=self.submitted,
            seconds=self.longest,
            kilobytes=self.most_kilobytes,
            millicores=round(1000 * self.cpu_seconds * self.cpus / self.core_seconds) if self.core_seconds else 0,
            use=asdict(self),
        )


@dataclass(frozen=True)
class History:
    """What is known of runs on a cluster.

    Attributes:
        runs: The runs, the oldest first.
        sacct: Why sacct did not answer; "" where it did.
        skipped: Jobs that were left out, since there are too many.
    """

    runs: tuple[RunUse, ...]
    sacct: str = ""
    skipped: int = 0

    @property
    def keeps_none(self) -> bool:
        """Whether the cluster keeps no accounts at all."""
        return NO_ACCOUNTS in self.sacct

    def gap(self, cluster: str) -> str:
        """Return what the history lacks, as a sentence; "" for nothing."""
        if self.keeps_none:
            kept = ": only what rookery has kept is counted" if self.runs else ""
            return f"{cluster} has no job accounting (sacct is off), so it can't tell what runs used{kept}."
        if self.sacct:
            return f"sacct on {cluster} does not answer ({self.sacct}): only what rookery has kept is counted."
        return f"{self.skipped} older jobs on {cluster} were left out." if self.skipped else ""


def ask(connection: "Connection", *, project: str = "", days: int = DAYS) -> History:
    """Return the history of runs, in one remote command; what is new of ended runs is kept.

    Args:
        connection: The cluster's, open.
        project: That of which the runs are; "" for all.
        days: How far back accounting is asked.
    """
    cluster = connection.cluster
    kept = [RunUse(**run.use) for run in measured_runs.of_cluster(cluster) if run.use]
    request = {"project": project, "days": days, "known": [f"{run.id}-{run.submitted}" for run in kept]}
    answer = remote_client.call(connection, "usage", request, timeout=_PATIENCE)
    new = [RunUse(**entry) for entry in answer["runs"]]
    measured_runs.keep(cluster, [run.measured for run in new if run.settled])
    runs = [run for run in [*kept, *new] if not project or run.project == project]
    sacct = " ".join(console.clean(answer["sacct"]).split())
    return History(tuple(sorted(runs, key=lambda run: run.submitted)), sacct, answer["skipped"])


def by_job(runs: Iterable[RunUse]) -> dict[str, Sequence[RunUse]]:
    """Return runs by job, the one that ran last first; those that rookery has no record of are left out."""
    found: dict[str, list[RunUse]] = {}
    for run in sorted(runs, key=lambda run: -run.submitted):
        if run.job:
            found.setdefault(run.job, []).insert(0, run)
    return dict(found)
