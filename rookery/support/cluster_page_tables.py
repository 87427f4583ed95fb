"""The tables of the pages on clusters, and a profile as those pages read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rookery.clusters.cluster import ACCOUNT, role
from rookery.clusters.config import profile
from rookery.homes import listing
from rookery.support.cohort.pages import markdown

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

Table = tuple[list[str], list[list[str]]]
"""Headings, and rows of as many cells."""

UNSURE: Final = " **(?)**"

_BACKUP: Final = {"none": "none", "unknown": "not known"}
_PLACES: Final = {
    "home": "your home",
    "persistent": "large storage",
    "scratch": "scratch",
    "node": "temporary",
    "project": "project",
}


@dataclass(frozen=True)
class Facts:
    """A profile, as the parts of its page read it."""

    cluster: "Cluster"
    doubtful: frozenset[str]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `cluster_KEY`."""
        return self.cluster.data.get(profile.PREFIX + key, default)

    def mark(self, key: str) -> str:
        """Return the mark behind a fact that could not be verified.

        A part (policies.tmux) is doubtful where the whole is, and a table of things where any part of them is.
        """
        full = profile.PREFIX + key
        plain = {re.sub(r"\[\d+\]", "", name) for name in self.doubtful}
        unsure = full.partition(".")[0] in plain or any(f"{name}.".startswith(f"{full}.") for name in plain)
        return UNSURE if unsure else ""


def shown(expression: str) -> str:
    """Return the path of a storage area for a page: with a word that nobody takes for a variable."""
    return expression.replace(ACCOUNT, "ACCOUNT")


def storage(facts: Facts) -> Table | None:
    """Return the table of places where files can be kept."""
    rows = [
        [
            _place(area) + facts.mark("storage"),
            f"`{shown(area['expression'])}`",
            amount("mb", area.get("quota_mb")),
            _backup(area),
            _purge(area.get("purge_days")),
            markdown(area.get("note", "")),
        ]
        for area in facts.get("storage", [])
    ]
    return _filled(["storage", "path", "quota", "backup", "deleted", "note"], rows)


def _place(area: Mapping[str, Any]) -> str:
    """Return what a storage is called: by its role, and its own name where that says more."""
    words, name = _PLACES[role(area)], str(area["name"])
    return words if name in {*_PLACES, "tmp"} else f"{name} ({words})"


def _backup(place: Mapping[str, Any]) -> str:
    backup = place.get("backup", "unknown")
    days = f", kept {place['backup_days']} days" if "backup_days" in place else ""
    return f"{_BACKUP.get(backup, backup)}{days}"


def _purge(days: int | None) -> str:
    if days is None:
        return ""
    return f"{days} days after a file's last change" if days else "at the end of the job"


def partitions(facts: Facts) -> Table | None:
    """Return the partitions."""
    mark = facts.mark("partitions")
    rows = [
        [
            f"`{partition['name']}`{mark}",
            markdown(partition.get("purpose", partition.get("for", ""))),
            amount("minutes", partition.get("max_minutes")),
            str(partition.get("cores", "")),
            ", ".join(f"`{gpu}`" for gpu in partition.get("gpu_types", [])),
            str(partition.get("gpus_per_user", "")),
            partition.get("architecture", ""),
            _needs(partition),
        ]
        for partition in facts.get("partitions", [])
    ]
    headings = ["partition", "for", "time limit", "cores", "GPUs", "GPUs per user", "architecture", "needs"]
    return _filled(headings, rows)


def qos(facts: Facts) -> Table | None:
    """Return the qualities of service."""
    mark = facts.mark("qos")
    rows = [
        [
            f"`{entry['name']}`{mark}",
            markdown(entry.get("purpose", entry.get("for", ""))),
            ", ".join(f"`{partition}`" for partition in entry.get("partitions", [])),
            amount("minutes", entry.get("max_minutes")),
            str(entry.get("max_nodes", "")),
            str(entry.get("max_running", "")),
            str(entry.get("max_submitted", "")),
            _needs(entry),
        ]
        for entry in facts.get("qos", [])
    ]
    headings = ["QOS", "for", "partitions", "time limit", "nodes", "running jobs", "queued jobs", "needs"]
    return _filled(headings, rows)


def _needs(entry: Mapping[str, Any]) -> str:
    """Return what a job of a partition or QOS must ask for, or is given."""
    fewest = {"min_nodes": "nodes", "min_gpus": "GPUs"}
    words = [f"{entry[key]} {word} or more" for key, word in fewest.items() if entry.get(key, 0) > 1]
    words += ["a GPU"] * (entry.get("min_gpus") == 1) + ["whole nodes"] * bool(entry.get("exclusive"))
    return ", ".join([*words, *(f"`{option}`" for option in entry.get("options", []))])


def gpus(facts: Facts) -> Table | None:
    """Return the types of GPU."""
    mark = facts.mark("gpus")
    rows = [
        [
            markdown(gpu.get("title", gpu["type"])) + mark,
            f"`{gpu['type']}`",
            amount("gb", gpu.get("memory_gb")),
            ", ".join(f"`{partition}`" for partition in gpu.get("partitions", [])),
            str(gpu.get("per_node", "")),
            str(gpu.get("nodes", "")),
        ]
        for gpu in facts.get("gpus", [])
    ]
    return _filled(["GPU", "`gpu_type:`", "memory", "partitions", "per node", "nodes"], rows)


def constraints(facts: Facts) -> Table | None:
    """Return the kinds of node that one can have whole."""
    rows = [
        [
            node["name"] + facts.mark("constraints"),
            f"`{node.get('constraint', node['name'])}`",
            str(node.get("cores", "")),
            amount("mb", node.get("memory_mb")),
            ", ".join(f"`{partition}`" for partition in node.get("partitions", [])),
        ]
        for node in facts.get("constraints", [])
    ]
    return _filled(["node", "constraint", "cores", "memory", "partitions"], rows)


def amount(unit: str, number: int | None) -> str:
    """Return a number in the largest unit in which it is whole."""
    if number is None:
        return ""
    sizes = listing.UNITS[unit]
    size, short = next(((size, short) for size, short in sizes if number >= size and number % size == 0), sizes[-1])
    return f"{number // size} {short}"


def _filled(headings: list[str], rows: list[list[str]]) -> Table | None:
    """Return the table without empty columns; None where it has no rows."""
    kept = [number for number in range(len(headings)) if any(row[number] for row in rows)]
    return ([headings[number] for number in kept], [[row[number] for number in kept] for row in rows]) if rows else None
