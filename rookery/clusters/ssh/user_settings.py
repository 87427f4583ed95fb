"""Read the user's own ~/.ssh/config for a cluster: key, agent, certificate, jump host, port, user.

rookery calls a cluster by its short name, which matches no `Host login.example.org` of the user's. So ssh itself is
asked (`ssh -G`), and its answer goes into rookery's own entry (config_file.py). The first value that ssh finds
wins, so the order of precedence is the order of the text it is given: the user's inventory, their ~/.ssh/config, the
profile.

ssh is asked for the cluster's full host name. Where the user has an entry under a name of their own
(`cluster_ssh_host`), it is asked for that, and host name and ways of logging in are taken from it as well.
"""

import re
import subprocess
from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from rookery.clusters.cluster import Cluster
from rookery.clusters.ssh import user_config
from rookery.clusters.ssh.config_syntax import PATHS, include
from rookery.core.errors import RookeryError

ANSWER = 10
"""Seconds that ssh may take: a `Match exec` of the user's runs a program."""

_CARRIED = ("IdentityFile", "CertificateFile", "IdentityAgent", "PKCS11Provider", "SecurityKeyProvider", "ProxyCommand")
"""Options that go into the entry as they are, besides those that have a field in Cluster."""

_OF_ALIAS = (
    "AddKeysToAgent",
    "AddressFamily",
    "BindAddress",
    "BindInterface",
    "CASignatureAlgorithms",
    "Ciphers",
    "GSSAPIAuthentication",
    "GSSAPIDelegateCredentials",
    "HostKeyAlgorithms",
    "HostKeyAlias",
    "KbdInteractiveAuthentication",
    "KbdInteractiveDevices",
    "KexAlgorithms",
    "MACs",
    "PasswordAuthentication",
    "PreferredAuthentications",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAuthentication",
)
"""Options that are also taken from an entry that `cluster_ssh_host` names, where it differs from ssh's default.

How connections are shared, host keys are stored and commands are run is up to rookery.
"""

_UNSET = "rookery-unset"
"""A username and a key that mean none: ssh prints them where the user's configuration has none."""

_UNSAID = {"PKCS11Provider": "none", "SecurityKeyProvider": "internal"}
"""What ssh prints of an option that nobody has set, where it prints something."""


def applied(cluster: Cluster, chosen: Container[str]) -> Cluster:
    """Return the cluster with the settings that the user's ~/.ssh/config has for its host.

    Args:
        cluster: As the profile has it. A miniature knows nothing of the user's configuration.
        chosen: The keys of the profile that the user has set in their own inventory; these stay as they are.

    Raises:
        RookeryError: The configuration has no entry of the name that `cluster_ssh_host` says, or ssh can't read it.
    """
    config, name = Path.home() / ".ssh" / "config", asked_for(cluster)
    if cluster.sandbox:
        return cluster
    is_rookerys = name in user_config.aliases().values()  # it would answer with what it said before
    answers = config.is_file() and not is_rookerys
    values = ssh_values(_question(cluster, chosen, include(config)), name) if answers else {}
    if alias(cluster) and answers and not values:
        raise RookeryError(
            f"{cluster.name}: ssh can't read your ~/.ssh/config for {name!r} (`cluster_ssh_host`).",
            hint=f"ssh -G {name}   # shows the error",
        )
    host = values.get("hostname", [name])[0] if alias(cluster) else cluster.host
    if alias(cluster) and host == name.lower() and not user_config.has_entry(name):
        raise RookeryError(
            f"{cluster.name}: ~/.ssh/config has no Host entry for {name!r} (`cluster_ssh_host`).",
            hint=f"invoke clusters.show {cluster.name}   # shows where cluster_ssh_host was set",
        )
    if not values:
        return cluster
    user, jump = values.get("user", [""])[0], values.get("proxyjump", [""])[0]
    found = replace(
        cluster,
        host=host,
        user=cluster.user or (user if user != _UNSET else ""),
        port=int(values.get("port", [cluster.port])[0]),
    )
    options = _options(cluster, values)
    if alias(cluster):
        usual = ssh_values(_question(cluster, chosen, ""), name)
        options += [
            (key, values[key.lower()][0])
            for key in _OF_ALIAS
            if values.get(key.lower()) not in (None, usual.get(key.lower()))
        ]
    return replace(found, proxy_jump=_expanded(jump, found) or None, ssh_options=tuple(options))


def alias(cluster: Cluster) -> str:
    """Return the name that the user's own ssh configuration has for the cluster; "" where none is set."""
    return str(cluster.data.get("cluster_ssh_host") or "")


def asked_for(cluster: Cluster) -> str:
    """Return the name that ssh is asked about."""
    return alias(cluster) or cluster.host


def _expanded(jump: str, cluster: Cluster) -> str:
    """Return ProxyJump's value with the tokens that ssh takes there (ssh_config(5), TOKENS)."""
    tokens = {"h": cluster.host, "n": asked_for(cluster), "p": str(cluster.port), "r": cluster.user, "%": "%"}
    return re.sub(r"%(.)", lambda token: tokens.get(token[1], token[0]), jump)


def keys(cluster: Cluster) -> list[Path]:
    """Return the private keys that the user's configuration names for the cluster's host."""
    named = [value for key, value in cluster.ssh_options if key == "IdentityFile" and value != "none"]
    paths = [path for name in named if (path := path_of(name))]
    return [path.with_suffix("") if path.suffix == ".pub" else path for path in paths]


def path_of(name: str) -> Path | None:
    """Return the path that an option of ssh names; None where it has variables or tokens, but for %d and ~."""
    path = Path(name.replace("%d", str(Path.home()))).expanduser()
    return None if "${" in name or "%" in str(path) else path


def has_identity(cluster: Cluster) -> bool:
    """Return whether the user's configuration names a key, an agent or a token for the cluster's host."""
    return any(key in PATHS and value != "none" for key, value in cluster.ssh_options)


def differences(cluster: Cluster) -> dict[str, str]:
    """Return what the user's configuration changes of the profile, by the name of the option."""
    data = cluster.data
    fields = {
        "HostName": (cluster.host, data.get("cluster_host", "")),
        "User": (cluster.user, data.get("cluster_user", "")),
        "Port": (str(cluster.port), str(data.get("cluster_port", 22))),
        "ProxyJump": (cluster.proxy_jump or "", data.get("cluster_proxy_jump", "")),
    }
    changed = {key: now or "none" for key, (now, before) in fields.items() if now != before}
    for key, value in cluster.ssh_options:
        if key != "ProxyJump":
            changed[key] = f"{changed[key]} {value}" if key in changed else value
    return changed


def _question(cluster: Cluster, chosen: Container[str], config: str) -> str:
    """Return an ssh_config with the user's own between the settings that win over it and those that give way."""
    port, jump = f"    Port {cluster.port}", f"    ProxyJump {cluster.proxy_jump or 'none'}"
    first = [
        *([f"    User {cluster.user}"] if cluster.user else []),
        *([port] if "cluster_port" in chosen else []),
        *([jump] if "cluster_proxy_jump" in chosen else []),
    ]
    last = [f"    User {_UNSET}", port, *([jump] if cluster.proxy_jump else []), f"    IdentityFile /{_UNSET}"]
    return "\n".join(["Match all", *first, config, "Match all", *last, ""])


def is_alias(name: str) -> bool:
    """Return whether the user's ~/.ssh/config has another host name for a name."""
    return _values_of(name).get("hostname", [name])[0].lower() != name.lower()


def says_more(name: str) -> bool:
    """Return whether an alias stands for more than a host, a port, a username and one key.

    What ~/.ssh/config has for the host's own name, too, does not count, as it is used for a cluster without an alias.
    """
    values = _values_of(name)
    usual = _values_of(values.get("hostname", [name])[0])
    options = [*_CARRIED, *_OF_ALIAS, "ProxyJump"]
    changed = {key for key in map(str.lower, options) if values.get(key) != usual.get(key)}
    has_one_key = len(values.get("identityfile", [])) == 1
    return is_alias(name) and bool(changed - ({"identityfile"} if has_one_key else set()))


def _values_of(name: str) -> dict[str, list[str]]:
    """Return what ssh makes of a name by the user's ~/.ssh/config; nothing where there is none."""
    config = Path.home() / ".ssh" / "config"
    return ssh_values(include(config), name) if config.is_file() else {}


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
        (key, re.sub(r"%(.)", lambda token: asked_for(cluster) if token[1] == "n" else token[0], value))
        for key in _CARRIED
        for value in values.get(key.lower(), [])
        if value not in {f"/{_UNSET}", _UNSAID.get(key)} and not (key == "IdentityFile" and cluster.identity_file)
    ]
    if values.get("identitiesonly") == ["yes"]:
        options.append(("IdentitiesOnly", "yes"))
    if "proxyjump" not in values and "proxycommand" not in values:
        options.append(("ProxyJump", "none"))
    return options
