"""The places where a cluster takes jobs (a partition and a QOS together), and what they allow, by the profile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rookery.clusters import architectures
from rookery.clusters.cluster import Cluster
from rookery.core import near_names
from rookery.core.quantities import counted
from rookery.projects.job import Job
from rookery.projects.scripts import job_parts, node_sizes
from rookery.projects.slurm_values import mebibytes, task_count, time_limit


@dataclass(frozen=True)
class JobPlace:
    """A partition and a QOS that can be used together.

    Attributes:
        partition: An entry of cluster_partitions; empty where the site chooses it.
        qos: An entry of cluster_qos; empty where the site chooses it.
    """

    partition: Mapping[str, Any]
    qos: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its names, as messages have them."""
        names = [str(self.partition["name"])] if self.partition else []
        return " with ".join([*names, *([f"QOS {self.qos['name']}"] if self.qos else [])])

    @property
    def kinds(self) -> set[str]:
        """Kinds of job that it is for, as the profile says of both."""
        return {str(entry.get("for", "any")) for entry in (self.partition, self.qos)}

    @property
    def kind(self) -> str:
        """The kind of job that the partition is for, or where it does not say, the QOS."""
        return str(self.partition.get("for") or self.qos.get("for") or "any")

    @property
    def is_for_gpus(self) -> bool:
        """Whether it is for jobs that ask for GPUs, and for no others; one for any job says so (`for: any`)."""
        return "gpu" in self.kinds or (self.has_gpus and self.partition.get("for") != "any")

    @property
    def has_gpus(self) -> bool:
        """Whether its nodes have GPUs."""
        return "gpu" in self.kinds or bool(self.partition.get("gpu_types"))

    @property
    def has_whole_nodes(self) -> bool:
        """Whether a job there is given whole nodes."""
        return any(entry.get("exclusive") for entry in (self.partition, self.qos))

    def most(self, key: str) -> Any:
        """Return the smaller one of the limits that both have by this key; None where neither has one."""
        return min((entry[key] for entry in (self.partition, self.qos) if key in entry), default=None)

    def fewest(self, key: str) -> int:
        """Return the larger one of what both ask for at least, by this key; 0 where neither does."""
        return max((int(entry[key]) for entry in (self.partition, self.qos) if key in entry), default=0)


def partition_entry(job: Job, cluster: Cluster) -> Mapping[str, Any]:
    """Return the profile's entry for the partition that a job names; empty where there is none."""
    return _named(job.partition, cluster.data.get("cluster_partitions"))


def qos_entry(job: Job, cluster: Cluster) -> Mapping[str, Any]:
    """Return the profile's entry for the QOS that a job names; empty where there is none."""
    return _named(job.qos, cluster.data.get("cluster_qos"))


def _named(name: str, entries: list[Mapping[str, Any]] | None) -> Mapping[str, Any]:
    return next((entry for entry in entries or [] if entry["name"] == name), {})


def preamble(job: Job, cluster: Cluster) -> list[str]:
    """Return the lines after a job script's #SBATCH lines: its partition's own, or the cluster's."""
    lines = partition_entry(job, cluster).get("preamble")
    return [str(line) for line in (cluster.data.get("cluster_job_preamble") or [] if lines is None else lines)]


def constraint(job: Job, cluster: Cluster) -> str:
    """Return what --constraint must be for a job to get the kind of node that it asks for; "" where nothing.

    Where it may have several types of GPU, the profile's first.
    """
    if not job.gpus:
        return str(cluster.data.get("cluster_nodes", {}).get("constraint", ""))
    partition = partition_entry(job, cluster)
    usable = [gpu["type"] for gpu in cluster.data.get("cluster_gpus", [])]
    types = [job.gpu_type] if job.gpu_type else partition.get("gpu_types") or usable
    found = [gpu.get("constraint", "") for gpu in cluster.data.get("cluster_gpus", []) if gpu["type"] in types]
    return found[0] if found else ""


def broken(place: JobPlace, job: Job, cluster: Cluster) -> Iterator[str]:
    """Yield what a place does not allow of a job's resources, each in a few words; nothing where it fits."""
    limits = cluster.data.get("cluster_limits", {})
    yield from _gpus_broken(place, job, cluster)
    if (longest := place.most("max_minutes")) is not None and job.minutes > longest:
        yield f"at most {hours(longest)}"
    yield from _counts_broken(place, job, cluster)
    if limits.get("follow_gpus"):  # cores and memory are not asked for there
        return
    cores = processes(job) * job.cpus
    most = min(count for count in (place.most("cores"), limits.get("cores"), cores) if count is not None)
    if cores > most:
        yield f"at most {counted(most, 'core')}"
    on_one = -(-processes(job) // job.nodes) * job.cpus
    memory = mebibytes(job.memory) if job.memory else 0
    largest_cores, largest_memory = node_sizes.largest(place.partition, cluster, gpu_types=_gpu_types(place, job))
    if largest_cores and on_one > largest_cores:
        yield f"at most {largest_cores} cores a node"
    if largest_memory and memory > largest_memory:
        yield f"at most {largest_memory // 1024} GB a node"
    if memory * job.nodes > limits.get("memory_mb", memory * job.nodes):
        yield f"at most {limits['memory_mb'] // 1024} GB in total"


def fits(place: JobPlace, job: Job, cluster: Cluster) -> bool:
    """Return whether a job could have been written for a place: limits, GPUs and architecture are as it asks for."""
    own = foreign(place.partition, cluster)
    if own and job.gpu_type not in place.partition.get("gpu_types", ["-"]):
        return False
    usable = takes_gpus(place, cluster) if job.gpus else not place.is_for_gpus
    return usable and not any(broken(place, job, cluster))


def _counts_broken(place: JobPlace, job: Job, cluster: Cluster) -> Iterator[str]:
    """Yield what a place does not allow of a job's nodes, and of its tasks in the queue."""
    most = place.most("max_nodes")
    most = most or node_sizes.count(place.partition, cluster, gpu_types=_gpu_types(place, job))
    if most and job.nodes > most:
        yield f"at most {counted(most, 'node')}"
    if job.nodes < (fewest := place.fewest("min_nodes")):
        yield f"at least {counted(fewest, 'node')}"
    waiting = place.most("max_submitted")
    parts = job_parts.count(job, cluster)
    tasks = task_count(job.array) if job.array else 1
    if waiting is not None and tasks * parts > waiting and (job.array or parts > 1):
        yield f"at most {counted(waiting, 'job')} or array tasks in the queue"


def processes(job: Job) -> int:
    """Return how many processes a job starts, one a node at least."""
    return max(job.tasks, job.nodes)


def asked(job: Job) -> str:
    """Return a job's resources, in a few words."""
    words = [counted(processes(job) * job.cpus, "core")]
    if job.nodes > 1:
        words.append(counted(job.nodes, "node"))
    if job.gpus:
        words.append(f"{counted(job.gpus, 'GPU')}{f' of type {job.gpu_type}' if job.gpu_type else ''}")
    if job.memory:
        words.append(f"{job.memory} of memory")
    if job.minutes:
        words.append(hours(job.minutes))
    if job.array:
        words.append(counted(task_count(job.array), "array task"))
    return ", ".join(words)


def hours(minutes: int) -> str:
    """Return a time in words: 5 minutes, 12 hours, 2 days."""
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes and minutes % size == 0:
            return counted(minutes // size, word)
    return time_limit(minutes)


def unused(place: JobPlace, job: Job, cluster: Cluster) -> int:
    """Return how much a job would be given there beyond what it asks for: GPUs, or where it asks for none, cores.

    Where the profile does not know how large the whole nodes are, 1.
    """
    if not place.has_whole_nodes:
        return 0
    if job.gpus:
        sizes = [gpu.get("per_node", 0) for gpu in _gpus(place, job, cluster)]
        wanted = job.gpus
    else:
        sizes = node_sizes.cores(place.partition, cluster)
        wanted = processes(job) * job.cpus
    known = [size for size in sizes if size * job.nodes >= wanted]
    return min(known) * job.nodes - wanted if known else 1


def foreign(partition: Mapping[str, Any], cluster: Cluster) -> str:
    """Return the architecture of a partition's machines where it differs from the login node's, else ""."""
    return architectures.of_partition(cluster.data, str(partition.get("name", "")))


def has_gpus(cluster: Cluster) -> bool:
    """Return whether the profile knows of any GPU."""
    entries = [*(cluster.data.get("cluster_partitions") or []), *(cluster.data.get("cluster_qos") or [])]
    return bool(cluster.data.get("cluster_gpus")) or any(JobPlace(entry, {}).has_gpus for entry in entries)


def takes_gpus(place: JobPlace, cluster: Cluster) -> bool:
    """Return whether a job there may ask for GPUs: where the site chooses the partition, one that has them will do."""
    return place.has_gpus or (not place.partition and place.kind == "any" and has_gpus(cluster))


def _gpus_broken(place: JobPlace, job: Job, cluster: Cluster) -> Iterator[str]:
    fewest = place.fewest("min_gpus")
    if not job.gpus:
        if fewest:
            yield "only with GPUs" if fewest == 1 else f"only with {fewest} GPUs or more"
        return
    if not takes_gpus(place, cluster):
        yield "no GPUs"
        return
    types = place.partition.get("gpu_types", [])
    if job.gpu_type and types and job.gpu_type not in types:
        yield f"GPUs of type {near_names.either(types)} only"
        return
    if job.gpus < fewest:
        yield f"at least {counted(fewest, 'GPU')}"
    if (most := place.most("gpus_per_user")) is not None and job.gpus > most:
        yield f"at most {counted(most, 'GPU')} a person"
    sizes = [gpu.get("per_node", 0) for gpu in _gpus(place, job, cluster)]
    if sizes and 0 not in sizes and -(-job.gpus // job.nodes) > max(sizes):
        yield f"at most {counted(max(sizes), 'GPU')} a node"


def _gpus(place: JobPlace, job: Job, cluster: Cluster) -> list[Mapping[str, Any]]:
    """Return the types of GPU that a job could be given there."""
    types = _gpu_types(place, job)
    return [gpu for gpu in cluster.data.get("cluster_gpus", []) if gpu["type"] in types]


def _gpu_types(place: JobPlace, job: Job) -> list[str]:
    """Return the types of GPU that a job may be given there; none where it asks for no GPUs."""
    if not job.gpus:
        return []
    return [job.gpu_type] if job.gpu_type else list(place.partition.get("gpu_types", []))
