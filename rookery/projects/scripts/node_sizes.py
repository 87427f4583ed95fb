"""How many nodes a partition has, and how large the largest is, as far as the profile knows."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from rookery.clusters.cluster import Cluster

_SIZES: Final = ("cores", "memory_mb")


class NodeSize(NamedTuple):
    """The size of a node; 0 for what is not known."""

    cores: int
    memory_mb: int


def largest(
    partition: Mapping[str, Any], cluster: Cluster, *, gpu_types: Collection[str] = (), constraint: str = ""
) -> NodeSize:
    """Return the most cores, and the most memory, of the nodes of a partition that a job can be given.

    Args:
        partition: An entry of cluster_partitions; empty where the site chooses it.
        cluster: The cluster.
        gpu_types: The types of GPU that the job asks for; empty for one without GPUs.
        constraint: What it gives as --constraint.
    """
    sizes = _of_gpus(cluster, gpu_types) if gpu_types else _without_gpus(partition, cluster)
    if not gpu_types and (kinds := of_constraint(constraint, cluster)):
        return NodeSize(*(min((kind[key] for kind in kinds if kind.get(key)), default=0) for key in _SIZES))
    if not sizes:
        return NodeSize(0, 0)
    cores, memory = zip(*sizes, strict=True)
    return NodeSize(0 if 0 in cores else max(cores), 0 if 0 in memory else max(memory))


def count(partition: Mapping[str, Any], cluster: Cluster, *, gpu_types: Collection[str] = ()) -> int:
    """Return how many nodes of a partition a job can have at most; 0 where that is not known.

    Args:
        partition: As of `largest`.
        cluster: As of `largest`.
        gpu_types: As of `largest`.
    """
    usual = int((cluster.data.get("cluster_nodes") or {}).get("count", 0))
    having = _gpu_entries(cluster, gpu_types or partition.get("gpu_types", []))
    numbers = [int(gpu.get("nodes", 0)) for gpu in having] if gpu_types else [usual]
    numbers += [int(gpu.get("nodes", 0)) for gpu in having] if usual and not gpu_types else []
    return sum(numbers) if all(numbers) else 0


def cores(partition: Mapping[str, Any], cluster: Cluster) -> list[int]:
    """Return the cores of each kind of node of a partition without GPUs that a job is usually given.

    Args:
        partition: As of `largest`.
        cluster: As of `largest`.
    """
    usual = (cluster.data.get("cluster_nodes") or {}).get("cores", 0)
    return [size.cores for size in _of_constraints(partition, cluster)] or ([usual] if usual else [])


def of_constraint(constraint: str, cluster: Cluster) -> list[Mapping[str, Any]]:
    """Return the kinds of node that a --constraint asks for together; none where it leaves a choice, or none is known.

    Args:
        constraint: What the job gives as --constraint.
        cluster: The cluster.
    """
    words = constraint.split("&") if constraint else []
    known = {
        word: kind
        for kind in cluster.data.get("cluster_constraints") or []
        for word in (kind["name"], kind.get("constraint", ""), *(kind.get("also") or []))
    }
    return [known[word] for word in words if word in known] if not re.search(r"[|,*()\[\]]", constraint) else []


def _of_gpus(cluster: Cluster, types: Collection[str]) -> list[NodeSize]:
    return [NodeSize(gpu.get("node_cores", 0), gpu.get("node_memory_mb", 0)) for gpu in _gpu_entries(cluster, types)]


def _gpu_entries(cluster: Cluster, types: Collection[str]) -> list[Mapping[str, Any]]:
    return [gpu for gpu in cluster.data.get("cluster_gpus") or [] if gpu["type"] in types]


def _without_gpus(partition: Mapping[str, Any], cluster: Cluster) -> list[NodeSize]:
    """Return the sizes of all nodes of a partition: types to ask for by constraint, the usual one, those with GPUs."""
    sizes = _of_constraints(partition, cluster)
    if usual := cluster.data.get("cluster_nodes"):
        most = {key: usual.get(f"max_{key}") or usual.get(key, 0) for key in _SIZES}
        if partition.get("for") == "bigmem":  # its nodes are larger than the usual one
            most["memory_mb"] = 0
        sizes.append(NodeSize(**most))
    return [*sizes, *_of_gpus(cluster, partition.get("gpu_types", []))]


def _of_constraints(partition: Mapping[str, Any], cluster: Cluster) -> list[NodeSize]:
    name = partition.get("name")
    return [
        NodeSize(kind.get("cores", 0), kind.get("memory_mb", 0))
        for kind in cluster.data.get("cluster_constraints") or []
        if name in kind.get("partitions", [name])
    ]
