"""What the user's runs have used of what they requested: noted on this computer whenever Slurm is asked about them.

`lint` compares a job's requests with it, without a connection. One file a cluster, in the state folder; a run is known
by its number and the time when it was submitted, since a cluster that was made anew counts from 1 again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import answers, usage_answers
from rookery.core import state_files
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
        seconds: How long its longest task took that completed.
        kilobytes: The most memory that such a task used; 0 where that is not known.
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
    def is_complete(self) -> bool:
        """Whether all its tasks completed."""
        return self.use is None or set(self.use["counts"]) == {"COMPLETED"}


def keep(cluster: "Cluster", runs: Iterable[MeasuredRun]) -> None:
    """Note what runs have used, beside what is known already.

    Args:
        cluster: Where they ran.
        runs: The runs.
    """
    runs = list(runs)
    if not runs:
        return
    known = {(run.id, run.submitted): run for run in of_cluster(cluster)}
    found = {
        (run.id, run.submitted): run if run.use else replace(run, use=before.use if before else None)
        for run in runs
        for before in [known.get((run.id, run.submitted))]
    }
    if all(known.get(key) == run for key, run in found.items()):
        return
    newest = sorted({**known, **found}.values(), key=lambda run: run.submitted)[-MOST:]
    try:
        state_files.save(_path(cluster), {"runs": [asdict(run) for run in newest]})
    except OSError:
        return  # it is a convenience: what was asked for has been answered


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
    """Yield the runs of a project that completed, each with the path of its script."""
    for run in reversed(of_cluster(cluster)):
        record = run_record.find(root, run.id, cluster.label) if run.is_complete else None
        if record and abs(record.submitted - run.submitted) <= _SKEW:
            yield record.script_path, run


def _path(cluster: "Cluster") -> Path:
    return state_files.place("used", f"{cluster.name}.json", sandbox=cluster.sandbox)
