"""RK310 to RK312: more cores or memory than a node has, more nodes than there are. RK322: more tasks than nodes take.

sbatch refuses such a job ("Requested node configuration is not available", 22.05 and 24.11). How large nodes are is
the profile's word, by the same code that chooses a partition for a job of rookery.yml; where it does not know the nodes
of every partition that the job may go to, there is no finding.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rookery.core import near_names
from rookery.core.quantities import counted
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import RequestedResources, gpu_types, requested, usable
from rookery.projects.scripts import node_sizes
from rookery.projects.scripts.directives import DirectiveOption
from rookery.projects.scripts.node_sizes import NodeSize

_CORES = ("cpus-per-task", "ntasks-per-node", "mincpus", "ntasks", "nodes")


def exceeded(script: Context) -> Iterator[Finding]:
    """Yield findings for more cores or memory than any node has, and for more nodes than there are."""
    limits = script.cluster.data.get("cluster_limits") or {}
    if limits.get("follow_gpus"):  # cores and memory are not asked for there
        return
    for part in requested(script):
        entries = usable(script, part)
        if entries:
            yield from _cores(script, part, entries)
            yield from _nodes(script, part, entries)
        yield from _memory(script, part, entries, limits.get("memory_mb") or 0)


def more_tasks(script: Context) -> Iterator[Finding]:
    """Yield findings for more tasks than nodes with so many tasks each can have: sbatch refuses them (22.05, 24.11)."""
    for part in requested(script):
        tasks, each = (script.directives.get(name, part=part.part) for name in ("ntasks", "ntasks-per-node"))
        room = part.most_nodes * values.count(each.value, otherwise=0) if each else 0
        if each and tasks and room and part.tasks > room:
            where = f"{counted(part.most_nodes, 'node')} with --ntasks-per-node={each.value}"
            why = f"--ntasks requests {part.tasks} tasks, and {where} have room for {room}: sbatch rejects the job."
            yield script.finding("RK322", tasks.line, why)


def _largest(script: Context, part: RequestedResources, entries: Iterable[Mapping[str, Any]]) -> NodeSize:
    """Return the most cores and the most memory of a node in any of the partitions; 0 for what is not known."""
    kinds = [(entry, _types(script, part, entry)) for entry in entries]
    if part.gpu and not all(types for _, types in kinds):
        return NodeSize(0, 0)
    sizes = [
        node_sizes.largest(entry, script.cluster, gpu_types=types, constraint=part.constraint) for entry, types in kinds
    ]
    cores, memory = zip(*sizes, strict=True)
    return NodeSize(0 if 0 in cores else max(cores), 0 if 0 in memory else max(memory))


def _types(script: Context, part: RequestedResources, entry: Mapping[str, Any]) -> list[str]:
    """Return the types of GPU that the job may be given in a partition; none where it asks for none."""
    if not part.gpu:
        return []
    return part.gpu_types or gpu_types(entry, script)


def _cores(script: Context, part: RequestedResources, entries: list[Mapping[str, Any]]) -> Iterator[Finding]:
    most = _largest(script, part, entries).cores
    allowed = max((entry.get("cores") or part.cores for entry in entries), default=part.cores)
    of_user = (script.cluster.data.get("cluster_limits") or {}).get("cores") or part.cores
    if not most or part.cores_on_node <= most or part.cores > min(allowed, of_user):  # the latter is RK303's
        return
    option = _option(script, part, _CORES)
    how = f" ({part.tasks_on_node} tasks of {part.cpus} cores)" if part.tasks_on_node > 1 and part.cpus > 1 else ""
    why = f"{_where(script, part, entries)} at most {most} cores; this requests {part.cores_on_node} on one node{how}."
    yield script.finding("RK310", option.line, why)


def _memory(
    script: Context, part: RequestedResources, entries: list[Mapping[str, Any]], of_user: int
) -> Iterator[Finding]:
    if not part.memory or not part.memory_on_node:
        return
    option, each = part.memory
    cores = part.cores_on_node if _is_shared(script) else _least_cores(script, part)
    count = {"mem-per-cpu": cores, "mem-per-gpu": part.gpus_on_node}.get(option.name, 1)
    wanted = each * count
    unit = option.name.rpartition("-")[2].replace("cpu", "core").replace("gpu", "GPU")
    how = f" ({count} {unit}s with {_size(each)} each)" if count > 1 else ""
    most = _largest(script, part, entries).memory_mb if entries else 0
    if most and wanted > most:
        where = f"{_where(script, part, entries)} at most {_size(most)} of memory"
        yield script.finding("RK311", option.line, f"{where}; this requests {_size(wanted)} on one node{how}.")
    elif of_user and wanted * part.nodes > of_user:
        where = f"{script.cluster.name} allows each user at most {_size(of_user)} of memory at a time"
        yield script.finding("RK303", option.line, f"{where}; this requests {_size(wanted * part.nodes)}{how}.")


def _is_shared(script: Context) -> bool:
    """Return whether Slurm shares out memory, as far as the profile knows: else it adds up no memory of tasks."""
    limits = script.cluster.data.get("cluster_limits") or {}
    return bool(limits.get("default_memory_mb") or limits.get("whole_node_memory"))


def _least_cores(script: Context, part: RequestedResources) -> int:
    """Return the cores that sbatch wants on each node, however the tasks are spread."""
    each = values.count(script.directives.value("ntasks-per-node", part=part.part))
    return max(each * part.cpus, part.least_cpus)


def _nodes(script: Context, part: RequestedResources, entries: list[Mapping[str, Any]]) -> Iterator[Finding]:
    if part.gpu and not all(_types(script, part, entry) for entry in entries):
        return
    counts = [node_sizes.count(entry, script.cluster, gpu_types=_types(script, part, entry)) for entry in entries]
    allowed = max((entry.get("max_nodes") or part.nodes for entry in entries), default=part.nodes)
    most = 0 if 0 in counts else max(counts)
    if not most or part.nodes > allowed:  # the latter is RK303's
        return
    has = f"{_names(part, entries)} has {counted(most, 'node')}"
    if part.nodes_option and part.nodes > most:
        yield script.finding("RK312", part.nodes_option.line, f"{has}; this requests {part.nodes}.")
    elif (needed := _needed_nodes(script, part, entries)) > most:
        option = _option(script, part, ("ntasks", "ntasks-per-node", "nodes"))
        yield script.finding("RK312", option.line, f"{has}; {part.tasks} such tasks need {needed}.")


def _needed_nodes(script: Context, part: RequestedResources, entries: list[Mapping[str, Any]]) -> int:
    """Return how many nodes the tasks need, where no more fit on one than cores, or --ntasks-per-node, allow."""
    each = values.count(script.directives.value("ntasks-per-node", part=part.part), otherwise=0)
    cores = _largest(script, part, entries).cores
    return max(-(-part.tasks // each) if each else 0, -(-part.cores // cores) if cores else 0)


def _option(script: Context, part: RequestedResources, names: Iterable[str]) -> DirectiveOption:
    """Return the first of these options that the job has."""
    return next(option for name in names if (option := script.directives.get(name, part=part.part)))


def _where(script: Context, part: RequestedResources, entries: list[Mapping[str, Any]]) -> str:
    if part.constraint and node_sizes.of_constraint(part.constraint, script.cluster):
        return f"Nodes with --constraint={part.constraint} have"
    types = f" with {near_names.either(list(dict.fromkeys(part.gpu_types)))}" if part.gpu_types else ""
    return f"Nodes of {_names(part, entries, 'the')}{types} have"


def _names(part: RequestedResources, entries: list[Mapping[str, Any]], article: str = "The") -> str:
    names = near_names.either([str(entry["name"]) for entry in entries])
    return names if part.partition else f"{article} default partition, {names},"


def _size(megabytes: float) -> str:
    return f"{megabytes / 1024:g} GB" if megabytes >= 1024 else f"{megabytes:g} MB"
