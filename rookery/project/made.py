"""What a commit comes to on a cluster: the release that is wanted, and the files put beside the commit's own."""

import getpass
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery import __version__, files, house
from rookery.project import commit as git
from rookery.project import environment, held, places, release
from rookery.project.release import Order

if TYPE_CHECKING:
    from rookery.jobs.script import Script
    from rookery.profile import Cluster
    from rookery.project.commit import Commit
    from rookery.project.spec import Project

LAYOUT = 1
"""Raised where releases must be made anew because deploy.sh lays them out in another way."""

REMEMBERED = 20
"""How many of the commits that a cluster has are remembered here."""

PATCH = ".rookery/uncommitted.patch"
"""What a snapshot adds to the commit it stands on, in its release."""


@dataclass(frozen=True)
class Made:
    """A release as it is wanted.

    Attributes:
        order: What the cluster is told.
        files: What is put beside the commit's files: job scripts, their tables, the stamp.
        jobs: Names of the project's jobs.
        scripts: Paths of the job scripts that were rendered.
        own: Scripts of the commit that stand where a rendered one would.
        outwards: Links of the commit that lead out of the project, and where to.
    """

    order: Order
    files: Mapping[str, str]
    jobs: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    outwards: Mapping[str, str] = field(default_factory=dict)


def make(project: "Project", commit: "Commit", cluster: "Cluster", *, large: bool = False) -> Made:
    """Read a commit, see that it can be a release, and render its scripts.

    Args:
        project: The project.
        commit: The commit.
        cluster: Where it will run.
        large: Files of unusual size are meant.

    Raises:
        RookeryError: It can't be one, or a job can't run there.
    """
    tree = held.tree(commit)
    held.check(commit, tree, outputs=project.outputs, needed=_needed(project), large=large)
    environments = environment.wanted(project, commit, tree, cluster)
    scripts = _scripts(project, cluster)
    rendered: dict[str, str] = {}
    for script in scripts:
        rendered |= {script.path: script.text, **script.files}
    own = tuple(path for path in rendered if path in tree.files)
    rendered = {path: text for path, text in rendered.items() if path not in tree.files}
    if commit.dirty:
        rendered[PATCH] = git.patch(commit).decode(errors="surrogateescape")
    ways = {"python": project.environment.python, "r": project.environment.r}
    stated = {**ways, "digest": environment.digest(environments)}
    values = {
        "version": 1,
        "project": project.name,
        "commit": commit.id,
        "dirty": commit.dirty,
        "cluster": cluster.name,
        "outputs": project.outputs,
        "jobs": {script.job.name: dict(script.summary) for script in scripts},
    }
    order = Order(
        name=project.name,
        commit=commit.id,
        folder=commit.folder,
        wanted="",
        outputs=project.outputs,
        dropped=tuple(path for output in project.outputs for path in held.beneath(tree, output)),
        environments=tuple(" ".join((e.kind, e.way, e.link, e.name, e.lock)) for e in environments),
        preamble=environment.preamble(project.environment, cluster),
        cran=str((cluster.data.get("cluster_mirrors") or {}).get("cran", "")),
    )
    order = replace(order, wanted=_digest([LAYOUT, values, stated, rendered, asdict(order)]), who=_who())
    values |= {"describe": git.describe(commit), "rookery": __version__}
    return Made(
        order,
        {**rendered, places.STAMP: release.stamp(values, stated)},
        tuple(project.jobs),
        tuple(script.path for script in scripts if script.path in rendered),
        own,
        tree.outwards,
    )


def _scripts(project: "Project", cluster: "Cluster") -> "list[Script]":
    if not project.jobs:
        return []
    from rookery.jobs import script

    return script.scripts(project, cluster)


def _needed(project: "Project") -> list[str]:
    """Files that must be in the commit for the job scripts to be what it says."""
    from rookery.project import read

    said = [job.get(key) for job in project.jobs.values() for key in ("params", "template")]
    return [read.NAME, *(str(path) for path in said if path and (project.root / str(path)).is_file())]


def key(project: "Project", commit: "Commit", cluster: "Cluster") -> str:
    """Digest of everything that a release is made of: while that stays, `make` would make the same."""
    makers = [house.root() / "templates/sbatch", Path(__file__).parent, Path(__file__).parent.parent / "jobs"]
    stats = [(str(path), path.stat().st_mtime_ns) for folder in makers for path in folder.iterdir()]
    facts = [__version__, commit.id, commit.folder, project.name, project.outputs, asdict(project.environment)]
    return _digest([*facts, dict(cluster.data), sorted(stats)])


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


def _who() -> str:
    return f"{getpass.getuser()} on {platform.node()}"


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


def memory_file(cluster: "Cluster", project: str) -> Path:
    """Where this computer keeps what it knows of a project on a cluster."""
    account = f"{cluster.user}@{cluster.host}:{cluster.port}"
    return house.state_dir() / "deploys" / account / f"{project}.json"


def remembered(file: Path) -> Memory:
    """What is known; nothing where nothing is, or it can't be read."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        order = Order(**{name: _frozen(value) for name, value in told["order"].items()}, who=_who())
        lists = {name: tuple(told[name]) for name in ("jobs", "scripts", "own")}
        made = Made(order, {}, outwards=dict(told["outwards"]), **lists)
        return Memory(tuple(told["commits"]), str(told["key"]), made)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def remember(file: Path, memory: Memory, commit: "Commit", key: str, made: Made) -> None:
    """Keep what is known now, where it is something new."""
    commits = tuple(dict.fromkeys((commit.id, commit.head, *memory.commits)))[:REMEMBERED]
    if (commits, key) == (memory.commits, memory.key):
        return
    order = {name: value for name, value in asdict(made.order).items() if name != "who"}
    values = {name: getattr(made, name) for name in ("jobs", "scripts", "own", "outwards")}
    files.write(file, json.dumps({"commits": commits, "key": key, "order": order, **values}))
