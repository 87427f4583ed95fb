"""What a job script asks for, as far as a proposal can change it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery.core.errors import RookeryError
from rookery.jobs.lint.script import values
from rookery.projects import config
from rookery.projects.scripts import directives, job_script
from rookery.projects.source_tree import Folder

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.history.run_use import RunUse
    from rookery.projects.model import Project


@dataclass(frozen=True)
class Requested:
    """What a script asks for.

    Attributes:
        kilobytes: Memory on a node; 0 where it does not say.
        seconds: Its time limit; 0 where it does not say, or has none.
        cores: Cores of a task; 0 where a proposal can't change them: several processes, or whole nodes.
        all_cores: Cores that it has on a node, for a request of memory by the core.
        per_core: Whether it asks for memory by the core.
        longest: The longest time limit that it can have, in seconds; 0 where that is not known.
        least_kilobytes: Memory below which a smaller request is of no use; 0 where that is not known.
        has_memory: Whether memory is asked for at all there: on some clusters it follows from the GPUs.
    """

    kilobytes: int = 0
    seconds: int = 0
    cores: int = 0
    all_cores: int = 1
    per_core: bool = False
    longest: int = 0
    least_kilobytes: int = 0
    has_memory: bool = True


def script(project: "Project", cluster: "Cluster", name: str, path: str = "") -> str | None:
    """Return a job's script as this computer has it; None where it can't be made here.

    Args:
        project: The project.
        cluster: The cluster it is for.
        name: A job of rookery.yml; "" where a path is given.
        path: The path of a script of the project's own.
    """
    try:
        own = path or job_script.own_path(project, name, cluster.name) or job_script.path_of(name)
        if path or (project.root / own).is_file():
            return Folder(project.root).read(own).decode("utf-8", "surrogateescape")
        return job_script.script(project, config.job(project, name, cluster.name), cluster).text
    except (RookeryError, OSError):
        return None


def read(text: str, cluster: "Cluster") -> Requested:
    """Return what a script asks for.

    Args:
        text: The script.
        cluster: The cluster it is for.
    """
    found = directives.read(text)
    limits: Mapping[str, Any] = cluster.data.get("cluster_limits") or {}
    tasks, nodes, cpus = (values.count(found.value(key)) for key in ("ntasks", "nodes", "cpus-per-task"))
    per_node = max(values.count(found.value("ntasks-per-node")), -(-tasks // max(nodes, 1)))
    is_plain = tasks == nodes == per_node == 1 and found.get("exclusive") is None and found.parts == 1
    minutes = values.minutes(found.value("time") or "") or 0
    by_core = found.get("mem-per-cpu") is not None
    memory = values.megabytes(found.value("mem-per-cpu", "mem") or "") or 0
    has_memory = found.get("mem-per-gpu") is None and not limits.get("follow_gpus") and found.parts == 1
    return Requested(
        kilobytes=int(1024 * memory * (per_node * cpus if by_core else 1)),
        seconds=0 if math.isinf(minutes) else int(60 * minutes),
        cores=cpus if is_plain and found.get("cpus-per-task") else 0,
        all_cores=per_node * cpus,
        per_core=by_core,
        longest=_longest(found.value("partition") or "", cluster),
        least_kilobytes=1024 * int(limits.get("default_memory_mb") or 0) * per_node * cpus,
        has_memory=has_memory,
    )


def _longest(partition: str, cluster: "Cluster") -> int:
    known = cluster.data.get("cluster_partitions") or []
    usable = [entry for entry in known if entry["name"] in partition.split(",")] or known
    if any("max_minutes" not in entry for entry in usable):
        return 0
    return 60 * max((int(entry["max_minutes"]) for entry in usable), default=0)


def completed(asked: Requested, last: "RunUse") -> Requested:
    """Return a request with what the last run was given, where the script does not say.

    Args:
        asked: What the script asks for.
        last: The last run.
    """
    return replace(asked, kilobytes=asked.kilobytes or last.asked_kilobytes, seconds=asked.seconds or last.limit)
