"""The user's ssh key: found, or made once and never overwritten, and its public half copied to a cluster."""

import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import host_key_check, host_keys, user_settings
from rookery.clusters.ssh.diagnosis import explain
from rookery.clusters.ssh.prompts import touch
from rookery.clusters.ssh.remote_command import unattended
from rookery.core import console, foreground
from rookery.core.errors import RookeryError
from rookery.remote.slurm.basics import put

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

_KINDS = ("ed25519", "ed25519_sk", "ecdsa", "ecdsa_sk", "rsa")
"""Kinds of keys, the one that is made first; ssh looks for them in this order of preference."""

# Its standard input is the public half, a line. The file is written whole, beside its place, and keeps its mode;
# where it is a link, what that leads to is written.
_ADD = r"""
set -eu
umask 077
line=$(cat)
[ -n "$line" ]
mkdir -p "$HOME/.ssh"
file=$HOME/.ssh/authorized_keys
if [ -L "$file" ]; then file=$(readlink -f "$file"); fi
body=$(printf '%s\n' "$line" | cut -d ' ' -f 1,2)
if [ -f "$file" ] && grep -qF "$body" "$file"; then
    echo there
    exit 0
fi
fresh=$(mktemp "$file.XXXXXX")
trap 'rm -f "$fresh"' EXIT
if [ -f "$file" ]; then
    cp -p "$file" "$fresh"
    if [ -n "$(tail -c 1 "$file")" ]; then echo >>"$fresh"; fi
fi
printf '%s\n' "$line" >>"$fresh"
sync "$fresh" 2>/dev/null || :
mv "$fresh" "$file"
trap - EXIT
echo added
"""


@dataclass(frozen=True)
class Key:
    """A key of the user's.

    Attributes:
        path: Its private half.
        made: Whether it was made just now.
    """

    path: Path
    made: bool = False

    @property
    def shown(self) -> str:
        """Its path as a user would type it."""
        home = Path.home()
        return f"~/{self.path.relative_to(home)}" if self.path.is_relative_to(home) else str(self.path)

    @property
    def public(self) -> Path:
        """Its public half."""
        return self.path.with_name(f"{self.path.name}.pub")


def takes_keys(cluster: "Cluster") -> bool:
    """Return whether a key alone, or with a code, opens the cluster."""
    return any(method.split("+")[0] == "key" for method in cluster.data.get("cluster_logins") or ["key"])


def takes_passwords(cluster: "Cluster") -> bool:
    """Return whether a password alone opens it, so that a key can be copied there."""
    return any(method.startswith("password") for method in cluster.data.get("cluster_logins") or ["key"])


def find(cluster: "Cluster", named: str) -> Path | None:
    """Return the key to use: the one named, the one of the user's settings, or the first that ssh itself would try.

    What the user's ~/.ssh/config has for the cluster's host comes before the keys that ssh tries for any host.

    Args:
        cluster: The cluster.
        named: What `--key` says; "" where it is not given.

    Returns:
        Its private half; None where there is none.

    Raises:
        RookeryError: What is named is no key.
    """
    named_path = _named_key(cluster, named)
    if named_path is None:
        usual = [*user_settings.keys(cluster), *(Path.home() / ".ssh" / f"id_{kind}" for kind in _KINDS)]
        kept = (path for path in usual if not path.is_file() and is_held(Key(path)))
        return next((path for path in usual if path.is_file()), None) or next(kept, None)
    if not named_path.exists():
        return named_path if is_held(Key(named_path)) else None
    done = _keygen("-l", "-f", str(named_path))
    if not named_path.is_file() or done.returncode:
        raise RookeryError(
            f"{named_path} is not an ssh key.", hint="run the command without --key: it finds your key, or makes one"
        )
    return named_path


def place(cluster: "Cluster", named: str) -> Path:
    """Return where a key is to be made: as named, else in ~/.ssh, under a name of which no half is there."""
    free = (Path.home() / ".ssh" / name for name in ("id_ed25519", "id_ed25519_rookery"))
    unused = (path for path in free if not path.exists() and not Key(path).public.exists())
    return _named_key(cluster, named) or next(unused, Path.home() / ".ssh" / "id_rookery")


def _named_key(cluster: "Cluster", named: str) -> Path | None:
    """Return the private half that `--key` or the user's settings name, also by its public half.

    None where none is.
    """
    text = named or cluster.identity_file
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    return path.with_suffix("") if path.suffix == ".pub" else path


def is_held(key: Key) -> bool:
    """Return whether the agent, or a token behind it, has the private half of a public key that is here."""
    return key.public.is_file() and _run_unattended("ssh-add", "-T", str(key.public)).returncode == 0


def make(path: Path, *, ask: bool) -> Key:
    """Make an ed25519 key. ssh-keygen itself asks for a passphrase, which rookery never sees.

    Args:
        path: Where its private half is to be; an existing file is never overwritten.
        ask: Whether the user can be asked for a passphrase; otherwise it has none.

    Raises:
        RookeryError: It can't be made there.
    """
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rookery-", dir=folder) as temporary:
            fresh = Path(temporary) / path.name
            if ask:
                console.say("  A passphrase protects the key if this computer is stolen. Press Enter for none.")
                code = foreground.run(["ssh-keygen", "-q", "-t", "ed25519", "-f", str(fresh)])
            else:
                code = _keygen("-q", "-t", "ed25519", "-N", "", "-f", str(fresh)).returncode
            if code or not fresh.is_file():
                raise RookeryError("No key was made.", hint="run the command again")
            for half in (path, Key(path).public):
                if half.exists():
                    again = "run the command again, or give another place with --key PATH"
                    raise RookeryError(f"{half} exists already and was not changed.", hint=again)
            # this never takes another's place; the public half comes last, since it can be made anew of the other
            put(str(fresh), str(path))
            put(str(Key(fresh).public), str(Key(path).public))
    except OSError as error:
        raise RookeryError(
            f"Can't make a key in {folder}: {error.strerror or error}.",
            hint=f"ls -ld {shlex.quote(str(folder))}   # or give another place with --key PATH",
        ) from None
    return Key(path, made=True)


def public_line(key: Key, *, ask: bool) -> str:
    """Return the public half, as a line; made of the private one where it is missing.

    Args:
        key: The key.
        ask: Whether the user can be asked for its passphrase.

    Raises:
        RookeryError: It can't be found out.
    """
    if not key.public.is_file():
        command = ["ssh-keygen", "-y", "-f", str(key.path)]
        if ask:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        else:
            done = _keygen("-y", "-P", "", "-f", str(key.path))
        line = done.stdout.strip()
        if done.returncode or "\n" in line or not line:
            raise RookeryError(
                f"The public key of {key.shown} is missing, and could not be made from the private key.",
                hint=f"{shlex.join(command)} > {shlex.quote(str(key.public))}",
            )
        return line
    lines = key.public.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if len(lines) != 1 or _keygen("-l", "-f", str(key.public)).returncode:
        raise RookeryError(
            f"{key.public} is not a public key.",
            hint=f"ssh-keygen -y -f {shlex.quote(str(key.path))}   # prints the public key that belongs there",
        )
    return lines[0]


def unlock(key: Key) -> bool:
    """Have the agent hold the key, which asks for its passphrase itself; return whether it does.

    Where there is no agent, or it has the key, nothing is asked.
    """
    if is_held(key):
        return True
    if _run_unattended("ssh-add", "-l").returncode not in {0, 1}:  # 2: there is no agent (ssh-add(1))
        return False
    keychain = ["--apple-use-keychain"] if sys.platform == "darwin" else []
    return foreground.run(["ssh-add", *keychain, str(key.path)]) == 0


def bring(connection: "Connection", line: str) -> bool:
    """Add the public half to the account's authorized_keys, through the open connection; return whether it was new.

    Raises:
        RookeryError: It can't be written there.
    """
    return connection.run(script=_ADD, input=f"{line}\n".encode()).stdout.split()[-1:] == ["added"]


def opens(connection: "Connection") -> bool:
    """Return whether the cluster takes the connection's key, tried in a new connection; a code may be asked besides."""
    return _is_taken(connection.cluster, _try_key(connection))


def is_needed(connection: "Connection", *, ask: bool, accept_host_key: str = "") -> bool:
    """Return whether the user's ssh, as it is set up, has nothing yet that the cluster takes: no key, agent or token.

    Args:
        connection: The cluster's.
        ask: Whether the user can be asked about an unknown host key.
        accept_host_key: The fingerprint of a host key that the user vouches for.

    Raises:
        SshError: The cluster can't be reached, or its host key is not believed.
    """
    cluster = connection.cluster
    connection.prepare()
    if not host_keys.known_keys(cluster):
        host_key_check.learn(cluster, connection.ssh, batch=not ask, accept=accept_host_key)
    done = _try_key(connection)
    if _is_taken(cluster, done):
        return False
    if "Permission denied" not in done.stderr:
        raise explain(cluster, done.stderr, batch=True)
    return True


def _try_key(connection: "Connection") -> "subprocess.CompletedProcess[str]":
    """Log in by key alone, past the connection that is open, with nobody to ask."""
    options = ("ControlPath=none", "BatchMode=yes", "PreferredAuthentications=publickey,keyboard-interactive")
    arguments = [part for option in options for part in ("-o", option)]
    if note := touch(connection.cluster):
        console.note(note)
    return _run_unattended(*connection.ssh, *arguments, "-T", connection.cluster.name, "true")


def _is_taken(cluster: "Cluster", done: "subprocess.CompletedProcess[str]") -> bool:
    """Return whether a key was taken: ssh got in (255 is its own failure), or only a code is left to ask for."""
    if done.returncode != 255:
        return True
    refused = re.search(r"Permission denied \(([^)]*)\)", done.stderr)
    with_code = any(method.startswith("key+") for method in cluster.data.get("cluster_logins") or ())
    return with_code and refused is not None and "publickey" not in refused[1]


def _keygen(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return _run_unattended("ssh-keygen", *arguments)


def _run_unattended(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run a program without a terminal and capture its output."""
    options = {**unattended(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(command, text=True, errors="replace", check=False, **options)
