"""Check a cluster's host key against published fingerprints, or ask the user."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh.config_file import own_known_hosts
from rookery.clusters.ssh.config_syntax import quoted
from rookery.clusters.ssh.diagnosis import explain
from rookery.clusters.ssh.errors import SshError, again
from rookery.clusters.ssh.host_keys import (
    HostKey,
    differs,
    host_pattern,
    known_keys,
    not_published,
    parsed,
    published,
    store,
    where,
)
from rookery.clusters.ssh.remote_command import unattended
from rookery.core import console, prompts

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

Say = Callable[[str], None]


def shown(cluster: "Cluster", ssh: Sequence[str], *, batch: bool) -> HostKey:
    """Ask the cluster for its key, through its jump hosts if it has some, without logging in to it.

    ssh writes the key to a known_hosts file of the moment; no way of authenticating is tried with the cluster, so
    no secret is sent to the host that answers. Of several keys it is asked for one of a published kind.

    Args:
        cluster: The cluster.
        ssh: The ssh command, with rookery's ssh_config.
        batch: There is nobody to ask.

    Raises:
        SshError: It can't be reached.
    """
    import tempfile  # noqa: PLC0415 start-up

    kinds = list(dict.fromkeys(published(cluster).values()))
    algorithms = [
        name for kind in kinds for name in (["rsa-sha2-512", "rsa-sha2-256"] if kind == "ssh-rsa" else [kind])
    ]
    with tempfile.TemporaryDirectory(prefix="rookery-") as folder:
        known_hosts = Path(folder) / "known_hosts"
        options = {
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": quoted(known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "PreferredAuthentications": "none",
            "BatchMode": "yes" if batch else "no",
            "ControlPath": "none",
            **({"HostKeyAlgorithms": ",".join(algorithms)} if algorithms else {}),
        }
        arguments = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        completed = subprocess.run(
            [*ssh, *arguments, "-T", cluster.name, "true"],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
            **(unattended() if batch else {"stdin": subprocess.DEVNULL}),
        )
        keys = [key for key in map(parsed, known_hosts.read_text().splitlines()) if key] if known_hosts.exists() else []
    if not keys:
        if "no matching host key type found" in completed.stderr:
            raise SshError(
                "unknown-key",
                f"{cluster.name}: {cluster.host} has no host key of a published type ({', '.join(kinds)}).",
                hint=f"check which host keys are published now{where(cluster)}",
            )
        raise explain(cluster, completed.stderr, batch=batch)
    return HostKey(host_pattern(cluster), keys[0].type, keys[0].blob)


def learn(cluster: "Cluster", ssh: Sequence[str], *, batch: bool, accept: str = "", say: Say | None = None) -> HostKey:
    """Learn the key of a cluster that no known_hosts file has, and write it to rookery's own.

    A published key is believed; one that differs from what is published never is. Where none is published, the user
    is shown the key and asked, or vouches for it beforehand.

    Args:
        cluster: The cluster.
        ssh: The ssh command, with rookery's ssh_config.
        batch: There is nobody to ask.
        accept: The fingerprint that the user vouches for.
        say: Called with a line on what was decided; prints on stderr by default.

    Raises:
        SshError: It is not believed, or the cluster can't be reached.
    """
    tell = say or _say
    key, listed = shown(cluster, ssh, batch=batch), published(cluster)
    if key.fingerprint in listed:
        tell(f"{cluster.name}: the host key {key.fingerprint} ({key.type}) matches the published one{where(cluster)}.")
    elif listed:
        raise not_published(cluster, key)
    elif others := known_keys(cluster):
        raise differs(cluster, key.type, key.fingerprint, others[0].fingerprint, "")
    elif accept:
        if accept.rstrip("=") != key.fingerprint:
            message = f"{cluster.name}: {cluster.host} has the host key {key.fingerprint}, not {accept}."
            raise SshError("unknown-key", message, hint="don't log in; ask the cluster's support for its host key")
    elif batch or not _agreed(cluster, key):
        raise SshError(
            "unknown-key",
            f"{cluster.name}: unknown host key of {cluster.host}: {key.fingerprint} ({key.type}). "
            "The profile has no published key to compare it with.",
            hint=f"{again(cluster)} --accept-host-key {key.fingerprint}   # after you have checked it{where(cluster)}",
        )
    store(own_known_hosts(cluster), key)
    return key


def _agreed(cluster: "Cluster", key: HostKey) -> bool:
    """Show the key on the terminal and ask; yes or the fingerprint itself is agreement, anything else is not."""
    _say(f"{cluster.name}: first connection to {cluster.host}. It has this host key:")
    _say(f"    {key.fingerprint} ({key.type})")
    _say(
        f"Compare it with the published one{where(cluster) or ' in the documentation of the cluster, or ask support'}."
    )
    question = "Is it the same? (yes, no, or the published fingerprint)"
    while True:
        answer = (prompts.read(question) or "").rstrip("=")
        if answer in {"yes", key.fingerprint}:
            return True
        if answer in {"", "no", "n"} or answer.startswith("SHA256:"):
            return False
        question = "Please type yes, no or the fingerprint:"


def _say(line: str) -> None:
    console.note(line)
