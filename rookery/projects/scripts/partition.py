"""Choose the partition for a job, from the cluster's profile. Nothing is asked of the cluster."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rookery.clusters.cluster import Cluster
from rookery.clusters.config.schema import nearest
from rookery.core import near_names
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.slurm_values import mebibytes, time_limit

_BY_NAME_ONLY: Final = ("test", "interactive")
"""Kinds of partition that a job goes to only where it names them."""

_RANKS: Final = {
    True: ("serial", "any", "parallel", "bigmem"),
    False: ("parallel", "any", "serial", "bigmem"),
}
"""For a job of one core, and of several: kinds of partition, the best first."""

Partition = Mapping[str, Any]
"""An entry of cluster_partitions."""


def choose(job: Job, cluster: Cluster) -> str:
    """Return the partition for a job: the one it names, else the one that fits best.

    One core goes to a partition for that where there is one; of partitions alike, the one with the shortest time limit
    that will do is taken, since short queues move fastest. One for tests is taken only where the job says
    `partition: test`, or its name.

    Returns:
        Its name; "" where the profile names none for such a job, so that the cluster's own default holds.

    Raises:
        RookeryError: None fits, or the one named is unknown or does not fit; with the limits of each.
    """
    partitions = cluster.data.get("cluster_partitions", [])
    if job.partition:
        return _named(job, cluster, partitions)
    candidates = [partition for partition in partitions if _meant_for(partition, job, cluster)]
    fitting = [partition for partition in candidates if not any(broken(partition, job, cluster))]
    if fitting:
        return str(min(fitting, key=lambda partition: _order(partition, job, cluster, partitions))["name"])
    default = str(cluster.data.get("cluster_default_partition", ""))
    if (
        candidates
        or default in [partition["name"] for partition in partitions]
        or (job.gpus and not _has_gpus(cluster))
    ):
        raise _none_fits(job, cluster, candidates or partitions)
    if beyond := next(broken({"name": default}, job, cluster), ""):
        raise RookeryError(f"{cluster.name} can't run a job with {asked(job)}: {beyond}.", hint=_ask(cluster))
    return default


def broken(partition: Partition, job: Job, cluster: Cluster) -> Iterator[str]:
    """Yield what a partition does not allow of a job's resources, each in a few words; nothing where it fits."""
    limits = cluster.data.get("cluster_limits", {})
    yield from _gpus_broken(partition, job, cluster)
    if job.minutes > partition.get("max_minutes", job.minutes):
        yield f"at most {hours(partition['max_minutes'])}"
    most_nodes = partition.get("max_nodes", cluster.data.get("cluster_nodes", {}).get("count", job.nodes))
    if job.nodes > most_nodes:
        yield f"at most {_count(most_nodes, 'node')}"
    if limits.get("follow_gpus"):  # cores and memory are not asked for there
        return
    cores = processes(job) * job.cpus
    most = min(partition.get("cores", cores), limits.get("cores", cores))
    if cores > most:
        yield f"at most {_count(most, 'core')}"
    on_one = -(-processes(job) // job.nodes) * job.cpus
    memory = mebibytes(job.memory) if job.memory else 0
    largest_cores, largest_memory = _largest_node(partition, job, cluster)
    if largest_cores and on_one > largest_cores:
        yield f"at most {largest_cores} cores a node"
    if largest_memory and memory > largest_memory:
        yield f"at most {largest_memory // 1024} GB a node"
    if memory * job.nodes > limits.get("memory_mb", memory * job.nodes):
        yield f"at most {limits['memory_mb'] // 1024} GB in total"


def processes(job: Job) -> int:
    """Return how many processes a job starts, one a node at least."""
    return max(job.tasks, job.nodes)


def asked(job: Job) -> str:
    """Return a job's resources, in a few words."""
    words = [_count(processes(job) * job.cpus, "core")]
    if job.nodes > 1:
        words.append(_count(job.nodes, "node"))
    if job.gpus:
        words.append(f"{_count(job.gpus, 'GPU')}{f' of type {job.gpu_type}' if job.gpu_type else ''}")
    if job.memory:
        words.append(f"{job.memory} of memory")
    if job.minutes:
        words.append(hours(job.minutes))
    return ", ".join(words)


def hours(minutes: int) -> str:
    """Return a time in words: 5 minutes, 12 hours, 2 days."""
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes and minutes % size == 0:
            return _count(minutes // size, word)
    return time_limit(minutes)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _named(job: Job, cluster: Cluster, partitions: list[Partition]) -> str:
    """Return the partition that the job names; `test` is also any that is for tests."""
    known: list[Partition] = [partition for partition in partitions if partition["name"] == job.partition]
    if not known and job.partition == "test":
        tests = [partition for partition in partitions if partition.get("for") == "test"]
        fitting = [partition for partition in tests if not any(broken(partition, job, cluster))]
        # a GPU only for who needs one
        known = sorted(fitting, key=lambda partition: _is_for_gpus(partition) and not job.gpus)[:1]
        if tests and not known:
            raise _none_fits(job, cluster, tests)
    if not known and partitions and "," not in job.partition:
        names = [partition["name"] for partition in partitions]
        raise RookeryError(
            f"Unknown partition {job.partition!r} on {cluster.name}{nearest(job.partition, names)}. "
            f"Partitions: {', '.join(names)}.",
            hint=_ask(cluster),
        )
    if known and any(broken(known[0], job, cluster)):
        raise _none_fits(job, cluster, known)
    return str(known[0]["name"]) if known else job.partition


def _meant_for(partition: Partition, job: Job, cluster: Cluster) -> bool:
    """Return whether a job that names no partition may be sent to this one, its limits aside."""
    kind = partition.get("for", "any")
    if kind in _BY_NAME_ONLY or (foreign(partition, cluster) and job.gpu_type not in partition.get("gpu_types", ["-"])):
        return False
    return bool(_is_for_gpus(partition)) == bool(job.gpus)


def foreign(partition: Partition, cluster: Cluster) -> str:
    """Return the architecture of a partition's machines where it differs from the login node's.

    `setup` installs for the login node's.
    """
    usual = (cluster.data.get("cluster_architectures") or [{"name": ""}])[0]["name"]
    architecture = str(partition.get("architecture", usual))
    return architecture if architecture != usual else ""


def takes_gpu_jobs_alone(cluster: Cluster) -> bool:
    """Return whether every job there must ask for a GPU."""
    meant = [
        partition
        for partition in cluster.data.get("cluster_partitions", [])
        if partition.get("for") not in _BY_NAME_ONLY
    ]
    return bool(meant) and all(any(_gpus_broken(partition, Job("j"), cluster)) for partition in meant)


def _is_for_gpus(partition: Partition) -> bool:
    return partition.get("for") == "gpu" or bool(partition.get("gpu_types"))


def _has_gpus(cluster: Cluster) -> bool:
    data = cluster.data
    return bool(data.get("cluster_gpus")) or any(
        _is_for_gpus(partition) for partition in data.get("cluster_partitions", [])
    )


def _gpus_broken(partition: Partition, job: Job, cluster: Cluster) -> Iterator[str]:
    required = any(option.startswith(("--gres=gpu", "--gpus")) for option in partition.get("required_options", []))
    if not job.gpus:
        if required:
            yield "only with GPUs"
        return
    listed = bool(cluster.data.get("cluster_partitions"))
    if not _is_for_gpus(partition) and (listed or not _has_gpus(cluster)):
        yield "no GPUs"
        return
    types = partition.get("gpu_types", [])
    if job.gpu_type and types and job.gpu_type not in types:
        yield f"GPUs of type {near_names.either(types)} only"
        return
    if job.gpus > partition.get("gpus_per_user", job.gpus):
        yield f"at most {_count(partition['gpus_per_user'], 'GPU')} a person"
    sizes = [gpu.get("per_node", 0) for gpu in _gpus(partition, job, cluster)]
    if sizes and 0 not in sizes and -(-job.gpus // job.nodes) > max(sizes):
        yield f"at most {_count(max(sizes), 'GPU')} a node"


def _gpus(partition: Partition, job: Job, cluster: Cluster) -> list[Mapping[str, Any]]:
    """Return the types of GPU that a job could be given there."""
    types = [job.gpu_type] if job.gpu_type else partition.get("gpu_types", [])
    return [gpu for gpu in cluster.data.get("cluster_gpus", []) if gpu["type"] in types]


def _largest_node(partition: Partition, job: Job, cluster: Cluster) -> tuple[int, int]:
    """Return cores and MiB of the largest node of a partition, as far as the profile knows them; else 0."""
    if job.gpus:
        nodes = [(gpu.get("node_cores", 0), gpu.get("node_memory_mb", 0)) for gpu in _gpus(partition, job, cluster)]
    else:
        nodes = [
            (node.get("cores", 0), node.get("memory_mb", 0))
            for node in cluster.data.get("cluster_constraints", [])
            if partition["name"] in node.get("partitions", [partition["name"]])
        ]
    if not nodes and (usual := cluster.data.get("cluster_nodes")):
        nodes = [(usual.get("cores", 0), usual.get("memory_mb", 0))]
    if not nodes:
        return 0, 0
    cores, memory = zip(*nodes, strict=True)
    return (0 if 0 in cores else max(cores)), (0 if 0 in memory else max(memory))


def _order(
    partition: Partition, job: Job, cluster: Cluster, partitions: list[Partition]
) -> tuple[int, bool, float, int]:
    """Return the sort key of a fitting partition; the smallest is taken."""
    if job.gpus:  # types of GPU in the profile's order, so that a special group's come last
        groups = [tuple(other.get("gpu_types", [])) for other in partitions]
        rank = groups.index(tuple(partition.get("gpu_types", [])))
    else:
        rank = _RANKS[processes(job) * job.cpus == 1].index(partition.get("for", "any"))
    usual = not job.minutes and partition["name"] == cluster.data.get("cluster_default_partition")
    return rank, not usual, partition.get("max_minutes", float("inf")), partitions.index(partition)


def _none_fits(job: Job, cluster: Cluster, partitions: Sequence[Partition]) -> RookeryError:
    """Return the error in one line: what was asked for, and which part of it each partition does not allow."""
    if job.gpus and not _has_gpus(cluster):
        message = f"{cluster.name} has no GPUs, according to its profile."
        return RookeryError(
            message, hint="set `only:` in the job to clusters that have GPUs; `invoke clusters.list` shows them"
        )
    why = {
        partition["name"]: ", ".join(broken(partition, job, cluster)) or "only if you name it"
        for partition in partitions
    }
    limits = "; ".join(f"{name}: {reasons}" for name, reasons in why.items())
    subject = f"The partition {partitions[0]['name']}" if len(partitions) == 1 else "No partition"
    verb = "can't run" if len(partitions) == 1 else "can run"
    return RookeryError(f"{subject} of {cluster.name} {verb} a job with {asked(job)} ({limits}).", hint=_ask(cluster))


def _ask(cluster: Cluster) -> str:
    return f"invoke queue {cluster.argument}   # shows partitions and limits"
