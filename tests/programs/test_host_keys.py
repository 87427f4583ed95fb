"""Host keys: published ones are believed, others are asked about or refused, changed ones stop everything."""

import io
import subprocess
import sys

import pytest
from ssh_server import cluster, fingerprint, new_key, sshd
from user_home import at_home

from rookery.clusters.ssh import config_file, host_keys
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.host_keys import HostKey

URL = "https://example.org/host-keys"


@pytest.fixture
def home(tmp_path, monkeypatch):
    return at_home(tmp_path / "ho me", monkeypatch)


@pytest.fixture
def server(tmp_path, home):  # noqa: ARG001
    with sshd(tmp_path) as (running, reach):
        running.mine = fingerprint((tmp_path / "host_key.pub").read_text())
        running.reach = reach
        yield running


@pytest.fixture
def other(tmp_path):
    """A public key that is not the server's."""
    return new_key(tmp_path / "other_key")


def told(server, *fingerprints, kind="ssh-ed25519"):
    entries = [{"type": kind, "fingerprint": value} for value in fingerprints]
    return cluster(**server.reach, data={"cluster_host_keys": entries, "cluster_host_keys_url": URL})


def refused(profile, **how) -> SshError:
    with pytest.raises(SshError) as caught:
        Connection(profile).open(batch=True, **how)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_fingerprint_is_the_one_that_ssh_shows(other):
    kind, blob = other.split()[:2]
    assert HostKey("h", kind, blob).fingerprint == fingerprint(other)


def test_unknown_and_unpublished_is_refused_where_nobody_can_be_asked(server):
    profile = cluster(**server.reach)
    error = refused(profile)
    assert error.reason == "unknown-key"
    assert server.mine in error.message
    assert f"--accept-host-key {server.mine}" in error.hint
    assert not config_file.own_known_hosts(profile).exists()
    assert server.logins == 0


def test_vouched_for(server, home):
    profile = cluster(**server.reach)
    connection = Connection(profile)
    connection.open(batch=True, accept_host_key=server.mine)
    assert connection.is_open()
    assert [key.fingerprint for key in host_keys.known_keys(profile)] == [server.mine]
    assert not (home / ".ssh" / "known_hosts").exists()
    connection.close()
    Connection(profile).open(batch=True)  # known from now on
    assert server.logins == 2
    connection.close()


def test_vouched_for_another(server, other):
    error = refused(cluster(**server.reach), accept_host_key=fingerprint(other))
    assert error.reason == "unknown-key"
    assert server.mine in error.message
    assert fingerprint(other) in error.message


def test_published_and_equal(server, capsys):
    connection = Connection(told(server, server.mine))
    connection.open(batch=True)
    assert f"{server.mine} (ssh-ed25519) matches the published one at {URL}" in capsys.readouterr().err
    connection.close()


def test_published_and_different_is_refused_whoever_vouches(server, other):
    profile = told(server, fingerprint(other))
    error = refused(profile, accept_host_key=server.mine)
    assert error.reason == "changed-key"
    assert server.mine in error.message
    assert fingerprint(other) in error.message
    assert URL in error.hint
    assert not config_file.own_known_hosts(profile).exists()


def test_published_in_a_kind_that_the_server_does_not_have(server, other):
    assert refused(told(server, fingerprint(other), kind="ssh-rsa")).reason == "unknown-key"
    assert server.logins == 0


@pytest.mark.parametrize("whose", ["rookery's", "the person's"])
def test_changed(server, other, home, whose):
    profile = cluster(**server.reach)
    file = config_file.own_known_hosts(profile) if whose == "rookery's" else home / ".ssh" / "known_hosts"
    file.parent.mkdir(parents=True, exist_ok=True)
    before = f"# a comment\n{host_keys.host_pattern(profile)} {other}\n"
    file.write_text(before)
    error = refused(profile, accept_host_key=server.mine)
    assert error.reason == "changed-key"
    assert server.mine in error.message
    assert fingerprint(other) in error.message
    assert f"{file}, line 2" in error.message
    assert file.read_text() == before
    assert server.logins == 0


def test_changed_to_the_published_one(server, other):
    profile = told(server, server.mine)
    file = config_file.own_known_hosts(profile)
    file.parent.mkdir(parents=True)
    file.write_text(f"{host_keys.host_pattern(profile)} {other}\n")
    error = refused(profile)
    assert error.reason == "changed-key"
    command = error.hint.partition("   #")[0]
    assert "matches the published one" in error.hint
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)  # what the hint says helps
    Connection(profile).open(batch=True)
    Connection(profile).close()


def test_a_new_kind_of_key_is_no_way_around_a_known_one(server, tmp_path):
    profile = cluster(**server.reach)
    file = config_file.own_known_hosts(profile)
    file.parent.mkdir(parents=True)
    file.write_text(f"{host_keys.host_pattern(profile)} {new_key(tmp_path / 'ecdsa_key', 'ecdsa')}\n")
    assert refused(profile, accept_host_key=server.mine).reason == "changed-key"


def test_known_under_a_hashed_name(server, home, tmp_path):
    profile = cluster(**server.reach)
    file = home / ".ssh" / "known_hosts"
    file.parent.mkdir()
    file.write_text(f"{host_keys.host_pattern(profile)} {(tmp_path / 'host_key.pub').read_text()}")
    subprocess.run(["ssh-keygen", "-H", "-f", str(file)], check=True, capture_output=True)
    assert [key.fingerprint for key in host_keys.known_keys(profile)] == [server.mine]
    Connection(profile).open(batch=True)
    Connection(profile).close()


@pytest.mark.parametrize(
    ("answer", "agreed"), [("yes", True), ("{mine}", True), ("y", False), ("no", False), ("", False)]
)
def test_asked(server, monkeypatch, capsys, answer, agreed):
    profile = cluster(**server.reach)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer.format(mine=server.mine) + "\n"))
    if agreed:
        Connection(profile).open(batch=False)
        assert host_keys.known_keys(profile)
        Connection(profile).close()
    else:
        with pytest.raises(SshError):
            Connection(profile).open(batch=False)
        assert not host_keys.known_keys(profile)
    assert f"{server.mine} (ssh-ed25519)" in capsys.readouterr().err


def test_storing_keeps_what_is_there(tmp_path, home, other):  # noqa: ARG001
    file = tmp_path / "known hosts"
    file.write_text("a ssh-ed25519 AAAA")  # without a line break at its end
    kind, blob = other.split()[:2]
    host_keys.store(file, HostKey("[h]:22", kind, blob))
    assert file.read_text() == f"a ssh-ed25519 AAAA\n[h]:22 {kind} {blob}\n"
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".known")] == []
