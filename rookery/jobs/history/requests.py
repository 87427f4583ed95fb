"""What a job script asks for, as far as a proposal can change it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery.core.errors import RookeryError
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.requested_resources import GPU_OPTIONS
from rookery.projects import config, job_settings
from rookery.projects.scripts import directives, job_script, node_sizes
from rookery.projects.source_tree import Folder

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.history.run_use import RunUse
    from rookery.projects.model import Project


@dataclass(frozen=True)
class Requested:
    """What a script asks for.

    Attributes:
        kilobytes: Memory on a node; 0 where that is not known.
        seconds: Its time limit; 0 where it does not say, or has none.
        cores: Cores of a task; 0 where a proposal can't change them: several processes, or whole nodes.
        all_cores: Cores that it has on a node, for a request of memory by the core.
        per_core: Whether it asks for memory by the core.
        follows_cores: Whether memory may follow from the cores, as the script asks for none (DefMemPerCPU).
        in_parts: Whether it runs in parts (`total_time`), each of which ends at its time limit.
        longest: The longest time limit that it can have, in seconds; 0 where that is not known.
        least_kilobytes: Memory that a job has which requests none; 0 where that is not known.
        most_kilobytes: The most memory that a node has there; 0 where that is not known.
        has_memory: Whether memory is asked for at all there: on some clusters it follows from the GPUs.
    """

    kilobytes: int = 0
    seconds: int = 0
    cores: int = 0
    all_cores: int = 1
    per_core: bool = False
    follows_cores: bool = False
    in_parts: bool = False
    longest: int = 0
    least_kilobytes: int = 0
    most_kilobytes: int = 0
    has_memory: bool = True


def own_script(project: "Project", cluster: "Cluster", name: str) -> str:
    """Return the path of the project's own script that a job runs; "" where it is rendered, or not there.

    Args:
        project: The project.
        cluster: The cluster it is for.
        name: A job of rookery.yml, or the path of a script.
    """
    path = name
    if name in project.jobs:
        path = job_script.own_path(project, name, cluster.name) or job_script.path_of(name)
    return path if (project.root / path).is_file() else ""


def script(project: "Project", cluster: "Cluster", name: str) -> str | None:
    """Return a job's script as this computer has it; None where it can't be made here.

    Args:
        project: The project.
        cluster: The cluster it is for.
        name: A job of rookery.yml, or the path of a script.
    """
    try:
        if own := own_script(project, cluster, name):
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
    partitions = _partitions(found.value("partition") or "", cluster)
    return Requested(
        kilobytes=int(1024 * memory * (per_node * cpus if by_core else 1)),
        seconds=0 if math.isinf(minutes) else int(60 * minutes),
        cores=cpus if is_plain and found.get("cpus-per-task") else 0,
        all_cores=per_node * cpus,
        per_core=by_core,
        follows_cores=found.get("mem", "mem-per-cpu") is None and not limits.get("whole_node_memory"),
        longest=60 * _largest_of_all([int(entry.get("max_minutes") or 0) for entry in partitions]),
        least_kilobytes=1024 * int(limits.get("default_memory_mb") or 0),
        most_kilobytes=0 if found.get(*GPU_OPTIONS) else 1024 * _node_memory(partitions, found, cluster),
        has_memory=has_memory,
    )


def _partitions(names: str, cluster: "Cluster") -> Sequence[Mapping[str, Any]]:
    """Return what the profile says of the partitions that a job may go to; nothing where not all are known."""
    wanted = {name for name in (names or cluster.data.get("cluster_default_partition") or "").split(",") if name}
    known = [entry for entry in cluster.data.get("cluster_partitions") or [] if entry["name"] in wanted]
    return known if len(known) == len(wanted) else []


def _node_memory(partitions: Sequence[Mapping[str, Any]], found: directives.Directives, cluster: "Cluster") -> int:
    constraint = found.value("constraint") or ""
    sizes = [node_sizes.largest(entry, cluster, gpu_types=[], constraint=constraint) for entry in partitions]
    return _largest_of_all([size.memory_mb for size in sizes])


def _largest_of_all(limits: Sequence[int]) -> int:
    """Return the largest limit; 0, which is none, where one is not known."""
    return 0 if 0 in limits else max(limits, default=0)


def in_parts(project: "Project", cluster: "Cluster", name: str) -> bool:
    """Return whether a job runs in parts.

    Args:
        project: The project.
        cluster: The cluster it is for.
        name: A job of rookery.yml, or the path of a script.
    """
    return "total_time" in job_settings.merged(project.jobs.get(name, {}), cluster.name)


def completed(asked: Requested, last: "RunUse") -> Requested:
    """Return a request with what the last run was given, where the script does not say.

    Args:
        asked: What the script asks for.
        last: The last run.
    """
    return replace(asked, kilobytes=asked.kilobytes or last.asked_kilobytes, seconds=asked.seconds or last.limit)
