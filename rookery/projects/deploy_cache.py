"""Cache what a cluster has of a project, so that one remote command is enough."""

import hashlib
import json
import shlex
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.core import paths, state_files
from rookery.core.shapes import many, mapping, struct, text
from rookery.projects.release_protocol import Order, Release

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.commit import Commit
    from rookery.projects.model import Project

MOST_COMMITS = 20
"""How many of the commits that a cluster has are kept here."""

_LISTS = ("jobs", "scripts", "own", "warnings")


def key(project: "Project", commit: "Commit", cluster: "Cluster") -> str:
    """Return a digest of everything that a release is made of: the same digest means the same release."""
    parts = [Path(__file__).parent / name for name in ("scripts", "packages", "locks")]
    scripts = [*parts, paths.package() / "remote/scripts/release"]
    makers = [paths.root() / "templates/sbatch", Path(__file__).parent, *scripts]
    stats = [(str(path), path.stat().st_mtime_ns) for folder in makers for path in folder.iterdir()]
    facts = [__version__, commit.id, commit.folder, project.name, project.outputs, asdict(project.environment)]
    facts += [dict(project.inputs), project.run_folders, project.origin]
    return digest([*facts, dict(cluster.data), sorted(stats)])


def digest(parts: object) -> str:
    """Return the digest of a value that JSON can hold, or of what it prints as."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CachedDeploy:
    """What this computer knows of a project on a cluster, so that one remote command is enough.

    Attributes:
        commits: Those that the cluster has, the latest first.
        key: Digest of everything that `release` was made of; "" where nothing is known.
        release: The release that was there last, without its files.
    """

    commits: tuple[str, ...] = ()
    key: str = ""
    release: Release | None = None


def file(cluster: "Cluster", project: str) -> Path:
    """Return the file with what this computer knows of a project on a cluster."""
    account = f"{cluster.user}@{cluster.host}:{cluster.port}"
    return state_files.place("deploys", account, f"{project}.json")


def load(path: Path) -> CachedDeploy:
    """Return what is known; nothing where the file is missing or can't be read."""
    document = state_files.load(
        path, _SHAPE, advice=f"rm {shlex.quote(str(path))}   # the next deploy asks the cluster again"
    )
    if document is None:
        return CachedDeploy()
    order = Order(**{name: _frozen(value) for name, value in document["order"].items()})
    lists: dict[str, Any] = {name: tuple(document.get(name, ())) for name in _LISTS}
    release = Release(order, {}, outwards=document["outwards"], **lists)
    return CachedDeploy(tuple(document["commits"]), document["key"], release)


_commit = text("[0-9a-f]{40}")
_text, _texts = text(longest=10**6, raw=True), many(text(longest=10**6, raw=True))
_SHAPE = struct(
    {
        "commits": many(_commit, 1000),
        "key": text("[0-9a-f]{64}"),
        "order": struct(
            {
                **dict.fromkeys(("name", "folder", "wanted", "preamble", "cran"), _text),
                "commit": _commit,
                **dict.fromkeys(("outputs", "dropped", "environments"), _texts),
            },
            {"inputs": _texts, "origin": _text, "packages": _texts},
        ),
        **dict.fromkeys(("jobs", "scripts", "own"), _texts),
        "outwards": mapping(_text, _text),
    },
    {"warnings": _texts},
)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def save(path: Path, cached: CachedDeploy, commit: "Commit", key: str, release: Release) -> None:
    """Save what is known, where it has changed."""
    commits = tuple(dict.fromkeys((commit.id, commit.head, *cached.commits)))[:MOST_COMMITS]
    if (commits, key) == (cached.commits, cached.key):
        return
    values = {name: getattr(release, name) for name in (*_LISTS, "outwards")}
    shutil.rmtree(path.parent.parent / "from", ignore_errors=True)  # command lines that earlier versions kept there
    state_files.save(path, {"commits": commits, "key": key, "order": asdict(release.order), **values})
