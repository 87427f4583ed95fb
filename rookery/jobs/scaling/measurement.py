"""What `scale` has measured so far, kept on this computer: the same command continues it, and nothing is run twice."""

import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import paths, state_files
from rookery.core.shapes import flag, many, real, struct, text, whole
from rookery.jobs.monitor import job_states
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.options import ScaleOptions
    from rookery.projects.model import Project

DONE = "COMPLETED"


@dataclass(frozen=True)
class ScaleRun:
    """One run of the job.

    Attributes:
        cores: Its number of cores.
        repetition: Which of the runs with so many it is, from 1.
        commit: The commit that it runs from, of the project's copy; "" until it is made.
        id: Its job's number; "" until it is submitted.
        state: Slurm's word for how it ended; "" until it has.
        word: The same for users.
        seconds: How long it took.
        cpu_seconds: CPU time that it used.
        given_seconds: CPU time that it had: cores times seconds.
        memory_peak: The most memory it used, in kB; 0 for not measured.
        tried: Numbers of jobs that failed at it before.
    """

    cores: int
    repetition: int
    commit: str = ""
    id: str = ""
    state: str = ""
    word: str = ""
    seconds: int = 0
    cpu_seconds: float = 0
    given_seconds: float = 0
    memory_peak: int = 0
    tried: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.cores} core{'s' * (self.cores != 1)}, run {self.repetition}"


@dataclass(frozen=True)
class Measurement:
    """All runs of one measurement.

    Attributes:
        commit: The project's commit that is measured.
        what: The job and the task, in words.
        key: Digest of what else must be the same for runs to be compared: task, parameters, options.
        when: When it began, ISO 8601.
        is_deployed: The project's copy may be on the cluster.
        is_again: It was begun anew (--again).
        runs: The runs.
    """

    commit: str
    what: str
    key: str
    when: str
    is_deployed: bool = False
    is_again: bool = False
    runs: tuple[ScaleRun, ...] = field(default=())

    def find(self, cores: int, repetition: int) -> ScaleRun | None:
        """Return one of its runs; None where there is none."""
        return next((run for run in self.runs if (run.cores, run.repetition) == (cores, repetition)), None)

    def put(self, run: ScaleRun) -> "Measurement":
        """Return it with a run that is new, or has changed."""
        others = [other for other in self.runs if (other.cores, other.repetition) != (run.cores, run.repetition)]
        return replace(self, runs=tuple(sorted([*others, run], key=lambda run: (run.cores, run.repetition))))

    @property
    def active(self) -> list[ScaleRun]:
        """Runs that are submitted and have not ended."""
        return [run for run in self.runs if run.id and not run.state]

    @property
    def submitted(self) -> tuple[ScaleRun, ...]:
        """Runs that are submitted, or have ended."""
        return tuple(run for run in self.runs if run.id)

    @property
    def is_complete(self) -> bool:
        """Whether no run is left to be waited for."""
        return all(run.state for run in self.runs)

    @property
    def core_hours(self) -> float:
        """Core hours that all runs had."""
        return sum(run.given_seconds for run in self.runs) / 3600


_NUMBER, _SHORT = text("[0-9]{0,20}"), text(longest=200)
_RUN = struct(
    {
        "cores": whole(1, 10**6),
        "repetition": whole(1, 10**4),
        "commit": text("([0-9a-f]{40})?"),
        "id": _NUMBER,
        "state": _SHORT,
        "word": _SHORT,
        "seconds": whole(),
        "cpu_seconds": real(),
        "given_seconds": real(),
        "memory_peak": whole(),
        "tried": many(_NUMBER, 1000),
    }
)
_SHAPE = struct(
    {
        "commit": text("[0-9a-f]{40}"),
        "what": text(),
        "key": text("[0-9a-f]{64}"),
        "when": _SHORT,
        "is_deployed": flag,
        "runs": many(_RUN, 10**4),
    },
    {"is_again": flag},
)


def copy_name(project: "Project", options: "ScaleOptions", cluster: "Cluster") -> str:
    """Return the name of the project's copy that is measured; its folder on the cluster has the same."""
    parts = [project.name, "scale", options.job, cluster.label, *([str(options.task)] if options.task else [])]
    parts += ["weak", re.sub("[^A-Za-z0-9_-]", "_", options.weak)] if options.weak else []
    return "-".join(parts)[:150]


def file(project: "Project", options: "ScaleOptions", cluster: "Cluster") -> Path:
    """Return the file that keeps a measurement: of a job, a task and a parameter that grows, on a cluster."""
    name = f"{copy_name(project, options, cluster)}-{paths.digest(project.root, 8)}.json"
    return state_files.place("scaling", name)


def load(path: Path) -> Measurement | None:
    """Return a measurement; None where there is none."""
    document = state_files.load(path, _SHAPE)
    if not document:
        return None
    runs = tuple(ScaleRun(**{**run, "tried": tuple(run["tried"])}) for run in document["runs"])
    return Measurement(**{**document, "runs": runs})


def save(path: Path, measurement: Measurement) -> None:
    """Keep a measurement."""
    state_files.save(path, asdict(measurement))


def updated(measurement: Measurement, snapshot: SlurmSnapshot) -> Measurement:
    """Return the measurement with what Slurm says of its runs."""
    for run in measurement.submitted:
        seen = snapshot.run(run.id)
        if seen and not seen.is_active:
            measurement = measurement.put(replace(run, **_figures(seen)))
    return measurement


def _figures(seen: JobRun) -> dict[str, Any]:
    """Return what is kept of a run that has ended."""
    return {
        "state": DONE if seen.completed_count == seen.total else next(iter(seen.counts), "UNKNOWN"),
        "word": job_states.state(seen),
        "seconds": seen.longest,
        "cpu_seconds": float(seen.cpu_used),
        "given_seconds": float(seen.cpu_given),
        "memory_peak": seen.memory_peak,
    }
