"""The commands `clusters` and `clusters.show`: list the clusters, and print a profile value by value."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters import set_up_note
from rookery.clusters.cluster import OUTPUTS
from rookery.clusters.config import profile
from rookery.clusters.ssh import user_settings
from rookery.core import console, paths, secret_values, tables
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.homes.options import ClustersListOptions, ClustersShowOptions

if TYPE_CHECKING:
    from rich.console import RenderableType

# The groups in a student's words, in the schema's order: the first part of a key decides where it is shown.
GROUPS = {
    "Which cluster": "title site country os docs_url source_url verified_on unverified notes access",
    "Logging in": "host ssh_host port user user_hint identity_file known_hosts_file proxy_jump forward_agent "
    "login_nodes vpn logins login_prompts login_command login_hours host_keys host_keys_url policies internet proxy "
    "mirrors",
    "Jobs": "scheduler slurm slurm_name account sbatch qos default_qos default_partition partitions "
    "restricted_partitions nodes node_names gpus gpu_request gres constraints features mpi_launcher array requeue "
    "limits energy job_preamble",
    "Software": "architectures module_system module_verb modules conda_activate python_provider system_python system_r",
    "Storage": "storage roomy_storage moved_folders quota",
}
UNITS = {
    "mb": ((1024 * 1024, "TB"), (1024, "GB"), (1, "MB")),
    "gb": ((1, "GB"),),
    "kb": ((1, "KB"),),
    "minutes": ((1440, "d"), (60, "h"), (1, "min")),
    "days": ((1, "days"),),
    "seconds": ((1, "s"),),
}
"""What a key may end in, and how its number is shown: the largest unit in which it is whole."""
REST = "For the roles"
"""The group of variables that are no part of a profile."""


@dataclass(frozen=True)
class ClusterRow:
    """A cluster in the list of clusters."""

    name: str
    """Its name in the inventory."""
    title: str = ""
    """Its usual name."""
    host: str = ""
    """Its login node."""
    scheduler: str = ""
    """slurm, or none."""
    gpus: tuple[str, ...] = ()
    """Its types of GPU."""
    set_up_at: str | None = None
    """When a home was set up there, as `setup` noted it; None = never from here."""
    problem: str = ""
    """What is wrong with its profile; the rest is unknown then."""


@dataclass(frozen=True)
class ProfileValue:
    """A variable of a cluster, and where it was set."""

    key: str
    """Its name."""
    value: Any
    """Its value."""
    where: str
    """File and line."""
    unverified: bool
    """Whether the profile says that nobody could verify it."""


def table(sandbox: bool = False) -> list[ClusterRow]:
    """Return all clusters, in the inventory's order.

    Args:
        sandbox: The miniatures on this machine rather than the clusters.

    Raises:
        RookeryError: An inventory file is malformed. A malformed profile is reported in its row instead.
    """
    folders = profile.sources(sandbox)
    return [_row(name, folders, sandbox) for name in profile.names(folders)]


def _row(name: str, folders: list[Path], sandbox: bool) -> ClusterRow:
    try:
        cluster = profile.load(name, folders, own_ssh=False)
    except RookeryError as error:
        return ClusterRow(name, problem=error.message)
    gpus = tuple(gpu.get("title", gpu["type"]) for gpu in cluster.data.get("cluster_gpus", []))
    return ClusterRow(
        name, cluster.title, cluster.host, cluster.scheduler, gpus, set_up_note.when(name, sandbox=sandbox)
    )


def details(name: str, sandbox: bool = False) -> dict[str, list[ProfileValue]]:
    """Return all variables of a cluster, by group; what looks like a secret is hidden.

    Raises:
        RookeryError: The cluster is unknown, or its profile is not as it should be.
    """
    folders = profile.sources(sandbox)
    glue = paths.root() / "inventory/group_vars/all.yml"
    cluster = profile.load(name, folders, own_ssh=False)
    doubtful = {key.split(".")[0].split("[")[0] for key in cluster.data.get("cluster_unverified", [])}
    group_of = {profile.PREFIX + key: group for group, keys in GROUPS.items() for key in keys.split()}
    order = {key: number for number, key in enumerate(group_of)}
    grouped: dict[str, list[ProfileValue]] = {group: [] for group in (*GROUPS, REST)}
    # how rookery hands a profile on to Ansible's ssh says nothing of the cluster
    settings = [
        setting
        for setting in profile.explain(name, folders)
        if setting.file != glue or not setting.key.startswith("ansible_")
    ]
    for setting in sorted(settings, key=lambda setting: order.get(setting.key, len(order))):
        value = ProfileValue(
            setting.key, secret_values.hidden(setting.key, setting.value), setting.where(), setting.key in doubtful
        )
        grouped[group_of.get(setting.key, REST)].append(value)
    with suppress(RookeryError):  # it names this command, for where cluster_ssh_host is set
        cluster = profile.load(name, folders)
    grouped["Storage"].append(ProfileValue(OUTPUTS, cluster.large_storage, "", False))
    own = user_settings.differences(cluster).items()
    grouped[f"From your ~/.ssh/config, for {user_settings.asked_for(cluster)}"] = [
        ProfileValue(key, secret_values.hidden(key, value), "", False) for key, value in own
    ]
    return {group: values for group, values in grouped.items() if values}


def show_all(options: ClustersListOptions) -> int:
    """Print the list of clusters; return 1 where a profile is invalid, else 0."""
    rows = table(options.sandbox)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print_rows(rows, sandbox=options.sandbox)
    return int(any(row.problem for row in rows))


def show(options: ClustersShowOptions) -> int:
    """Print what is known of a cluster, and the file and line of each value.

    Raises:
        RookeryError: The cluster is unknown, or its profile is not as it should be.
    """
    grouped = details(options.cluster, options.sandbox)
    if options.json:
        values = {value.key: asdict(value) for values in grouped.values() for value in values}
        print(json.dumps({"name": options.cluster, "values": values}, indent=2, default=str))
    else:
        _print_details(options.cluster, grouped, sandbox=options.sandbox)
    return 0


def _print_rows(rows: list[ClusterRow], *, sandbox: bool) -> None:
    from rich.text import Text

    output = tables.console()
    cells = [
        (row.name, row.host, row.scheduler, ", ".join(row.gpus) or "none", (row.set_up_at or "not yet")[:10], row.title)
        for row in rows
        if not row.problem
    ]
    headings = ("=name", "=host", "scheduler", "~GPUs", "set up", "~description")
    tables.show(headings, [[Text(cell) for cell in row] for row in cells])
    for row in rows:
        if row.problem:
            console.show(output, console.named(row.name, row.problem), "red")
    for row in rows:
        if row.set_up_at is None and not row.problem:
            console.say(f"next: {invocation()} setup {row.name}{' --sandbox' * sandbox}")
            break


def _print_details(name: str, grouped: Mapping[str, list[ProfileValue]], *, sandbox: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    output = tables.console()
    files: dict[str, str] = {}
    for group, values in grouped.items():
        output.print(Text(f"\n{group}", style="bold"))
        grid = Table.grid(padding=(0, 2))
        for heading in ("key", "value", "where"):
            grid.add_column(heading, overflow="fold", no_wrap=heading != "value")
        for value in values:
            key = Text(value.key.removeprefix(profile.PREFIX) + ("?" if value.unverified else ""))
            grid.add_row(Text("  ") + key, _readable(value.value), Text(_short(value.where, files), style="dim"))
        output.print(grid)
    output.print()
    for file, letter in files.items():
        console.show(output, f"{letter} = {file}", "dim")
    if any(value.unverified for values in grouped.values() for value in values):
        console.show(output, "? = not verified", "dim")
    console.say(f"next: {invocation()} setup {name}{' --sandbox' * sandbox}")


def _short(where: str, files: dict[str, str]) -> str:
    """Return `A:12` for a file and line: paths are long, and few."""
    file, colon, line = where.rpartition(":")
    if not colon:
        return where
    return f"{files.setdefault(file, chr(ord('A') + len(files)))}:{line}"


def _readable(value: Any) -> "RenderableType":
    """Return a value as a user reads it: a list a line an element, a mapping as `key value, key value`."""
    from rich.text import Text

    if isinstance(value, list):
        return Text("\n".join(_flat(item) for item in value) or "none")
    return Text(_flat(value) or "none")


def _named(key: str, value: Any) -> str:
    """Return a key and its value, with the unit that the key ends in behind the number.

    `max 12 h` for max_minutes: 720.
    """
    stem, _, unit = key.rpartition("_")
    if unit not in UNITS or not isinstance(value, int):
        return f"{key} {_flat(value)}"
    sizes = UNITS[unit]
    fitting = [(size, short) for size, short in sizes if value >= size and value % size == 0] or [(1, sizes[-1][1])]
    return f"{stem} {value // fitting[0][0]} {fitting[0][1]}"


def _flat(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        named = {key: inner for key, inner in value.items() if key not in {"name", "type"}}
        head = [str(value[key]) for key in ("name", "type") if key in value]
        rest = "; ".join(_named(key, inner) for key, inner in named.items())
        return ": ".join([*head, *([rest] if rest else [])])
    if isinstance(value, list):
        return " ".join(_flat(item) for item in value) or "none"
    return str(value)
