"""Parse what Slurm says of itself: partitions, kinds of node, associations, and what sbatch accepts. Text in, data out.

Names come from the cluster and may hold anything. Those that can't be arguments of sbatch are left out and counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rookery.clusters.config.profile_checks import is_account
from rookery.clusters.survey.answer import Survey
from rookery.remote.slurm.forms import kilobytes, seconds

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@%/-]{0,99}")
"""What the name of a partition, a type of GPU, a feature or a QOS may look like to be of use in a job script."""

_TRIAL: Final = re.compile(r"[A-Za-z0-9_.+=@%/:-]{1,300}")
"""What was tried: words and names with colons between."""

_NOTHING: Final = frozenset({"", "(null)", "N/A", "NONE", "UNLIMITED", "INFINITE", "n/a"})


@dataclass(frozen=True)
class SurveyedPartition:
    """A partition, as `scontrol show partition` describes it."""

    name: str
    is_default: bool
    """Whether a job that names none goes there."""
    default_minutes: int | None
    max_minutes: int | None
    max_nodes: int | None
    max_cores_per_node: int | None
    is_endless: bool = False
    """Whether a job that requests no time limit has none."""
    default_memory: Mapping[str, int] = field(default_factory=dict)
    """DefMemPerCPU or DefMemPerNode, in MiB."""
    groups: tuple[str, ...] = ()
    """The groups that may use it; empty for everybody."""
    accounts: tuple[str, ...] = ()
    """The accounts that may; empty for all."""
    qualities: tuple[str, ...] = ()
    """The QOS that jobs there may have; empty for all."""
    state: str = "UP"
    denied_qualities: tuple[str, ...] = ()
    """The QOS that jobs there may not have."""
    own_quality: str = ""
    """The QOS whose limits hold for every job there; "" for none."""
    min_nodes: int = 0
    is_exclusive: bool = False
    """Whether jobs get whole nodes."""


@dataclass(frozen=True)
class SurveyedQuality:
    """What a QOS allows, as sacctmgr knows it; resources by Slurm's names, such as cpu, mem and gres/gpu."""

    name: str
    max_minutes: int | None = None
    user: Mapping[str, str] = field(default_factory=dict)
    """What one user may use at once."""
    job: Mapping[str, str] = field(default_factory=dict)
    """What one job may use."""
    least: Mapping[str, str] = field(default_factory=dict)
    """What a job must ask for."""
    max_running: int | None = None
    max_submitted: int | None = None


@dataclass(frozen=True)
class NodeKind:
    """Nodes that are alike."""

    count: int
    cores: int
    memory_mb: int
    architecture: str
    gpus: Mapping[str, int]
    """How many GPUs of each type one has; the type is "" where Slurm knows none."""
    features: tuple[str, ...]
    partitions: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """Whether sbatch accepts a small job."""

    accepted: bool
    reason: str = ""
    """Why not, in Slurm's words."""


@dataclass(frozen=True)
class SlurmSite:
    """All that Slurm said."""

    version: str
    """Its version, such as 22.05.8; "" where there is no Slurm."""
    problem: str
    """Why it gave no answer; "" where it did."""
    config: Mapping[str, str]
    partitions: tuple[SurveyedPartition, ...]
    nodes: tuple[NodeKind, ...]
    accounts: tuple[str, ...]
    """The accounts that the user may charge jobs to."""
    accounts_problem: str
    """Why these are not known; "" where they are."""
    default_qos: str
    qualities: tuple[str, ...]
    """The QOS that the user's jobs may have."""
    limits: Mapping[str, SurveyedQuality]
    """What each QOS allows, by its name, whoever may use it."""
    trials: Mapping[str, Trial]
    """What was tried, by the names that survey/trials.sh gives."""
    unusable: tuple[str, ...]
    """Names that were left out."""


def parse(survey: Survey) -> SlurmSite:
    """Return what Slurm said in a survey."""
    unusable: list[str] = []
    partitions = tuple(_partitions(survey.all("partition"), unusable))
    version = re.search(r"[0-9]{1,3}(?:\.[0-9]{1,5}){1,3}", survey.one("slurm"))
    pairs = (line.partition("=") for line in survey.all("config"))
    associations = [line.split("|") for line in survey.all("assoc") if line.count("|") == 5]
    defaults = {fields[3] for fields in associations if NAME.fullmatch(fields[3])}
    accounts = [fields[0] for fields in associations if is_account(fields[0])]
    return SlurmSite(
        version=version[0] if version else "",
        problem=survey.one("config-error"),
        config={key.strip(): value.strip() for key, _, value in pairs if value.strip() not in _NOTHING},
        partitions=partitions,
        nodes=tuple(_nodes(survey.all("nodes"), unusable)),
        accounts=tuple(dict.fromkeys(accounts)),
        accounts_problem=survey.one("assoc-error"),
        default_qos=defaults.pop() if len(defaults) == 1 else "",
        qualities=tuple(
            dict.fromkeys(name for fields in associations for name in fields[2].split(",") if NAME.fullmatch(name))
        ),
        limits={quality.name: quality for quality in _limits(survey.all("qos"))},
        trials=dict(_trials(survey.all("trial"))),
        unusable=tuple(dict.fromkeys(unusable)),
    )


def whole(text: str) -> int | None:
    """Return a whole number that Slurm gives; None where there is no such limit, or it is none."""
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def minutes(text: str) -> int | None:
    """Return one of Slurm's times in minutes, a part of one as a whole one; None where there is no limit."""
    return None if text in _NOTHING or not seconds(text) else max(1, int(seconds(text) // 60))


def mebibytes(text: str) -> int | None:
    """Return a size of Slurm's in MiB, whose bare numbers are MiB; None where there is none."""
    return kilobytes(text) // 1024 or None


def _fields(line: str) -> dict[str, str]:
    """Return the fields of a line of `scontrol --oneliner`; the first of a name counts."""
    fields: dict[str, str] = {}
    for word in line.split(" "):
        key, is_field, value = word.partition("=")
        if is_field:
            fields.setdefault(key, value)
    return fields


def _partitions(lines: Iterable[str], unusable: list[str]) -> Iterator[SurveyedPartition]:
    for line in lines:
        fields = _fields(line)
        name = fields.get("PartitionName", "")
        if not NAME.fullmatch(name):
            unusable.append(name)
            continue
        memory = {key: mebibytes(fields.get(key, "")) for key in ("DefMemPerCPU", "DefMemPerNode")}
        yield SurveyedPartition(
            name=name,
            is_default=fields.get("Default") == "YES",
            default_minutes=minutes(fields.get("DefaultTime", "")),
            max_minutes=minutes(fields.get("MaxTime", "")),
            is_endless=(fields.get("DefaultTime"), fields.get("MaxTime")) == ("NONE", "UNLIMITED"),
            max_nodes=whole(fields.get("MaxNodes", "")),
            max_cores_per_node=whole(fields.get("MaxCPUsPerNode", "")),
            default_memory={key: size for key, size in memory.items() if size},
            groups=_allowed(fields.get("AllowGroups", "ALL")),
            accounts=_allowed(fields.get("AllowAccounts", "ALL")),
            qualities=_allowed(fields.get("AllowQos", "ALL")),
            state=fields.get("State", ""),
            denied_qualities=_allowed(fields.get("DenyQos", "")),
            own_quality="" if fields.get("QoS", "") in _NOTHING else fields["QoS"],
            min_nodes=whole(fields.get("MinNodes", "")) or 0,
            is_exclusive=fields.get("OverSubscribe") == "EXCLUSIVE",
        )


def _limits(lines: Iterable[str]) -> Iterator[SurveyedQuality]:
    """Yield each QOS: name|MaxWall|MaxTRESPU|MaxTRES|MaxJobsPU|MaxSubmitPU|MinTRES, the last ones as far as given."""
    for line in lines:
        name, longest, user, job, running, submitted, least = [*line.split("|"), *[""] * 6][:7]
        if "|" in line and NAME.fullmatch(name):
            yield SurveyedQuality(
                name,
                minutes(longest),
                _resources(user),
                _resources(job),
                _resources(least),
                whole(running),
                whole(submitted),
            )


def _resources(text: str) -> dict[str, str]:
    """Return the parts of `cpu=512,mem=2T,gres/gpu=4`."""
    return {key: amount for key, is_one, amount in (part.partition("=") for part in text.split(",")) if is_one}


def _allowed(text: str) -> tuple[str, ...]:
    return () if text in {"ALL", *_NOTHING} else tuple(text.split(","))


def _nodes(lines: Iterable[str], unusable: list[str]) -> Iterator[NodeKind]:
    for line in lines:
        count, _, rest = line.strip().partition(" ")
        fields = _fields(rest)
        cores, memory = whole(fields.get("CPUTot", "")), whole(fields.get("RealMemory", ""))
        if not whole(count) or not cores or not memory:
            continue
        features = [name for name in fields.get("AvailableFeatures", "").split(",") if name not in _NOTHING]
        unusable += [name for name in features if not NAME.fullmatch(name)]
        yield NodeKind(
            count=int(count),
            cores=cores,
            memory_mb=memory,
            architecture=fields.get("Arch", ""),
            gpus=_gpus(fields.get("Gres", ""), unusable),
            features=tuple(name for name in features if NAME.fullmatch(name)),
            partitions=tuple(fields.get("Partitions", "").split(",")),
        )


def _gpus(gres: str, unusable: list[str]) -> dict[str, int]:
    """Return the GPUs of a node by type: `gpu:a100:4(S:0-1),gpu:v100:2`, `gpu:4`, or other generic resources."""
    gpus: dict[str, int] = {}
    for entry in re.sub(r"\([^)]*\)", "", gres).split(","):
        kind, _, rest = entry.partition(":")
        if kind != "gpu":
            continue
        of_type, _, count = rest.rpartition(":")
        if of_type and not NAME.fullmatch(of_type):
            unusable.append(of_type)
        elif number := whole(count):
            gpus[of_type] = gpus.get(of_type, 0) + number
    return gpus


def _trials(lines: Iterable[str]) -> Iterator[tuple[str, Trial]]:
    for line in lines:
        name, _, rest = line.partition(" ")
        verdict, _, reason = rest.partition(" ")
        if verdict in {"yes", "no"} and _TRIAL.fullmatch(name):
            yield name, Trial(verdict == "yes", reason.strip())
