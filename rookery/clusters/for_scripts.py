"""What users' own scripts, notebooks and fabfiles call, as `rookery.connect` and `rookery.group`."""

from rookery.clusters.connect import connect as connection_to
from rookery.clusters.ssh.fabric_connection import FabricConnection
from rookery.clusters.ssh.fabric_group import ClusterGroup
from rookery.core import invocation


def connect(name: str, *, sandbox: bool) -> FabricConnection:
    """Return a Fabric connection to a cluster, or to its miniature; nothing is opened yet.

    Raises:
        RookeryError: The cluster is unknown, its profile is invalid, or it has no miniature.
    """
    with invocation.commands_as_typed():
        return FabricConnection(connection_to(name, sandbox=sandbox))


def group(names: tuple[str, ...], *, sandbox: bool) -> ClusterGroup:
    """Return a Fabric group of clusters, each once.

    Raises:
        RookeryError: As `connect`.
    """
    return ClusterGroup(*(connect(name, sandbox=sandbox) for name in dict.fromkeys(names)))
