"""Make a `Cluster` of a host that has no profile yet, to connect to it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile_checks
from rookery.clusters.config.inventory import Setting
from rookery.clusters.ssh import user_settings
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblems


def of_host(name: str, host: str, *, port: int = 0, user: str = "", proxy_jump: str = "") -> Cluster:
    """Return a cluster of which no more is known than how to reach it.

    What the user's ~/.ssh/config says of the host counts where the arguments say nothing. The host may be an alias of
    theirs. One that stands for host, port, username and one key is replaced by these; one with more than that (a jump
    host, a certificate, an agent) is the cluster's `cluster_ssh_host`, and used as it is.

    Args:
        name: What rookery is to call it.
        host: A host name, an address, or an alias.
        port: Port of its ssh server; 0 for ssh's choice.
        user: The user's username there.
        proxy_jump: Hosts to go through, as ssh's ProxyJump takes them.

    Raises:
        RookeryError: A value is not valid.
    """
    values: dict[str, Any] = {"cluster_host": host, "cluster_port": port, "cluster_user": user}
    values |= {"cluster_proxy_jump": proxy_jump}
    if user_settings.says_more(host):
        values["cluster_ssh_host"] = host
    data = {key: value for key, value in values.items() if value}
    _check(name, data)
    cluster = Cluster(
        name=name,
        host=host,
        port=port or 22,
        user=user,
        identity_file=None,
        known_hosts_file=None,
        proxy_jump=proxy_jump or None,
        sandbox=False,
        data=MappingProxyType({**data, "cluster_scheduler": "slurm", "cluster_storage": []}),
        variables=MappingProxyType({}),
    )
    found = user_settings.applied(cluster, set(data))
    return found if user_settings.alias(cluster) else _resolved(found, host)


def _check(name: str, data: Mapping[str, Any]) -> None:
    problems = FileProblems()
    settings = {key: Setting(key, value, None, 0, None, (key,)) for key, value in data.items()}
    profile_checks.check(name, settings, problems)
    problems.report()


def _resolved(cluster: Cluster, host: str) -> Cluster:
    """Return the cluster with the host that an alias stands for; the same where it is none, or ssh can't be asked."""
    config = Path.home() / ".ssh" / "config"
    if not config.is_file():
        return cluster
    values = user_settings.ssh_values(config.read_text(encoding="utf-8", errors="surrogateescape"), host)
    hostname = values.get("hostname", [host])[0]
    if hostname == host:
        return cluster
    try:
        _check(cluster.name, {"cluster_host": hostname})
    except RookeryError:  # a name that only a ProxyCommand of the user's understands
        return cluster
    identity = next((value for key, value in cluster.ssh_options if key == "IdentityFile" and value != "none"), None)
    return replace(cluster, host=hostname, identity_file=identity or cluster.identity_file)
