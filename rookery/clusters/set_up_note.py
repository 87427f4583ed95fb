"""The note on this computer that a home was set up on a cluster, and when."""

from pathlib import Path

from rookery.clusters.cluster import Cluster
from rookery.core import state_files
from rookery.core.shapes import struct, text


def file(name: str, *, sandbox: bool) -> Path:
    """Return the file with the note.

    Args:
        name: The cluster's name.
        sandbox: Its miniature on this computer.
    """
    return state_files.place("clusters", f"{name}.json", sandbox=sandbox)


def of(cluster: Cluster) -> Path:
    """Return the file with a cluster's note."""
    return file(cluster.name, sandbox=cluster.sandbox)


def when(name: str, *, sandbox: bool) -> str | None:
    """Return when `setup` last succeeded there; None where it has not, from this computer.

    Args:
        name: The cluster's name.
        sandbox: Its miniature on this computer.
    """
    noted = state_files.load(file(name, sandbox=sandbox), struct({"set_up": text(longest=100)}))
    return noted and str(noted["set_up"])
