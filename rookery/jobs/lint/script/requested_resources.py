"""The resources that a job asks for: for each of its components, the partitions, nodes, cores, GPUs and time."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context, computed_once
from rookery.projects.job import Job
from rookery.projects.scripts.directives import DirectiveOption

GPU_OPTIONS = ("gres", "gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket", "tres-per-task")
_FOR_EACH_TASK = {"gpus-per-task", "tres-per-task"}
MEMORY_OPTIONS = ("mem", "mem-per-cpu", "mem-per-gpu")


@dataclass(frozen=True)
class RequestedResources:
    """The resources that one component of a job asks for.

    Attributes:
        part: Which component; 0 but for hetjob.
        partitions: The profile's entries of the partitions named that there are; the only one where none is named
            and the cluster has no other; empty where it is not known.
        partition: The option that names them.
        nodes: How many nodes, at least.
        nodes_option: The option that says how many; None where Slurm chooses.
        tasks: How many processes.
        tasks_on_node: For how many of them one node must have room, at least.
        cpus: Cores for each of them.
        least_cpus: Cores that a node must have.
        minutes: How long; None where it does not say.
        gpus: The type of each kind of GPU, "" for any, and how many on a node or in all.
        gpu: The option that asks for them.
        memory: The option that asks for memory, and how many MiB: on a node, or for each core or GPU.
        constraint: The features that its nodes must have, as --constraint takes them.
        whole: Whether it takes whole nodes.
        shares_cores: Whether the processes on a node share the cores of one (--overcommit).
    """

    part: int
    partitions: tuple[Mapping[str, Any], ...]
    partition: DirectiveOption | None
    nodes: int
    nodes_option: DirectiveOption | None
    tasks: int
    tasks_on_node: int
    cpus: int
    least_cpus: int
    minutes: float | None
    gpus: tuple[tuple[str, int], ...]
    gpu: DirectiveOption | None
    memory: tuple[DirectiveOption, float] | None
    constraint: str
    whole: bool
    shares_cores: bool

    @property
    def cores(self) -> int:
        """Cores for all processes."""
        return (self.nodes if self.shares_cores else self.tasks) * self.cpus

    @property
    def cores_on_node(self) -> int:
        """Cores on one node, at least."""
        return max(self.tasks_on_node * self.cpus, self.least_cpus)

    @property
    def gpus_in_all(self) -> int:
        """How many GPUs, over all nodes and tasks."""
        count = sum(number for _, number in self.gpus)
        name = self.gpu.name if self.gpu else ""
        return count * (1 if name == "gpus" else self.tasks if name in _FOR_EACH_TASK else self.nodes)

    @property
    def gpus_on_node(self) -> int:
        """How many GPUs on one node, at least."""
        return self.on_node(sum(number for _, number in self.gpus))

    def on_node(self, gpus: int) -> int:
        """Return how many GPUs are on one node at least, of a number that the option requests as it counts them.

        Args:
            gpus: That number: for each node, for each task, or over all nodes.
        """
        name = self.gpu.name if self.gpu else ""
        if name == "gpus":
            return -(-gpus // self.most_nodes) if self.most_nodes else min(gpus, 1)
        return gpus * (self.tasks_on_node if name in _FOR_EACH_TASK else 1)

    @property
    def most_nodes(self) -> int:
        """How many nodes it may have; 0 where it does not say."""
        return values.most(self.nodes_option.value) if self.nodes_option else 0

    @property
    def memory_on_node(self) -> float:
        """MiB of memory on one node, at least; 0 where it does not say, or takes all."""
        option, size = self.memory or (None, 0)
        name = option.name if option else ""
        return size * {"mem-per-cpu": self.cores_on_node, "mem-per-gpu": self.gpus_on_node}.get(name, 1)

    @property
    def gpu_types(self) -> list[str]:
        """The types of GPU that it asks for by name."""
        return [kind for kind, _ in self.gpus if kind]

    @property
    def jobs(self) -> list[Job]:
        """What it asks for, as jobs of rookery.yml, whose partition the profile chooses.

        One for each number of nodes that it may have: where it does not say, its tasks may share a node or be spread.
        """
        counts = [self.nodes] if self.nodes_option else [2**power for power in range(self.tasks.bit_length())]
        return [self._job(max(nodes, 1)) for nodes in counts or [1]]

    def _job(self, nodes: int) -> Job:
        return Job(
            name="",
            nodes=nodes,
            tasks=max(self.tasks, 1),
            cpus=max(self.cpus, 1),
            memory=f"{math.ceil(self.memory_on_node)}M" if self.memory_on_node else "",
            minutes=0 if self.minutes is None or math.isinf(self.minutes) else math.ceil(self.minutes),
            gpus=self.gpus_in_all,
            gpu_type=next(iter(self.gpu_types), ""),
        )


def partitions(script: Context) -> list[Mapping[str, Any]]:
    """Return the cluster's partitions, as its profile has them."""
    return list(script.cluster.data.get("cluster_partitions") or [])


def listed(option: DirectiveOption) -> list[str]:
    """Return the names of a list such as --partition takes; Slurm passes over a comma too many.

    Args:
        option: The option.
    """
    return [name for name in (option.value or "").split(",") if name]


def usable(script: Context, part: RequestedResources) -> list[Mapping[str, Any]]:
    """Return the partitions that a job may go to, the default one where it names none; none where not all are known.

    Args:
        script: The script.
        part: A component of its job.
    """
    if part.partition:
        return list(part.partitions) if len(part.partitions) == len({*listed(part.partition)}) else []
    default = script.cluster.data.get("cluster_default_partition", "")
    return [entry for entry in partitions(script) if entry["name"] == default]


def gpu_types(entry: Mapping[str, Any], script: Context) -> list[str]:
    """Return the types of GPU that a partition has, as far as the profile knows them.

    Args:
        entry: The partition's entry of cluster_partitions.
        script: The script whose cluster it is.
    """
    known = script.cluster.data.get("cluster_gpus") or []
    types = [gpu["type"] for gpu in known if entry["name"] in (gpu.get("partitions") or [])]
    return list(entry.get("gpu_types") or types)


@computed_once
def requested(script: Context) -> tuple[RequestedResources, ...]:
    """Return what each component of the job asks for."""
    return tuple(_requested(script, part) for part in range(script.directives.parts))


def _requested(script: Context, part: int) -> RequestedResources:
    directives, known = script.directives, partitions(script)
    partition = directives.get("partition", part=part)
    names = listed(partition) if partition else []
    if not partition:  # Slurm's own default, which the profile knows where it has no other
        names = [known[0]["name"]] if len(known) == 1 and script.cluster.data.get("cluster_default_partition") else []
    entries = [entry for entry in known if entry["name"] in names]
    nodes_option = directives.get("nodes", part=part)
    nodes = values.count(directives.value("nodes", part=part))
    if ntasks := directives.value(
        "ntasks", part=part
    ):  # sbatch: "can't run 1 processes on 6 nodes, setting nnodes to 1"
        nodes = min(nodes, max(values.count(ntasks), 1))
    per_node = values.count(directives.value("ntasks-per-node", part=part))
    tasks = values.count(directives.value("ntasks", part=part), otherwise=nodes * per_node)
    time = directives.value("time", part=part)
    options = (directives.get(name, part=part) for name in GPU_OPTIONS)
    gpu = next((option for option in options if _gpus(option)), None)
    return RequestedResources(
        part=part,
        partitions=tuple(entries),
        partition=partition,
        nodes=nodes,
        nodes_option=nodes_option,
        tasks=tasks,
        tasks_on_node=_tasks_on_node(script, part, tasks),
        cpus=values.count(directives.value("cpus-per-task", part=part)),
        least_cpus=values.count(directives.value("mincpus", part=part)),
        minutes=values.minutes(time) if time else None,
        gpus=tuple(_gpus(gpu)),
        gpu=gpu,
        memory=_memory(script, part),
        constraint=directives.value("constraint", part=part) or "",
        whole=directives.get("exclusive", part=part) is not None,
        shares_cores=directives.get("overcommit", part=part) is not None,
    )


def _tasks_on_node(script: Context, part: int, tasks: int) -> int:
    """Return for how many processes one node must have room.

    sbatch spreads them over as many nodes as it may take, and wants nodes with room for --ntasks-per-node even where
    there are fewer tasks (22.05, 24.11).
    """
    per_node = values.count(script.directives.value("ntasks-per-node", part=part))
    most = values.most(script.directives.value("nodes", part=part))
    is_spread = script.directives.value("ntasks", part=part) and not script.directives.get("overcommit", part=part)
    spread = -(-tasks // most) if most and is_spread else 1
    return max(per_node, spread)


def _memory(script: Context, part: int) -> tuple[DirectiveOption, float] | None:
    option = script.directives.get(*MEMORY_OPTIONS, part=part)
    size = values.megabytes(option.value) if option and option.value else None
    return (option, size) if option and size is not None else None


def _gpus(option: DirectiveOption | None) -> list[tuple[str, int]]:
    if option is None or not option.value or "$" in option.value:
        return []
    gpus = values.gpus(option.value) if option.name in {"gres", "tres-per-task"} else values.typed(option.value)
    return [(kind, number) for kind, number in gpus if number]


def longest(usable: Iterable[Mapping[str, Any]]) -> float:
    """Return the longest time that any of some partitions allows, in minutes."""
    return max((entry.get("max_minutes") or math.inf for entry in usable), default=math.inf)
