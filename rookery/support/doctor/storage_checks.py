"""Check room, the number of files, caches on the wrong file system, variables that name the storage."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import OUTPUTS, job_folders, roomy
from rookery.clusters.login_node import facts, quota_formats
from rookery.core import sizes
from rookery.support.doctor.checks import CheckResults
from rookery.support.doctor.connection_checks import whom_to_ask
from rookery.support.doctor.fix_commands import on_cluster, setup, setup_again, with_note, with_sandbox
from rookery.support.doctor.inspection import HomeInspection

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

FULL = 98
"""Per cent of a quota from which next to nothing can be written any more."""

LEAST_MB, LITTLE_MB = 100, 1024
"""MB free on a disk without a quota, below which nothing works, and below which it soon won't."""

_NO_ROOM = ("No space left", "quota exceeded", "Quota exceeded")


def judge(results: CheckResults, cluster: "Cluster", home: HomeInspection, *, is_set_up: bool) -> None:
    """Check the storage."""
    areas = [_with_limits(area, cluster.data) for area in home.areas]
    _room(results, cluster, areas, home)
    _files(results, cluster, areas)
    _writable(results, cluster, home)
    _caches(results, cluster, home, is_set_up=is_set_up)
    _variables(results, cluster, home, is_set_up=is_set_up)


def _with_limits(area: quota_formats.Area, data: Mapping[str, Any]) -> quota_formats.Area:
    """Return an area with the profile's limit of files, where the quota command gives none."""
    entry: Mapping[str, Any] = next(
        (storage for storage in data.get("cluster_storage") or [] if storage["name"] == area.name), {}
    )
    if area.files_limit is None and area.source == "quota" and entry.get("quota_files"):
        return replace(area, files_limit=int(entry["quota_files"]))
    return area


def _room(results: CheckResults, cluster: "Cluster", areas: list[quota_formats.Area], home: HomeInspection) -> None:
    full, filling = [], []
    for area in areas:
        if not area.limit_mb:
            continue
        percent, left = 100 * area.used_mb / area.limit_mb, area.limit_mb - area.used_mb
        amounts = f"{sizes.of_mebibytes(area.used_mb)} of {sizes.of_mebibytes(area.limit_mb)}"
        text = f"{area.name} is {percent:.0f} % full ({amounts})"
        if (percent >= FULL) if area.source == "quota" else (left < LEAST_MB):
            full.append(text)
        elif (percent >= quota_formats.FILLING) if area.source == "quota" else (left < LITTLE_MB):
            filling.append(text)
    fix = _emptying(cluster, home, full or filling)
    if full:
        results.fault("quota", "; ".join(full), fix)
    elif filling:
        results.warn("quota", "; ".join(filling), fix)
    elif home.quota_missing:
        results.warn("quota", f"the login node has no command {home.quota_missing}, which the profile names")
    elif home.quota_words:
        results.warn("quota", f"rookery can't read the output of the quota command: {home.quota_words[:100]}")
    else:
        free = [
            f"{area.name} {sizes.of_mebibytes(max(0.0, area.limit_mb - area.used_mb))} free"
            for area in areas
            if area.limit_mb
        ]
        results.ok("quota", ", ".join(free) or "no limit is known")


def _emptying(cluster: "Cluster", home: HomeInspection, texts: list[str]) -> str:
    """Return the command that shows what takes the room."""
    where = '"$HOME"'
    for area in home.areas:
        if texts and texts[0].startswith(f"{area.name} is") and area.path:
            where = shlex.quote(area.path)
    show = on_cluster(cluster, f"du -xah --max-depth=2 {where} | sort -h | tail -n 15")
    return with_note(show, "shows the largest folders; remove or move what you can")


def _files(results: CheckResults, cluster: "Cluster", areas: list[quota_formats.Area]) -> None:
    counted = [area for area in areas if area.files_limit and area.files is not None]
    full = [area for area in counted if 100 * (area.files or 0) >= FULL * (area.files_limit or 1)]
    filling = [area for area in counted if 100 * (area.files or 0) >= quota_formats.FILLING * (area.files_limit or 1)]
    message = ", ".join(
        f"{area.files:,} of {area.files_limit:,} files in {area.name}" for area in full or filling or counted
    )
    fix = (
        on_cluster(cluster, "du --inodes -x --max-depth=3 ~ | sort -n | tail -n 15")
        + "   # shows the folders with most files; pack or remove some"
    )
    if full:
        results.fault("quota-files", message, fix)
    elif filling:
        results.warn("quota-files", message, fix)
    else:
        results.ok("quota-files", message or "no limit is known")


def _writable(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    answer = home.value("writable")
    word, _, words = answer.partition(" ")
    why = words.rpartition(": ")[2]  # what the shell says before it names a line of ours
    if word == "yes":
        results.ok("home-writable", "works")
    elif any(sign in why for sign in _NO_ROOM) and {check.name for check in results.faults} & {"quota", "quota-files"}:
        results.skip("home-writable", "fix the storage quota first")
    elif "Permission denied" in why:
        results.fault(
            "home-writable", "you have no write permission in your home", on_cluster(cluster, "chmod u+rwx ~")
        )
    else:
        results.fault(
            "home-writable",
            f"can't write to your home: {why or 'unknown reason'}",
            with_note(
                with_sandbox(cluster, f"invoke quota {cluster.name}"),
                f"is it full? If not: {whom_to_ask(cluster)}",
            ),
        )


def _caches(results: CheckResults, cluster: "Cluster", home: HomeInspection, *, is_set_up: bool) -> None:
    if not home.values.get("cache"):
        results.ok("caches", "not needed on this cluster")
        return
    if home.fact("replaceable") and not job_folders(cluster.data):
        _caches_at_home(results, cluster, home)
        return
    if not is_set_up:
        results.skip("caches", "your home is not set up yet")
        return
    repair = setup_again(results, cluster)
    wrong = [
        fault for fault in (_cache_fault(cluster, home, line, repair) for line in home.values["cache"]) if fault[0]
    ]
    if wrong:
        results.fault("caches", "; ".join(message for message, _ in wrong), wrong[0][1])
    else:
        results.ok(
            "caches", f"{len(home.values['cache'])} folders are on {_roomy(cluster, home) or 'the large storage'}"
        )


def _cache_fault(cluster: "Cluster", home: HomeInspection, line: str, repair: str) -> tuple[str, str]:
    """Return what is wrong with a folder that should be on the storage, and the fix.

    "" where nothing is.
    """
    folder, kind, target = [*line.split(" ", 2), "", ""][:3]
    large = _roomy(cluster, home)
    obstacles = {entry["path"]: entry["note"] for entry in home.comparison.stays}
    if kind == "broken":
        remove = on_cluster(cluster, f"rm {shlex.quote(folder[2:])}")
        return f"{folder} is a link to {target}, which does not exist", with_note(remove, f"then: {repair}")
    if obstacle := obstacles.get(home.fact("home") + folder[1:]):
        return obstacle, with_note(repair, "after you have moved or removed that")
    if kind == "own":
        return f"{folder} is in your home instead of the large storage", repair
    if kind == "absent":
        return f"{folder} is missing, so new files in it would be in your home", repair
    if large and not f"{target}/".startswith(f"{large}/"):
        return f"{folder} is a link to {target} instead of {large}", repair
    return "", ""


def _caches_at_home(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    """Check caches, which hold programs: they stay in the home where others can replace folders of the storage."""
    why = facts.why_replaceable(home.fact("replaceable_by"))
    links = [line.split(" ")[0] for line in home.values["cache"] if " link " in line or " broken " in line]
    if links:
        undo = with_sandbox(cluster, f"invoke undo {cluster.name}")
        message = f"{', '.join(links)} on the storage, where {why}"
        results.warn("caches", message, with_note(undo, "moves them back; a setup after that leaves them in your home"))
    else:
        results.ok("caches", f"in your home, since {why}")


def _roomy(cluster: "Cluster", home: HomeInspection) -> str:
    """Return the path of the large storage, from the probe's answer."""
    places = dict(line.partition(" ")[::2] for line in home.facts.get("storage") or [])
    return places.get(roomy(cluster.data), "").rstrip("/")


def _variables(results: CheckResults, cluster: "Cluster", home: HomeInspection, *, is_set_up: bool) -> None:
    variables = {line.split(" ")[0]: line.split(" ", 2)[1:] for line in home.values.get("variable") or []}
    wrong, fixes = [], []
    expected = [(area.variable, area.site_sets, area.create) for area in cluster.storage]
    for name, site_sets, create in [*expected, (OUTPUTS, False, True)]:
        kind, rest = [*variables.get(name, []), "", ""][:2]
        if not kind or kind == "there" or (not is_set_up and not site_sets):
            continue
        if kind == "closed" and results.is_bad("home-writable"):  # which reported it already
            continue
        if kind == "absent":
            wrong.append(f"${name} is not set at login" + (f" (see {rest.split(':')[0]})" if rest else ""))
            fixes.append(_repairing(cluster, name, rest, site_sets=site_sets, is_set_up=is_set_up))
        else:
            what = "it does not exist" if kind == "missing" else "you have no write permission there"
            wrong.append(f"${name} is {rest}, but {what}")
            fixes.append(_folder(cluster, create=create))
    if wrong and results.is_bad("path-login") and is_set_up:  # the same lines set both
        results.skip("storage", "fix PATH at login first")
    elif wrong:
        results.fault("storage", "; ".join(wrong), fixes[0])
    else:
        results.ok(
            "storage",
            ", ".join(f"${name} is {[*state, ''][1]}" for name, state in variables.items()) or "the cluster has none",
        )


def _repairing(cluster: "Cluster", name: str, place: str, *, site_sets: bool, is_set_up: bool) -> str:
    """Return the fix for a variable that lacks its value."""
    if place:  # a line of the user's own
        file, _, line = place.partition(":")
        return (
            on_cluster(cluster, f"sed -i.old '{line}s/^/# /' ~/{file}")
            + f"   # comments out line {line} of ~/{file}, which changes it"
        )
    if is_set_up or not site_sets:
        return setup(cluster)

    return f"{whom_to_ask(cluster)}: ${name} should be set at login, and is not set for you"


def _folder(cluster: "Cluster", *, create: bool) -> str:
    return setup(cluster) if create else f"{whom_to_ask(cluster)}: they have to make the folder"
