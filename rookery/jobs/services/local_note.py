"""What this computer remembers of a service: its port, so that a page that is open outlasts the command."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import state_files
from rookery.core.shapes import struct, text, whole

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_SHAPE = struct({"job": text("[0-9]{1,12}"), "port": whole(1, 65535)})


@dataclass(frozen=True)
class LocalNote:
    """The port of a service on this computer.

    Attributes:
        job: The number of its job: another job's pages are others.
        port: The port.
    """

    job: str
    port: int


def port(cluster: "Cluster", name: str, job: str) -> int:
    """Return the port that a service has had on this computer; 0 where nothing of this job is remembered."""
    known = state_files.load(_place(cluster, name), _SHAPE)
    return int(known["port"]) if known and known["job"] == job else 0


def save(cluster: "Cluster", name: str, note: LocalNote) -> None:
    """Remember it."""
    state_files.save(_place(cluster, name), asdict(note))


def forget(cluster: "Cluster", name: str) -> None:
    """Forget it."""
    _place(cluster, name).unlink(missing_ok=True)


def _place(cluster: "Cluster", name: str) -> Path:
    return state_files.place("services", f"{cluster.name}.{name}.json", sandbox=cluster.sandbox)
