"""The resources that a job asks for: for each of its components, the partitions, nodes, cores, GPUs and time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.jobs.lint import values
from rookery.jobs.lint.context import Context
from rookery.projects.job import Job
from rookery.projects.scripts.directives import DirectiveOption

GPU_OPTIONS = ("gres", "gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket")


@dataclass(frozen=True)
class RequestedResources:
    """The resources that one component of a job asks for.

    Attributes:
        part: Which component; 0 but for hetjob.
        partitions: The profile's entries of the partitions named that there are; the only one where none is named
            and the cluster has no other; empty where it is not known.
        partition: The option that names them.
        nodes: How many nodes, at least.
        tasks: How many processes.
        cpus: Cores for each of them.
        cores: Cores for all of them.
        minutes: How long; None where it does not say.
        gpus: The type of each kind of GPU, "" for any, and how many on a node or in all.
        gpu: The option that asks for them.
        whole: Whether it takes whole nodes.
    """

    part: int
    partitions: tuple[Mapping[str, Any], ...]
    partition: DirectiveOption | None
    nodes: int
    tasks: int
    cpus: int
    cores: int
    minutes: float | None
    gpus: tuple[tuple[str, int], ...]
    gpu: DirectiveOption | None
    whole: bool

    @property
    def gpus_in_all(self) -> int:
        """How many GPUs, over all nodes and tasks."""
        count = sum(number for _, number in self.gpus)
        name = self.gpu.name if self.gpu else ""
        return count * {"gpus": 1, "gpus-per-task": self.tasks}.get(name, self.nodes)

    @property
    def job(self) -> Job:
        """What it asks for as a job of rookery.yml, whose partitions are chosen by the profile."""
        return Job(
            name="",
            nodes=max(self.nodes, 1),
            tasks=max(self.tasks, 1),
            cpus=max(self.cpus, 1),
            minutes=0 if self.minutes is None or math.isinf(self.minutes) else math.ceil(self.minutes),
            gpus=self.gpus_in_all,
            gpu_type=next((kind for kind, _ in self.gpus if kind), ""),
        )


def partitions(script: Context) -> list[Mapping[str, Any]]:
    """Return the cluster's partitions, as its profile has them."""
    return list(script.cluster.data.get("cluster_partitions") or [])


def requested(script: Context) -> list[RequestedResources]:
    """Return what each component of the job asks for."""
    return [_requested(script, part) for part in range(script.directives.parts)]


def _requested(script: Context, part: int) -> RequestedResources:
    directives, known = script.directives, partitions(script)
    partition = directives.get("partition", part=part)
    names = (partition.value or "").split(",") if partition else []
    if not partition:  # Slurm's own default, which the profile knows where it has no other
        names = [known[0]["name"]] if len(known) == 1 and script.cluster.data.get("cluster_default_partition") else []
    entries = [entry for entry in known if entry["name"] in names]
    nodes = values.count(directives.value("nodes", part=part))
    per_node = values.count(directives.value("ntasks-per-node", part=part))
    tasks = values.count(directives.value("ntasks", part=part), otherwise=nodes * per_node)
    cpus = values.count(directives.value("cpus-per-task", part=part))
    time = directives.value("time", part=part)
    gpu = next((option for name in GPU_OPTIONS if (option := directives.get(name, part=part))), None)
    return RequestedResources(
        part=part,
        partitions=tuple(entries),
        partition=partition,
        nodes=nodes,
        tasks=tasks,
        cpus=cpus,
        cores=tasks * cpus,
        minutes=values.minutes(time) if time else None,
        gpus=tuple(_gpus(gpu)),
        gpu=gpu if gpu and _gpus(gpu) else None,
        whole=directives.get("exclusive", part=part) is not None,
    )


def _gpus(option: DirectiveOption | None) -> list[tuple[str, int]]:
    if option is None or not option.value or "$" in option.value:
        return []
    gpus = values.gpus(option.value) if option.name == "gres" else values.typed(option.value)
    return [(kind, number) for kind, number in gpus if number]


def longest(part: RequestedResources) -> float:
    """Return the longest time that any of its partitions allows, in minutes."""
    limits = [entry.get("max_minutes") or math.inf for entry in part.partitions]
    return max(limits, default=math.inf)
