"""Which host key a cluster shows, and whether it is believed: a published fingerprint, or a person's word."""

import base64
import binascii
import hashlib
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh.config_file import known_hosts_files, own_known_hosts, quoted
from rookery.clusters.ssh.errors import SshError, again, explain
from rookery.clusters.ssh.remote_command import unattended
from rookery.core import atomic_files, locking, paths

if TYPE_CHECKING:
    from rookery.clusters.config.profile import Cluster

Say = Callable[[str], None]


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
    """How known_hosts files name the cluster's login node."""
    return cluster.host if int(cluster.port) == 22 else f"[{cluster.host}]:{cluster.port}"


def known_keys(cluster: "Cluster", files: Iterable[Path] | None = None) -> list[HostKey]:
    """The keys that the known_hosts files hold for the cluster, hashed names included (ssh-keygen finds those)."""
    keys = []
    for file in known_hosts_files(cluster) if files is None else files:
        if file.is_file():
            done = subprocess.run(
                ["ssh-keygen", "-F", host_pattern(cluster), "-f", str(file)],
                capture_output=True,
                text=True,
                check=False,
            )
            keys += [key for key in map(_parsed, done.stdout.splitlines()) if key]
    return keys


def _parsed(line: str) -> HostKey | None:
    """A line of a known_hosts file; None for comments, and for lines with a marker (@revoked, @cert-authority)."""
    words = line.split()
    return HostKey(*words[:3]) if len(words) >= 3 and words[0][0] not in "#@" else None


def published(cluster: "Cluster") -> dict[str, str]:
    """The profile's published keys: {fingerprint: type}."""
    return {entry["fingerprint"].rstrip("="): entry["type"] for entry in cluster.data.get("cluster_host_keys") or ()}


def shown(cluster: "Cluster", ssh: Sequence[str], *, batch: bool) -> HostKey:
    """Ask the cluster for its key, through its jump hosts if it has some, without logging in to it.

    ssh writes the key to a known_hosts file of the moment; no way of authenticating is tried with the cluster, so
    nothing is given away to whoever answers. Of several keys it is asked for one of a published kind.

    Args:
        cluster: The cluster.
        ssh: The ssh command, with rookery's ssh_config.
        batch: There is nobody to ask.

    Raises:
        SshError: It can't be reached.
    """
    kinds = list(dict.fromkeys(published(cluster).values()))
    algorithms = [
        name for kind in kinds for name in (["rsa-sha2-512", "rsa-sha2-256"] if kind == "ssh-rsa" else [kind])
    ]
    with tempfile.TemporaryDirectory(prefix="rookery-") as folder:
        seen = Path(folder) / "known_hosts"
        options = {
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": quoted(seen),
            "GlobalKnownHostsFile": "/dev/null",
            "PreferredAuthentications": "none",
            "BatchMode": "yes" if batch else "no",
            "ControlPath": "none",
            **({"HostKeyAlgorithms": ",".join(algorithms)} if algorithms else {}),
        }
        arguments = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        done = subprocess.run(
            [*ssh, *arguments, "-T", cluster.name, "true"],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
            **(unattended() if batch else {"stdin": subprocess.DEVNULL}),
        )
        keys = [key for key in map(_parsed, seen.read_text().splitlines()) if key] if seen.exists() else []
    if not keys:
        if "no matching host key type found" in done.stderr:
            raise SshError(
                "unknown-key",
                f"{cluster.name}: {cluster.host} has no host key of a published kind ({', '.join(kinds)}).",
                hint=f"compare with what is published now{_where(cluster)}",
            )
        raise explain(cluster, done.stderr, batch=batch)
    return HostKey(host_pattern(cluster), keys[0].type, keys[0].blob)


def learn(cluster: "Cluster", ssh: Sequence[str], *, batch: bool, accept: str = "", say: Say | None = None) -> HostKey:
    """Get to know a cluster whose key no known_hosts file holds, and write the key to rookery's own.

    A published key is believed; one that differs from what is published never is. Where none is published, the person
    is shown the key and asked, or vouches for it beforehand.

    Args:
        cluster: The cluster.
        ssh: The ssh command, with rookery's ssh_config.
        batch: There is nobody to ask.
        accept: The fingerprint that the person vouches for.
        say: Told in a line what was decided; stderr by default.

    Raises:
        SshError: It is not believed, or the cluster can't be reached.
    """
    tell = say or _say
    key, listed = shown(cluster, ssh, batch=batch), published(cluster)
    if key.fingerprint in listed:
        tell(f"{cluster.name}: the host key {key.fingerprint} ({key.type}) is the published one{_where(cluster)}.")
    elif listed:
        raise _not_published(cluster, key)
    elif others := known_keys(cluster):
        raise _differs(cluster, key.type, key.fingerprint, others[0].fingerprint, "")
    elif accept:
        if accept.rstrip("=") != key.fingerprint:
            message = f"{cluster.name}: {cluster.host} shows the host key {key.fingerprint}, not {accept}."
            raise SshError("unknown-key", message, hint="don't log in; ask the people who run the cluster for its key")
    elif batch or not _agreed(cluster, key):
        raise SshError(
            "unknown-key",
            f"{cluster.name}: {cluster.host} is not known yet. It shows the host key {key.fingerprint} ({key.type}); "
            "no published one is known to compare it with.",
            hint=f"{again(cluster)} --accept-host-key {key.fingerprint}   # once you have checked it{_where(cluster)}",
        )
    store(own_known_hosts(cluster), key)
    return key


def store(path: Path, key: HostKey) -> None:
    """Add a key to rookery's known_hosts; what stands there stays."""
    with locking.waited(paths.runtime_dir() / "known_hosts.lock"):
        before = path.read_text() if path.exists() else ""
        gap = "" if before.endswith("\n") or not before else "\n"
        atomic_files.write(path, f"{before}{gap}{key.host} {key.type} {key.blob}\n")


def changed_key(cluster: "Cluster", text: str) -> SshError:
    """The error for ssh's warning that a host key has changed: both fingerprints, and where to look."""
    new = re.search(r"fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[^\s.]+)", text)
    old = re.search(r"^Offending (?:\S+ )?key in (.+):(\d+)\s*$", text, re.MULTILINE)
    before, place = "unknown", ""
    if old:
        place = f"{old[1]}, line {old[2]}"
        lines = Path(old[1]).read_text(errors="replace").splitlines() if Path(old[1]).is_file() else []
        line = _parsed(lines[int(old[2]) - 1]) if len(lines) >= int(old[2]) else None
        before = line.fingerprint if line else before
    return _differs(cluster, new[1] if new else "?", new[2] if new else "unknown", before, place)


def _differs(cluster: "Cluster", kind: str, new: str, old: str, place: str) -> SshError:
    known = f"known is {old}" + (f" ({place})" if place else "")
    message = (
        f"{cluster.name}: the host key of {cluster.host} has changed: it shows {new} ({kind}), {known}. "
        "Nothing was sent to it."
    )
    file = place.rpartition(", line ")[0] or str(own_known_hosts(cluster))
    forget = f"ssh-keygen -R {shlex.quote(host_pattern(cluster))} -f {shlex.quote(file)}"
    if new in published(cluster):
        return SshError("changed-key", message, hint=f"{forget}   # the new key is the published one{_where(cluster)}")
    ask = f"compare it with the keys published{_where(cluster)}" if _where(cluster) else "ask who runs the cluster"
    return SshError("changed-key", message, hint=f"{ask}; only if it is theirs: {forget}")


def _not_published(cluster: "Cluster", key: HostKey) -> SshError:
    mine = ", ".join(f"{fingerprint} ({kind})" for fingerprint, kind in published(cluster).items())
    return SshError(
        "changed-key",
        f"{cluster.name}: {cluster.host} shows the host key {key.fingerprint} ({key.type}), but published is {mine}. "
        "Nothing was sent to it.",
        hint=f"compare with what is published now{_where(cluster)}; if that has changed, set cluster_host_keys "
        "in your own inventory",
    )


def _where(cluster: "Cluster") -> str:
    url = cluster.data.get("cluster_host_keys_url")
    return f" at {url}" if url else ""


def _agreed(cluster: "Cluster", key: HostKey) -> bool:
    """Show the key on the terminal and ask; yes or the fingerprint itself is agreement, anything else is not."""
    _say(f"{cluster.name}: {cluster.host} is not known yet. It shows this host key:")
    _say(f"    {key.fingerprint} ({key.type})")
    _say(
        f"Compare it with the one the cluster's people give{_where(cluster) or ', in its documentation or by asking'}."
    )
    question = "Is it the same? (yes, no, or the fingerprint you were given) "
    while True:
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip().rstrip("=")
        if answer in {"yes", key.fingerprint}:
            return True
        if answer in {"", "no", "n"} or answer.startswith("SHA256:"):
            return False
        question = "Please type yes, no or the fingerprint: "


def _say(line: str) -> None:
    print(line, file=sys.stderr)
