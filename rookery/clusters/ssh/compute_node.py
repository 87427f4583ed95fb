"""The Host entry NAME-job: a ProxyCommand that works for any program that starts ssh, VS Code too, from any folder."""

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rookery
from rookery.clusters.ssh import compute_node_keys
from rookery.clusters.ssh.compute_node_keys import SUFFIX
from rookery.clusters.ssh.config_syntax import quoted
from rookery.core import invocation
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

PATIENCE = 30 * 60
"""Seconds for which a job is waited for."""

_FLEETING = re.compile(r"(archive|environments|builds)-v\d+")
"""Folders of uv's cache, where `uvx` keeps a program for as long as it likes."""

_PASSED_ON = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
"""Variables that say where rookery's things are; an editor that was started from a menu has none of a shell's."""


def text(cluster: "Cluster", name: str, user: str) -> str:
    """Return the Host entry; "" where the cluster has no compute nodes.

    Args:
        cluster: The cluster.
        name: What the user calls it.
        user: Their name there.
    """
    if cluster.data.get("cluster_scheduler") != "slurm":
        return ""
    lines = [
        f"User {user}",
        f"ProxyCommand {proxy_command(cluster)}",
        f"HostKeyAlias {compute_node_keys.host_alias(cluster)}",
        "HostKeyAlgorithms ssh-ed25519",
        f"UserKnownHostsFile {quoted(compute_node_keys.known_hosts(cluster))}",
        "GlobalKnownHostsFile none",
        "StrictHostKeyChecking yes",
        "UpdateHostKeys no",
        f"IdentityFile {quoted(compute_node_keys.private(cluster))}",
        "IdentitiesOnly yes",
        "PreferredAuthentications publickey",
        "ForwardAgent no",
        "ForwardX11 no",
        "RemoteCommand none",
        "RequestTTY auto",
        "ControlMaster no",
        "ControlPath none",
        f"ConnectTimeout {PATIENCE + 120}",
    ]
    return f"Host {name}{SUFFIX}\n" + "".join(f"    {line}\n" for line in lines)


def proxy_command(cluster: "Cluster", *job: str) -> str:
    """Return the command line that leads to the job: ssh expands what has a % in it, and gives the rest to a shell.

    Args:
        cluster: The cluster.
        job: What the program needs to know of another job than that of NAME-job (jobs/interactive/proxy.py).

    Raises:
        RookeryError: A path of rookery's own has a line break.
    """
    package = Path(rookery.__file__).resolve().parent
    passed_on = [f"{key}={os.environ[key]}" for key in _PASSED_ON if os.environ.get(key, "").startswith("/")]
    if (typed := invocation.invocation()) != "rookery":  # what its hints are to say, which it can't know by itself
        passed_on.append(f"ROOKERY_CALLED_AS={typed}")
    # -P: the folder in which ssh is started must not come before rookery's own
    argv = [
        "env",
        f"PYTHONPATH={package.parent}",
        *passed_on,
        sys.executable,
        "-P",
        "-m",
        "rookery.jobs.interactive.proxy",
    ]
    line = shlex.join([*argv, cluster.name, *(["--sandbox"] if cluster.sandbox else []), *job])
    if re.search(r"[\x00-\x1f\x7f]", line):
        raise RookeryError(
            f"Can't give ssh a path with a line break: {line!r}.", hint="install rookery in another folder"
        )
    return line.replace("%", "%%")


def warning() -> str:
    """Return a warning where the entries will soon be broken, since `uvx` runs rookery out of a cache; else ""."""
    if not any(_FLEETING.fullmatch(part) for part in Path(sys.executable).parts):
        return ""
    return f"uvx installs rookery only temporarily. For `ssh NAME{SUFFIX}`, run `uv tool install rookery-hpc`."
