"""Commands as a fix says them."""

import shlex
from typing import TYPE_CHECKING

from rookery.clusters.ssh.config_file import config_file

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.support.doctor.checks import CheckResults


def with_sandbox(cluster: "Cluster", command: str) -> str:
    """Return a command of rookery's, for a miniature where it is one."""
    return f"{command} --sandbox" if cluster.sandbox else command


def setup(cluster: "Cluster") -> str:
    """Return the command that sets the home up, or mends it."""
    return with_sandbox(cluster, f"invoke setup --cluster {cluster.name}")


def with_note(command: str, note: str) -> str:
    """Return a command with a word on it behind, which a shell passes over when it is pasted."""
    return f"{command}   # {note}"


def on_cluster(cluster: "Cluster", command: str) -> str:
    """Return a command for the login node, as it is typed on this computer."""
    return shlex.join(["ssh", "-F", str(config_file(cluster)), cluster.name, command])


def login(cluster: "Cluster") -> str:
    """Return the command that opens a shell there."""
    return shlex.join(["ssh", "-t", "-F", str(config_file(cluster)), cluster.name])


def setup_again(results: "CheckResults", cluster: "Cluster") -> str:
    """Return the command that makes what `setup` makes, also where `setup` would say that all is up to date."""
    return f"{setup(cluster)} --force" if results.is_ok("set-up") else setup(cluster)
