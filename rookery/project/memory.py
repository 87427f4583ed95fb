"""What this computer knows of a project on a cluster, so that one remote command is enough."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery import __version__, files, house
from rookery.project.release import Made, Order

if TYPE_CHECKING:
    from rookery.profile import Cluster
    from rookery.project.commit import Commit
    from rookery.project.spec import Project

REMEMBERED = 20
"""How many of the commits that a cluster has are remembered here."""


def key(project: "Project", commit: "Commit", cluster: "Cluster") -> str:
    """Digest of everything that a release is made of: while that stays, `make` would make the same."""
    makers = [house.root() / "templates/sbatch", Path(__file__).parent, Path(__file__).parent.parent / "jobs"]
    stats = [(str(path), path.stat().st_mtime_ns) for folder in makers for path in folder.iterdir()]
    facts = [__version__, commit.id, commit.folder, project.name, project.outputs, asdict(project.environment)]
    return digest([*facts, dict(cluster.data), sorted(stats)])


def digest(parts: object) -> str:
    """Of a value that JSON can hold, or what it prints as."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Memory:
    """What this computer knows of a project on a cluster, so that one remote command is enough.

    Attributes:
        commits: Those that the cluster has, the latest first.
        key: Digest of everything that `made` was made of; "" where nothing is known.
        made: The release that was there last, without its files.
    """

    commits: tuple[str, ...] = ()
    key: str = ""
    made: Made | None = None


def file(cluster: "Cluster", project: str) -> Path:
    """Where this computer keeps what it knows of a project on a cluster."""
    account = f"{cluster.user}@{cluster.host}:{cluster.port}"
    return house.state_dir() / "deploys" / account / f"{project}.json"


def remembered(path: Path) -> Memory:
    """What is known; nothing where nothing is, or it can't be read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        order = Order(**{name: _frozen(value) for name, value in told["order"].items()})
        lists = {name: tuple(told[name]) for name in ("jobs", "scripts", "own")}
        made = Made(order, {}, outwards=dict(told["outwards"]), **lists)
        return Memory(tuple(told["commits"]), str(told["key"]), made)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def remember(path: Path, memory: Memory, commit: "Commit", key: str, made: Made) -> None:
    """Keep what is known now, where it is something new."""
    commits = tuple(dict.fromkeys((commit.id, commit.head, *memory.commits)))[:REMEMBERED]
    if (commits, key) == (memory.commits, memory.key):
        return
    values = {name: getattr(made, name) for name in ("jobs", "scripts", "own", "outwards")}
    files.write(path, json.dumps({"commits": commits, "key": key, "order": asdict(made.order), **values}))
