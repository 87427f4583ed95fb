"""What this computer remembers of a service: its port and token, so that a page stays open over a lost command."""

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import state_files
from rookery.core.shapes import struct, text, whole

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_SHAPE = struct({"job": text("[0-9]{1,12}"), "port": whole(1, 65535), "token": text("[A-Za-z0-9_-]{40,60}")})


@dataclass(frozen=True)
class LocalNote:
    """The port and the token of a service on this computer.

    Attributes:
        job: The number of its job: another job has another token.
        port: The port.
        token: The token.
    """

    job: str
    port: int
    token: str


def load(cluster: "Cluster", name: str, job: str) -> LocalNote:
    """Return what is remembered of a service; a new token and no port (0) where that is nothing of this job."""
    known = state_files.load(_place(cluster, name), _SHAPE)
    if known and known["job"] == job:
        return LocalNote(**known)
    return LocalNote(job, 0, secrets.token_urlsafe(32))


def save(cluster: "Cluster", name: str, note: LocalNote) -> None:
    """Remember it, in a file that only the user can read."""
    state_files.save(_place(cluster, name), asdict(note))


def forget(cluster: "Cluster", name: str) -> None:
    """Forget it."""
    _place(cluster, name).unlink(missing_ok=True)


def _place(cluster: "Cluster", name: str) -> Path:
    return state_files.place("services", f"{cluster.name}.{name}.json", sandbox=cluster.sandbox)
