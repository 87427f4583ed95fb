"""What the user's runs have used of what they requested: noted on this computer whenever Slurm is asked about them.

`lint` compares a job's requests with it, without a connection. One file a cluster, in the state folder; a run is known
by its number and the time when it was submitted, since a cluster that was made anew counts from 1 again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import answers
from rookery.core import state_files
from rookery.core.shapes import many, struct, whole
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
                }
            ),
            MOST,
        )
    }
)


@dataclass(frozen=True)
class MeasuredRun:
    """What a run used, all of whose tasks completed.

    Attributes:
        id: Its number.
        submitted: When, in seconds since 1970.
        seconds: How long its longest task took.
        kilobytes: The most memory that a task used; 0 where that is not known.
        millicores: The cores that its tasks used on average, in thousandths; 0 where that is not known.
    """

    id: str
    submitted: int
    seconds: int
    kilobytes: int
    millicores: int


def keep(cluster: "Cluster", runs: Iterable[MeasuredRun]) -> None:
    """Note what runs have used, beside what is known already.

    Args:
        cluster: Where they ran.
        runs: The runs.
    """
    found = {(run.id, run.submitted): asdict(run) for run in runs}
    if not found:
        return
    known = {(run["id"], run["submitted"]): run for run in _load(cluster)}
    if all(known.get(key) == run for key, run in found.items()):
        return
    newest = sorted({**known, **found}.values(), key=lambda run: run["submitted"])[-MOST:]
    try:
        state_files.save(_path(cluster), {"runs": newest})
    except OSError:
        return  # it is a convenience: what was asked for has been answered


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
    """Yield the runs of a project, each with the path of its script."""
    for entry in reversed(_load(cluster)):
        record = run_record.find(root, entry["id"], cluster.label)
        if record and abs(record.submitted - entry["submitted"]) <= _SKEW:
            yield record.script_path, MeasuredRun(**entry)


def _path(cluster: "Cluster") -> Path:
    return state_files.place("used", f"{cluster.name}.json", sandbox=cluster.sandbox)


def _load(cluster: "Cluster") -> list[dict[str, Any]]:
    document = state_files.load(_path(cluster), _SHAPE)
    return list(document["runs"]) if document else []
