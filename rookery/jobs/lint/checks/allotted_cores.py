"""The cores that a job is given on a node, as far as its `#SBATCH` lines and the profile tell."""

import re

from rookery.jobs.lint.checks import lines
from rookery.jobs.lint.script import values
from rookery.jobs.lint.script.context import Context, computed_once
from rookery.jobs.lint.script.requested_resources import GPU_OPTIONS, partitions

_OTHERWISE = frozenset({
    "exclusive", "cpus-per-gpu", "mincpus", "threads-per-core", "hint", "core-spec", "thread-spec", "extra-node-info",
    "cores-per-socket", "sockets-per-node", "ntasks-per-core", "ntasks-per-socket", "ntasks-per-gpu", "ntasks-per-tres",
    "tres-per-task", "overcommit", "oversubscribe", "distribution", "reservation",
})  # fmt: skip
"""Options by which a job gets other cores than tasks times cores of a task, or is meant to share them."""
_COUNTS = ("cpus-per-task", "ntasks", "ntasks-per-node", "nodes")


def of_a_node(script: Context) -> int | None:
    """Return the most cores that one node gives the job; None where that can't be known.

    Whole nodes, cores that follow from GPUs, several components and options on the command line are such cases.
    """
    numbers = _numbers(script)
    if numbers is None:
        return None
    return numbers["cpus-per-task"] * (numbers["ntasks-per-node"] or numbers["ntasks"] or 1)


def of_all_nodes(script: Context) -> int | None:
    """Return the cores of the whole job; None where that can't be known."""
    numbers = _numbers(script)
    if numbers is None:
        return None
    tasks = numbers["ntasks"] or max(numbers["nodes"], 1) * (numbers["ntasks-per-node"] or 1)
    return numbers["cpus-per-task"] * tasks


@computed_once
def _numbers(script: Context) -> dict[str, int] | None:
    """Return the numbers that the job asks for, 0 for what it does not say."""
    directives = script.directives
    if (
        not script.asks
        or directives.parts > 1
        or directives.slips
        or any(option.name in _OTHERWISE for option in directives.options)
    ):
        return None
    if lines.intended_options(script) & {*_COUNTS, *_OTHERWISE, *GPU_OPTIONS} or _gives_more(script):
        return None
    texts = {name: directives.value(name) or "" for name in _COUNTS}
    if values.megabytes(directives.value("mem") or "") == 0:  # all memory, and on some sites all cores with it
        return None
    if directives.get(*GPU_OPTIONS) and not texts["cpus-per-task"]:  # some sites give cores with each GPU
        return None
    numbers = {}
    for name, text in texts.items():
        match = re.fullmatch(r"(?:\d{1,6}-)?(\d{1,6})", text) if text else None
        if text and not match:
            return None
        numbers[name] = int(match.group(1)) if match else 0
    return {**numbers, "cpus-per-task": numbers["cpus-per-task"] or 1}


def _gives_more(script: Context) -> bool:
    """Return whether the cluster may give more cores than asked for: whole nodes, or the cores beside a GPU."""
    data, directives = script.cluster.data, script.directives
    if (data.get("cluster_limits") or {}).get("follow_gpus"):
        return True
    chosen = directives.value("partition")
    qos = directives.value("qos") or data.get("cluster_default_qos")
    whole = [entry for entry in partitions(script) if entry.get("exclusive")]
    qos_whole = any(entry.get("exclusive") for entry in data.get("cluster_qos") or [] if entry["name"] == qos)
    named = set(chosen.split(",")) if chosen else set()
    if named and not named <= {entry["name"] for entry in partitions(script)} and partitions(script):
        return True
    return qos_whole or any(not named or entry["name"] in named for entry in whole)
