"""The command `queue`: a cluster's partitions, their free nodes, and their limits, from Slurm and the profile."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.clusters.query import ClusterQuery, require_scheduler
from rookery.core import console, tables
from rookery.core.errors import RookeryError
from rookery.jobs.options import QueueOptions
from rookery.projects import slurm_values
from rookery.projects import target as targets
from rookery.projects.scripts.placement import hours

if TYPE_CHECKING:
    from rich.text import Text

    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

_COLUMNS = {
    "Partition": 64, "Available": 12, "Time": 24, "Nodes": 10, "StateLong": 24, "CPUsState": 32, "Gres": 256,
    "GresUsed": 256,
}  # fmt: skip
"""sinfo's fields and their widths: a fixed width is what every version from 15.08 on takes."""

FIELDS = ",".join(f"{name}:{width}" for name, width in _COLUMNS.items())

# Where Slurm is on PATH in login shells alone, the site's part of one is read
_ASK = """
command -v sinfo >/dev/null 2>&1 || { . /etc/profile >/dev/null 2>&1; rookery_clean; }
exec sinfo "$@"
"""

HEADINGS = ("partition", ">nodes\nfree", ">cores\nfree", "~GPUs free", "=time\nlimit", "~use")
"""Those of the table of partitions."""

_USABLE = {"idle", "mixed", "allocated", "completing", "reserved", "planned"}


@dataclass
class Partition:
    """A partition, as it is now.

    Attributes:
        name: Its name, as --partition takes it.
        purpose: What it is for, in the profile's words.
        state: open, or closed with Slurm's word for it; absent where the profile names it and Slurm does not.
        default: Whether a job that names none goes there.
        max_minutes: How long a job may run; None for no limit.
        nodes: How many nodes it has.
        free_nodes: How many of them do nothing.
        broken_nodes: How many can't be used now.
        cores: How many cores it has.
        free_cores: How many of them are free.
        gpus: GPUs by type.
        free_gpus: Those of them that are free.
        limits: What else is limited, in the profile's words.
    """

    name: str
    purpose: str = ""
    state: str = "open"
    default: bool = False
    max_minutes: int | None = None
    nodes: int = 0
    free_nodes: int = 0
    broken_nodes: int = 0
    cores: int = 0
    free_cores: int = 0
    gpus: dict[str, int] = field(default_factory=dict)
    free_gpus: dict[str, int] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)


def run(options: QueueOptions) -> int:
    """Print the partitions of a cluster.

    Raises:
        RookeryError: The cluster is unknown or can't be reached, has no scheduler, or its Slurm does not answer.
    """
    return query(options).answer(json=options.json)


def query(options: QueueOptions) -> ClusterQuery[list[Partition]]:
    """Return the question to one cluster.

    Raises:
        RookeryError: The cluster is unknown.
        NotApplicableError: It has no scheduler.
    """
    connection = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False).connection
    cluster = connection.cluster
    require_scheduler(cluster)

    def ask_partitions() -> list[Partition]:
        with console.waiting(f"Asking {cluster.name} for its partitions"):
            return read(ask(connection), cluster.data)

    return ClusterQuery(
        connection,
        ask_partitions,
        lambda found: {"cluster": cluster.name, "partitions": [asdict(partition) for partition in found]},
        lambda found: _show(cluster, found),
    )


def ask(connection: "Connection") -> str:
    """Return sinfo's output, in one round trip.

    Raises:
        RookeryError: Slurm does not answer.
    """
    done = connection.run(["-h", "-e", "-O", FIELDS], script=_ASK, timeout=60, check=False)
    if not done.ok:
        last = ((done.stderr.strip() or done.stdout.strip()).splitlines() or ["no output"])[-1]
        raise RookeryError(
            f"Slurm on {connection.cluster.name} does not answer: {console.clean(last)}",
            hint="run the same command again in a few minutes; submitted jobs are not lost",
        )
    return done.stdout


def read(text: str, profile: Mapping[str, Any]) -> list[Partition]:
    """Return the partitions, in the profile's order, then those that it does not have.

    Args:
        text: sinfo's answer; a line for nodes that are alike.
        profile: The cluster's `cluster_*` values.
    """
    known = {entry["name"]: entry for entry in profile.get("cluster_partitions") or []}
    partitions = {name: Partition(name, state="absent") for name in known}
    for line in text.splitlines():
        fields = _values(line)
        name = fields["Partition"].rstrip("*")
        if not name or not fields["CPUsState"]:
            continue
        partition = partitions.setdefault(name, Partition(name))
        partition.state = "open" if fields["Available"] == "up" else f"closed ({fields['Available']})"
        partition.default = partition.default or fields["Partition"].endswith("*")
        partition.max_minutes = minutes(fields["Time"])
        _add_nodes(partition, fields)
    for name, entry in known.items():
        partition = partitions[name]
        partition.purpose = str(entry.get("purpose") or entry.get("for") or "")
        partition.limits = _limits(entry)
        if partition.max_minutes is None:
            partition.max_minutes = entry.get("max_minutes")
    return list(partitions.values())


def _values(line: str) -> dict[str, str]:
    values, start = {}, 0
    for name, width in _COLUMNS.items():
        values[name] = line[start : start + width].strip()
        start += width
    return values


def _add_nodes(partition: Partition, fields: Mapping[str, str]) -> None:
    """Add nodes of one kind to the counts of their partition."""
    count = _whole(fields["Nodes"])
    state = fields["StateLong"]
    bare = re.sub(r"[^a-z]", "", state.lower())
    usable = bare in _USABLE and not state.endswith(("*", "$", "%"))  # does not answer, maintenance, powering down
    partition.nodes += count
    partition.free_nodes += count if bare == "idle" and usable else 0
    partition.broken_nodes += 0 if usable else count
    cores = fields["CPUsState"].split("/")  # allocated/idle/other/total
    if len(cores) == 4:
        partition.cores += _whole(cores[3])
        partition.free_cores += _whole(cores[1]) if usable else 0
    used = gpus(fields["GresUsed"])
    for kind, number in gpus(fields["Gres"]).items():
        partition.gpus[kind] = partition.gpus.get(kind, 0) + number * count
        free = max(0, number - used.get(kind, 0)) * count if usable else 0
        partition.free_gpus[kind] = partition.free_gpus.get(kind, 0) + free


def _whole(text: str) -> int:
    """Return a whole number; 0 for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


def gpus(gres: str) -> dict[str, int]:
    """Return the GPUs of one node by type: `gpu:v100:3(S:0),gpu:2` -> {"v100": 3, "gpu": 2}."""
    counted: dict[str, int] = {}
    for part in re.split(r",(?![^(]*\))", gres):
        match = re.fullmatch(r"gpu(?::([\w.+-]+))?:([0-9]{1,9})(?:\(.*\))?", part.strip())
        if match and int(match[2]):
            counted[match[1] or "gpu"] = counted.get(match[1] or "gpu", 0) + int(match[2])
    return counted


def minutes(limit: str) -> int | None:
    """Return a limit as sinfo prints it, in minutes; None where there is none."""
    try:
        return slurm_values.minutes(limit)
    except ValueError:  # infinite, n/a
        return None


def _limits(entry: Mapping[str, Any]) -> list[str]:
    words = {
        "cores": "at most {} core{s} a job",
        "max_nodes": "at most {} node{s} a job",
        "min_nodes": "at least {} node{s} a job",
        "min_gpus": "at least {} GPU{s} a job",
        "gpus_per_user": "at most {} GPU{s} a person",
        "max_running": "at most {} job{s} running",
        "max_submitted": "at most {} job{s} or array tasks in the queue",
    }
    limits = [
        text.format(entry[key], s="" if entry[key] == 1 else "s") for key, text in words.items() if entry.get(key)
    ]
    limits += ["whole nodes"] * bool(entry.get("exclusive"))
    return [*limits, *(f"needs {option}" for option in entry.get("options") or [])]


def _show(cluster: "Cluster", partitions: Sequence[Partition]) -> None:
    tables.show(HEADINGS, [row(partition) for partition in partitions])
    if qos := cluster.data.get("cluster_qos"):
        console.say("")
        tables.show(("QOS", "~partitions", "=time\nlimit", "~use"), [_qos_row(entry) for entry in qos])
    limits: Mapping[str, Any] = cluster.data.get("cluster_limits") or {}
    most = [f"{limits['cores']} cores"] if limits.get("cores") else []
    most += [f"{limits['memory_mb'] // 1024} GB of memory"] if limits.get("memory_mb") else []
    if most:
        console.say(f"All your jobs together: at most {' and '.join(most)} at a time.")


def _qos_row(entry: Mapping[str, Any]) -> list[str]:
    """Return the cells of a QOS's row, all from the profile."""
    longest = hours(entry["max_minutes"]) if "max_minutes" in entry else ""
    use = "; ".join(filter(None, (entry.get("purpose") or entry.get("for", ""), *_limits(entry))))
    return [entry["name"], ", ".join(entry.get("partitions", ["all"])), longest, use]


def row(partition: Partition) -> list["Text"]:
    """Return the cells of a partition's row in the table."""
    from rich.text import Text

    name = f"{partition.name}{' (default)' if partition.default else ''}"
    if partition.state == "absent":
        cells = (name, "", "", "", "", "in the profile, but Slurm does not show it to you")
        return [Text(console.clean(cell), style="red") for cell in cells]
    broken = f"{partition.broken_nodes} node{'' if partition.broken_nodes == 1 else 's'} down"
    notes = [f"{partition.state}: jobs wait until it opens"] * (partition.state != "open")
    notes += [broken] * bool(partition.broken_nodes)
    cards = (f"{partition.free_gpus[kind]} of {number} {kind}" for kind, number in partition.gpus.items())
    what = "; ".join(filter(None, (partition.purpose, *partition.limits, *notes)))
    numbers = (f"{partition.free_nodes} of {partition.nodes}", f"{partition.free_cores} of {partition.cores}")
    longest = "no limit" if partition.max_minutes is None else hours(partition.max_minutes)
    cells = (name, *numbers, "\n".join(cards), longest, what)
    return [Text(console.clean(cell), style="" if partition.state == "open" else "red") for cell in cells]
