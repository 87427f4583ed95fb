"""The target of a command with --cluster and --project: the project, the cluster, and the connection to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters import connect
from rookery.clusters.config import profile
from rookery.core import user_config
from rookery.core.errors import RookeryError
from rookery.projects import config

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.model import Project


@dataclass(frozen=True)
class Target:
    """A project, and the cluster it is meant for.

    Attributes:
        project: None where there is none here and the command can do without.
        connection: The connection to the cluster; nothing is opened yet.
    """

    project: "Project | None"
    connection: "Connection"

    @property
    def cluster(self) -> "Cluster":
        """The cluster's profile."""
        return self.connection.cluster

    @property
    def flags(self) -> str:
        """What the next command needs to mean the same cluster, with a blank before it; "" where nothing."""
        default = self.project.clusters[0] if self.project else ""
        named = "" if self.cluster.name == default else f" --cluster {self.cluster.name}"
        return named + (" --sandbox" if self.cluster.sandbox else "")


def find(cluster_name: str = "", path: str = "", *, sandbox: bool = False, needs_project: bool = True) -> Target:
    """Return the target: the project found upwards from here, or at a path, and the cluster named, or its first.

    Args:
        cluster_name: Its name; "" for the first that rookery.yml names.
        path: A folder; "" for the rookery.yml found upwards from here.
        sandbox: The cluster's miniature.
        needs_project: Whether the command is of no use without a project.

    Raises:
        RookeryError: There is no rookery.yml, or it is wrong; or no cluster is named, or none of that name is known.
    """
    try:
        project = config.load(path)
    except config.NoProject:
        if needs_project or path:
            raise
        project = None
    name = cluster_name or (project.clusters[0] if project else user_config.values().get("cluster", ""))
    if not name:
        raise RookeryError(
            f"Missing cluster: outside a project, name one of {', '.join(profile.names())}.",
            hint=f"run the same command with --cluster {next(iter(profile.names()), 'NAME')}",
        )
    return Target(project, connect.connect(name, sandbox=sandbox))
