"""Host keys of clusters: the published ones, those in known_hosts files, and the errors for others.

A key is asked of the host by ssh itself: ssh-keyscan can't use jump hosts.
"""

import base64
import binascii
import hashlib
import re
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh.config_file import known_hosts_files, own_known_hosts
from rookery.clusters.ssh.errors import SshError
from rookery.core import atomic_files, locking, paths

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


@dataclass(frozen=True)
class HostKey:
    """A host's public key.

    Attributes:
        host: The name it is known by in a known_hosts file: HOST, or [HOST]:PORT.
        type: Its kind, such as ssh-ed25519.
        blob: The key in base64.
    """

    host: str
    type: str
    blob: str

    @property
    def fingerprint(self) -> str:
        """As ssh shows it: SHA256 and a colon first."""
        try:
            digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        except binascii.Error:
            return "unreadable"
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def host_pattern(cluster: "Cluster") -> str:
    """Return the login node's name as known_hosts files have it; the user's configuration may set another one."""
    if alias := dict(cluster.ssh_options).get("HostKeyAlias"):
        return alias
    return cluster.host if int(cluster.port) == 22 else f"[{cluster.host}]:{cluster.port}"


def known_keys(cluster: "Cluster", files: Iterable[Path] | None = None) -> list[HostKey]:
    """Return the keys that the known_hosts files hold for the cluster.

    Hashed names included (ssh-keygen finds those).
    """
    keys = []
    for file in known_hosts_files(cluster) if files is None else files:
        if file.is_file():
            completed = subprocess.run(
                ["ssh-keygen", "-F", host_pattern(cluster), "-f", str(file)],
                capture_output=True,
                text=True,
                check=False,
            )
            keys += [key for key in map(parsed, completed.stdout.splitlines()) if key]
    return keys


def parsed(line: str) -> HostKey | None:
    """Return the key in a line of a known_hosts file.

    None for comments, and for lines with a marker (@revoked, @cert-authority).
    """
    words = line.split()
    return HostKey(*words[:3]) if len(words) >= 3 and words[0][0] not in "#@" else None


def published(cluster: "Cluster") -> dict[str, str]:
    """Return the profile's published keys: {fingerprint: type}."""
    return {entry["fingerprint"].rstrip("="): entry["type"] for entry in cluster.data.get("cluster_host_keys") or ()}


def store(path: Path, key: HostKey) -> None:
    """Add a key to rookery's known_hosts; other keys stay."""
    with locking.waited(paths.runtime_dir() / "known_hosts.lock"):
        before = path.read_text() if path.exists() else ""
        gap = "" if before.endswith("\n") or not before else "\n"
        atomic_files.write(path, f"{before}{gap}{key.host} {key.type} {key.blob}\n")


def changed_key(cluster: "Cluster", text: str) -> SshError:
    """Return the error for ssh's warning that a host key has changed: both fingerprints, and where to look."""
    new = re.search(r"fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[^\s.]+)", text)
    old = re.search(r"^Offending (?:\S+ )?key in (.+):(\d+)\s*$", text, re.MULTILINE)
    before, place = "unknown", ""
    if old:
        place = f"{old[1]}, line {old[2]}"
        lines = Path(old[1]).read_text(errors="replace").splitlines() if Path(old[1]).is_file() else []
        line = parsed(lines[int(old[2]) - 1]) if len(lines) >= int(old[2]) else None
        before = line.fingerprint if line else before
    return differs(cluster, new[1] if new else "?", new[2] if new else "unknown", before, place)


def differs(cluster: "Cluster", kind: str, new: str, old: str, place: str) -> SshError:
    """Return the error for a host key that differs from the known one."""
    known = f"not {old}" + (f" ({place})" if place else "")
    message = (
        f"{cluster.name}: the host key of {cluster.host} has changed: it is now {new} ({kind}), {known}. "
        "Nothing was sent."
    )
    file = place.rpartition(", line ")[0] or str(own_known_hosts(cluster))
    forget = f"ssh-keygen -R {shlex.quote(host_pattern(cluster))} -f {shlex.quote(file)}"
    if new in published(cluster):
        return SshError(
            "changed-key",
            message,
            hint=f"{forget}   # the new key matches the published one{where(cluster)}; then run the same command again",
        )
    ask = f"compare it with the keys published{where(cluster)}" if where(cluster) else "ask the cluster's support"
    return SshError("changed-key", message, hint=f"{ask}; only if the new key is right: {forget}")


def not_published(cluster: "Cluster", key: HostKey) -> SshError:
    """Return the error for a host key that is none of the published ones."""
    fingerprints = ", ".join(f"{fingerprint} ({kind})" for fingerprint, kind in published(cluster).items())
    return SshError(
        "changed-key",
        f"{cluster.name}: {cluster.host} has the host key {key.fingerprint} ({key.type}), "
        f"but the published one is {fingerprints}. Nothing was sent.",
        hint=f"check which host keys are published now{where(cluster)}; if they have changed, set cluster_host_keys "
        "in your own inventory",
    )


def where(cluster: "Cluster") -> str:
    """Return where the cluster's keys are published; "" where that is not known."""
    url = cluster.data.get("cluster_host_keys_url")
    return f" at {url}" if url else ""
