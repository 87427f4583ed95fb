"""What the user's runs have used of what they requested: noted on this computer whenever Slurm is asked about them.

`lint` compares a job's requests with it, without a connection. One file a cluster, in the state folder; a run is known
by its number and the time when it was submitted, since a cluster that was made anew counts from 1 again.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import answers, usage_answers
from rookery.core import locking, state_files
from rookery.core.shapes import many, maybe, struct, whole
from rookery.jobs import run_record

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

MOST = 500
"""Runs that are kept, the newest."""

COMPARED = 20
"""Runs of a script that count, the newest."""

_SKEW = 600
"""Seconds by which a record's time and Slurm's may differ."""

_NEEDED = {"COMPLETED", "OUT_OF_MEMORY", "TIMEOUT"}

_SHAPE = struct(
    {
        "runs": many(
            struct(
                {
                    "id": answers.number,
                    "submitted": whole(),
                    "seconds": whole(),
                    "kilobytes": whole(),
                    "millicores": whole(),
                },
                {"use": maybe(usage_answers.RUN)},
            ),
            MOST,
        )
    }
)


@dataclass(frozen=True)
class MeasuredRun:
    """What a run used.

    Attributes:
        id: Its number.
        submitted: When, in seconds since 1970.
        seconds: How long its longest task took that completed, or was ended for memory or time.
        kilobytes: The most memory that a task used, or was killed at; 0 where that is not known.
        millicores: The cores that its tasks used on average, in thousandths; 0 where that is not known.
        use: What its tasks used and how they ended (see `rookery.jobs.history.run_use`); None where Slurm was not
            asked for it, and all of them completed.
    """

    id: str
    submitted: int
    seconds: int
    kilobytes: int
    millicores: int
    use: Mapping[str, Any] | None = None

    @property
    def tells(self) -> bool:
        """Whether all its tasks needed what they used: they completed, or were ended for memory or time."""
        return self.use is None or (bool(self.use["counts"]) and {*self.use["counts"]} <= _NEEDED)


def keep(cluster: "Cluster", runs: Iterable[MeasuredRun]) -> None:
    """Note what runs have used, beside what is known already.

    Args:
        cluster: Where they ran.
        runs: The runs.
    """
    runs = list(runs)
    if not runs or all(_merged(run, known) == known for run, known in _beside(cluster, runs)):
        return
    path = _path(cluster)
    with suppress(OSError):  # it is a convenience: what was asked for has been answered
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locking.waited(path.with_suffix(".lock")):  # others may have written since
            found = [_merged(run, known) for run, known in _beside(cluster, runs)]
            every = {(run.id, run.submitted): run for run in [*of_cluster(cluster), *found]}
            newest = sorted(every.values(), key=lambda run: run.submitted)[-MOST:]
            state_files.save(path, {"runs": [asdict(run) for run in newest]})


def _beside(cluster: "Cluster", runs: Iterable[MeasuredRun]) -> Iterator[tuple[MeasuredRun, MeasuredRun | None]]:
    """Yield each run with what is kept of it; None for nothing."""
    known = {(run.id, run.submitted): run for run in of_cluster(cluster)}
    return ((run, known.get((run.id, run.submitted))) for run in runs)


def _merged(run: MeasuredRun, known: MeasuredRun | None) -> MeasuredRun:
    """Return a run with how its tasks ended, where only an earlier answer told that."""
    return known if known and known.use and not run.use else run


def of_cluster(cluster: "Cluster") -> list[MeasuredRun]:
    """Return all that is kept of a cluster's runs, the oldest first."""
    document = state_files.load(_path(cluster), _SHAPE)
    return [MeasuredRun(**entry) for entry in document["runs"]] if document else []


def of_script(root: Path, cluster: "Cluster", path: str) -> list[MeasuredRun]:
    """Return what the last runs of a script have used there.

    Args:
        root: The project's folder, which has the records of its runs.
        cluster: Where they ran.
        path: The script's path in the project.
    """
    return list(islice((run for script, run in _newest_first(root, cluster) if script == path), COMPARED))


def by_script(root: Path, cluster: "Cluster") -> dict[str, list[MeasuredRun]]:
    """Return the same for all scripts, by their paths; the records are read once.

    Args:
        root: The project's folder, which has the records of its runs.
        cluster: Where they ran.
    """
    measured: dict[str, list[MeasuredRun]] = {}
    for script, run in _newest_first(root, cluster):
        measured.setdefault(script, []).append(run)
    return {script: runs[:COMPARED] for script, runs in measured.items()}


def _newest_first(root: Path, cluster: "Cluster") -> Iterator[tuple[str, MeasuredRun]]:
    """Yield the runs of a project that tell what their tasks need, each with the path of its script."""
    for run in reversed(of_cluster(cluster)):
        record = run_record.find(root, run.id, cluster.label) if run.tells else None
        if record and abs(record.submitted - run.submitted) <= _SKEW:
            yield record.script_path, run


def _path(cluster: "Cluster") -> Path:
    return state_files.place("used", f"{cluster.name}.json", sandbox=cluster.sandbox)
