"""Read the user's own ~/.ssh/config for a cluster's full host name: key, agent, certificate, jump host, port, user.

rookery calls a cluster by its short name, which matches no `Host login.example.org` of the user's. So ssh itself is
asked (`ssh -G`), and its answer goes into rookery's own entry (config_file.py). The first value that ssh finds
wins, so the order of precedence is the order of the text it is given: the user's inventory, their ~/.ssh/config, the
profile.
"""

import re
import subprocess
from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from rookery.clusters.cluster import Cluster
from rookery.clusters.ssh import user_config
from rookery.clusters.ssh.config_syntax import PATHS, include

ANSWER = 10
"""Seconds that ssh may take: a `Match exec` of the user's runs a program."""

_CARRIED = ("IdentityFile", "CertificateFile", "IdentityAgent", "PKCS11Provider", "SecurityKeyProvider", "ProxyCommand")
"""Options that go into the entry as they are, besides those that have a field in Cluster."""

_UNSET = "rookery-unset"
"""A username and a key that mean none: ssh prints them where the user's configuration has none."""

_UNSAID = {"PKCS11Provider": "none", "SecurityKeyProvider": "internal"}
"""What ssh prints of an option that nobody has set, where it prints something."""


def applied(cluster: Cluster, chosen: Container[str]) -> Cluster:
    """Return the cluster with the settings that the user's ~/.ssh/config has for its host.

    Args:
        cluster: As the profile has it. A miniature knows nothing of the user's configuration.
        chosen: The keys of the profile that the user has set in their own inventory; these stay as they are.
    """
    config = Path.home() / ".ssh" / "config"
    if cluster.sandbox or not config.is_file():
        return cluster
    if cluster.host in user_config.aliases().values():  # rookery's own entry would answer, with what it said before
        return cluster
    values = ssh_values(_question(cluster, chosen, config), cluster.host)
    if not values:
        return cluster
    user, jump = values.get("user", [""])[0], values.get("proxyjump", [""])[0]
    return replace(
        cluster,
        user=cluster.user or (user if user != _UNSET else ""),
        port=int(values.get("port", [cluster.port])[0]),
        proxy_jump=jump or None,
        ssh_options=tuple(_options(cluster, values)),
    )


def keys(cluster: Cluster) -> list[Path]:
    """Return the private keys that the user's configuration names for the cluster's host."""
    named = [value for key, value in cluster.ssh_options if key == "IdentityFile" and value != "none"]
    paths = [Path(name.replace("%d", str(Path.home()))).expanduser() for name in named if "${" not in name]
    return [path.with_suffix("") if path.suffix == ".pub" else path for path in paths if "%" not in str(path)]


def has_identity(cluster: Cluster) -> bool:
    """Return whether the user's configuration names a key, an agent or a token for the cluster's host."""
    return any(key in PATHS and value != "none" for key, value in cluster.ssh_options)


def differences(cluster: Cluster) -> dict[str, str]:
    """Return what the user's configuration changes of the profile, by the name of the option."""
    data = cluster.data
    fields = {
        "User": (cluster.user, data.get("cluster_user", "")),
        "Port": (str(cluster.port), str(data.get("cluster_port", 22))),
        "ProxyJump": (cluster.proxy_jump or "", data.get("cluster_proxy_jump", "")),
    }
    changed = {key: now or "none" for key, (now, before) in fields.items() if now != before}
    for key, value in cluster.ssh_options:
        if key != "ProxyJump":
            changed[key] = f"{changed[key]} {value}" if key in changed else value
    return changed


def _question(cluster: Cluster, chosen: Container[str], config: Path) -> str:
    """Return an ssh_config with the user's own between the settings that win over it and those that give way."""
    port, jump = f"    Port {cluster.port}", f"    ProxyJump {cluster.proxy_jump or 'none'}"
    first = [
        *([f"    User {cluster.user}"] if cluster.user else []),
        *([port] if "cluster_port" in chosen else []),
        *([jump] if "cluster_proxy_jump" in chosen else []),
    ]
    last = [f"    User {_UNSET}", port, *([jump] if cluster.proxy_jump else []), f"    IdentityFile /{_UNSET}"]
    return "\n".join(["Match all", *first, include(config), "Match all", *last, ""])


def ssh_values(question: str, host: str) -> dict[str, list[str]]:
    """Return ssh's options for a host, in lower case; none where it can't be asked, or refuses the file.

    ssh itself says why at the next connection.
    """
    try:
        completed = subprocess.run(
            ["ssh", "-G", "-F", "/dev/stdin", host],
            input=question, capture_output=True, text=True, errors="surrogateescape", timeout=ANSWER, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return {}
    values: dict[str, list[str]] = {}
    for line in completed.stdout.splitlines() if not completed.returncode else ():
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value)
    return values


def _options(cluster: Cluster, values: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return the options for the entry; %n in them is the name on ssh's command line, which is another one there."""
    options = [
        (key, re.sub(r"%(.)", lambda token: cluster.host if token[1] == "n" else token[0], value))
        for key in _CARRIED
        for value in values.get(key.lower(), [])
        if value not in {f"/{_UNSET}", _UNSAID.get(key)} and not (key == "IdentityFile" and cluster.identity_file)
    ]
    if values.get("identitiesonly") == ["yes"]:
        options.append(("IdentitiesOnly", "yes"))
    if "proxyjump" not in values and "proxycommand" not in values:
        options.append(("ProxyJump", "none"))
    return options
