"""List and remove what rookery keeps of a cluster on this computer, for `undo`.

Every part of rookery that writes something of a cluster's here has a line in `_traces`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters import set_up_note
from rookery.clusters.ssh import compute_node_keys, config_file, host_keys, user_config
from rookery.core import atomic_files, paths, state_files
from rookery.homes.vscode import workstation

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection


@dataclass(frozen=True)
class Trace:
    """Something of a cluster's on this computer.

    Attributes:
        path: Where it is.
        what: What it is, in a user's words.
        remove: What takes it away; None where it always stays.
        on_purge: Whether it goes with --purge alone.
    """

    path: Path
    what: str
    remove: Callable[[], object] | None = None
    on_purge: bool = False


def _traces(connection: "Connection") -> list[Trace]:
    """Return everything of a cluster on this computer."""
    cluster = connection.cluster
    note = set_up_note.of(cluster)
    traces = [Trace(note, "the record that it is set up", lambda: note.unlink(missing_ok=True))]
    if cluster.sandbox:  # the rest is the miniature's own, and goes with it
        return traces
    inventory = paths.config_dir() / "inventory/host_vars" / f"{cluster.name}.yml"
    known_hosts = state_files.place("known_hosts")
    first = state_files.place("onboard", f"{cluster.label}.json")
    traces += [
        Trace(connection.config_file, "its ssh configuration", lambda: config_file.remove(cluster), on_purge=True),
        Trace(known_hosts, "its host key", lambda: _forget_key(connection, known_hosts), on_purge=True),
        Trace(first, "the name of your first project there", lambda: first.unlink(missing_ok=True), on_purge=True),
        Trace(inventory, "your settings for it"),
        *_editors(cluster),
    ]
    if alias := user_config.aliases().get(cluster.name):
        title = f"`ssh {alias}`, which your ~/.ssh/config includes"
        traces.append(Trace(user_config.file(), title, lambda: user_config.forget(cluster), on_purge=True))
    if cluster.identity_file:
        traces.append(Trace(Path(cluster.identity_file).expanduser(), "your key"))
    return traces


def plan(connection: "Connection", *, purge: bool) -> list[str]:
    """Return what `forget` would do, a line each."""
    return [_line(trace, "to remove" if _goes(trace, purge) else "to keep") for trace in _existing(connection)]


def has_any(connection: "Connection", *, purge: bool) -> bool:
    """Return whether `forget` would remove anything."""
    return any(_goes(trace, purge) for trace in _existing(connection))


def forget(connection: "Connection", *, purge: bool) -> list[str]:
    """Remove what rookery wrote of a cluster on this computer; return a line on each thing, removed or kept.

    Args:
        connection: The cluster's.
        purge: Its entry in ssh_config and its host key go too, and the connection is closed. Keys and settings stay.
    """
    traces = _existing(connection)
    lines = [_line(trace, "removed" if _goes(trace, purge) else "kept") for trace in traces]
    if purge and not connection.cluster.sandbox:
        connection.close()
    for trace in traces:
        if _goes(trace, purge) and trace.remove:
            trace.remove()
    return lines


def _editors(cluster: "Cluster") -> list[Trace]:
    """Return what VS Code's settings hold of a cluster, and the key of NAME-job."""
    known_hosts = compute_node_keys.known_hosts(cluster)
    traces = [
        Trace(path, "its entries in VS Code's settings", partial(workstation.take_back, cluster, path), on_purge=True)
        for path in workstation.files(cluster)
    ]
    return [
        *traces,
        Trace(
            known_hosts, "the host key of its compute jobs", lambda: compute_node_keys.forget(cluster), on_purge=True
        ),
    ]


def _goes(trace: Trace, purge: bool) -> bool:
    return trace.remove is not None and (purge or not trace.on_purge)


def _existing(connection: "Connection") -> list[Trace]:
    return [trace for trace in _traces(connection) if trace.path.exists()]


def _line(trace: Trace, fate: str) -> str:
    return f"on this computer, {fate}: {trace.what} ({trace.path})"


def _forget_key(connection: "Connection", known: Path) -> None:
    """Take the cluster's lines out of rookery's known_hosts."""
    pattern = host_keys.host_pattern(connection.cluster)
    lines = known.read_text(encoding="utf-8").splitlines(keepends=True)
    rest = [line for line in lines if line.split(" ", 1)[0] != pattern]
    if rest:
        atomic_files.write(known, "".join(rest))
    else:
        known.unlink()
