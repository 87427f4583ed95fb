"""Write rookery's ssh_config: an entry a cluster, read by every ssh, rsync, git and Ansible that rookery starts.

ssh takes the first value it finds, so these entries win over the user's own config, which is included at the end.
"""

import contextlib
import functools
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.cluster import require_user
from rookery.clusters.ssh import compute_node
from rookery.clusters.ssh.config_syntax import HOST, JUMP, NAME, USER, include, option_line, quoted
from rookery.core import atomic_files, locking, paths, state_files
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

CONNECT_TIMEOUT = 12
"""Seconds a login node is given to answer."""

PERSIST_HOURS = 4
"""Hours an unused connection stays open, where the profile does not say how long a login lasts."""

_CHECKING = ("StrictHostKeyChecking yes", "UpdateHostKeys no", "HashKnownHosts no", "CheckHostIP no")

_NEUTRAL = (
    "RemoteCommand none",
    "RequestTTY auto",
    "BatchMode no",
    "LogLevel INFO",
    "PermitLocalCommand no",
    "Tunnel no",
    "ForwardX11 no",
)
"""What a `Host *` of the user's may say otherwise, and would break what rookery sends or hears; a flag still wins.

SendEnv and SetEnv stay the user's: a server takes only what it accepts, and a terminal's name is one of them.
"""

_NEWER = ("ForkAfterAuthentication no", "SessionType default", "StdinNull no")
"""The same, for an ssh that knows them (OpenSSH 8.7): another one refuses the whole file."""

_PERSONAL = ("RemoteCommand none", "RequestTTY auto")
"""The options that the user's own ssh gets for a cluster, so that scp, rsync, git and VS Code work by its name.

Any ssh must know it: one unknown word here, and the user's ssh would refuse the configuration of every host.
"""


def config_file(cluster: "Cluster") -> Path:
    """Return the ssh_config that holds this cluster's entry: one for real clusters, one for miniatures."""
    return (state_files.place("sandbox") if cluster.sandbox else paths.config_dir()) / "ssh_config"


def control_path() -> str:
    """Return the ControlPath of every master, as ssh_config takes it; %C keeps users, hosts and ports apart."""
    return quoted(paths.runtime_dir())[:-1] + '/%C"'


def persist_hours(cluster: "Cluster") -> int:
    """Return the hours that a connection stays open after its last use."""
    return int(cluster.data.get("cluster_login_hours") or PERSIST_HOURS)


def own_known_hosts(cluster: "Cluster") -> Path:
    """Return the known_hosts that rookery writes this cluster's keys to; never the user's own."""
    if not cluster.known_hosts_file:
        return state_files.place("known_hosts")
    path = Path(cluster.known_hosts_file).expanduser().absolute()
    return state_files.place("known_hosts") if path == _persons("known_hosts") else path


def known_hosts_files(cluster: "Cluster") -> list[Path]:
    """Return the files with this cluster's host keys: rookery's, and the user's own (not in a sandbox)."""
    return [own_known_hosts(cluster), *([] if cluster.sandbox else [_persons("known_hosts")])]


def usual_keys() -> list[Path]:
    """Return the user's private keys that ssh tries by itself."""
    return [_persons(f"id_{kind}") for kind in ("ed25519", "ed25519_sk", "ecdsa", "ecdsa_sk", "rsa")]


def _persons(name: str) -> Path:
    return Path.home() / ".ssh" / name


def _checked(pattern: re.Pattern[str], value: str, title: str, cluster: "Cluster", key: str) -> str:
    """Return the value, if it has the form that it should have: nothing else gets into ssh_config."""
    if not pattern.fullmatch(value):
        raise RookeryError(
            f"Invalid {title} of {cluster.name}: {value!r}.",
            hint=f"invoke clusters.show {cluster.name}   # shows where {key} was set",
        )
    return value


def entry(cluster: "Cluster", alias: str = "", *, checking: bool = False) -> str:
    """Return the Host entries of a cluster: its own, and that of a job there (compute_node.py).

    Args:
        cluster: The cluster.
        alias: The name it is to have, where that is not its own.
        checking: For a file that the user's own ssh reads: it says what rookery's own file says for every host, how
            host keys are checked, and connections are shared only where the folder for that is there, or can be made.

    Raises:
        RookeryError: There is no username, or a value does not have the form that it should have.
    """
    name = _checked(NAME, alias or cluster.name, "name", cluster, "it")
    lines = reach(cluster)
    lines += [
        f"ForwardAgent {'yes' if cluster.data.get('cluster_forward_agent') else 'no'}",
        *(_PERSONAL if checking else ("ClearAllForwardings yes", *_shared(cluster))),
        _known_hosts_line(known_hosts_files(cluster)),
        *(_CHECKING if checking else ()),
    ]
    itself = f"Host {name}\n" + "".join(f"    {line}\n" for line in lines) + _for_hops(cluster)
    itself += _shared_if_there(cluster, name) if checking else ""
    return itself + compute_node.text(cluster, name, require_user(cluster))


def reach(cluster: "Cluster") -> list[str]:
    """Return the options that say where a cluster is, and what logs in to it.

    Raises:
        RookeryError: There is no username, or a value does not have the form that it should have.
    """
    lines = [
        f"HostName {_checked(HOST, cluster.host, 'host', cluster, 'cluster_host')}",
        f"Port {int(cluster.port)}",
        f"User {_checked(USER, require_user(cluster), 'username', cluster, 'cluster_user')}",
    ]
    if cluster.identity_file:
        identity = Path(cluster.identity_file).expanduser().absolute()
        lines += [f"IdentityFile {quoted(identity)}", "IdentitiesOnly yes"]
    lines += [option_line(key, value) for key, value in cluster.ssh_options]
    if "gssapi" in (cluster.data.get("cluster_logins") or ()):
        lines.append("GSSAPIAuthentication yes")
    if cluster.proxy_jump:
        lines.append(f"ProxyJump {_checked(JUMP, cluster.proxy_jump, 'jump host', cluster, 'cluster_proxy_jump')}")
    return lines


def _shared(cluster: "Cluster") -> list[str]:
    """Return the options by which all commands share one connection."""
    return ["ControlMaster auto", f"ControlPath {control_path()}", f"ControlPersist {persist_hours(cluster)}h"]


def _shared_if_there(cluster: "Cluster", name: str) -> str:
    """Return the same, where the folder for sockets is there and nobody else's.

    A restart of the computer takes it away.
    """
    folder = str(paths.runtime_dir())
    if not re.fullmatch(r"[A-Za-z0-9/._+-]+", folder):  # nothing to quote for ssh and a shell, one in the other
        return ""
    test = f"mkdir -p -m 700 {folder} && test -O {folder} && test ! -L {folder}"
    return f'Match originalhost {name} exec "{test}"\n' + "".join(f"    {line}\n" for line in _shared(cluster))


def hops(cluster: "Cluster") -> list[str]:
    """Return the names or addresses of the jump hosts before a cluster."""
    hosts = re.findall(r"(?:ssh://)?(?:[^@,/]*@)?(\[[^\]]+\]|[^:,/\[]+)(?::\d+)?", cluster.proxy_jump or "")
    return [hop.strip("[]") for hop in hosts]


def _for_hops(cluster: "Cluster") -> str:
    """Return the cluster's key for its jump hosts too, before those that ssh would try there by itself."""
    if not cluster.identity_file or not hops(cluster):
        return ""
    usual = [] if cluster.sandbox else usual_keys()
    keys = [Path(cluster.identity_file).expanduser().absolute(), *usual]
    lines = [f"Match originalhost {','.join(hops(cluster))}", *(f"    IdentityFile {quoted(key)}" for key in keys)]
    return "\n".join(lines) + "\n"


def _known_hosts_line(files: list[Path]) -> str:
    return "UserKnownHostsFile " + " ".join(quoted(file) for file in files)


def _rest(cluster: "Cluster") -> str:
    """Return the options for every host, jump hosts too; then the user's own config, which a sandbox never sees."""
    included = not cluster.sandbox and _persons("config").is_file()
    lines = [
        "Host *",
        *(f"    {line}" for line in (*_CHECKING, *_NEUTRAL, *(_newer() if included else ()))),
        f"    {_known_hosts_line(known_hosts_files(cluster))}",
        f"    ConnectTimeout {CONNECT_TIMEOUT}",
        "    ServerAliveInterval 10",
        "    ServerAliveCountMax 3",
    ]
    if included:
        lines.append(include(_persons("config")))
    return "\n".join(lines) + "\n"


@functools.cache
def _newer() -> tuple[str, ...]:
    """Return _NEWER where the ssh of this computer knows these options; an older one can't use them.

    IgnoreUnknown is no alternative: set here, it would replace the user's own, or hide their misspelt options.
    """
    with contextlib.suppress(OSError):
        command = ["ssh", "-G", "-F", "/dev/stdin", "host"]
        completed = subprocess.run(command, input="\n".join(_NEWER), capture_output=True, text=True, check=False)
        return _NEWER if not completed.returncode else ()
    return ()


def write(cluster: "Cluster") -> Path:
    """Bring the cluster's entry in its ssh_config up to date, and keep the other clusters' entries.

    Returns:
        The file; it is written only where something in it changes.

    Raises:
        RookeryError: A value of the profile is not valid in an ssh_config.
    """
    own_entry, path = entry(cluster), config_file(cluster)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locking.waited(paths.runtime_dir() / "ssh_config.lock"):
        before = path.read_text() if path.exists() else ""
        after = _text({**_entries(before), cluster.name: own_entry}, cluster)
        if after != before:
            atomic_files.write(path, after)
    return path


def remove(cluster: "Cluster") -> None:
    """Take the cluster's entry out of its ssh_config; others stay, and without any the file goes."""
    path = config_file(cluster)
    with locking.waited(paths.runtime_dir() / "ssh_config.lock"):
        entries = _entries(path.read_text()) if path.exists() else {}
        entries.pop(cluster.name, None)
        if entries:
            atomic_files.write(path, _text(entries, cluster))
        else:
            path.unlink(missing_ok=True)


def _entries(text: str) -> dict[str, str]:
    """Return the clusters' entries in an ssh_config of rookery's, by name.

    That of a cluster's job is part of its own.
    """
    own = re.compile(r"^Host (?!\*)(\S+)\n(?:(?:    |Match ).*\n|Host \1-job\n)*", re.MULTILINE)
    return {match[1]: match[0] for match in own.finditer(text)}


def _text(entries: dict[str, str], cluster: "Cluster") -> str:
    head = "# Written by rookery, which overwrites changes: your own settings belong in ~/.ssh/config.\n"
    return "\n".join([head, *(entries[name] for name in sorted(entries)), _rest(cluster)])
