"""A race that has begun (`submit --race`): one job, submitted to several clusters, of which the first to start stays.

It is kept in the project's runs/ until it is decided and the others are cancelled: a later command continues it.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rookery.core import atomic_files, state_files
from rookery.core.shapes import flag, many, struct, text
from rookery.jobs.run_record import FOLDER

_PREFIX = ".race-"


@dataclass(frozen=True)
class Entrant:
    """The job on one cluster.

    Attributes:
        cluster: The cluster's name.
        token: What its submission is found by.
        id: The job's number; "" where it is not known to be submitted.
    """

    cluster: str
    token: str
    id: str = ""


@dataclass(frozen=True)
class Race:
    """A job that was, or is to be, submitted to several clusters.

    Attributes:
        job: The job, or the path of the project's own script.
        sandbox: Whether the clusters are miniatures.
        entrants: The job on each cluster.
        winner: The cluster where it stays; "" as long as it has started nowhere.
        commit: The commit that is submitted.
    """

    job: str
    sandbox: bool
    entrants: tuple[Entrant, ...]
    winner: str = ""
    commit: str = ""

    def with_entrant(self, entrant: Entrant) -> "Race":
        """Return the race with an entrant in place of that of the same cluster."""
        return replace(self, entrants=tuple(entrant if e.cluster == entrant.cluster else e for e in self.entrants))

    def without(self, cluster: str) -> "Race":
        """Return the race without a cluster, where nothing was submitted."""
        return replace(self, entrants=tuple(each for each in self.entrants if each.cluster != cluster))


_SHAPE = struct(
    {
        "job": text(longest=4096, raw=True),
        "sandbox": flag,
        "entrants": many(
            struct(
                {
                    "cluster": text("[A-Za-z0-9_-]{1,100}"),
                    "token": text("[0-9a-f]{32}"),
                    "id": text("[0-9]{0,12}"),
                }
            ),
            100,
        ),
        "winner": text("[A-Za-z0-9_-]{0,100}"),
        "commit": text("(?:[0-9a-f]{40})?"),
    }
)


def file(root: Path, job: str, *, sandbox: bool) -> Path:
    """Return the file that keeps a race.

    Args:
        root: The project's folder.
        job: The job, or the script's path.
        sandbox: Whether the clusters are miniatures.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", job)[:100]
    if name != job:  # another script's may look the same
        name += f".{hashlib.sha256(job.encode()).hexdigest()[:8]}"
    return root / FOLDER / f"{_PREFIX}{'sandbox-' * sandbox}{name}"


def save(root: Path, race: Race) -> None:
    """Write a race down."""
    path = file(root, race.job, sandbox=race.sandbox)
    atomic_files.write(path, json.dumps({"version": 1, **asdict(race)}) + "\n", mode=0o644)


def load(path: Path) -> Race | None:
    """Return a race from its file; None where there is none, or where it can't be used, which is reported."""
    document = state_files.load(path, _SHAPE)
    if document is None:
        return None
    entrants = tuple(Entrant(**entry) for entry in document.pop("entrants"))
    return Race(entrants=entrants, **document)


def unfinished(root: Path) -> Iterator[Race]:
    """Yield the races of a project that have not ended."""
    return filter(None, map(load, sorted((root / FOLDER).glob(f"{_PREFIX}*"))))
