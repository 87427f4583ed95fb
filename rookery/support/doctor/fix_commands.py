"""Commands for the fixes that doctor suggests."""

import shlex
from typing import TYPE_CHECKING

from rookery.clusters.ssh.config_file import config_file

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.support.doctor.checks import CheckResults


def with_sandbox(cluster: "Cluster", command: str) -> str:
    """Return a command of rookery's, with --sandbox for a miniature."""
    return f"{command} --sandbox" if cluster.sandbox else command


def setup(cluster: "Cluster") -> str:
    """Return the command that sets the home up, or repairs it."""
    return with_sandbox(cluster, f"invoke setup {cluster.name}")


def with_note(command: str, note: str) -> str:
    """Return a command with a comment behind it, which a shell ignores when it is pasted."""
    return f"{command}   # {note}"


def on_cluster(cluster: "Cluster", command: str) -> str:
    """Return a command for the login node, as it is typed on this computer."""
    return shlex.join(["ssh", "-F", str(config_file(cluster)), cluster.name, command])


def login(cluster: "Cluster") -> str:
    """Return the command that opens a shell on the login node."""
    return shlex.join(["ssh", "-t", "-F", str(config_file(cluster)), cluster.name])


def setup_again(results: "CheckResults", cluster: "Cluster") -> str:
    """Return the command that makes `setup` do everything again, also where all is up to date."""
    return f"{setup(cluster)} --force" if results.is_ok("set-up") else setup(cluster)
