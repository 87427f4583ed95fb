"""Further architectures of a cluster's nodes, whose programs can't run on the login node, and how jobs get there."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.clusters.cluster import ACCOUNT, account

ARCHITECTURES = ("x86_64", "aarch64", "ppc64le")
"""Those that a profile can name (roles/cluster/meta/argument_specs.yml)."""

MINUTES = 60
"""How long the jobs that install programs or build an environment may run, where the partition allows it."""


@dataclass(frozen=True)
class OtherArchitecture:
    """An architecture of compute nodes that is not the login node's.

    Attributes:
        name: As `uname -m` says it.
        submit: The command that submits a job script to such nodes, as words.
        options: Options of sbatch for a job of one core that installs or builds programs there.
    """

    name: str
    submit: tuple[str, ...]
    options: tuple[str, ...]


def others(data: Mapping[str, Any]) -> list[OtherArchitecture]:
    """Return the architectures besides the login node's that jobs can be sent to.

    Args:
        data: The cluster's `cluster_*` values.
    """
    found = []
    for entry in (data.get("cluster_architectures") or [])[1:]:
        partition = _partition(entry, data)
        if partition and data.get("cluster_scheduler", "slurm") == "slurm":
            submit = tuple(shlex.split(str(entry.get("submit") or "sbatch")))
            found.append(OtherArchitecture(str(entry["name"]), submit, tuple(_options(partition, data))))
    return found


def of_partition(data: Mapping[str, Any], name: str) -> str:
    """Return the architecture of a partition's nodes where it differs from the login node's, else "".

    Args:
        data: The cluster's `cluster_*` values.
        name: The partition's.
    """
    usual = next((str(entry["name"]) for entry in data.get("cluster_architectures") or []), "")
    entries = [entry for entry in data.get("cluster_partitions") or [] if entry["name"] == name]
    architecture = str(entries[0].get("architecture", usual)) if entries else usual
    return architecture if architecture != usual else ""


def submit_commands(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return by partition the command that submits a job to it, as words, where that is not sbatch.

    Args:
        data: The cluster's `cluster_*` values.
    """
    own = {
        entry["name"]: shlex.split(str(entry.get("submit", ""))) for entry in data.get("cluster_architectures") or []
    }
    partitions = [str(entry["name"]) for entry in data.get("cluster_partitions") or []]
    found = {name: own.get(of_partition(data, name), []) for name in partitions}
    return {name: words for name, words in found.items() if words}


def _partition(architecture: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the partition where programs are built: the one that the profile names, else the one asking least."""
    entries = data.get("cluster_partitions") or []
    usable = [entry for entry in entries if entry.get("architecture") == architecture["name"]]
    named = [entry for entry in usable if entry["name"] == architecture.get("partition")]
    first = {"interactive": 0, "test": 1}
    by_need = sorted(usable, key=lambda entry: (entry.get("min_gpus", 0), first.get(str(entry.get("for")), 2)))
    return next(iter(named or by_need), {})


def _options(partition: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Return what sbatch needs for a small job in a partition."""
    code, name = account(data), partition["name"]
    own = [entry["name"] for entry in data.get("cluster_qos") or [] if name in entry.get("partitions", [name])]
    usual = data.get("cluster_default_qos", "")
    form = str(partition.get("account", ACCOUNT))
    named = {
        "partition": name,
        "account": form.replace(ACCOUNT, code) if code or ACCOUNT not in form else "",
        "qos": usual if usual in own or not own else own[0],
        "time": min(MINUTES, partition.get("max_minutes") or MINUTES),
    }
    options = [f"--{key}={value}" for key, value in named.items() if value]
    if gpus := partition.get("min_gpus"):
        options.append(f"--gpus={gpus}" if data.get("cluster_gpu_request") == "gpus" else f"--gres=gpu:{gpus}")
    added = [*(data.get("cluster_sbatch") or []), *(partition.get("options") or [])]
    return [*options, *(word for text in added for word in shlex.split(str(text)))]
