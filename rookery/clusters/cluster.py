"""The data class of a cluster, as its profile describes it. Nothing is read or decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.core import typed_command
from rookery.core.errors import RookeryError

ACCOUNT = "{account}"
"""The placeholder for the account (cluster_account.name) in an expression of cluster_storage."""

OUTPUTS = "ROOKERY_STORAGE"
"""The variable that names the large storage on every cluster, where outputs of projects are."""


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


_ROLES = ("home", "persistent", "scratch", "project", "node")
"""What a storage can be for: a name of one of them says it, too."""


def role(entry: Mapping[str, Any]) -> str:
    """Return what a storage is for: home, persistent, scratch, project or node (local to one).

    Args:
        entry: An entry of cluster_storage.
    """
    if entry.get("scope") == "node":
        return "node"
    name = str(entry["name"])
    by_name = name if name in _ROLES else "scratch" if entry.get("purge_days") is not None else "persistent"
    return str(entry.get("role", by_name))


def is_seen_by_jobs(name: str, data: Mapping[str, Any]) -> bool:
    """Return whether compute nodes see a storage.

    Args:
        name: Its name.
        data: The cluster's `cluster_*` values.
    """
    entries = (entry for entry in data.get("cluster_storage") or [] if entry["name"] == name)
    return all(entry.get("on_compute_nodes", True) for entry in entries)


def roomy(data: Mapping[str, Any]) -> str:
    """Return the name of the storage that programs, caches and outputs go to, all of which jobs read.

    It is cluster_roomy_storage, or where compute nodes do not see that, the first that they see and that is not purged.

    Args:
        data: The cluster's `cluster_*` values.
    """
    wanted = str(data.get("cluster_roomy_storage") or "home")
    if is_seen_by_jobs(wanted, data):
        return wanted
    seen = [
        entry
        for entry in data["cluster_storage"]
        if entry.get("on_compute_nodes", True) and entry.get("scope") != "node"
    ]
    return str(min(seen, key=lambda entry: "purge_days" in entry, default={"name": wanted})["name"])


def job_home(data: Mapping[str, Any], places: Mapping[str, str], home: str = "$HOME") -> str:
    """Return the folder that jobs read for the home: one on the storage where compute nodes do not see the home.

    Args:
        data: The cluster's `cluster_*` values.
        places: The path of each storage, or its expression.
        home: The same of the home folder.
    """
    return home if is_seen_by_jobs("home", data) else f"{places[roomy(data)]}/rookery/home"


def job_folders(data: Mapping[str, Any]) -> list[str]:
    """Return the folders of the home that jobs read, which are moved to the storage where compute nodes see only that.

    Args:
        data: The cluster's `cluster_*` values.
    """
    return [] if is_seen_by_jobs("home", data) else ["~/projects", "~/.config/rookery", "~/.local/state/rookery/jobs"]


def large_storage(data: Mapping[str, Any], places: Mapping[str, str], home: str = "$HOME") -> str:
    """Return where $ROOKERY_STORAGE is: the roomy storage, or a folder in the home where that is the home itself.

    Args:
        data: The cluster's `cluster_*` values.
        places: The path of each storage, or its expression.
        home: The same of the home folder.
    """
    path = places.get(roomy(data)) or home
    return f"{home}/storage" if path.rstrip("/") == home else path


@dataclass(frozen=True)
class Storage:
    """A place on a cluster where files can be kept: an entry of cluster_storage, with defaults filled in."""

    name: str
    """Its name in the profile; the home's is home."""
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
    def large_storage(self) -> str:
        """Where $ROOKERY_STORAGE is, for a login shell there to evaluate."""
        return large_storage(self.data, {area.name: area.expression for area in self.storage})

    @property
    def env_file(self) -> str:
        """The file that sets a job's environment, as a word of shell there."""
        if is_seen_by_jobs("home", self.data):
            return "~/.config/rookery/env.sh"
        home = job_home(self.data, {area.name: area.expression for area in self.storage})
        return f'"{home}/.config/rookery/env.sh"'

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


class NotApplicableError(RookeryError):
    """The error for a cluster that has nothing to answer: no account there, no scheduler, no such job.

    Where all clusters are asked and another one answers, it is no failure.
    """


def require_user(cluster: Cluster) -> str:
    """Return the user's username on a cluster.

    Raises:
        NotApplicableError: It isn't known yet.
    """
    if not cluster.user:
        raise NotApplicableError(
            f"Missing username on {cluster.title}.",
            hint=f"{_with_user(cluster)}   # remembered for next time",
        )
    return cluster.user


def _with_user(cluster: Cluster) -> str:
    """Return the command to give the username to: the one that was typed, or `login`, which changes nothing there."""
    if typed_command.takes("--user") and typed_command.names(cluster.name):
        return typed_command.again("--user", "YOUR_USERNAME")
    return f"invoke login {cluster.argument} --user YOUR_USERNAME"
