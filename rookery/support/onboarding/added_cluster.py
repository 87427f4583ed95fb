"""Add a cluster to a project that exists already: to `clusters:` in its rookery.yml, committed."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import atomic_files, console
from rookery.core.errors import RookeryError
from rookery.projects import config, own_commit
from rookery.projects.scripts import partition

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_LIST = re.compile(r"^(clusters:[ \t]*\[[^\]#]*?)\s*,?\s*\]", re.MULTILINE)
_LINES = re.compile(r"^clusters:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*(?:([ \t]*- ).+\n)+", re.MULTILINE)
_WORD = re.compile(r"^clusters:[ \t]*([A-Za-z0-9_][\w.-]*)[ \t]*(?=#|$)", re.MULTILINE)
_JOB = re.compile(r"^  simulate:\n(?:    .*\n|\n)*?    time: .*\n(?!    clusters:)", re.MULTILINE)
_JOB_CLUSTERS = re.compile(r"^  simulate:\n(?:    .*\n|\n)*?    clusters:\n", re.MULTILINE)


def add(root: Path, cluster: "Cluster") -> None:
    """Add a cluster to a project's rookery.yml, and commit that file; nothing is done where it is there already.

    Args:
        root: The project's folder.
        cluster: The cluster.

    Raises:
        RookeryError: The file is not valid, has uncommitted changes, or has a form that is left to its author.
    """
    if cluster.name in config.load(root).clusters:
        return
    file = root / config.NAME
    by_hand = RookeryError(
        f"{root.name} does not list {cluster.name} under `clusters:` in its {config.NAME}.",
        hint=f"add {cluster.name} to `clusters:` in {file}, commit it, then run the command again",
    )
    if own_commit.has_changes(root, config.NAME):
        raise RookeryError(
            f"{file} has uncommitted changes, so {cluster.name} was not added to its `clusters:`.",
            hint=f"git -C {shlex.quote(str(root))} commit {config.NAME}   # then run the command again",
        )
    before = file.read_text(encoding="utf-8")
    atomic_files.write(file, with_cluster(before, cluster), mode=file.stat().st_mode & 0o777)
    try:
        listed = config.load(root).clusters
    except RookeryError:
        listed = ()
    if cluster.name not in listed:
        atomic_files.write(file, before, mode=file.stat().st_mode & 0o777)
        raise by_hand
    console.say(f"  Added {cluster.name} to `clusters:` in {file}")
    own_commit.make(root, config.NAME, f"Run on {cluster.name}, too")


def with_cluster(text: str, cluster: "Cluster") -> str:
    """Return the text of a rookery.yml with one more cluster; the same where its form is not one of the usual ones."""
    name = cluster.name
    if _LIST.search(text):
        added = _LIST.sub(lambda match: f"{match[1]}{'' if match[1].endswith('[') else ', '}{name}]", text, count=1)
    elif _LINES.search(text):
        added = _LINES.sub(lambda match: f"{match[0]}{match[1]}{name}\n", text, count=1)
    else:
        added = _WORD.sub(lambda match: f"clusters: [{match[1]}, {name}]{' ' * match[0].endswith(' ')}", text, count=1)
    if not (gpus := partition.fewest_gpus(cluster)):
        return added
    why = "a GPU" if gpus == 1 else f"{gpus} GPUs"
    line = f"      {name}: {{gpus: {gpus}, max_running: 4}} # every job there needs {why}\n"
    if _JOB_CLUSTERS.search(added):
        return _JOB_CLUSTERS.sub(lambda match: f"{match[0]}{line}", added, count=1)
    return _JOB.sub(lambda match: f"{match[0]}    clusters:\n{line}", added, count=1)
