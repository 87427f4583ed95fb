"""Several clusters at once: those that are dead, silent, slow or ask for a password beside one that answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ssh_server import Sshd, cluster, fingerprint, sshd
from user_home import at_home
from waiting import wait_for

from rookery.clusters.ssh import fabric_group
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError


@contextmanager
def known(folder: Path) -> Iterator[tuple[Sshd, dict]]:
    """A server whose host key is known."""
    folder.mkdir()
    with sshd(folder) as (server, reach):
        connection = Connection(cluster(**reach))
        connection.open(batch=True, accept_host_key=fingerprint((folder / "host_key.pub").read_text()))
        connection.close()
        yield server, reach


@pytest.fixture
def reach(tmp_path, monkeypatch):
    """What reaches a server that answers."""
    at_home(tmp_path / "home", monkeypatch)
    with known(tmp_path / "answers") as (_, reach):
        yield reach


def connected(names: str, **reach: object) -> list[Connection]:
    return [Connection(cluster(name, **reach)) for name in names.split()]


def closed(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()


def test_those_that_answer_do_so_whatever_the_others_do(reach):
    refused = socket.create_server(("127.0.0.1", 0))
    port = refused.getsockname()[1]
    refused.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        connections = [
            *connected("dead", **{**reach, "port": port}),
            *connected("silent", **{**reach, "port": silent.getsockname()[1]}),
            *connected("slow stork", **reach),
        ]
        texts = {"slow": "echo begun >&2; exec sleep 100"}
        found = fabric_group.outcomes(
            connections,
            lambda connection: connection.run(script=texts.get(connection.cluster.name, "echo here")).stdout,
            timeout=3,
        )
        commands = [command for connection in connections for command in connection.processes]
        wait_for(lambda: not any(command.is_running for command in commands if hasattr(command, "is_running")))
    assert list(found) == ["dead", "silent", "slow", "stork"]
    assert "refuses connections" in str(found["dead"])
    assert str(found["silent"]) == "silent: no answer within 3 s.\n  next: invoke doctor silent"
    assert str(found["slow"]) == "slow: no answer within 3 s.\n  next: invoke doctor slow"
    assert found["stork"] == "here\n"
    closed(connections[2:])


def test_they_are_asked_at_the_same_moment(reach):
    connections, meeting = connected("one two three", **reach), threading.Barrier(3, timeout=30)

    def act(connection: Connection) -> int:
        meeting.wait()  # passed by all three or by none
        return int(connection.run(["echo", "1"]).stdout)

    assert fabric_group.outcomes(connections, act) == {"one": 1, "two": 1, "three": 1}
    closed(connections)


def test_a_failure_that_nobody_foresaw_is_raised(reach):
    connections = connected("one two", **reach)
    with pytest.raises(ZeroDivisionError):
        fabric_group.outcomes(connections, lambda connection: 1 // (connection.cluster.name == "one"))
    closed(connections)


@pytest.mark.parametrize("terminal", [True, False])
def test_logins_that_ask_come_one_after_another_behind_the_others(reach, tmp_path, monkeypatch, terminal):
    order = []

    def typed(command: list[str]) -> int:
        """Stand in for ssh that asks, on a terminal that tests don't have: the right password lets her in."""
        order.append(command[-1])
        server.allowed = key
        return 0

    monkeypatch.setattr("rookery.clusters.ssh.connection.foreground.run", typed)
    monkeypatch.setattr("rookery.core.prompts.is_interactive", lambda: terminal)
    with known(tmp_path / "asks") as (server, asking):
        key, server.allowed, server.methods = server.allowed, "another key", "publickey,password"
        connections = [*connected("first second", **asking), *connected("stork", **reach)]
        found = fabric_group.outcomes(
            connections,
            lambda connection: order.append(f"asked {connection.cluster.name}") or connection.run(["echo"]).stdout,
        )
        closed(connections)
    if terminal:
        assert order[:2] == ["asked stork", "first"]
        assert found == {"first": "\n", "second": "\n", "stork": "\n"}
    else:
        assert order == ["asked stork"]
        assert isinstance(found["first"], RookeryError)
        assert found[
            "first"
        ].message == "first: 127.0.0.1 rejected key {} for ada, and wants a password or a code.".format(
            asking["identity_file"]
        )
        assert found["first"].hint.startswith("invoke login first")
        assert found["stork"] == "\n"


def test_a_profile_that_is_not_complete_is_one_cluster_s_failure(reach):
    connections = [*connected("nobody", **{**reach, "user": None}), *connected("stork", **reach)]
    found = fabric_group.outcomes(connections, lambda connection: connection.run(["echo"]).stdout)
    assert "Missing username" in str(found["nobody"])
    assert found["stork"] == "\n"
    closed(connections[1:])
