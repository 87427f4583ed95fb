"""The command `quota`: how full the storage on a cluster is, by the site's own quota command, or by `df`.

Both are asked in one round trip, in a login shell, since sites set the variables for their storage there.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import role
from rookery.clusters.config import profile
from rookery.clusters.login_node import quota_formats
from rookery.clusters.login_node.quota_formats import Area
from rookery.clusters.query import ClusterQuery
from rookery.core import console, drawing, palette, sizes, tables
from rookery.core.drawing import Bar, Bars, terminal
from rookery.core.errors import RookeryError
from rookery.jobs import pictures
from rookery.jobs.options import QuotaOptions
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

# Positional parameters: the quota command or "", then NAME EXPRESSION for each area, for this login shell to evaluate
ASK = r"""
exec bash -lc '
command=$1
shift
echo rookery-quota:
if [ -n "$command" ]; then
    eval "$command" </dev/null 2>&1
    echo "rookery-exit: $?"
fi
while [ $# -gt 1 ]; do
    eval "path=$2"
    if [ -n "$path" ] && told=$(df -Pk -- "$path" 2>/dev/null | tail -n 1) && [ -n "$told" ]; then
        echo "rookery-area: $1 $path"
        echo "rookery-df: $told"
    fi
    shift 2
done' rookery-quota "$@"
"""


@dataclass(frozen=True)
class StorageUse:
    """How full the storage on a cluster is.

    Attributes:
        areas: The storage areas.
        not_understood: The quota command's output, where it can't be read.
        missing: The quota command, where the cluster does not have it.
    """

    areas: Sequence[Area]
    not_understood: str = ""
    missing: str = ""


def run(options: QuotaOptions) -> int:
    """Print how full each storage area is.

    Raises:
        RookeryError: The cluster is unknown or can't be reached, or tells nothing of its storage.
    """
    check(options)
    return query(options).answer(json=options.json)


def check(options: QuotaOptions) -> None:
    """Refuse options that can't be, of one cluster or several.

    Raises:
        RookeryError: Several clusters are to be drawn, or a picture can't be.
    """
    if options.plot_file:
        targets.only_one(options.cluster, "--plot-file")
        pictures.check(pictures.path(options.plot_file), options.plot_file)


def query(options: QuotaOptions) -> ClusterQuery[StorageUse]:
    """Return the question to one cluster.

    Raises:
        RookeryError: The cluster is unknown.
        NotApplicableError: The account that names its storage is not known yet.
    """
    connection = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False).connection
    profile.require_account(connection.cluster)

    def drawn(use: StorageUse) -> StorageUse:
        if options.plot_file:
            pictures.write(plot(connection.cluster, use), pictures.path(options.plot_file))
            console.note(f"Plotted into {options.plot_file}.")
        return use

    return ClusterQuery(
        connection,
        lambda: ask(connection),
        lambda use: _document(connection.cluster, drawn(use)),
        lambda use: _show(connection.cluster, drawn(use)),
    )


def ask(connection: "Connection") -> StorageUse:
    """Ask a cluster how full its storage is, in one round trip.

    Raises:
        RookeryError: It tells nothing of its storage.
    """
    cluster = connection.cluster
    with console.waiting(f"Asking {cluster.name} for your quota"):
        output = connection.run([*arguments(cluster)], script=ASK, timeout=60, check=False).stdout
    areas, raw = read(output, cluster.data)
    use = StorageUse(areas, raw, missing_command(output, cluster.data))
    if use == StorageUse([]):
        hint = f"invoke clusters.show {cluster.argument}"
        raise RookeryError(f"{cluster.name} gives no information on its storage.", hint=hint)
    return use


_LEVELS: Mapping[str, tuple[str, str, str]] = {
    "": ("room left", "green", palette.GREEN),
    "filling": ("filling", "yellow", palette.ORANGE),
    "full": ("nearly full", "bold red", palette.VERMILION),
}
"""What a warning means: a word, its style on a terminal, and its colour in a picture."""


def plot(cluster: "Cluster", use: StorageUse) -> Bars:
    """Return how full each area is as a plot."""
    bars = []
    for area in use.areas:
        limit = f" of {sizes.of_mebibytes(area.limit_mb)}" if area.limit_mb else ", no limit"
        note, level = f"{sizes.of_mebibytes(area.used_mb)}{limit}", _LEVELS[area.warning][0]
        bars.append(Bar(area.name, {level: min(area.percent, 100)}, 100 if area.limit_mb else 0, note))
    fills = {level: fill for level, _, fill in _LEVELS.values()}
    return Bars(f"Storage on {cluster.name}", "% of the limit", bars, fills)


def _document(cluster: "Cluster", use: StorageUse) -> dict[str, Any]:
    listed = [{**asdict(area), "percent": round(area.percent, 2), "warning": area.warning} for area in use.areas]
    return {
        "cluster": cluster.name,
        "areas": listed,
        "not_understood": use.not_understood,
        "missing": use.missing,
    }


def arguments(cluster: "Cluster") -> list[str]:
    """Return the positional parameters of ASK."""
    command = (cluster.data.get("cluster_quota") or {}).get("command", "")
    areas = [part for area in cluster.storage if area.scope != "node" for part in (area.name, area.expression)]
    return [command, *areas]


def read(output: str, profile: Mapping[str, Any]) -> tuple[list[Area], str]:
    """Return the areas in the answer to ASK, and the quota command's output where it was not understood.

    Args:
        output: The answer.
        profile: The cluster's `cluster_*` values.
    """
    quota, _, rest = output.partition("rookery-quota:\n")[2].partition("rookery-exit: ")
    if not rest:
        quota, rest = "", output
    disks = _df(rest)
    form = (profile.get("cluster_quota") or {}).get("format", "")
    areas_of_quota = quota_formats.areas(form, quota)
    roles = {entry["name"]: role(entry) for entry in profile.get("cluster_storage") or []}
    named = _named(areas_of_quota, disks, roles)
    covered = {name for area in named for name in area.name.split(", ")}
    others = _joined([(device, area) for device, area in disks if area.name not in covered])
    kept = {entry["name"]: entry for entry in profile.get("cluster_storage") or []}
    areas = [replace(area, note=_note(area, kept)) for area in [*named, *others]]
    understood = areas_of_quota or not form or missing_command(output, profile)
    return areas, "" if understood else quota.strip()


def missing_command(output: str, profile: Mapping[str, Any]) -> str:
    """Return the quota command that the cluster does not have; "" where it has it, or the profile names none.

    Args:
        output: The answer to ASK.
        profile: The cluster's `cluster_*` values.
    """
    missing = re.search(r"^rookery-exit: 127$", output, re.MULTILINE)  # what a shell answers for no such command
    return str((profile.get("cluster_quota") or {}).get("command", "")) if missing else ""


def _df(text: str) -> list[tuple[str, Area]]:
    """Return df's answer for each area: its device, and the area."""
    areas = []
    name = path = ""
    for line in text.splitlines():
        key, _, value = line.partition(": ")
        if key == "rookery-area":
            name, _, path = value.partition(" ")
        match = (
            re.fullmatch(r"(.+?)\s+([0-9]{1,15})\s+([0-9]{1,15})\s+([0-9]{1,15})\s+\d+%\s+(/.*)", value)
            if key == "rookery-df"
            else None
        )
        if match and name:
            used, free = int(match[3]) / 1024, int(match[4]) / 1024
            areas.append((match[1], Area(name, used, used + free or None, source="df", path=path)))
    return areas


def _joined(disks: Sequence[tuple[str, Area]]) -> list[Area]:
    """Join areas that are on one disk, by the path of the first of them."""
    areas: dict[str, Area] = {}
    for device, area in disks:
        known = areas.get(device)
        areas[device] = replace(known, name=f"{known.name}, {area.name}") if known else area
    return list(areas.values())


def _named(areas: Sequence[Area], disks: Sequence[tuple[str, Area]], roles: Mapping[str, str]) -> list[Area]:
    """Return the areas of the quota command, with the names and the path of the storage in each.

    Args:
        areas: Those areas.
        disks: df's answer for each storage.
        roles: The role of each storage, which is what a quota command may call it.
    """
    counted = Counter(roles.values())
    inside: dict[str, list[Area]] = {}
    for device, disk in disks:
        own_role = roles.get(disk.name, "")
        names = {device, disk.name, *([own_role] if counted[own_role] == 1 else [])}
        if area := quota_formats.of_storage(areas, names, disk.path):
            inside.setdefault(area.name, []).append(disk)
    return [
        replace(area, name=", ".join(disk.name for disk in found), path=found[0].path)
        if (found := inside.get(area.name))
        else area
        for area in areas
    ]


def _note(area: Area, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a note on an area besides its numbers."""
    notes = ["the whole disk, shared by all users"] if area.source == "df" else []
    for name in area.name.split(", "):
        entry = entries.get(name, {})
        cost = entry.get("file_cost_kb")
        if cost and area.files and area.source == "quota":
            notes.append(f"{area.files:,} files take at least {sizes.of_mebibytes(area.files * cost / 1024)} of it")
        if days := entry.get("purge_days"):
            notes.append(f"files are deleted after {days} days")
    return "; ".join(notes)


def _show(cluster: "Cluster", use: StorageUse) -> None:
    areas, raw, missing = use.areas, use.not_understood, use.missing
    command = (cluster.data.get("cluster_quota") or {}).get("command", "")
    if missing:
        console.say(f"{cluster.name} has no command `{missing}`, which its profile names; these numbers are from df.")
    elif raw:
        console.say(f"{cluster.name}: can't read the output of `{command}`:")
        print(f"{console.clean(raw)}\n")
    elif not command:
        console.say(f"{cluster.name} has no known quota command; these numbers are from df.")
    elif all(area.source == "df" for area in areas):
        console.say(f"{cluster.name}: `{command}` printed nothing; these numbers are from df.")
    if areas:
        headings = ("=area", "", ">used", ">limit", ">full", ">files", "~path and notes")
        tables.show(headings, [_row(area) for area in areas])
    for area in areas:
        if area.warning and area.source == "quota":
            console.say(f"{area.name} is {area.percent:.0f} % full: jobs fail when it is full.")


def _row(area: Area) -> list["RenderableType"]:
    """Return the cells of an area's row."""
    from rich.text import Text

    style = _LEVELS[area.warning][1]
    bar = Text(drawing.bar(area.percent, 100, 16, plain=terminal.is_plain()) if area.limit_mb else "", style=style)
    files = "" if area.files is None else f"{area.files:,}"
    files += f" of {area.files_limit:,}" if area.files_limit else ""
    limit = sizes.of_mebibytes(area.limit_mb) if area.limit_mb else "none"
    percent = Text(f"{area.percent:.0f} %", style=style)
    place = Text("  ".join(filter(None, (console.clean(area.path), area.note))))
    return [Text(console.clean(area.name)), bar, sizes.of_mebibytes(area.used_mb), limit, percent, files, place]
