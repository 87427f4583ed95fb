"""Make the connection to the cluster that a command names."""

from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection


def connect(name: str, *, sandbox: bool = False) -> Connection:
    """Make the connection to a cluster, or to its miniature; nothing is opened yet.

    Raises:
        RookeryError: The cluster is unknown, its profile is not as it should be, or it has no miniature.
    """
    return Connection(profile.load(name, profile.sources(sandbox)))
