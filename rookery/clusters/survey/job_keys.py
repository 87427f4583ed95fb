"""Turn what Slurm said into the keys of a profile that are about jobs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rookery.clusters.architectures import ARCHITECTURES
from rookery.clusters.survey import node_answers
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import CHOSEN, CONCLUDED, FOUND, GivenAnswers, ProfileFinding
from rookery.clusters.survey.slurm_answers import (
    NAME,
    NodeKind,
    SlurmSite,
    SurveyedPartition,
    mebibytes,
    whole,
)

UNTYPED: Final = "gpu"
"""The name of GPUs whose type Slurm does not know."""

_MOST_CONSTRAINTS: Final = 40
_TEST_MINUTES: Final = 30
"""The longest time limit of a partition that is for trying things, whatever its name is."""

_KINDS: Final = (
    ("test", re.compile(r"test|debug|devel|(^|[-_])dev([-_]|$)", re.IGNORECASE)),
    ("interactive", re.compile(r"interact|login|jupyter|(^|[-_])vis", re.IGNORECASE)),
    ("bigmem", re.compile(r"big-?_?mem|hi(gh)?-?_?mem|large-?_?mem|(^|[-_])fat", re.IGNORECASE)),
    ("serial", re.compile(r"serial|single-?_?core", re.IGNORECASE)),
    ("parallel", re.compile(r"parallel|mpi|multi-?_?node", re.IGNORECASE)),
)
"""What the name of a partition says about its purpose; the first that fits counts."""

_VERSION: Final = re.compile(r"[0-9]+\.[0-9]+")
"""The part of Slurm's version that says what it can do."""

_FORBIDDEN: Final = re.compile(
    r"not permitted|permission|not allowed|invalid account|invalid qos|access denied|not authorized", re.IGNORECASE
)
_ABOUT_ACCOUNTS: Final = re.compile(r"account|project|budget|allocation code|charged", re.IGNORECASE)


def findings(site: SlurmSite, survey: Survey, given: GivenAnswers) -> Iterator[ProfileFinding]:
    """Yield the keys about jobs that can be filled."""
    usable = usable_partitions(site, survey.one("groups").split(), given)
    names = [partition.name for partition in usable]
    yield ProfileFinding("cluster_scheduler", "slurm", FOUND, f"Slurm {site.version}".strip())
    if version := _VERSION.match(site.version):
        yield ProfileFinding("cluster_slurm", version[0], FOUND, "sinfo --version")
    yield _account(site, given)
    yield from _qualities(site, usable)
    yield from _default_partition(site, usable)
    if usable:
        entries = [_partition(partition, site, survey.one("architecture")) for partition in usable]
        source = "scontrol show partition, sbatch --test-only"
        yield ProfileFinding("cluster_partitions", entries, FOUND, source, doubtful=("for",))
    yield from _nodes(site)
    titles = {node.one("type"): node.one("gpu") for node in node_answers.nodes(survey) if node.one("gpu")}
    yield from _gpus(site, names, titles)
    if constraints := _constraints(site.nodes, names):
        yield ProfileFinding("cluster_constraints", constraints, FOUND, "features of scontrol show node")
    if "MpiDefault" in site.config and site.config["MpiDefault"] != "none":
        yield ProfileFinding("cluster_mpi_launcher", "srun", CONCLUDED, f"MpiDefault is {site.config['MpiDefault']}")
    if array := _array(site):
        yield ProfileFinding("cluster_array", array, FOUND, "MaxArraySize, sbatch --test-only")
    if limits := _limits(site, survey):
        yield ProfileFinding("cluster_limits", limits, FOUND, "scontrol show config, sacctmgr")
    if survey.one("modules") and not survey.one("bare"):
        yield ProfileFinding(
            "cluster_job_preamble", ["source /etc/profile"], CONCLUDED, "`module` comes from /etc/profile alone"
        )


def usable_partitions(site: SlurmSite, groups: Sequence[str], given: GivenAnswers) -> list[SurveyedPartition]:
    """Return the partitions that the user may submit to, as far as that can be told.

    Args:
        site: What Slurm said.
        groups: The user's groups there.
        given: What else is known; its account counts as one of theirs.
    """
    mine = (
        (set(groups), "groups"),
        ({*site.accounts, given.account} - {""}, "accounts"),
        (set(site.qualities), "qualities"),
    )
    tells = any(trial.accepted for trial in site.trials.values())  # else it is not the partition that is refused
    usable = []
    for partition in site.partitions:
        trials = [trial for name, trial in site.trials.items() if _is_way_in(name, partition.name)]
        refused = tells and bool(trials) and not any(trial.accepted for trial in trials)
        # which QOS would be right can't be told where sacctmgr is forbidden
        reasons = [trial.reason for trial in trials if site.qualities or "qos" not in trial.reason.lower()]
        forbidden = refused and any(map(_FORBIDDEN.search, reasons))
        closed = any(own and not own & set(getattr(partition, key) or own) for own, key in mine)
        if partition.state != "INACTIVE" and not forbidden and not closed:
            usable.append(partition)
    return usable


def _is_way_in(trial: str, name: str) -> bool:
    """Return whether a trial named a partition."""
    return any(trial == start or trial.startswith(f"{start}:") for start in (f"in:{name}", f"partition:{name}"))


def _accepted(site: SlurmSite, start: str) -> list[str]:
    return [name for name, trial in site.trials.items() if trial.accepted and name.startswith(start)]


def _account(site: SlurmSite, given: GivenAnswers) -> ProfileFinding:
    """Return whether jobs need an account, and which is the user's."""
    key, named = "cluster_account", {"name": given.account} if given.account else {}
    plain = site.trials.get("plain")
    accepted = [*_accepted(site, "partition:"), *_accepted(site, "qos:")]
    if (plain and plain.accepted) or any(not name.endswith(":account") for name in accepted):
        return ProfileFinding(key, {"required": False, **named}, FOUND, "sbatch accepts a job without one")
    own = [name.partition(":")[2] for name in _accepted(site, "account:")] or (list(site.accounts) if accepted else [])
    if own or accepted:
        named = named or ({"name": own[0]} if own else {})
        return ProfileFinding(key, {"required": True, **named}, FOUND, "sbatch refuses a job without one")
    required = bool(plain and _ABOUT_ACCOUNTS.search(plain.reason))
    why = f"sbatch: {plain.reason[:120]}" if plain else "sbatch could not be tried"
    return ProfileFinding(key, {"required": required, **named}, CONCLUDED, why)


def _default_partition(site: SlurmSite, usable: Sequence[SurveyedPartition]) -> Iterator[ProfileFinding]:
    own = [partition.name for partition in usable if partition.is_default]
    if own:
        yield ProfileFinding("cluster_default_partition", own[0], FOUND, "scontrol show partition")
        return
    names = [partition.name for partition in usable]
    taken = [name.split(":")[1] for name in _accepted(site, "partition:")]
    if first := next((name for name in taken if name in names), names[0] if len(names) == 1 else ""):
        yield ProfileFinding(
            "cluster_default_partition", first, CHOSEN, "the cluster has none; the first that takes a job"
        )


def _partition(partition: SurveyedPartition, site: SlurmSite, architecture: str) -> dict[str, Any]:
    nodes = [kind for kind in site.nodes if partition.name in kind.partitions]
    types = _types(nodes)
    entry: dict[str, Any] = {"name": partition.name, "for": _kind(partition, nodes)}
    limits = {
        "default_minutes": partition.default_minutes,
        "max_minutes": partition.max_minutes,
        "max_nodes": partition.max_nodes,
        "cores": partition.max_cores_per_node if partition.max_nodes == 1 else None,
    }
    entry |= {key: limit for key, limit in limits.items() if limit}
    if types:
        entry["gpu_types"] = types
    own = {kind.architecture for kind in nodes}
    if len(own) == 1 and (only := own.pop()) != architecture and only in ARCHITECTURES:
        entry["architecture"] = only
    if _way_in(partition, site).endswith(("gres", "gpus")):
        entry["min_gpus"] = 1
    return entry


def _qualities(site: SlurmSite, usable: Sequence[SurveyedPartition]) -> Iterator[ProfileFinding]:
    """Yield the QOSes that jobs must name: one of every job, and one of a partition's."""
    everywhere = next((name.split(":")[1] for name in _accepted(site, "qos:")), "")
    by_name: dict[str, list[str]] = {}
    for partition in usable:
        if name := _quality(partition, site):
            by_name.setdefault(name, []).append(partition.name)
    if everywhere:
        by_name.setdefault(everywhere, [])
        yield ProfileFinding("cluster_default_qos", everywhere, FOUND, "sbatch refuses a job without one")
    entries = [
        {"name": name, **({"partitions": names} if names and name != everywhere else {})}
        for name, names in by_name.items()
    ]
    if entries:
        yield ProfileFinding("cluster_qos", entries, FOUND, "scontrol show partition, sbatch --test-only")


def _quality(partition: SurveyedPartition, site: SlurmSite) -> str:
    """Return the QOS without which the partition refuses a job, as far as that was tried; "" for none."""
    own = [quality for quality in partition.qualities if quality in site.qualities]
    way = _way_in(partition, site)
    if way.startswith("qos:"):
        return way.split(":")[1]
    return own[0] if own and site.default_qos and site.default_qos not in own else ""


def _way_in(partition: SurveyedPartition, site: SlurmSite) -> str:
    """Return what made the partition accept a job that it refuses otherwise: `gres`, `qos:NAME` and the like."""
    start, plain = f"in:{partition.name}", site.trials.get(f"in:{partition.name}")
    if plain is None or plain.accepted:
        return ""
    return next((accepted.removeprefix(f"{start}:") for accepted in _accepted(site, f"{start}:")), "")


def _kind(partition: SurveyedPartition, nodes: Sequence[NodeKind]) -> str:
    """Return what a partition is for, by its limits, its nodes and its name."""
    if partition.max_minutes and partition.max_minutes <= _TEST_MINUTES:
        return "test"
    by_name = next((kind for kind, pattern in _KINDS if pattern.search(partition.name)), "")
    if by_name in {"test", "interactive"}:
        return by_name
    if nodes and all(kind.gpus for kind in nodes):
        return "gpu"
    if partition.max_nodes == 1 and partition.max_cores_per_node == 1:
        return "serial"
    return by_name or "any"


def _types(nodes: Iterable[NodeKind]) -> list[str]:
    return list(dict.fromkeys(of_type or UNTYPED for kind in nodes for of_type in kind.gpus))


def _nodes(site: SlurmSite) -> Iterator[ProfileFinding]:
    """Yield the usual node: one without GPUs; its size only where all are alike, as it is taken for a limit."""
    usual = [kind for kind in site.nodes if not kind.gpus]
    if not usual:
        return
    value = {"count": sum(kind.count for kind in usual)}
    if len({(kind.cores, kind.memory_mb) for kind in usual}) == 1:
        value |= {"cores": usual[0].cores, "memory_mb": usual[0].memory_mb}
    yield ProfileFinding("cluster_nodes", value, FOUND, "scontrol show node")


def _gpus(site: SlurmSite, usable: Sequence[str], titles: Mapping[str, str]) -> Iterator[ProfileFinding]:
    types = _types(site.nodes)
    if not types:
        return
    entries = []
    for of_type in types:
        known_as = "" if of_type == UNTYPED else of_type
        having = [kind for kind in site.nodes if known_as in kind.gpus]
        entry: dict[str, Any] = {"type": of_type, "partitions": _partitions_of(having, usable)}
        if known_as in titles:
            entry["title"] = titles[known_as]
        if memory := re.search(r"(?<![0-9])([0-9]{1,4})gb?(?![a-z0-9])", of_type, re.IGNORECASE):
            entry["memory_gb"] = int(memory[1])
        entry |= {
            "per_node": max(kind.gpus[known_as] for kind in having),
            "nodes": sum(kind.count for kind in having),
            "node_cores": min(kind.cores for kind in having),
            "node_memory_mb": min(kind.memory_mb for kind in having),
        }
        entries.append(entry)
    yield ProfileFinding("cluster_gpus", entries, FOUND, "scontrol show node", doubtful=("memory_gb",))
    for way in ("gres", "gpus"):
        if any(name.endswith(f":{way}") for name in _accepted(site, "in:")):
            yield ProfileFinding("cluster_gpu_request", way, FOUND, "sbatch --test-only")
            return


def _partitions_of(kinds: Iterable[NodeKind], usable: Sequence[str]) -> list[str]:
    having = {name for kind in kinds for name in kind.partitions}
    return [name for name in usable if name in having]


def _constraints(kinds: Sequence[NodeKind], usable: Sequence[str]) -> list[dict[str, Any]]:
    """Return the features that tell nodes apart; none where there are so many that they can't be types of node."""
    features = list(dict.fromkeys(feature for kind in kinds for feature in kind.features))
    telling = [feature for feature in features if not all(feature in kind.features for kind in kinds)]
    if len(telling) > _MOST_CONSTRAINTS:
        return []
    entries: list[dict[str, Any]] = []
    for feature in telling:
        having = [kind for kind in kinds if feature in kind.features]
        name = feature.rpartition("=")[2]
        if any(entry["name"] == name for entry in entries):
            name = feature
        entry: dict[str, Any] = {"name": name, **({"constraint": feature} if name != feature else {})}
        for key, sizes in (
            ("cores", {kind.cores for kind in having}),
            ("memory_mb", {kind.memory_mb for kind in having}),
        ):
            if len(sizes) == 1:
                entry[key] = sizes.pop()
        entries.append({**entry, "partitions": _partitions_of(having, usable)})
    return entries


def _array(site: SlurmSite) -> dict[str, Any]:
    array: dict[str, Any] = {}
    if size := whole(site.config.get("MaxArraySize", "")):
        array["max_size"] = size - 1  # the largest index is one less, and arrays of rookery's begin at 1
    plain, mail = site.trials.get("array"), site.trials.get("array:mail")
    if plain and plain.accepted and mail:
        array["may_mail"] = mail.accepted
    return array


def _limits(site: SlurmSite, survey: Survey) -> dict[str, int]:
    """Return what a job gets by default, and what a user may use at once."""
    usual = next((partition for partition in site.partitions if partition.is_default), None)
    memory = {
        key: mebibytes(site.config.get(key, "")) for key in ("DefMemPerNode", "DefMemPerCPU") if key in site.config
    }
    memory |= dict(usual.default_memory) if usual else {}
    default = next((size for size in memory.values() if size), None)
    limits = {"default_memory_mb": default} if default else {}
    qualities = dict(_user_limits(survey.all("qos")))
    own = qualities.get(site.default_qos) or (next(iter(qualities.values())) if len(qualities) == 1 else "")
    for tres in own.split(","):
        key, _, amount = tres.partition("=")
        if key == "cpu" and (cores := whole(amount)):
            limits["cores"] = cores
        if key == "mem" and (size := mebibytes(amount)):
            limits["memory_mb"] = size
    return limits


def _user_limits(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each QOS with what one user may use at once, as `cpu=512,mem=2T`."""
    for line in lines:
        name, _, rest = line.partition("|")
        if line.count("|") == 2 and NAME.fullmatch(name):
            yield name, rest.partition("|")[2]
