"""The key that `ssh NAME-job` logs in with, and the job's host key, on this computer.

The key opens nothing but the sshd that rookery's own job starts, which is reached through the open connection alone. So
it needs no passphrase, and works where the cluster itself wants a password.
"""

import shlex
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import atomic_files, console, locking, paths, state_files
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

SUFFIX = "-job"
"""What the name of the Host entry has behind the cluster's."""


def folder(cluster: "Cluster") -> Path:
    """Return the folder of the key and of the known hosts of NAME-job."""
    return state_files.place("node", sandbox=cluster.sandbox)


def private(cluster: "Cluster") -> Path:
    """Return the private key; the same for all clusters."""
    return folder(cluster) / "id_ed25519"


def known_hosts(cluster: "Cluster") -> Path:
    """Return the known_hosts file with the job's host key, of this cluster alone."""
    return folder(cluster) / f"{cluster.name}.known_hosts"


def host_alias(cluster: "Cluster") -> str:
    """Return the name that the host key is kept under, whatever the user calls the host."""
    return f"rookery-job-{cluster.name}"


def public(cluster: "Cluster") -> str:
    """Return the public half, without a comment; the key is made where there is none.

    Raises:
        RookeryError: ssh-keygen can't.
    """
    path = private(cluster)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locking.waited(paths.runtime_dir() / "node-key.lock"):
        if not path.exists():
            _make(path)
            console.note(
                f"{cluster.name}{SUFFIX}: created the key {path}, without a passphrase. "
                "It only works for your own jobs, over an open connection.",
            )
        completed = subprocess.run(
            ["ssh-keygen", "-y", "-P", "", "-f", str(path)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if completed.returncode:
        raise RookeryError(
            f"Can't use the key {path}: {completed.stderr.strip()}",
            hint=f"rm {shlex.quote(str(path))}   # rookery makes a new one",
        )
    return " ".join(completed.stdout.split()[:2])


def remember(cluster: "Cluster", key: str) -> None:
    """Write down the job's host key, as the cluster told it over a trusted connection.

    Raises:
        RookeryError: It is no key.
    """
    kind, _, text = key.partition(" ")
    if kind != "ssh-ed25519" or not text.isascii() or not text.replace("+", "").replace("/", "").rstrip("=").isalnum():
        raise RookeryError(f"{cluster.name} sent an invalid host key for the job: {key[:40]!r}.")
    path, line = known_hosts(cluster), f"{host_alias(cluster)} {key}\n"
    if not path.exists() or path.read_text(encoding="utf-8") != line:
        atomic_files.write(path, line)


def forget(cluster: "Cluster") -> None:
    """Forget the job's host key; with the last one, the key that logs in goes too."""
    known_hosts(cluster).unlink(missing_ok=True)
    if not list(folder(cluster).glob("*.known_hosts")):
        private(cluster).unlink(missing_ok=True)
        with suppress(OSError):
            folder(cluster).rmdir()


def _make(path: Path) -> None:
    import tempfile  # noqa: PLC0415 start-up

    with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
        made = Path(temporary) / "key"
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rookery", "-f", str(made)]
        completed = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if completed.returncode:
            raise RookeryError(f"ssh-keygen could not create a key: {completed.stderr.strip()}")
        made.replace(path)
