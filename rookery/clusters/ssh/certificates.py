"""The ssh certificates that a login would use, and when they end; nothing is read of a private key."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import user_settings
from rookery.clusters.ssh.config_file import usual_keys
from rookery.clusters.ssh.errors import SshError, again
from rookery.core import local_time

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

FOREVER = float("inf")


@dataclass(frozen=True)
class Certificate:
    """A certificate of the user's key, made by an authority that the cluster trusts.

    Attributes:
        path: Its file.
        begins: From when it is valid, in seconds since 1970.
        ends: When it stops to be valid, in seconds since 1970; FOREVER for never.
    """

    path: Path
    begins: float
    ends: float

    @property
    def is_valid(self) -> bool:
        """Whether it is valid now, by this computer's clock."""
        return self.begins <= time.time() < self.ends

    @property
    def shown(self) -> str:
        """Its path as a user would type it."""
        home = Path.home()
        return f"~/{self.path.relative_to(home)}" if self.path.is_relative_to(home) else shlex.quote(str(self.path))


def of(cluster: "Cluster") -> list[Certificate]:
    """Return the certificates that ssh would offer to the cluster: those that are named, and those beside the keys."""
    return [certificate for path in _files(cluster) if (certificate := _read(path))]


def best(cluster: "Cluster") -> Certificate | None:
    """Return the one that is valid longest, else the one that ended last; None where there is none."""
    return max(of(cluster), key=lambda certificate: (certificate.is_valid, certificate.ends), default=None)


def refused(cluster: "Cluster", stderr: str) -> SshError | None:
    """Return the error where a login failed for want of a valid certificate.

    None where the cluster is not logged in to by certificate, has a valid one, or would ask for something else.

    Args:
        cluster: The cluster.
        stderr: What ssh printed.
    """
    denied = re.search(r"Permission denied \(([^)]*)\)", stderr)
    if not denied or {"password", "keyboard-interactive"} & set(denied[1].split(",")):
        return None
    certificate = best(cluster)
    if certificate is None and "certificate" not in (cluster.data.get("cluster_logins") or ()):
        return None
    if certificate and certificate.is_valid:
        return None
    return SshError("certificate", f"{cluster.name}: {problem(certificate)}.", hint=renewal(cluster))


def problem(certificate: Certificate | None) -> str:
    """Return what is wrong with a certificate that is not valid, or not there."""
    if certificate is None:
        return "you have no certificate for this cluster yet"
    if certificate.begins > time.time():
        return (
            f"your certificate {certificate.shown} is not valid before {local_time.when(certificate.begins)}: "
            "is this computer's clock right?"
        )
    return f"your certificate {certificate.shown} expired {local_time.at(certificate.ends)}"


def renewal(cluster: "Cluster") -> str:
    """Return the command that gets a new certificate; where the profile has none, what to do."""
    if command := cluster.data.get("cluster_login_command"):
        return f"{command}   # gets a new certificate; then run the same command again"
    url = cluster.data.get("cluster_docs_url")
    where = f" ({url})" if url else ""
    return f"get a new certificate as the cluster's documentation says{where}, then {again(cluster)}"


def _files(cluster: "Cluster") -> Iterator[Path]:
    """Yield the files that ssh reads certificates from (ssh_config(5), CertificateFile and IdentityFile), if there."""
    named = [value for key, value in cluster.ssh_options if key == "CertificateFile" and value != "none"]
    keys = [Path(cluster.identity_file).expanduser()] if cluster.identity_file else user_settings.keys(cluster)
    beside = [path.with_name(f"{path.name.removesuffix('.pub')}-cert.pub") for path in keys or usual_keys()]
    paths = [*(user_settings.path_of(name) for name in named), *beside]
    yield from (path for path in dict.fromkeys(paths) if path and path.is_file())


def _read(path: Path) -> Certificate | None:
    """Return the certificate in a file; None for anything else."""
    completed = subprocess.run(
        ["ssh-keygen", "-L", "-f", str(path)],
        env={**os.environ, "TZ": "UTC0"},  # the times that it prints have no time zone
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    match = re.search(r"^\s*Valid: (.+)$", completed.stdout, re.MULTILINE)
    if completed.returncode or not match:
        return None
    begins, ends = (re.search(rf"\b(?:{words}) (\S+)", match[1]) for words in ("from|after", "to|before"))
    return Certificate(
        path,
        local_time.of_iso(f"{begins[1]}Z") if begins else 0,
        local_time.of_iso(f"{ends[1]}Z") if ends else FOREVER,
    )
