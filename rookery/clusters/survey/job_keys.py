"""Turn what Slurm said into the keys of a profile that are about jobs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rookery.clusters.architectures import ARCHITECTURES
from rookery.clusters.cluster import ACCOUNT
from rookery.clusters.survey import name_keys, node_answers, quality_keys, trials
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import CHOSEN, CONCLUDED, FOUND, GivenAnswers, ProfileFinding
from rookery.clusters.survey.slurm_answers import NodeKind, SlurmSite, SurveyedPartition, mebibytes, whole

UNTYPED: Final = "gpu"
"""The name of GPUs whose type Slurm does not know."""

_MOST_CONSTRAINTS: Final = 40

_KINDS: Final = (
    *quality_keys.BY_NAME,
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
    account = _account(site, given)
    yield account
    yield from quality_keys.findings(site, usable)
    yield from _default_partition(site, usable)
    if usable:
        kinds = _kinds(usable, site)
        name, architecture = account.value.get("name", ""), survey.one("architecture")
        entries = [
            {"name": each.name, "for": kinds[each.name], **_limits_and_nodes(each, site, architecture, name)}
            for each in usable
        ]
        source = "scontrol show partition, sbatch --test-only"
        yield ProfileFinding("cluster_partitions", entries, FOUND, source, doubtful=("for",))
    yield from _nodes(site)
    titles = {node.one("type"): node.one("gpu") for node in node_answers.nodes(survey) if node.one("gpu")}
    yield from _gpus(site, names, titles)
    if constraints := _constraints(site.nodes, names):
        yield ProfileFinding("cluster_constraints", constraints, FOUND, "features of scontrol show node")
    yield from name_keys.findings(site, survey, given)
    if "MpiDefault" in site.config and site.config["MpiDefault"] != "none":
        yield ProfileFinding("cluster_mpi_launcher", "srun", CONCLUDED, f"MpiDefault is {site.config['MpiDefault']}")
    if array := _array(site):
        yield ProfileFinding("cluster_array", array, FOUND, "MaxArraySize, sbatch --test-only")
    if limits := _limits(site):
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
        tried = [trial for name, trial in site.trials.items() if trials.is_way_in(name, partition.name)]
        refused = tells and bool(tried) and not any(trial.accepted for trial in tried)
        # which QOS would be right can't be told where sacctmgr is forbidden
        reasons = [trial.reason for trial in tried if site.qualities or "qos" not in trial.reason.lower()]
        forbidden = refused and any(map(_FORBIDDEN.search, reasons))
        closed = any(own and not own & set(getattr(partition, key) or own) for own, key in mine)
        if partition.state != "INACTIVE" and not forbidden and not closed:
            usable.append(partition)
    return usable


def _account(site: SlurmSite, given: GivenAnswers) -> ProfileFinding:
    """Return whether jobs need an account, and which is the user's."""
    key, named = "cluster_account", {"name": given.account} if given.account else {}
    plain = site.trials.get("plain")
    accepted = [*trials.accepted(site, "partition:"), *trials.accepted(site, "qos:")]
    if (plain and plain.accepted) or any(not name.endswith(":account") for name in accepted):
        return ProfileFinding(key, {"required": False, **named}, FOUND, "sbatch accepts a job without one")
    base = trials.base_account(site)
    own = [base] if base else list(site.accounts) if accepted else []
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
    taken = [name.split(":")[1] for name in trials.accepted(site, "partition:")]
    if first := next((name for name in taken if name in names), names[0] if len(names) == 1 else ""):
        yield ProfileFinding(
            "cluster_default_partition", first, CHOSEN, "the cluster has none; the first that takes a job"
        )


def _limits_and_nodes(partition: SurveyedPartition, site: SlurmSite, architecture: str, account: str) -> dict[str, Any]:
    """Return what an entry of cluster_partitions says of limits, GPUs, architecture and account."""
    nodes = _nodes_of(partition, site)
    entry: dict[str, Any] = {"default_minutes": partition.default_minutes, **_partition_limits(partition, site)}
    if partition.is_endless and not any(quality.max_minutes for quality in site.limits.values()):
        entry["no_time_limit"] = True
    entry |= {"exclusive": partition.is_exclusive, "gpu_types": _types(nodes)}
    own = {kind.architecture for kind in nodes}
    if len(own) == 1 and (only := own.pop()) != architecture and only in ARCHITECTURES:
        entry["architecture"] = only
    if trials.way_in(site, partition.name).endswith(("gres", "gpus")):
        entry["min_gpus"] = max(1, entry.get("min_gpus", 0))
    taken = trials.named(site, partition.name, "account") or trials.base_account(site)
    if account and taken.lower() not in {"", account.lower()}:  # Slurm keeps them in lower case, and takes any
        begins_so = taken.lower().startswith(account.lower())
        entry["account"] = f"{ACCOUNT}{taken[len(account) :]}" if begins_so else taken
    return {key: value for key, value in entry.items() if value}


def _partition_limits(partition: SurveyedPartition, site: SlurmSite) -> dict[str, int]:
    """Return the limits of a partition, and those of the QOS that holds for every job there."""
    own = {
        "max_minutes": partition.max_minutes,
        "max_nodes": partition.max_nodes,
        "min_nodes": partition.min_nodes if partition.min_nodes > 1 else None,
        "cores": partition.max_cores_per_node if partition.max_nodes == 1 else None,
    }
    found = {key: limit for key, limit in own.items() if limit}
    for key, limit in quality_keys.limits(site.limits.get(partition.own_quality)).items():
        if key in {"gpus_per_user", *own, "min_gpus"}:
            found[key] = (max if key.startswith("min_") else min)(limit, found.get(key, limit))
    return found


def _nodes_of(partition: SurveyedPartition, site: SlurmSite) -> list[NodeKind]:
    return [kind for kind in site.nodes if partition.name in kind.partitions]


def _kinds(usable: Sequence[SurveyedPartition], site: SlurmSite) -> dict[str, str]:
    """Return what each partition is for.

    One that refuses jobs without a GPU is for GPUs, whatever else its nodes are; one with GPUs is for any job where the
    cluster has no nodes without, and it takes jobs without. One that gives whole nodes is for parallel jobs where
    others have a part of one.
    """
    by_name = {partition.name: _kind(partition, _nodes_of(partition, site)) for partition in usable}
    shared = [each for each in usable if not each.is_exclusive and by_name[each.name] in {"any", "serial", "parallel"}]
    has_plain_nodes = any(not kind.gpus for partition in usable for kind in _nodes_of(partition, site))
    for partition in usable:
        kind, plain = by_name[partition.name], site.trials.get(f"in:{partition.name}")
        if kind == "any" and trials.way_in(site, partition.name).endswith(("gres", "gpus")):
            by_name[partition.name] = "gpu"
        elif kind == "any" and partition.is_exclusive and shared:
            by_name[partition.name] = "parallel"
        elif kind == "gpu" and not has_plain_nodes and plain and plain.accepted:
            by_name[partition.name] = "any"
    return by_name


def _kind(partition: SurveyedPartition, nodes: Sequence[NodeKind]) -> str:
    """Return what a partition is for, by its limits, its nodes and its name."""
    if partition.max_minutes and partition.max_minutes <= quality_keys.TEST_MINUTES:
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
    """Yield the usual node, one without GPUs: its size where all are alike, otherwise the largest, which is a limit."""
    usual = [kind for kind in site.nodes if not kind.gpus]
    if not usual:
        return
    value = {"count": sum(kind.count for kind in usual)}
    if len({(kind.cores, kind.memory_mb) for kind in usual}) == 1:
        value |= {"cores": usual[0].cores, "memory_mb": usual[0].memory_mb}
    else:
        value |= {
            "max_cores": max(kind.cores for kind in usual),
            "max_memory_mb": max(kind.memory_mb for kind in usual),
        }
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
            "node_cores": max(kind.cores for kind in having),
            "node_memory_mb": max(kind.memory_mb for kind in having),
        }
        entries.append(entry)
    yield ProfileFinding("cluster_gpus", entries, FOUND, "scontrol show node", doubtful=("memory_gb",))
    for way in ("gres", "gpus"):
        if any(name.endswith(f":{way}") for name in trials.accepted(site, "in:")):
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
        if name in features or any(entry["name"] == name for entry in entries):
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


def _limits(site: SlurmSite) -> dict[str, Any]:
    """Return what a job gets by default, and what a user may use at once."""
    usual = next((partition for partition in site.partitions if partition.is_default), None)
    memory = {
        key: mebibytes(site.config.get(key, "")) for key in ("DefMemPerNode", "DefMemPerCPU") if key in site.config
    }
    memory |= dict(usual.default_memory) if usual else {}
    of_job = next((size for size in memory.values() if size), None)
    limits: dict[str, Any] = {"default_memory_mb": of_job} if of_job else {}
    if not of_job and "MEMORY" in site.config.get("SelectTypeParameters", "").upper():
        limits["whole_node_memory"] = True  # slurm.conf's manual, DefMemPerNode: the default is all of it
    default = site.limits.get(site.default_qos) or (next(iter(site.limits.values())) if len(site.limits) == 1 else None)
    of_user = default.user if default else {}
    if cores := whole(of_user.get("cpu", "")):
        limits["cores"] = cores
    if size := mebibytes(of_user.get("mem", "")):
        limits["memory_mb"] = size
    return limits
