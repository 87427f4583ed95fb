"""Turn what Slurm said of its qualities of service (QOS) into the keys of a profile."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rookery.clusters.survey import trials
from rookery.clusters.survey.finding import FOUND, ProfileFinding
from rookery.clusters.survey.slurm_answers import SlurmSite, SurveyedPartition, SurveyedQuality, whole

TEST_MINUTES: Final = 30
"""The longest time limit of a partition or a QOS that is for trying things, whatever its name is."""

BY_NAME: Final = (
    ("test", re.compile(r"test|debug|devel|(^|[-_])dev([-_]|$)", re.IGNORECASE)),
    ("interactive", re.compile(r"interact|login|jupyter|(^|[-_])vis", re.IGNORECASE)),
)
"""What the name of a partition or a QOS says where jobs are to go there only by name; the first that fits counts."""


def findings(site: SlurmSite, usable: Sequence[SurveyedPartition]) -> Iterator[ProfileFinding]:
    """Yield the QOS that the user's jobs can have, where there is a choice or a need, and the one they get by default.

    Args:
        site: What Slurm said.
        usable: The partitions that the user may submit to.
    """
    everywhere = next((name.split(":")[1] for name in trials.accepted(site, "qos:")), "")
    needed = [name for name in (everywhere, *(_needed(partition, site) for partition in usable)) if name]
    # which of several is meant can't be told where none is the usual one, so that Slurm is to choose it then
    has_choice = len(site.qualities) > 1 and (everywhere or site.default_qos)
    names = list(dict.fromkeys([*needed, *(site.qualities if has_choice else ())]))
    entries = [_entry(name, site, usable) for name in names if name == everywhere or _partitions(name, site, usable)]
    if not entries:
        return
    kinds = {entry["name"]: entry.get("for", "") for entry in entries}
    if everywhere:
        yield ProfileFinding("cluster_default_qos", everywhere, FOUND, "sbatch refuses a job without one")
    elif kinds.get(site.default_qos, "test") not in {"test", "interactive"}:
        yield ProfileFinding("cluster_default_qos", site.default_qos, FOUND, "sacctmgr show assoc")
    source = "sacctmgr show assoc, qos; scontrol show partition; sbatch --test-only"
    yield ProfileFinding("cluster_qos", entries, FOUND, source, doubtful=("for",))


def limits(quality: SurveyedQuality | None) -> dict[str, int]:
    """Return what a QOS allows, by the keys of cluster_qos, which those of cluster_partitions are called, too."""
    if quality is None:
        return {}
    found = {
        "max_minutes": quality.max_minutes,
        "max_nodes": whole(quality.job.get("node", "")),
        "min_nodes": whole(quality.least.get("node", "")),
        "cores": whole(quality.job.get("cpu", "")),
        "gpus_per_user": whole(quality.user.get("gres/gpu", "")),
        "min_gpus": whole(quality.least.get("gres/gpu", "")),
        "max_running": quality.max_running,
        "max_submitted": quality.max_submitted,
    }
    return {key: limit for key, limit in found.items() if limit}


def _entry(name: str, site: SlurmSite, usable: Sequence[SurveyedPartition]) -> dict[str, Any]:
    quality = site.limits.get(name)
    allowed = limits(quality)
    kind = next((kind for kind, pattern in BY_NAME if pattern.search(name)), "")
    if allowed.get("max_minutes", TEST_MINUTES + 1) <= TEST_MINUTES:
        kind = "test"
    elif not kind and allowed.get("cores") == 1:
        kind = "serial"
    own = _partitions(name, site, usable)
    return {
        "name": name,
        **({"for": kind} if kind else {}),
        **({"partitions": own} if own and len(own) < len(usable) else {}),
        **allowed,
    }


def _partitions(name: str, site: SlurmSite, usable: Sequence[SurveyedPartition]) -> list[str]:
    """Return the partitions that take a QOS: all but those that Slurm, or sbatch, let in with others only."""
    return [
        partition.name
        for partition in usable
        if name in (partition.qualities or [name])
        and name not in partition.denied_qualities
        and (_tried(partition, site) or name) == name
    ]


def _tried(partition: SurveyedPartition, site: SlurmSite) -> str:
    """Return the QOS that sbatch wants in a partition whose list of them does not say so; "" for none."""
    return "" if partition.qualities else trials.named(site, partition.name, "qos")


def _needed(partition: SurveyedPartition, site: SlurmSite) -> str:
    """Return the QOS without which the partition refuses a job, as far as that was tried; "" for none."""
    own = [quality for quality in partition.qualities if quality in site.qualities]
    tried = trials.named(site, partition.name, "qos")
    return tried or (own[0] if own and site.default_qos and site.default_qos not in own else "")
