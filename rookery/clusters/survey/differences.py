"""Compare a profile with what its cluster says, value by value."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rookery.clusters.survey import module_names
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import FOUND, ProfileFinding
from rookery.core.places import Place

NEVER: Final = frozenset(
    {"cluster_title", "cluster_source_url", "cluster_verified_on", "cluster_unverified", "cluster_modules"}
)
"""Keys that say nothing that the cluster could contradict; modules are compared by name."""

_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "cluster_storage": ("quota_mb", "quota_files", "on_compute_nodes"),
    "cluster_account": ("required",),
}
"""The parts of a value that are compared where the rest can be said in several ways."""

_ROUGHLY: Final = 0.06
"""How far the memory of a node may be from what a profile says, as Slurm is given less than the machine has."""


@dataclass(frozen=True)
class ProfileDifference:
    """A value that a profile and its cluster do not agree on."""

    place: Place
    """The key, then names of entries and keys inside it: ("cluster_partitions", "test", "max_minutes")."""
    profile: Any
    """What the profile says; None where it says nothing."""
    cluster: Any
    """What the cluster says; None where it does not have it."""

    @property
    def is_addition(self) -> bool:
        """Whether the profile contradicts nothing, but could say more."""
        return self.profile in (None, "unknown") and not self.is_entry

    @property
    def is_entry(self) -> bool:
        """Whether it is about a whole entry of a list, such as a partition."""
        return len(self.place) == 2 and self.place[0] in ("cluster_partitions", "cluster_gpus")


def compare(profile: Mapping[str, Any], findings: Iterable[ProfileFinding], survey: Survey) -> list[ProfileDifference]:
    """Return the differences between a profile and what was found; what was only concluded counts for nothing.

    Args:
        profile: The `cluster_*` values.
        findings: What was found out.
        survey: What the cluster said.
    """
    differences: list[ProfileDifference] = []
    for finding in findings:
        if finding.key == "cluster_modules" and finding.key not in profile:
            differences.append(ProfileDifference((finding.key,), None, finding.value))
        elif finding.how == FOUND and finding.key not in NEVER:
            only = _ONLY.get(finding.key, ())
            differences += _of_value((finding.key,), profile.get(finding.key), finding.value, only, finding.doubtful)
    known = [difference for difference in differences if not _may_be_there(difference, survey)]
    return [*known, *_missing_modules(profile, survey)]


def _may_be_there(difference: ProfileDifference, survey: Survey) -> bool:
    """Return whether it is a QOS of the profile that was not found, and of which Slurm did not say that it is gone.

    What is found are those that the user's jobs can have or must name; a profile describes others, too.
    """
    key, name, *inner = [*map(str, difference.place), ""]
    there = {line.partition("|")[0] for line in survey.all("qos")}
    is_lacking = key == "cluster_qos" and inner == [""] and difference.cluster is None
    return is_lacking and (not there or name in there)


def _of_value(
    place: Place, ours: Any, theirs: Any, only: tuple[str, ...], doubtful: tuple[str, ...]
) -> Iterator[ProfileDifference]:
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            if key in doubtful or (only and key not in only) or value == "unknown":
                continue
            yield from _of_value((*place, key), (ours or {}).get(key), value, (), ())
    elif isinstance(theirs, list) and any(isinstance(entry, dict) for entry in theirs):
        yield from _of_entries(place, ours, theirs, only, doubtful)
    elif not _agree(str(place[-1]), ours, theirs):
        yield ProfileDifference(place, ours, theirs)


def _of_entries(
    place: Place, ours: Any, theirs: list[dict[str, Any]], only: tuple[str, ...], doubtful: tuple[str, ...]
) -> Iterator[ProfileDifference]:
    """Yield the differences of lists whose entries have names; of storage, only entries that both know."""
    our_entries = {_name(entry): entry for entry in ours or []}
    their_entries = {_name(entry): entry for entry in theirs}
    for name, entry in their_entries.items():
        if name in our_entries:
            yield from _of_value((*place, name), our_entries[name], _unnamed(entry), only, doubtful)
        elif not only:
            yield ProfileDifference((*place, name), None, entry)
    if only:
        return
    for name, entry in our_entries.items():
        if name not in their_entries:
            yield ProfileDifference((*place, name), entry, None)


def _name(entry: Mapping[str, Any]) -> str:
    """Return what Slurm knows an entry by."""
    return str(entry.get("constraint") or entry.get("name") or entry.get("type"))


def _unnamed(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in {"name", "type", "constraint"}}


def _agree(key: str, ours: Any, theirs: Any) -> bool:
    if ours == theirs or (ours in (None, "", []) and theirs in ("", [])):
        return True
    if isinstance(ours, list) and isinstance(theirs, list):
        return set(map(str, ours)) == set(map(str, theirs))
    if isinstance(ours, str) and isinstance(theirs, str):  # Rocky Linux 8 and Rocky Linux 8.9
        shorter, longer = sorted((ours, theirs), key=len)
        return bool(shorter) and (longer.startswith((f"{shorter}.", f"{shorter} ")))
    if key.endswith("memory_mb") and isinstance(ours, int) and isinstance(theirs, int):
        return abs(ours - theirs) <= _ROUGHLY * max(ours, theirs)
    return False


def _missing_modules(profile: Mapping[str, Any], survey: Survey) -> Iterator[ProfileDifference]:
    """Yield the modules that a profile names and the cluster does not have; nothing where it listed none."""
    there = {module_names.split(line)[0].rstrip("/") for line in survey.all("module")}
    if not there or "module" in survey.left_out:
        return
    names = {name.partition("/")[0] for name in there} | there
    for purpose, modules in (profile.get("cluster_modules") or {}).items():
        for module in modules or []:
            if module not in names:
                yield ProfileDifference(("cluster_modules", purpose, module), module, None)
