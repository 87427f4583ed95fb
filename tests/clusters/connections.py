"""Accounts on miniatures, and the connections of this process to them."""

import atexit
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from live import Live

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection

Account = Callable[..., Cluster]


def sockets(tmp_path: Path) -> Path:
    """A folder for sockets whose path is short enough."""
    folder = Path("/tmp") / f"rk-{tmp_path.stat().st_ino}"
    folder.mkdir(mode=0o700, exist_ok=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def made() -> set[tuple[str, str]]:
    """The accounts that there are by now, of one file: cluster and name."""
    return set()


@pytest.fixture
def account(penguins: Live, made: set[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Make accounts on miniatures, where they are not there yet; this process is the user whom they belong to."""
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(key, penguins.environment[key])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets(tmp_path)))

    def make(live: Live, name: str, shell: str = "/bin/bash") -> Cluster:
        cluster = live.miniature.name
        if (cluster, name) not in made:
            live.add_user(name, shell)
            made.add((cluster, name))
        return replace(profile.load(cluster, profile.sources(sandbox=True)), user=name)

    return make


@pytest.fixture
def opened(account: Account) -> Iterator[Callable[[Cluster], Connection]]:  # noqa: ARG001 in whose home they are closed
    """Make connections; they are closed at the end."""
    connections = []

    def make(cluster: Cluster) -> Connection:
        connections.append(Connection(cluster))
        connections[-1].open(batch=True)
        return connections[-1]

    yield make
    for connection in connections:
        connection.close()


def line_of(connection: Connection) -> str:
    """Addresses and ports of the connection that a command comes through: the same for everything in one login."""
    return connection.run(script="echo $SSH_CONNECTION").stdout.strip()
