"""Change the text of a profile so that it says what its cluster says."""

from collections.abc import Iterable, Mapping
from typing import Any

from rookery.clusters.config import profile_edit
from rookery.clusters.survey.differences import ProfileDifference
from rookery.clusters.survey.finding import ProfileFinding, by_key
from rookery.core.places import Place


def applied(
    text: str,
    profile: Mapping[str, Any],
    differences: Iterable[ProfileDifference],
    findings: tuple[ProfileFinding, ...],
) -> tuple[str, dict[str, Any]]:
    """Return the text with the cluster's values, and the keys that have changed with their values.

    Args:
        text: The user's own file on the cluster; a key that it does not have is added to it, whole.
        profile: All `cluster_*` values, from every inventory.
        differences: What is to change.
        findings: What was found out.
    """
    import yaml

    own = yaml.safe_load(text) or {}
    found = by_key(findings)
    values: dict[str, Any] = {}
    for difference in differences:
        place, new = _change(difference, profile, found)
        key = str(place[0])
        values[key] = profile_edit.changed(values.get(key, profile.get(key)), place[1:], new)
        if key in own:
            text = profile_edit.with_value(text, place, new, values[key])
        else:
            text = profile_edit.with_key(text, key, values[key])
    return text, values


def dated(text: str, values: Mapping[str, Any], today: str) -> tuple[str, dict[str, Any]]:
    """Return the same with the date of today as that of the facts."""
    key = "cluster_verified_on"
    return profile_edit.with_key(text, key, today), {**values, key: today}


def _change(difference: ProfileDifference, profile: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Place, Any]:
    """Return what is to change where: of modules the whole list of a purpose."""
    if difference.place[0] != "cluster_modules" or len(difference.place) == 1:
        return difference.place, difference.cluster
    purpose = str(difference.place[1])
    known = (profile.get("cluster_modules") or {}).get(purpose) or []
    others = [module for module in known if module != difference.profile]
    return ("cluster_modules", purpose), (found.get("cluster_modules") or {}).get(purpose, others)
