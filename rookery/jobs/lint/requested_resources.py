"""What a job asks for: of each of its components, the partitions, nodes, cores, GPUs and time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.jobs.lint import values
from rookery.jobs.lint.context import Context
from rookery.jobs.lint.directives import DirectiveOption

GPU_OPTIONS = ("gres", "gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket")


@dataclass(frozen=True)
class Asked:
    """What one component of a job asks for.

    Attributes:
        part: Which component; 0 but for hetjob.
        partitions: The profile's entries of the partitions named that there are; the only one where none is named
            and the cluster has no other; empty where it is not known.
        partition: The option that names them.
        nodes: How many nodes, at least.
        tasks: How many processes.
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
    cores: int
    minutes: float | None
    gpus: tuple[tuple[str, int], ...]
    gpu: DirectiveOption | None
    whole: bool

    @property
    def gpus_in_all(self) -> int:
        """How many GPUs, over all nodes and tasks."""
        each = sum(number for _, number in self.gpus)
        name = self.gpu.name if self.gpu else ""
        return each * {"gpus": 1, "gpus-per-task": self.tasks}.get(name, self.nodes)


def partitions(script: Context) -> list[Mapping[str, Any]]:
    """Return the cluster's partitions, as its profile has them."""
    return list(script.cluster.data.get("cluster_partitions") or [])


def asked(script: Context) -> list[Asked]:
    """Return what each component of the job asks for."""
    return [_of(script, part) for part in range(script.directives.parts)]


def _of(script: Context, part: int) -> Asked:
    given, known = script.directives, partitions(script)
    partition = given.get("partition", part=part)
    names = (partition.value or "").split(",") if partition else []
    if not partition:  # Slurm's own default, which the profile knows where it has no other
        names = [known[0]["name"]] if len(known) == 1 and script.cluster.data.get("cluster_default_partition") else []
    there = [each for each in known if each["name"] in names]
    nodes = values.count(given.value("nodes", part=part))
    per_node = values.count(given.value("ntasks-per-node", part=part))
    tasks = values.count(given.value("ntasks", part=part), otherwise=nodes * per_node)
    time = given.value("time", part=part)
    gpu = next((found for name in GPU_OPTIONS if (found := given.get(name, part=part))), None)
    return Asked(
        part=part,
        partitions=tuple(there),
        partition=partition,
        nodes=nodes,
        tasks=tasks,
        cores=tasks * values.count(given.value("cpus-per-task", part=part)),
        minutes=values.minutes(time) if time else None,
        gpus=tuple(_gpus(gpu)),
        gpu=gpu if gpu and _gpus(gpu) else None,
        whole=given.get("exclusive", part=part) is not None,
    )


def _gpus(option: DirectiveOption | None) -> list[tuple[str, int]]:
    if option is None or not option.value or "$" in option.value:
        return []
    found = values.gpus(option.value) if option.name == "gres" else values.typed(option.value)
    return [(kind, number) for kind, number in found if number]


def longest(asked_for: Asked) -> float:
    """Return the longest time that any of its partitions allows, in minutes."""
    limits = [entry.get("max_minutes") or math.inf for entry in asked_for.partitions]
    return max(limits, default=math.inf)
