"""Compare what a push needs with the room on a cluster: the file system's, and the user's quota."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.cluster import roomy
from rookery.core.errors import RookeryError
from rookery.core.sizes import of_bytes as shown
from rookery.jobs.monitor import quota

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.login_node.quota_formats import Area
    from rookery.clusters.ssh.connection import Connection

_MIB = 1 << 20


@dataclass(frozen=True)
class Room:
    """The room that there is for data.

    Attributes:
        free: Bytes.
        files: How many files more; None where unknown.
        limit: What sets it: "your quota" or "the disk".
    """

    free: int
    files: int | None = None
    limit: str = "the disk"

    @property
    def described(self) -> str:
        """The room in words."""
        return f"{shown(self.free)} free ({self.limit})"


def of_quota(connection: "Connection") -> "list[Area]":
    """Return the areas that the site's quota command tells; none where the profile names no such command."""
    cluster = connection.cluster
    if not (cluster.data.get("cluster_quota") or {}).get("command"):
        return []
    output = connection.run([*quota.arguments(cluster)], script=quota.ASK, timeout=60, check=False).stdout
    return quota.read(output, cluster.data)[0]


def smallest(cluster: "Cluster", storage: str, free: int, files: int, areas: "list[Area]") -> Room:
    """Return the room for data: the least of what the disk and the quota leave.

    Args:
        cluster: The cluster.
        storage: The path of its large storage.
        free: Bytes that its file system still takes.
        files: How many files it still takes.
        areas: What its quota command tells.
    """
    rooms = [Room(free, files)]
    for area in areas:
        inside = area.path and f"{storage}/".startswith(f"{area.path.rstrip('/')}/")
        if area.source != "quota" or not (inside or roomy(cluster.data) in area.name.split(", ")):
            continue
        if area.limit_mb:
            left = max(0, int((area.limit_mb - area.used_mb) * _MIB))
            rooms.append(Room(left, limit="your quota"))
        if area.files_limit:
            rooms.append(Room(free, max(0, area.files_limit - (area.files or 0)), "your quota"))
    files_left = [room for room in rooms if room.files is not None]
    least, fewest = min(rooms, key=lambda room: room.free), min(files_left, key=lambda room: room.files or 0)
    return Room(least.free, fewest.files, least.limit)


def require(room: Room, cluster: "Cluster", path: str, size: int, files: int) -> None:
    """Refuse data that does not fit.

    Args:
        room: What there is.
        cluster: Where.
        path: The data set.
        size: Bytes that it needs.
        files: How many files.

    Raises:
        RookeryError: It does not fit.
    """
    hint = f"invoke data.list {cluster.argument}   # shows unused versions; and: invoke quota {cluster.argument}"
    if size > room.free:
        raise RookeryError(
            f"{path} needs {shown(size)} on {cluster.name}, and only {room.described} there. Nothing was sent.",
            hint=hint,
        )
    if room.files is not None and files > room.files:
        raise RookeryError(
            f"{path} has {files:,} new files, and {cluster.name} takes only {room.files:,} more. Nothing was sent.",
            hint=f"pack small files into larger ones (tar, Parquet), or: {hint}",
        )
