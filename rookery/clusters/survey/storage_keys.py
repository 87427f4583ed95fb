"""Turn the folders that a user has on a cluster into the keys of a profile that are about storage."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rookery.clusters.cluster import ACCOUNT
from rookery.clusters.login_node import quota_formats
from rookery.clusters.survey import node_answers
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.finding import CHOSEN, FOUND, ProfileFinding

QUOTA_COMMANDS: Final = (("gpfsquota", "gpfsquota", "gpfsquota"), ("quota -s", "quota-s", "quota"))
"""Commands that show quotas, the form of their output (cluster_quota.format), and the key of their answer."""

SMALL_HOME_MB: Final = 51_200
"""A home with a smaller quota than this keeps the folders that grow elsewhere."""

_GROWING: Final = ("~/.cache", "~/.conda", "~/.mamba", "~/.vscode-server")

_ROLES: Final = (
    ("scratch", re.compile(r"scratch|flash|(^|[/_])te?mp($|[/_])", re.IGNORECASE)),
    ("persistent", re.compile(r"stor(e|age)|work|data|nobackup|persist|home2", re.IGNORECASE)),
    ("project", re.compile(r"proj|group|shared?|community", re.IGNORECASE)),
)
"""What the name of a variable, or of a folder, says of the storage; the first that fits counts."""

PURGE_NOTE: Final = "It is not known whether old files are deleted there."
"""What a profile says of the site's own scratch storage, until somebody who knows says more."""

_PATH: Final = re.compile(r"/[A-Za-z0-9_.+@/-]{1,500}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


@dataclass(frozen=True)
class StoragePlace:
    """A folder where the user can write."""

    variable: str
    """The variable that the site sets to it at login; "" where none does."""
    file_system: str
    size_mb: int
    """Of the whole file system."""
    device: str
    path: str


def places(survey: Survey) -> list[StoragePlace]:
    """Return the folders, the home first; those whose path can't be part of an expression are left out."""
    found = []
    for line in survey.all("place"):
        fields = line.split(" ", 4)
        if len(fields) == 5 and _PATH.fullmatch(fields[4]) and (fields[0] == "-" or _VARIABLE.fullmatch(fields[0])):
            variable, kind, size, device, path = fields
            found.append(
                StoragePlace(
                    "" if variable == "-" else variable, kind, int(size) if size.isdecimal() else 0, device, path
                )
            )
    return found


def jobs_see_none(survey: Survey) -> bool:
    """Return whether jobs ran, and saw none of the folders where the user can write."""
    jobs = node_answers.nodes(survey)
    lacking = {path for job in jobs for path in job.all("lacks")}
    return bool(jobs) and all(place.path in lacking for place in places(survey))


def findings(survey: Survey, account: str) -> Iterator[ProfileFinding]:
    """Yield the keys about storage.

    Args:
        survey: What the cluster said.
        account: The account that the user's jobs are charged to, whose folders are the project's; "" where not known.
    """
    known = places(survey)
    entries = _entries(known, _Words(survey.one("user"), account, _above(survey)))
    named = {entry["name"]: place for entry, place in entries if place}
    areas, quota = _quotas(survey, named)
    limited = [(_with_quota(entry, areas), place) for entry, place in entries]
    storage = [_of_jobs(entry, place, survey, known) for entry, place in limited]
    none_is_seen = not any(entry.get("on_compute_nodes", True) for entry in storage)
    if none_is_seen:
        # jobs do run there, so there is a folder that was not found: a profile can't say of all that they are not there
        storage = [entry for entry, _ in limited]
    storage += _node_local(survey)
    site_has_more = any(name != "home" for name in named)
    source = "login environment, df, quota" if site_has_more else "nothing beside the home was found"
    if none_is_seen:
        source = "a job saw none of these: the site's documentation says which folder jobs can read"
    doubtful = ("name", "purge_days", "backup")
    yield ProfileFinding("cluster_storage", storage, FOUND, source, doubtful=doubtful)
    yield ProfileFinding("cluster_roomy_storage", "persistent", CHOSEN, "where caches and environments go")
    home = next((entry for entry in storage if entry["name"] == "home"), {})
    moved = list(_GROWING) if "persistent" in named and home.get("quota_mb", 0) <= SMALL_HOME_MB else []
    yield ProfileFinding("cluster_moved_folders", moved, CHOSEN, "folders that grow")
    if quota:
        yield ProfileFinding("cluster_quota", quota, FOUND, f"the output of {quota['command']}")


@dataclass(frozen=True)
class _Words:
    """What stands for a part of a path in an expression."""

    user: str
    account: str
    above: Mapping[str, str]
    """Variables of the site that lead to a folder above those of its users, by path."""

    def expression(self, path: str) -> str:
        """Return a path as cluster_storage has it: `$CFS/{account}`, `/work/{account}/{account}/$USER`."""
        top = max((top for top in self.above if path.startswith(f"{top}/")), key=len, default="")
        rest = path.removeprefix(top)
        for word, text in ((self.user, "$USER"), (self.account, ACCOUNT)):
            if word:
                rest = re.sub(rf"(?<=/){re.escape(word)}(?=/|$)", text, rest)
        return f"${self.above[top]}{rest}" if top else rest


def _above(survey: Survey) -> dict[str, str]:
    """Return the site's variables whose folders the user can't write in, by path."""
    pairs = [line.split(" ", 1) for line in survey.all("above") if " " in line]
    return {path: name for name, path in pairs if _PATH.fullmatch(path) and _VARIABLE.fullmatch(name)}


def _entries(known: Sequence[StoragePlace], words: _Words) -> list[tuple[dict[str, Any], StoragePlace | None]]:
    """Return entries of cluster_storage with the folder of each; those that rookery is to make have none."""
    home = next((place for place in known if place.variable == "HOME"), None)
    entries: dict[str, tuple[dict[str, Any], StoragePlace | None]] = {
        "home": ({"name": "home", "expression": "$HOME", "variable": "HOME"}, home)
    }
    for place in sorted(known, key=lambda place: not place.variable):
        role = _role(place, words)
        if role and role not in entries and not (home and f"{place.path}/".startswith(f"{home.path}/")):
            entries[role] = (_entry(role, place, words), place)
    if "persistent" not in entries and "project" in entries:  # it has more room than the home
        shared, where = entries["project"]
        entries["persistent"] = (_made("persistent", f"{shared['expression']}/$USER"), where)
    made_in = entries["persistent"][0]["expression"] if "persistent" in entries else "$HOME"
    for role, folder in (("persistent", "storage"), ("scratch", "scratch")):
        if role not in entries:
            entries[role] = (_made(role, f"{made_in}/{folder}"), None)
    order = ("home", "project", "persistent", "scratch")
    return [entries[role] for role in order if role in entries]


def _role(place: StoragePlace, words: _Words) -> str:
    """Return what a folder is for, by its variable's name, else by its path."""
    for text in (place.variable, place.path):
        for role, pattern in _ROLES:
            if pattern.search(text):
                return role
    return "project" if words.account and ACCOUNT in words.expression(place.path) else ""


def _entry(role: str, place: StoragePlace, words: _Words) -> dict[str, Any]:
    known = {"backup": "unknown", **({"note": PURGE_NOTE} if role == "scratch" else {})}
    if place.variable:
        return {"name": role, "expression": f"${place.variable}", "variable": place.variable, **known}
    expression = words.expression(place.path)
    entry: dict[str, Any] = {"name": role, "expression": expression, **known}
    if role == "project":
        return entry
    if "$USER" not in expression:  # a folder of the whole project, or of everybody
        entry |= {"expression": f"{expression}/$USER", "create": True}
    return {**entry, "variable": f"global_{'storage' if role == 'persistent' else role}", "site_sets": False}


def _made(role: str, expression: str) -> dict[str, Any]:
    """Return an entry that rookery makes, so that one script runs on every cluster."""
    name = "storage" if role == "persistent" else role
    made: dict[str, Any] = {"name": role, "expression": expression, "variable": f"global_{name}", "site_sets": False}
    return {**made, "create": True, "backup": "unknown"}


def _quotas(survey: Survey, named: dict[str, StoragePlace]) -> tuple[dict[str, quota_formats.Area], dict[str, str]]:
    """Return the quota of each storage, and how it can be shown, by the first command that says something."""
    for command, form, key in QUOTA_COMMANDS:
        areas = quota_formats.areas(form, "\n".join(survey.all(f"quota:{key}")))
        if not areas:
            continue
        if form == "gpfsquota":
            found = {area.name: area for area in areas}
        elif len(areas) == 1:
            found = {"home": areas[0]}
        else:
            found = {name: area for name, place in named.items() for area in areas if area.name == place.device}
        return found, {"command": command, "format": form}
    return {}, {}


def _of_jobs(
    entry: dict[str, Any], place: StoragePlace | None, survey: Survey, known: Sequence[StoragePlace]
) -> dict[str, Any]:
    """Return the entry with what jobs said of it: that a compute node does not see it."""
    lacking = {path for node in node_answers.nodes(survey) for path in node.all("lacks")}
    home = next((area.path for area in known if area.variable == "HOME"), "")
    path = place.path if place else home if entry["expression"].startswith("$HOME") else ""
    return {**entry, "on_compute_nodes": False} if path in lacking else entry


def _node_local(survey: Survey) -> list[dict[str, Any]]:
    """Return the folder of each job on its own node, where jobs have one."""
    names = [name for node in node_answers.nodes(survey) for name in node.all("own")]
    if not names or not _VARIABLE.fullmatch(names[0]):
        return []
    entry = {"name": "tmp", "expression": f"${names[0]}", "variable": names[0], "purge_days": 0}
    return [{**entry, "backup": "none", "scope": "node"}]


def _with_quota(entry: dict[str, Any], areas: dict[str, quota_formats.Area]) -> dict[str, Any]:
    area = areas.get(entry["name"]) if entry.get("site_sets", True) else None
    limits = {
        "quota_mb": int(area.limit_mb) if area and area.limit_mb else None,
        "quota_files": area.files_limit if area else None,
    }
    return {**entry, **{key: limit for key, limit in limits.items() if limit}}
