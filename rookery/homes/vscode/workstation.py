"""Prepare this computer for VS Code on clusters: Remote-SSH's settings, merged into each editor that is here.

The role `workstation` and `invoke code` both use it. The settings are described on
https://code.visualstudio.com/docs/remote/ssh and in the extension's own list.
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh import compute_node, config_file, user_config
from rookery.clusters.ssh.compute_node_keys import SUFFIX
from rookery.core import console, paths
from rookery.homes.vscode import editors, record, settings
from rookery.homes.vscode.settings import SettingsChange, SettingsOutcome

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_PLATFORM = "remote.SSH.remotePlatform"
_CONFIG_FILE = ("remote.SSH.configFile",)

CONNECT, CONNECT_JOB = 60, 600
"""Seconds that VS Code waits for a connection: a login may be typed, a job may have to begin. Its own 15 are few."""


def host(cluster: "Cluster", *, job: bool = False) -> str:
    """Return ssh's name for a cluster, or for the job there."""
    name = cluster.name if cluster.sandbox else user_config.aliases().get(cluster.name, cluster.name)
    return f"{name}{SUFFIX}" if job else name


def ssh(cluster: "Cluster") -> str:
    """Return the command that logs in to the cluster's job."""
    config = [] if _is_known(cluster) else ["-F", str(config_file.config_file(cluster))]
    return shlex.join(["ssh", *config, host(cluster, job=True)])


def needed_changes(clusters: Sequence["Cluster"], *, on_windows: bool = False) -> list[SettingsChange]:
    """Return the settings that clusters need.

    Args:
        clusters: Those that are worked on from here.
        on_windows: They are for an editor on Windows' side of WSL, where paths of this side mean nothing.
    """
    changes = []
    for cluster in clusters:
        changes.append(SettingsChange((_PLATFORM, host(cluster)), "linux"))
        if cluster.scheduler == "slurm":
            changes.append(SettingsChange((_PLATFORM, host(cluster, job=True)), "linux"))
    has_jobs = any(cluster.scheduler == "slurm" for cluster in clusters)
    changes.append(SettingsChange(("remote.SSH.connectTimeout",), CONNECT_JOB if has_jobs else CONNECT))
    # a lock in a home that many computers share is often never given, or never taken back
    changes.append(SettingsChange(("remote.SSH.lockfilesInTmp",), True))
    if any(_types(cluster) for cluster in clusters):
        changes.append(SettingsChange(("remote.SSH.showLoginTerminal",), True))
    unknown = next((cluster for cluster in clusters if not _is_known(cluster)), None)
    if unknown and not on_windows:
        changes.append(SettingsChange(_CONFIG_FILE, str(config_file.config_file(unknown))))
    return changes


def run(clusters: Sequence["Cluster"], *, check: bool = False, folder: Path | None = None) -> list[SettingsOutcome]:
    """Bring the settings of each editor here up to date.

    Args:
        clusters: Those that are worked on from here; what was written for others stays.
        check: Change nothing.
        folder: An editor's folder of its own (--user-data-dir) in place of those that are here.

    Returns:
        The result of each file; none where there is no editor.
    """
    if not clusters:
        return []
    if folder:
        return [settings.apply(folder / "User" / "settings.json", needed_changes(clusters), check=check)]
    outcomes = []
    for place in editors.places():
        wanted = needed_changes(clusters, on_windows=place.on_windows)
        # a setting that only clusters need that `ssh` did not know by name goes once it knows them
        gone = [] if any(change.path == _CONFIG_FILE for change in wanted) or not _all_known() else [_CONFIG_FILE]
        outcomes.append(settings.apply(place.path, wanted, gone=gone, check=check))
    return outcomes


def take_back(cluster: "Cluster", path: Path) -> SettingsOutcome:
    """Remove a cluster's settings from some files; with the last cluster, all settings of rookery's.

    Args:
        cluster: The cluster.
        path: One of `files`.
    """
    platforms = [keys for keys in record.read().get(str(path), record.SettingsRecord()).values if keys[0] == _PLATFORM]
    its = [keys for keys in platforms if keys[-1] in _hosts(cluster)]
    return settings.take_back(path, its if len(its) < len(platforms) else None)


def files(cluster: "Cluster") -> list[Path]:
    """Return the settings files that hold something for a cluster.

    And those where a first change was begun, and never made.
    """
    hosts = _hosts(cluster)
    known = record.read().items()
    return [Path(path) for path, entry in known if not entry.values or hosts & {key[-1] for key in entry.values}]


def lines(outcomes: Sequence[SettingsOutcome], *, quiet: bool = False) -> Iterator[str]:
    """Yield the result for each file, for a user.

    Args:
        outcomes: From `run` or `take_back`.
        quiet: Leave out what was up to date.
    """
    titles = {str(place.path): place.title for place in editors.places()}
    for outcome in outcomes:
        name = f"{titles.get(str(outcome.path), 'VS Code')} ({outcome.path})"
        if outcome.state in {"changed", "would-change"}:
            verb = "Would write" if outcome.state == "would-change" else "Wrote"
            copy = f"; backup: {outcome.note}" if outcome.note else ""
            yield console.clean(f"{verb} {_names(outcome.added)} to the settings of {name}{copy}")
        elif outcome.state in {"broken", "unwritable"}:
            verb = "read" if outcome.state == "broken" else "write"
            yield console.clean(
                f"Can't {verb} the settings of {name}: {outcome.note}. Nothing was changed; add these lines yourself:"
            )
            yield from (f"    {console.clean(line)}" for line in settings.by_hand(outcome.wanted))
        elif not quiet:
            yield console.clean(f"The settings of {name} are up to date")
        for change, current in outcome.kept:
            message = f"kept your {_name(change.path)}: {_short(current)} (rookery suggests {_short(change.value)})"
            yield console.clean(f"  {message}")
    if warning := compute_node.warning():
        yield warning


def _hosts(cluster: "Cluster") -> set[str]:
    """Return all names that a cluster may have been written under."""
    return {name + suffix for name in (cluster.name, host(cluster)) for suffix in ("", SUFFIX)}


def _types(cluster: "Cluster") -> bool:
    """Return whether something may have to be typed at a login."""
    ways = cluster.data.get("cluster_logins") or []
    return any(way not in {"key", "certificate", "gssapi"} for way in ways)


def _is_known(cluster: "Cluster") -> bool:
    """Return whether plain `ssh` on this computer knows the cluster by name."""
    return not cluster.sandbox and cluster.name in user_config.aliases()


def _all_known() -> bool:
    config = paths.config_dir() / "ssh_config"
    names = re.findall(r"^Host (\S+)$", config.read_text(encoding="utf-8"), re.MULTILINE) if config.is_file() else []
    known = user_config.aliases()
    return all(name in known for name in names if name != "*" and not name.endswith(SUFFIX))


def _names(written: Sequence[SettingsChange]) -> str:
    names = list(dict.fromkeys(_name(change.path) for change in written))
    return ", ".join(names) if names else "the changes"


def _name(path: Sequence[str]) -> str:
    return path[0] if len(path) == 1 else f"{path[0]} of {path[-1]}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
