"""Let commands on a login node without internet download through this computer, over the connection that is open.

A port of the login node's loopback interface leads through the master to a proxy here (`ssh -R`). Only commands of
rookery that download know of it: its address and token are in a file in the home that nobody else can read. A command
writes that file, waits for the end of its input, and removes the file then, whatever ended this side.

Files carried over beforehand would need no port, but rookery would have to work out what pip, uv, poetry, conda and R
are going to ask for, for another architecture: lock files name addresses that no mirror has, and no build tools.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING

from rookery.clusters.ssh.remote_command import STATE_FOLDER
from rookery.core import paths, typed_command
from rookery.core.background import begun
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

READY = "rookery-downloads-ready"
PATIENCE = 40
"""Seconds within which the login node has the file: a command begins within 30."""


def is_wanted(cluster: "Cluster", *, offline: bool) -> bool:
    """Return whether a cluster's downloads go through this computer.

    Args:
        cluster: The cluster.
        offline: The user asked for it.
    """
    has_none = (cluster.data.get("cluster_internet") or {}).get("login") == "no"
    return offline or (has_none and not cluster.data.get("cluster_proxy"))


def suggestion(cluster: "Cluster") -> str:
    """Return a hint, after a download there has failed; "" where this command can't, or did already, go this way."""
    if not typed_command.takes("--offline") or is_wanted(cluster, offline=typed_command.names("--offline")):
        return ""
    return f"{typed_command.again('--offline')}   # if {cluster.name} has no internet"


@contextmanager
def opened(connection: "Connection") -> Iterator[None]:
    """Let commands that begin within the block download through this computer.

    Args:
        connection: An open connection.

    Raises:
        RookeryError: The login node allows no port to be forwarded, or its home can't be written to.
    """
    from rookery.clusters.ssh.download_proxy import DownloadProxy  # noqa: PLC0415 start-up

    cluster = connection.cluster
    mirrors = [str(address) for address in (cluster.data.get("cluster_mirrors") or {}).values()]
    place = paths.runtime_dir() / f"web-{os.getpid()}-{secrets.token_hex(3)}"
    with ExitStack() as stack:
        proxy = DownloadProxy(place, mirrors)
        stack.callback(place.unlink, missing_ok=True)
        stack.enter_context(proxy.serving())
        forwarding = f"127.0.0.1:0:{place}"  # a port that the login node chooses
        port = _forwarded(connection, forwarding)
        stack.callback(_tell, connection, "cancel", forwarding)
        stack.enter_context(_announced(connection, f"http://{proxy.USER}:{proxy.token}@127.0.0.1:{port}"))
        yield


def _tell(connection: "Connection", command: str, forwarding: str) -> "subprocess.CompletedProcess[str]":
    """Have the master begin or end a forwarding; without a configuration, whose forwardings would come along."""
    socket = str(connection.control_path())
    ask = ["ssh", "-F", "none", "-T", "-S", socket, "-O", command, "-R", forwarding, connection.cluster.name]
    return subprocess.run(ask, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def _forwarded(connection: "Connection", forwarding: str) -> int:
    """Begin a forwarding; return the port that the login node chose."""
    told = _tell(connection, "forward", forwarding)
    if told.returncode or not told.stdout.strip().isdecimal():
        name = connection.cluster.name
        why = (told.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RookeryError(
            f"{name} can't download through your computer: its ssh server forwards no ports ({why}).",
            hint=f"ask the support of {name} for a web proxy or mirrors, then set cluster_proxy or cluster_mirrors",
        )
    return int(told.stdout)


@contextmanager
def _announced(connection: "Connection", address: str) -> Iterator[None]:
    """Have a command on the login node keep the file with the address, as long as the block lasts."""
    ended, ready = Event(), Event()

    def pieces() -> Iterator[bytes]:
        yield f"{address}\n".encode()
        ended.wait()

    script = STATE_FOLDER + paths.remote("scripts/download_link.sh")

    def hear(line: str) -> None:
        if line == READY:
            ready.set()

    running = connection.begin(script, on_line=hear, sends=True)

    def finish() -> str:
        try:
            return running.finish(pieces()).stderr
        finally:
            ready.set()

    finished = begun(finish)
    try:
        is_there = ready.wait(PATIENCE) and running.is_running
        if not is_there:
            ended.set()
            why = (finished().strip().splitlines() or ["no reason given"])[-1]
            raise RookeryError(f"{connection.cluster.name}: can't write to ~/.local/state/rookery: {why}.")
        yield
    finally:
        ended.set()
        with suppress(RookeryError):  # where the connection was lost, what needed it says so
            finished()
