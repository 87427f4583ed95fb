"""Ask a compute node of each kind what it is like, by a job of some seconds on each."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import ACCOUNT
from rookery.clusters.survey import answer, storage_keys
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.slurm_answers import NodeKind, SlurmSite
from rookery.core import paths
from rookery.core.console import waiting

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

PATIENCE = 300
"""Seconds that the jobs may wait and run."""

MOST = 20
"""How many jobs there are at most."""


def ask(
    connection: "Connection",
    survey: Survey,
    site: SlurmSite,
    values: Mapping[str, Any],
    *,
    prove: bool = False,
) -> Survey:
    """Return the survey with what a compute node of each kind says.

    Args:
        connection: The cluster's, open.
        survey: What the login node said.
        site: The same of Slurm.
        values: The profile's keys so far.
        prove: Run a job in each partition, which proves that it takes one, and load each module there.

    Raises:
        SshError: The connection failed.
        RookeryError: The answer is cut off.
    """
    asked = list(_options(site, values, prove))[:MOST]
    if not asked:
        return survey
    folders = [place.path for place in storage_keys.places(survey)]
    named = {name for names in (values.get("cluster_modules") or {}).values() for name in names or []} if prove else ()
    words = [answer.ADDRESS, values.get("cluster_module_verb") or "load", " ".join(sorted(named)), *folders]
    arguments = [str(PATIENCE), paths.remote("scripts/survey/node.sh"), shlex.join(words)]
    options = [" ".join(words) for _, _, words in asked]
    with waiting(f"waiting for {len(asked)} short jobs on {connection.cluster.name}"):
        completed = connection.run(
            [*arguments, *options],
            script=paths.remote("scripts/survey/nodes.sh"),
            timeout=PATIENCE + 30,
            check=False,
        )
    told = answer.read(completed.stdout, connection.cluster.name)
    known = [
        f"{number} {key} {text}"
        for number, (partition, of_type, _) in enumerate(asked, start=1)
        for key, text in (("partition", partition), ("type", of_type))
    ]
    return replace(survey, facts={**survey.facts, "job": (*known, *told.all("job"))})


def _options(site: SlurmSite, values: Mapping[str, Any], every: bool) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield a partition, a type of GPU and options of srun for each partition, or each kind of node."""
    partitions = sorted(values.get("cluster_partitions", []), key=lambda entry: entry.get("for") != "test")
    seen: set[object] = set()
    for kind in site.nodes:
        for entry in partitions:
            if entry["name"] not in kind.partitions:
                continue
            key = entry["name"] if every else (kind.architecture, tuple(sorted(kind.gpus)))
            if key not in seen:
                seen.add(key)
                yield entry["name"], next(iter(kind.gpus), ""), _srun_options(kind, entry, values)


def _srun_options(kind: NodeKind, entry: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Return what srun needs for a small job on such a node."""
    account = str(entry.get("account", ACCOUNT)).replace(ACCOUNT, (values.get("cluster_account") or {}).get("name", ""))
    quality = _quality(entry, values)
    named = {"partition": entry["name"], "account": account, "qos": quality}
    options = [f"--{name}={value}" for name, value in named.items() if value]
    if kind.gpus:
        of_type = next(iter(kind.gpus))
        one = f"{of_type}:1" if of_type else "1"
        options.append(f"--gpus={one}" if values.get("cluster_gpu_request") == "gpus" else f"--gres=gpu:{one}")
    return options


def _quality(entry: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return the QOS of a small job in a partition: the default one, else the first that takes such a job."""
    usable = [one for one in values.get("cluster_qos") or [] if entry["name"] in one.get("partitions", [entry["name"]])]
    default = str(values.get("cluster_default_qos", ""))
    if default in [one["name"] for one in usable]:
        return default
    small = [one["name"] for one in usable if one.get("min_nodes", 1) == 1 and one.get("min_gpus", 1) == 1]
    return str(next(iter(small), default if not usable else ""))
