"""The data class of a cluster, as its profile describes it. Nothing is read or decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.core import typed_command
from rookery.core.errors import RookeryError

ACCOUNT = "{account}"
"""The placeholder for the account (cluster_account.name) in an expression of cluster_storage."""


def account(data: Mapping[str, Any]) -> str:
    """Return the account that the user's jobs are charged to; "" where not given (see profile.require_account).

    Args:
        data: The cluster's `cluster_*` values.
    """
    return str((data.get("cluster_account") or {}).get("name", ""))


def expression(entry: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the path of an entry of cluster_storage, for a login shell there to evaluate; the account is filled in.

    Args:
        entry: The entry.
        data: The cluster's `cluster_*` values.
    """
    return str(entry["expression"]).replace(ACCOUNT, account(data) or ACCOUNT)


@dataclass(frozen=True)
class Storage:
    """A place on a cluster where files can be kept: an entry of cluster_storage, with defaults filled in."""

    name: str
    """home, persistent, scratch, tmp or project."""
    expression: str
    """Where it is, for a login shell there to evaluate."""
    variable: str
    """Environment variable that names it; "" where none does."""
    site_sets: bool
    """Whether the site sets that variable at login; where not, rookery does."""
    create: bool
    """Whether rookery makes the folder."""
    scope: str
    """global, or node: one on each node."""
    purge_days: int | None
    """Days after a file's last change when it is deleted; 0 = with the job; None = never."""
    on_compute_nodes: bool
    """Whether compute nodes see it."""


@dataclass(frozen=True)
class Cluster:
    """A cluster, from every inventory folder together."""

    name: str
    """Its name in the inventory."""
    host: str
    """Host name or address of the login node."""
    port: int
    """Port of its ssh server."""
    user: str
    """The user's username there; "" where not given yet (see require_user)."""
    identity_file: str | None
    """The user's private key, absolute; None for ssh's own choice."""
    known_hosts_file: str | None
    """File with its host keys, absolute; None for rookery's own beside the user's."""
    proxy_jump: str | None
    """Hosts to go through, as ssh's ProxyJump takes them; None for none."""
    sandbox: bool
    """Whether this is the miniature on this machine rather than the cluster itself."""
    data: Mapping[str, Any]
    """All `cluster_*` variables, as the files say them."""
    variables: Mapping[str, Any]
    """All variables, those of roles as well, as Ansible has them."""
    ssh_options: tuple[tuple[str, str], ...] = ()
    """Options and values that the user's ~/.ssh/config has for the host (user_settings.py), beside the fields above."""

    @property
    def title(self) -> str:
        """Its usual name."""
        return str(self.data.get("cluster_title", self.name))

    @property
    def label(self) -> str:
        """What this computer's records call it: its name, with -sandbox behind it for a miniature."""
        return f"{self.name}-sandbox" if self.sandbox else self.name

    @property
    def argument(self) -> str:
        """The words by which a command means this cluster: its name, and --sandbox for a miniature."""
        return f"{self.name}{' --sandbox' * self.sandbox}"

    @property
    def option(self) -> str:
        """The same for a command that takes another word first, such as a job."""
        return f"--cluster {self.argument}"

    @property
    def scheduler(self) -> str:
        """How jobs are run: slurm, or none."""
        return str(self.data["cluster_scheduler"])

    @property
    def storage(self) -> tuple[Storage, ...]:
        """Where files can be kept."""
        return tuple(
            Storage(
                name=entry["name"],
                expression=expression(entry, self.data),
                variable=entry.get("variable", ""),
                site_sets=entry.get("site_sets", True),
                create=entry.get("create", False),
                scope=entry.get("scope", "global"),
                purge_days=entry.get("purge_days"),
                on_compute_nodes=entry.get("on_compute_nodes", True),
            )
            for entry in self.data["cluster_storage"]
        )


def require_user(cluster: Cluster) -> str:
    """Return the user's username on a cluster.

    Raises:
        RookeryError: It isn't known yet.
    """
    if not cluster.user:
        raise RookeryError(
            f"Missing username on {cluster.title}.",
            hint=f"{_with_user(cluster)}   # remembered for next time",
        )
    return cluster.user


def _with_user(cluster: Cluster) -> str:
    """Return the command to give the username to: the one that was typed, or `login`, which changes nothing there."""
    if typed_command.takes("--user") and typed_command.names(cluster.name):
        return typed_command.again("--user", "YOUR_USERNAME")
    return f"invoke login {cluster.argument} --user YOUR_USERNAME"
