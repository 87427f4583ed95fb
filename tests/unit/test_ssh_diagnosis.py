"""Each way in which a login fails, brought about for real and told apart."""

import socket
import threading
from pathlib import Path

import pytest
from ssh_server import cluster, new_key
from user_home import at_home

from rookery.clusters.ssh import config_file
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.diagnosis import explain
from rookery.clusters.ssh.errors import SshError


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    at_home(tmp_path / "ho me", monkeypatch)
    monkeypatch.setattr(config_file, "CONNECT_TIMEOUT", 1)


def failure(**changes) -> SshError:
    with pytest.raises(SshError) as caught:
        Connection(cluster(**changes)).open(batch=True)
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith("birds: ")
    assert caught.value.hint
    return caught.value


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_no_such_host():
    error = failure(host="nowhere.invalid")
    assert error.reason == "unresolved"
    assert "nowhere.invalid" in error.message


def test_refused(closed_port):
    error = failure(port=closed_port)
    assert error.reason == "refused"
    assert str(closed_port) in error.message


def test_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = failure(
            port=mute.getsockname()[1], data={"cluster_vpn": {"needed": "off_campus", "name": "Campus VPN"}}
        )
    assert error.reason == "no-answer"
    assert "are you online, and is the Campus VPN on?" in error.message
    assert error.hint == "check your network and Campus VPN, then run the command again"


@pytest.mark.parametrize(
    ("vpn", "question", "hint"),
    [
        (
            {"needed": "unknown"},
            "are you online, and is the VPN on, if it needs one?",
            "check your network and the VPN,",
        ),
        ({"needed": "never"}, "are you online?", "check your network, then"),
        ({}, "are you online?", "check your network, then"),
        (
            {"needed": "always", "name": "Campus VPN", "url": "https://vpn.example"},
            "are you online, and is the Campus VPN on?",
            "check your network and Campus VPN (https://vpn.example), then",
        ),
    ],
)
def test_a_host_that_is_not_found_may_need_a_vpn(vpn, question, hint):
    error = failure(host="nowhere.invalid", data={"cluster_vpn": vpn})
    assert error.message.endswith(f": {question}")
    assert error.hint.startswith(hint)


def hang_up(server):
    server.accept()[0].close()


def test_hung_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        assert failure(port=server.getsockname()[1]).reason == "dropped"


def test_no_key_file(tmp_path):
    error = failure(identity_file=str(tmp_path / "no key"))
    assert error.reason == "identity"
    assert str(tmp_path / "no key") in error.message


def test_key_in_the_agent_only(tmp_path, closed_port):
    new_key(tmp_path / "id")
    (tmp_path / "id").unlink()
    assert failure(identity_file=str(tmp_path / "id"), port=closed_port).reason == "refused"


def test_key_that_others_can_read(tmp_path):
    new_key(tmp_path / "my id")
    (tmp_path / "my id").chmod(0o644)
    error = failure(identity_file=str(tmp_path / "my id"))
    assert error.reason == "identity"
    assert error.hint == f"chmod 600 '{tmp_path}/my id'"


def test_config_that_ssh_does_not_understand():
    own = Path.home() / ".ssh" / "config"
    own.parent.mkdir()
    own.write_text("Host x\n  Frobnicate yes\n")
    error = failure()
    assert "line 2" in error.message
    assert str(own) in error.message


@pytest.mark.parametrize("jump", ["nowhere.invalid", "me@nowhere.invalid:22,other"])
def test_no_such_jump_host(jump):
    error = failure(proxy_jump=jump)
    assert error.reason == "jump"
    assert "nowhere.invalid" in error.message


def test_jump_host_refuses(closed_port):
    error = failure(proxy_jump=f"127.0.0.1:{closed_port}")
    assert error.reason == "jump"
    assert error.hint.startswith(f"ssh ssh://127.0.0.1:{closed_port}")


def test_too_many_keys():
    text = (
        "Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures\r\nDisconnected from 127.0.0.1"
    )
    assert explain(cluster(), text, batch=True).reason == "too-many-keys"


def test_whatever_else_is_quoted():
    error = explain(cluster(), "Warning: something\nsomething new went wrong\n", batch=True)
    assert error.reason == "other"
    assert "something new went wrong" in error.message
