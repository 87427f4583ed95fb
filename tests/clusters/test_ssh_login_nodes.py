"""The connection to real login nodes: OpenSSH's own sshd, refusals told apart, every tool over one login."""

import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from connections import line_of
from waiting import wait_for

from rookery.clusters.cluster import Cluster
from rookery.clusters.ssh import user_settings
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.fabric_connection import FabricConnection
from rookery.core.errors import RookeryError
from rookery.support.onboarding import key as key_

pytestmark = pytest.mark.cluster


def master(connection: Connection) -> int:
    completed = subprocess.run(
        [*connection.ssh, "-O", "check", connection.cluster.name], capture_output=True, text=True, check=True
    )
    return int(re.search(r"pid=(\d+)", completed.stderr)[1])


def test_a_master_is_found_again(account, penguins, opened):
    connection = opened(account(penguins, "beth"))
    again = Connection(connection.cluster)
    again.open(batch=True)
    assert line_of(again) == line_of(connection)


def test_a_killed_master_is_replaced(account, penguins, opened):
    connection = opened(account(penguins, "beth"))
    before, pid = line_of(connection), master(connection)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not connection.is_open())
    connection.open(batch=True)
    assert line_of(connection) != before


def test_a_connection_that_the_cluster_ended_is_replaced(account, penguins, opened):
    connection = opened(account(penguins, "beth"))
    before = line_of(connection)
    with pytest.raises(SshError) as caught:
        connection.run(script="kill -KILL $PPID; sleep 60")
    assert caught.value.reason == "lost"
    assert not connection.is_open()
    connection.open(batch=True)
    assert line_of(connection) != before


def test_a_connection_that_hangs_is_replaced(account, penguins, opened, monkeypatch):
    connection = opened(account(penguins, "beth"))
    before, server = line_of(connection), connection.run(script="echo $PPID").stdout.strip()
    with pytest.raises(RookeryError, match="took longer"):
        connection.run(["kill", "-STOP", server], timeout=5)
    monkeypatch.setattr("rookery.clusters.ssh.connection.FRESH", 0)
    monkeypatch.setattr("rookery.clusters.ssh.connection.ANSWER", 1)
    connection.open(batch=True)
    assert line_of(connection) != before
    connection.run(["kill", "-KILL", server])


def refused(cluster: Cluster) -> SshError:
    with pytest.raises(SshError) as caught:
        Connection(cluster).open(batch=True)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_wrong_user_and_a_wrong_key_and_a_closed_port(account, penguins, tmp_path):
    cluster = account(penguins, "beth")
    assert refused(replace(cluster, user="nobody-here")).reason == "denied"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "a key")], check=True)
    error = refused(replace(cluster, user="beth", identity_file=str(tmp_path / "a key"), name="other"))
    assert error.reason == "denied"
    assert str(tmp_path / "a key") in error.message
    assert "beth" in error.message
    assert refused(replace(cluster, port=1, name="other")).reason == "refused"


def test_host_keys(account, penguins, tmp_path):
    cluster = replace(account(penguins, "beth"), known_hosts_file=str(tmp_path / "known hosts"))
    keys = cluster.data["cluster_host_keys"]
    silent = replace(cluster, data={key: value for key, value in cluster.data.items() if key != "cluster_host_keys"})
    wrong = replace(
        cluster, data={**cluster.data, "cluster_host_keys": [{**keys[0], "fingerprint": "SHA256:" + "A" * 43}]}
    )
    assert refused(silent).reason == "unknown-key"
    assert refused(wrong).reason == "changed-key"
    assert not (tmp_path / "known hosts").exists()
    Connection(cluster).open(batch=True)
    Connection(cluster).close()
    known = (tmp_path / "known hosts").read_text()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "k")], check=True)
    other = " ".join((tmp_path / "k.pub").read_text().split()[:2])
    (tmp_path / "known hosts").write_text(f"{known.split()[0]} {other}\n")
    error = refused(silent)
    assert error.reason == "changed-key"
    assert keys[0]["fingerprint"] in error.message


def test_fabric_on_two_clusters_at_once(account, penguins, hec, opened, capsys):
    from fabric import ThreadingGroup
    from fabric.runners import Result

    connections = [opened(account(penguins, "beth")), opened(account(hec, "beth"))]
    fabrics = [FabricConnection(connection) for connection in connections]
    results = ThreadingGroup.from_connections(fabrics).run("echo $SSH_CONNECTION; exit 3", hide=True, warn=True)
    assert [results[fabric].stdout.strip() for fabric in fabrics] == [line_of(connection) for connection in connections]
    assert all(isinstance(result, Result) and result.exited == 3 for result in results.values())
    assert all(fabric.transport is None for fabric in fabrics)
    with capsys.disabled():  # invoke's terminal needs the real standard output
        completed = fabrics[0].run("tty", hide=True, pty=True, fallback=False, in_stream=False)
    assert completed.stdout.startswith("/dev/pts/")


def test_one_login_for_every_tool(account, penguins, opened, tmp_path):
    """Each tool tells which fabric its other end was started by."""
    connection = opened(account(penguins, "beth"))
    line, tell = line_of(connection), "echo $SSH_CONNECTION >>lines; "
    name, joined = connection.cluster.name, shlex.join(connection.ssh)
    (tmp_path / "a file").write_text("content")
    connection.run(["sh", "-c", "rm -f lines; git init -q repo"])
    FabricConnection(connection).run(f"{tell} true", hide=True)
    environment = {
        **os.environ,
        **connection.ansible_environment(),
        "GIT_SSH_COMMAND": joined,
        "GIT_SSH_VARIANT": "ssh",
    }
    (tmp_path / "hosts.yml").write_text(f"all: {{hosts: {{{name}: }}}}\n")
    extra = '{"ansible_host": "{{ inventory_hostname }}", "ansible_python_interpreter": "auto_silent"}'
    ansible = [str(Path(sys.executable).with_name("ansible")), "-i", str(tmp_path / "hosts.yml"), name, "-e", extra]
    for command in (
        [*ansible, "-m", "raw", "-a", f"{tell} true"],
        [*ansible, "-m", "command", "-a", f"sh -c {shlex.quote(tell + 'true')}"],
        ["rsync", "-a", "-e", joined, f"--rsync-path={tell} rsync", str(tmp_path / "a file"), f"{name}:"],
        ["git", "ls-remote", f"--upload-pack={tell} git-upload-pack", f"{name}:repo"],
        ["scp", *connection.ssh[1:], str(tmp_path / "a file"), f"{name}:other"],
    ):
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert connection.run(["cat", "lines"]).stdout.splitlines() == [line] * 5
    assert connection.run(["cat", "a file", "other"]).stdout == "contentcontent"


OF_EVERY_HOST = """Host *
    RemoteCommand echo mine
    RequestTTY force
    ForkAfterAuthentication yes
    SessionType none
    StdinNull yes
    PermitLocalCommand yes
    LocalCommand touch {ran}
    ExitOnForwardFailure yes
    LocalForward 22 localhost:22
    ForwardX11 yes
    LogLevel QUIET
"""


def test_what_the_users_configuration_says(account, penguins, tmp_path, monkeypatch):
    """Of every host: it breaks nothing. Of the full name: a port, and a key that is good by its certificate alone."""
    cluster = account(penguins, "beth")
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    for key, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_STATE_HOME", ".local/state"), ("HOME", "")):
        monkeypatch.setenv(key, str(home / folder))
    for name in ("authority", "mine"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    sign = [
        "ssh-keygen",
        "-q",
        "-s",
        str(tmp_path / "authority"),
        "-I",
        "beth",
        "-n",
        "beth",
        str(tmp_path / "mine.pub"),
    ]
    subprocess.run(sign, check=True)
    certificate = (tmp_path / "mine-cert.pub").rename(tmp_path / "a certificate")
    line = f"cert-authority {(tmp_path / 'authority.pub').read_text().strip()}"
    penguins.root_run(["sh", "-c", "cat >>/home/beth/.ssh/authorized_keys"], stdin=f"{line}\n")
    of_this = f"Host {cluster.host}\n  Port {cluster.port}\n  IdentityFile {tmp_path}/mine\n"
    of_this += f'  CertificateFile "{certificate}"\n'
    (home / ".ssh/config").write_text(of_this + OF_EVERY_HOST.format(ran=tmp_path / "ran"))
    plain = replace(cluster, sandbox=False, port=1, identity_file=None)
    connection = Connection(user_settings.applied(plain, {"cluster_user"}))
    assert not key_.is_needed(connection, ask=False)
    connection.open(batch=True)
    try:
        assert connection.run(script="cat", input=b"given", timeout=120).stdout == "given"
        (tmp_path / "a file").write_text("content")
        for command in (
            ["rsync", "-a", "-e", shlex.join(connection.ssh), str(tmp_path / "a file"), f"{cluster.name}:from here"],
            ["scp", *connection.ssh[1:], str(tmp_path / "a file"), f"{cluster.name}:from here too"],
        ):
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        assert connection.run(["cat", "from here", "from here too"]).stdout == "contentcontent"
    finally:
        connection.close()
    assert not (tmp_path / "ran").exists()
    (home / ".ssh/config").write_text(of_this.partition("  CertificateFile")[0])
    assert key_.is_needed(Connection(user_settings.applied(plain, {"cluster_user"})), ask=False)
