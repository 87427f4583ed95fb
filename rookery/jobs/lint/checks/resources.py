"""RK3: what a job asks for, against what its partition and the site allow."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rookery.clusters.cluster import ACCOUNT
from rookery.core import near_names
from rookery.core.quantities import counted
from rookery.jobs.lint.checks import lines, partition_names
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script import similar_names, values
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import (
    GPU_OPTIONS,
    RequestedResources,
    gpu_types,
    longest,
    partitions,
    requested,
    usable,
)
from rookery.projects.scripts import placement


def too_long(script: Context) -> Iterator[Finding]:
    """Yield findings for more time than the partition gives."""
    for part in requested(script):
        default = _default(script, part)
        entries, option = part.partitions or default, script.directives.get("time", part=part.part)
        most = longest(entries)
        if option and part.minutes is not None and part.minutes > most:
            longer = _roomier(script, part, {entry.get("for") for entry in entries})
            other = next((name for name in longer if partition_names.takes(script, part, name)), "")
            if other and part.partition:
                edits = [script.value_edit(part.partition, other)]
            elif other:
                edits = [script.new_line(f"#SBATCH --partition={other}", part=part.part)]
            else:
                edits = [script.value_edit(option, values.clock(int(most)))]
            subject = f"The default partition, {default[0]['name']}," if default else _names(part)
            yield script.finding(
                "RK302",
                option.line,
                f"{subject} allows at most {_hours(most)}; this requests {_hours(part.minutes)}, and never starts."
                + (f" Partitions for longer jobs: {', '.join(longer)}." if longer else ""),
                edits=edits,
            )


def _names(part: RequestedResources) -> str:
    """Return the partitions that a job may go to; "" where the site chooses."""
    names = [str(partition["name"]) for partition in part.partitions]
    return near_names.either(names) if names else ""


def _hours(minutes: float) -> str:
    if math.isinf(minutes):
        return "no limit"
    whole = math.ceil(minutes)
    return placement.hours(whole) if whole < 120 or whole % 60 == 0 else values.clock(whole)


def _roomier(script: Context, part: RequestedResources, kinds: set[str | None]) -> list[str]:
    """Return partitions of these kinds that allow as much time as the job requests."""
    return [
        str(partition["name"])
        for partition in partitions(script)
        if partition.get("for") in kinds and (partition.get("max_minutes") or math.inf) >= (part.minutes or 0)
    ]


def too_many_cores(script: Context) -> Iterator[Finding]:
    """Yield findings for more cores or nodes than a job of that partition, or a user, may have."""
    limits = script.cluster.data.get("cluster_limits") or {}
    for part in requested(script):
        sizes = ("cpus-per-task", "ntasks", "ntasks-per-node", "nodes")
        option = next(filter(None, (script.directives.get(name, part=part.part) for name in sizes)), None)
        if not option:
            continue
        cores = max((partition.get("cores") or math.inf for partition in part.partitions), default=math.inf)
        nodes = max((partition.get("max_nodes") or math.inf for partition in part.partitions), default=math.inf)
        if part.cores > cores:
            other = partition_names.chosen(script, part)
            edits = [script.value_edit(part.partition, other)] if other and part.partition else []
            why = f"{_names(part)} is for jobs with {counted(int(cores), 'core')}; this requests {part.cores}."
            yield script.finding("RK303", part.partition.line if part.partition else option.line, why, edits=edits)
        elif part.cores > (limits.get("cores") or math.inf):
            most = f"at most {limits['cores']} cores at a time"
            why = f"{script.cluster.name} allows each user {most}; this requests {part.cores}."
            yield script.finding("RK303", option.line, why)
        if part.nodes > nodes:
            why = f"{_names(part)} allows at most {counted(int(nodes), 'node')} per job; this requests {part.nodes}."
            yield script.finding("RK303", option.line, why)


def gpus(script: Context) -> Iterator[Finding]:
    """Yield findings for GPUs where there are none, of a type there is not, or more than any user may have."""
    known = list(script.cluster.data.get("cluster_gpus") or [])
    for part in requested(script):
        if not part.gpu:
            continue
        entries = part.partitions or _default(script, part)
        if entries and not any(gpu_types(partition, script) or partition.get("for") == "gpu" for partition in entries):
            if any("gpu_types" in partition for partition in partitions(script)) or not known:
                yield _without(script, part, [str(partition["name"]) for partition in entries])
            continue
        yield from _typed(script, part, known)
        yield from _more(script, part, known)


def _default(script: Context, part: RequestedResources) -> list[Mapping[str, Any]]:
    """Return the partition of jobs that name none; none where the job names one, or the site chooses by itself."""
    default = script.cluster.data.get("cluster_default_partition", "")
    if part.partition or "partition" in lines.intended_options(script):
        return []
    return [entry for entry in partitions(script) if entry["name"] == default]


def _without(script: Context, part: RequestedResources, names: list[str]) -> Finding:
    having = [partition["name"] for partition in partitions(script) if gpu_types(partition, script)]
    where = f"these have: {', '.join(having)}" if having else f"{script.cluster.name} has no known GPUs"
    other = partition_names.chosen(script, part) if having else ""
    edits = []
    if other:
        line = script.new_line(f"#SBATCH --partition={other}", part=part.part)
        edits = [script.value_edit(part.partition, other) if part.partition else line]
    assert part.gpu is not None  # noqa: S101 asked for above
    subject = near_names.either(names) if part.partition else f"The default partition, {names[0]},"
    return script.finding("RK304", part.gpu.line, f"{subject} has no GPUs; {where}.", edits=edits)


def _typed(script: Context, part: RequestedResources, known: list[Mapping[str, Any]]) -> Iterator[Finding]:
    types = sorted({kind for partition in part.partitions for kind in gpu_types(partition, script)})
    types = types or [gpu["type"] for gpu in known]
    for kind, _ in part.gpus:
        if kind and types and kind not in types and part.gpu:
            certain = similar_names.meant(kind, types)
            near = certain or similar_names.nearest(kind, types)
            value = re.sub(rf"(?<![\w.-]){re.escape(kind)}(?![\w.-])", near or kind, part.gpu.value or "")
            where = _names(part) or script.cluster.name
            yield script.finding(
                "RK305",
                part.gpu.line,
                f"{where} has no GPUs of type {kind}. Its types: {', '.join(types)}.",
                edits=[script.value_edit(part.gpu, value)] if near else [],
                safe=bool(certain),
            )


def _more(script: Context, part: RequestedResources, known: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield findings for more GPUs than a user may have, or than any node has."""
    most = max((partition.get("gpus_per_user") or math.inf for partition in part.partitions), default=math.inf)
    if part.gpu and part.gpus_in_all > most:
        why = f"{_names(part)} allows each user at most {int(most)} GPUs; this requests {part.gpus_in_all}."
        yield script.finding("RK306", part.gpu.line, why)
        return
    if not part.gpu or part.gpu.name == "gpus-per-socket":
        return
    types = {kind for partition in part.partitions for kind in gpu_types(partition, script)}
    for kind, number in part.gpus:
        fit = [gpu for gpu in known if gpu["type"] in types and kind in {"", gpu["type"]}]
        on_node = part.on_node(number)
        if fit and all("per_node" in gpu for gpu in fit) and on_node > (best := max(gpu["per_node"] for gpu in fit)):
            why = f"The nodes of {_names(part)} have at most {best} such GPUs; this requests {on_node} per node."
            yield script.finding("RK306", part.gpu.line, why)


def required(script: Context) -> Iterator[Finding]:
    """Yield findings for missing options without which the partition or the site refuses a job."""
    if not script.asks:
        return
    account, elsewhere = script.cluster.data.get("cluster_account") or {}, lines.intended_options(script)
    if account.get("required") and not script.directives.get("account") and "account" not in elsewhere:
        name = account.get("name", "")
        entries = [entry for part in requested(script) for entry in usable(script, part)] or partitions(script)
        forms = {entry.get("account", ACCOUNT) for entry in entries} or {ACCOUNT}
        account_name = forms.pop().replace(ACCOUNT, name) if name and len(forms) == 1 else ""
        example = f"such as {account['example']}" if account.get("example") and not name else ""
        about = ", ".join(filter(None, (account.get("hint"), example)))
        yield script.finding(
            "RK307",
            script.directives.lines[-1].number,
            f"{script.cluster.name} rejects jobs without an account to charge{f' ({about})' if about else ''}.",
            edits=[script.new_line(f"#SBATCH --account={account_name}", part=0)] if account_name else [],
            safe=bool(name),
        )
    for part in requested(script):
        for wanted, whose in _needed(script, part).items():
            name, _, value = wanted.removeprefix("--").partition("=")
            option_names = (*GPU_OPTIONS,) if name in GPU_OPTIONS else (name,)
            given = script.directives.get(*option_names, part=part.part)
            if (given and (given.name != "tres-per-task" or part.gpu)) or elsewhere & {*option_names}:
                continue
            mended = f"#SBATCH {re.sub('(?<=[:=])N$', '1', wanted)}"
            yield script.finding(
                "RK308",
                part.partition.line if part.partition else script.directives.lines[-1].number,
                f"{whose} rejects jobs without {wanted}.",
                edits=[script.new_line(mended, part=part.part)],
                safe=not value.endswith("N"),
            )


def _needed(script: Context, part: RequestedResources) -> dict[str, str]:
    """Return the options without which a job is refused, each with who refuses it: the cluster, or partitions."""
    options = dict.fromkeys(script.cluster.data.get("cluster_sbatch") or [], script.cluster.name)
    default = (
        {}
        if part.partition
        else {
            _gpu_request(script): f"The default partition, {entry['name']},"
            for entry in _default(script, part)
            if entry.get("min_gpus")
        }
    )
    return {**default, **dict.fromkeys(_needed_in_partitions(script, part), _names(part)), **options}


def _gpu_request(script: Context) -> str:
    return "--gpus=N" if script.cluster.data.get("cluster_gpu_request") == "gpus" else "--gres=gpu:N"


def _needed_in_partitions(script: Context, part: RequestedResources) -> Iterator[str]:
    data = script.cluster.data
    for partition in part.partitions:
        if partition.get("min_gpus"):
            yield _gpu_request(script)
        possible = [
            qos
            for qos in data.get("cluster_qos") or []
            if partition["name"] in qos.get("partitions", [partition["name"]])
        ]
        if len(possible) == 1 and possible[0].get("partitions"):
            yield f"--qos={possible[0]['name']}"
        yield from partition.get("options") or []
