"""A profile that clusters.add wrote, held against the one that made the miniature, key by key and both ways.

What may differ is declared, as `partitions.gpu.min_gpus`: the key without `cluster_`, the entry, the key in it; `*`
stands for any. With each comes the reason.
"""

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

import library_profiles
from library_sample import SHIPPED
from surveys import full

from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.differences import compare
from rookery.clusters.survey.finding import CHOSEN, CONCLUDED, FOUND, ProfileFinding
from rookery.core import paths
from rookery.core.yaml_document import read

OF_EVERY_MINIATURE = {
    "os": "Debian",
    "slurm": "one of Debian's",
    "system_python": "Debian's own, but for very old ones",
    "system_r": "Debian's own",
    "module_system": "Lmod everywhere",
    "job_preamble": "modules come from /etc/profile, whatever else a site loads",
    "internet.*": "this machine's",
    "architectures*": "this machine's stands for all",
    "logins": "this miniature takes a key",
    "nodes.count": "five at most",
    "gpus.*.nodes": "two of a type at most",
    "gpus.*.title": "no GPU is there to say it",
    "gpus.*.memory_gb": "the same",
    "storage.*.note": "nobody can tell",
    "storage.*.quota_*": "set where the site's quota command shows them by the user",
    "storage.*.backup": "nobody can tell",
    "storage.*.purge_days": "nobody can tell",
    "mpi_launcher": "Slurm has no default for MPI",
    "gpu_request": "takes both ways",
    "node_names": "a miniature's own",
    "features": "those of the constraints, and the profile lists them only where they are known to be all",
    "gres": "GPUs alone",
    "slurm_name": "the same as here",
    "partitions.*.no_time_limit": "a miniature's partitions have none where the profile has none",
    "array.max_size": "as many as this machine can hold",
}
"""What need not agree on any miniature."""

DIFFERENT: Mapping[str, Mapping[str, str]] = {
    "penguins": {},
    "hec": {
        "partitions.*.gpus_per_user": "the miniature's Slurm counts nothing by user",
        "partitions.serial.cores": "the miniature's Slurm has no such limit",
        "limits.*": "the same",
    },
    "bede": {
        "partitions.*.architecture": "the miniature's nodes are all of this machine's",
        "gpus.gh200.partitions": "those of ghlogin have them, too, and give none",
    },
    "hex": {},
    "archer2": {
        "partitions.serial.cores": "a limit of its QOS, which says it",
        "storage.scratch.expression": "no usual place",
    },
    "csd3": {
        "partitions.*.account": "Slurm keeps accounts in lower case",
        "storage.persistent.expression": "no usual place",
    },
    "stanage": {
        "partitions.batch": "nobody knows its name",
        "qos.gpu": "its only QOS, so that every job has it",
        "quota.command": "quota -s says the same",
        "storage.persistent.expression": "no usual place",
    },
    "perlmutter": {
        "partitions.batch": "the site's own choice, which jobs do not name",
        "gpus.*": "Slurm knows it by its type, the profile by its constraint",
    },
    "lumi": {"storage.flash": "one storage of each role is written"},
    "isambard-ai": {
        "storage.persistent.*": "a folder of the user's own in the project's",
    },
    "jasmin": {
        "modules": "jaspy, a name of the site's own",
        "qos.orchid.for": "its partition says it",
        "storage.scratch.expression": "no usual place",
        "storage.scratch-ssd": "one storage of each role is written",
    },
}
"""What differs on one, and why."""

CHOICES = {each.key for each in full() if each.how == CHOSEN}
"""Keys that hold choices, which nothing is to agree with."""


def own(cluster: str) -> dict[str, Any]:
    """The profile that a miniature is made from."""
    folder = paths.root() / "inventory/host_vars"
    return dict(read(folder / f"{cluster}.yml").data) if cluster in SHIPPED else library_profiles.data(cluster)


def differences(written: Mapping[str, Any], cluster: str) -> set[str]:
    """What differs, contradictions and gaps, but for what differs on every miniature."""
    made_from = own(cluster)
    found = {*_contradictions(written, made_from), *_gaps(written, made_from)}
    return {place for place in found if not _matches(place, OF_EVERY_MINIATURE)}


def undeclared(written: Mapping[str, Any], cluster: str) -> set[str]:
    """What differs without a reason."""
    return {place for place in differences(written, cluster) if not _matches(place, DIFFERENT[cluster])}


def needless(written: Mapping[str, Any], cluster: str) -> set[str]:
    """The declared differences that are none."""
    found = differences(written, cluster)
    return {pattern for pattern in DIFFERENT[cluster] if not fnmatch.filter(found, pattern)}


def _matches(place: str, patterns: Mapping[str, str]) -> bool:
    return any(fnmatch.fnmatchcase(place, pattern) for pattern in patterns)


def _text(*place: Any) -> str:
    return ".".join(str(part) for part in place if part != "").removeprefix("cluster_")


def _contradictions(written: Mapping[str, Any], made_from: Mapping[str, Any]) -> Iterator[str]:
    """Yield where both say something, and not the same; of modules, their names."""
    said = {key: value for key, value in written.items() if key not in CHOICES}
    found = [ProfileFinding(key, value, FOUND, "") for key, value in said.items()]
    for difference in compare(made_from, found, Survey({})):
        if not difference.is_addition:
            yield _text(*difference.place)
    ours, theirs = ({entry["name"]: entry for entry in data["cluster_storage"]} for data in (written, made_from))
    for name in ours.keys() & theirs.keys():
        if ours[name]["expression"] != theirs[name]["expression"]:
            yield _text("storage", name, "expression")
    for purpose, modules in (written.get("cluster_modules") or {}).items():
        if _names(modules) != _names((made_from.get("cluster_modules") or {}).get(purpose, [])):
            yield _text("modules", purpose)


def _names(modules: list[str]) -> set[str]:
    return {module.removesuffix("/default") for module in modules}


def _gaps(written: Mapping[str, Any], made_from: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the profile says, and clusters.add could find out but did not."""
    for finding in full():
        if finding.how not in {FOUND, CONCLUDED} or finding.key not in made_from:
            continue
        theirs, ours = made_from[finding.key], written.get(finding.key)
        if theirs in (None, "", [], {}, "unknown"):
            continue
        known = set().union(*_by_name(finding.value).values())
        if ours is None:
            entries = _by_name(theirs)
            yield from (_text(finding.key, name) for name in entries if known & set(entries[name]))
            if not entries:
                yield _text(finding.key)
            continue
        for name, entry in _by_name(theirs).items():
            if name not in _by_name(ours):
                yield _text(finding.key, name)
                continue
            for key in (set(entry) & known) - set(_by_name(ours)[name]):
                if entry[key] not in ("unknown", "any", None, []):
                    yield _text(finding.key, name, key)


def _by_name(value: Any) -> dict[str, dict[str, Any]]:
    """The mappings in a value, by the name of each; "" for one that has none."""
    if isinstance(value, dict):
        return {"": value}
    if not isinstance(value, list):
        return {}
    entries = [entry for entry in value if isinstance(entry, dict)]
    return {str(entry.get("constraint") or entry.get("name") or entry.get("type")): entry for entry in entries}
