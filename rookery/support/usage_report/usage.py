"""Sum what runs took, by cluster and project."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from rookery.jobs.history.energy import PowerModel, kilowatt_hours
from rookery.jobs.history.percentiles import Groups, merged, percentile
from rookery.jobs.history.run_use import RunUse
from rookery.remote.slurm.forms import ACTIVE

_HOUR = 3600


@dataclass(frozen=True)
class ProjectUsage:
    """What the runs of a project took on a cluster.

    Attributes:
        cluster: The cluster.
        project: The project's name; "" for jobs of none.
        runs: How many jobs, an array being one.
        counts: How many tasks ended in each of Slurm's states.
        core_hours: Cores times hours that tasks had.
        lost_core_hours: Those of tasks that did not complete.
        busy_core_hours: Hours of processor time that they used.
        gpu_hours: GPUs times hours.
        half_waited: Seconds that half of the tasks waited at most, from when they could have started.
        most_waited: The same of 95 %.
        kilowatt_hours: Energy, with what the data centre takes besides.
        kilograms: CO2 equivalent of that.
        is_measured: Whether Slurm measured the energy of all runs; an estimate otherwise.
    """

    cluster: str
    project: str
    runs: int
    counts: Mapping[str, int] = field(default_factory=dict)
    core_hours: float = 0
    lost_core_hours: float = 0
    busy_core_hours: float = 0
    gpu_hours: float = 0
    half_waited: int = 0
    most_waited: int = 0
    kilowatt_hours: float = 0
    kilograms: float = 0
    is_measured: bool = False

    @property
    def tasks(self) -> int:
        """How many tasks have ended."""
        return sum(count for state, count in self.counts.items() if state not in ACTIVE)

    @property
    def failures(self) -> dict[str, int]:
        """How many tasks ended otherwise than well, by Slurm's state."""
        return {state: count for state, count in self.counts.items() if state not in {"COMPLETED", *ACTIVE}}


def of_runs(runs: Iterable[RunUse], cluster: str, model: PowerModel, since: int) -> list[ProjectUsage]:
    """Return what each project took, the one with most core hours first.

    Args:
        runs: The runs on a cluster.
        cluster: Its name.
        model: What its parts take.
        since: Earlier runs are left out; in seconds since 1970.
    """
    counted = sorted((run for run in runs if run.submitted >= since), key=lambda run: run.project)
    found = [
        _of_project(cluster, project, list(its_runs), model)
        for project, its_runs in groupby(counted, key=lambda run: run.project)
    ]
    return sorted(found, key=lambda usage: -usage.core_hours)


def _of_project(cluster: str, project: str, runs: Sequence[RunUse], model: PowerModel) -> ProjectUsage:
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run.counts)
    energy = sum(kilowatt_hours(run, model) for run in runs)
    waits = merged(run.waits for run in runs)
    return ProjectUsage(
        cluster=cluster,
        project=project,
        runs=len(runs),
        counts=dict(counts),
        core_hours=sum(run.core_seconds for run in runs) / _HOUR,
        lost_core_hours=sum(run.lost_core_seconds for run in runs) / _HOUR,
        busy_core_hours=sum(run.cpu_seconds for run in runs) / _HOUR,
        gpu_hours=sum(run.gpu_seconds for run in runs) / _HOUR,
        half_waited=_share(waits, 50),
        most_waited=_share(waits, 95),
        kilowatt_hours=energy,
        kilograms=energy * model.grams_per_kwh / 1000,
        is_measured=any(run.joules for run in runs) and all(run.joules or not run.core_seconds for run in runs),
    )


def _share(waits: Groups, share: int) -> int:
    found = percentile(waits, (), share)
    return found.value if found else 0


def total(usages: Sequence[ProjectUsage], cluster: str = "") -> ProjectUsage:
    """Return the sum of several; how long tasks waited is not summed, but the longest of them.

    Args:
        usages: Of projects.
        cluster: What the sum is called.
    """
    counts: Counter[str] = Counter()
    for usage in usages:
        counts.update(usage.counts)
    return ProjectUsage(
        cluster=cluster,
        project="",
        runs=sum(usage.runs for usage in usages),
        counts=dict(counts),
        core_hours=sum(usage.core_hours for usage in usages),
        lost_core_hours=sum(usage.lost_core_hours for usage in usages),
        busy_core_hours=sum(usage.busy_core_hours for usage in usages),
        gpu_hours=sum(usage.gpu_hours for usage in usages),
        half_waited=max((usage.half_waited for usage in usages), default=0),
        most_waited=max((usage.most_waited for usage in usages), default=0),
        kilowatt_hours=sum(usage.kilowatt_hours for usage in usages),
        kilograms=sum(usage.kilograms for usage in usages),
        is_measured=bool(usages) and all(usage.is_measured for usage in usages),
    )
