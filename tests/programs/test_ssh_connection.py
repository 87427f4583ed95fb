"""The connection to a cluster: one login, a master that is found again or replaced, commands and Fabric through it."""

import os
import re
import shlex
import signal
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest
from home_helpers import is_running
from ssh_server import cluster, fingerprint, sshd
from user_home import at_home
from waiting import wait_for

from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh import fabric_connection, process, startup_files, user_settings
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.fabric_connection import FabricConnection
from rookery.core.errors import RookeryError
from rookery.support.onboarding import key as onboard_key


@pytest.fixture
def server(tmp_path, monkeypatch):
    at_home(tmp_path / """ho me's "x" 100% $y""", monkeypatch)
    with sshd(tmp_path) as (running, reach):
        running.reach = reach
        running.mine = fingerprint((tmp_path / "host_key.pub").read_text())
        yield running


@pytest.fixture
def connection(server):
    opened = Connection(cluster(**server.reach))
    opened.open(batch=True, accept_host_key=server.mine)
    yield opened
    opened.close()


def master(connection: Connection) -> int:
    """The master's process id."""
    done = subprocess.run(
        [*connection.ssh, "-O", "check", connection.cluster.name], capture_output=True, text=True, check=True
    )
    return int(re.search(r"pid=(\d+)", done.stderr)[1])


def ended(pid: int) -> None:
    """Wait until a process is gone."""
    wait_for(lambda: not is_running(pid))


def test_the_master_is_found_again(connection, server):
    for _ in range(3):
        Connection(connection.cluster).open(batch=True)
        assert Connection(connection.cluster).run(["echo", "a  b"]).stdout == "a  b\n"
    assert server.logins == 1


def test_a_killed_master_is_replaced(connection, server):
    pid = master(connection)
    os.kill(pid, signal.SIGKILL)
    ended(pid)
    assert not connection.is_open()
    connection.open(batch=True)
    assert connection.run(["true"]).ok
    assert server.logins == 2


def test_a_master_whose_connection_hangs_is_replaced(connection, server, monkeypatch):
    monkeypatch.setattr("rookery.clusters.ssh.connection.FRESH", 0)
    monkeypatch.setattr("rookery.clusters.ssh.connection.ANSWER", 1)
    monkeypatch.setattr("rookery.clusters.ssh.connection.ANSWER_HERE", 0.5)
    pid = master(connection)
    os.kill(pid, signal.SIGSTOP)
    try:
        connection.open(batch=True)
        assert connection.run(["true"]).ok
        assert server.logins == 2
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_closed_connection_is_replaced(connection, server):
    server.transports[-1].close()
    connection.open(batch=True)
    assert connection.run(["true"]).ok
    assert server.logins == 2


def test_closing(connection):
    connection.close()
    assert not connection.is_open()
    connection.close()


def test_two_at_once_log_in_once(server):
    Connection(cluster(**server.reach)).open(batch=True, accept_host_key=server.mine)
    Connection(cluster(**server.reach)).close()
    before = server.logins
    connections = [Connection(cluster(**server.reach)) for _ in range(5)]
    threads = [threading.Thread(target=connection.open, args=(True,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(connection.is_open() for connection in connections)
    assert server.logins == before + 1
    connections[0].close()


def denied(profile) -> SshError:
    with pytest.raises(SshError) as caught:
        Connection(profile).open(batch=True)
    assert caught.value.reason == "denied"
    return caught.value


@pytest.mark.usefixtures("connection")
def test_wrong_user(server):
    error = denied(cluster("else", **{**server.reach, "user": "eve"}))
    assert "eve" in error.message
    assert server.reach["identity_file"] in error.message
    assert "--user" in error.hint


@pytest.mark.usefixtures("connection")
def test_a_password_would_be_asked_for(server):
    server.methods = "publickey,password"
    error = denied(cluster("else", **{**server.reach, "user": "eve"}))
    assert "password" in error.message
    assert "terminal" in error.hint


def test_a_script_with_arguments_and_input(connection):
    done = connection.run(
        ["it's", "a\nb!"], script='cat; printf "%s|" "$@"; echo oops >&2; exit 7', input=b"in\n", check=False
    )
    assert (done.stdout, done.stderr, done.exit, done.ok) == ("in\nit's|a\nb!|", "oops\n", 7, False)


def test_a_script_too_long_for_an_argument(connection):
    script = f"# {'x' * 200_000}\ncat; echo $1"
    assert connection.run(["end"], script=script, input=b"given\n").stdout == "given\nend\n"


def test_a_failing_command_is_one_line(connection):
    with pytest.raises(RookeryError, match=r"ls /none failed on the cluster \(exit status 2\): ls: .*none"):
        connection.run(["ls", "/none"])


def test_exit_255_of_a_command_is_its_own(connection):
    assert connection.run(script="echo lost >&2; exit 255", check=False).stderr == "lost\n"


def test_a_command_may_take_too_long(connection):
    with pytest.raises(RookeryError, match=r"sleep 60 took longer than 0\.2 s"):
        connection.run(["sleep", "60"], timeout=0.2)


@pytest.mark.parametrize("heard", [None, lambda _: None], ids=["plain", "followed"])
def test_a_command_that_does_not_begin_in_time_is_told_as_that(connection, server, monkeypatch, heard):
    monkeypatch.setattr(process, "FIRST_ANSWER", 0.5)
    monkeypatch.setattr(startup_files, "PATIENCE", 0.5)
    server.profile = "sleep 5"
    with pytest.raises(SshError, match="commands do not start") as raised:
        connection.begin("true", on_line=heard).finish()
    assert raised.value.reason == startup_files.HANGS
    with pytest.raises(SshError, match="commands do not start"):
        list(remote_client.stream(connection, "host", {"verb": "find", "name": "none"}))
    monkeypatch.setattr(fabric_connection, "FIRST_ANSWER", 0.5)
    with pytest.raises(SshError, match="commands do not start"):
        FabricConnection(connection).run("true", hide=True)


@pytest.mark.parametrize("line", ["read -r answer", "cat", "head -c 1 >/dev/null"])
def test_start_up_files_that_read_the_input(connection, server, line):
    """A command with an input does not begin; one without is none the wiser."""
    server.profile = line
    for size in (10, 200_000):
        with pytest.raises(SshError, match="reads the input of commands") as raised:
            connection.run(["cat"], input=b"x" * size)
        assert raised.value.reason == startup_files.TAKES_INPUT
    assert connection.run(["echo", "hello"]).stdout == "hello\n"
    server.profile = ":"
    assert connection.run(["cat"], input=b"x" * 200_000).stdout == "x" * 200_000


@pytest.mark.parametrize("code", [0, 1])
def test_start_up_files_that_end_the_shell_are_named_by_programs_too(connection, server, code):
    server.profile = f"exit {code}"
    with pytest.raises(SshError, match="end the shell before a command runs") as raised:
        list(remote_client.stream(connection, "host", {"verb": "find", "name": "none"}))
    assert raised.value.reason == "startup"


def test_start_up_files_that_print(connection, server):
    server.profile = "echo welcome; printf 'no line break'; echo warning >&2"
    done = connection.run(["echo", "hello"])
    assert (done.stdout, done.stderr) == ("hello\n", "")
    assert "welcome" in done.noise
    assert "warning" in done.noise
    result = FabricConnection(connection).run("echo hello; echo bad >&2", hide=True)
    assert (result.stdout, result.stderr) == ("hello\n", "bad\n")


@pytest.mark.parametrize("code", [0, 3])
def test_start_up_files_that_end_the_shell(connection, server, code):
    server.profile = f"echo bye; exit {code}"
    for run in (
        lambda: connection.run(["true"]),
        lambda: FabricConnection(connection).run("true", hide=True, warn=True),
    ):
        with pytest.raises(SshError, match="start-up files") as caught:
            run()
        assert caught.value.reason == "startup"
        assert "bye" in caught.value.message


def test_a_connection_lost_in_mid_command(connection, server):
    timer = threading.Timer(0.3, server.transports[-1].close)
    timer.start()
    with pytest.raises(SshError) as caught:
        connection.run(["sleep", "60"])
    assert caught.value.reason == "lost"


def test_fabric(connection, server):
    fabric = FabricConnection(connection)
    result = fabric.run("""printf '%s|' "$0" "$FOO" "it's"; exit 3""", hide=True, warn=True, env={"FOO": "a 'b' $c"})
    assert result.stdout.endswith("|a 'b' $c|it's|")
    assert (result.exited, result.failed, result.connection) == (3, True, fabric)
    with fabric.cd("/"):
        assert fabric.run("pwd", hide=True).stdout == "/\n"
    assert fabric.transport is None  # paramiko has connected to nothing
    assert fabric.is_connected
    assert server.logins == 1


def test_fabric_opens_and_leaves_open(server):
    Connection(cluster(**server.reach)).open(batch=True, accept_host_key=server.mine)
    connection = Connection(cluster(**server.reach))
    connection.close()
    with FabricConnection(connection) as fabric:
        assert not fabric.is_connected
        fabric.run("true", hide=True)
        assert fabric.is_connected
    assert connection.is_open()
    connection.close()


def test_what_ansible_and_git_get_reaches_the_cluster(connection, server):
    environment = connection.ansible_environment()
    arguments = shlex.split(environment["ANSIBLE_SSH_ARGS"])
    assert any(part.startswith("ControlPath=") for part in arguments)
    assert any(part.startswith("ControlPersist=") for part in arguments)
    done = subprocess.run(["ssh", *arguments, "birds", "echo there"], capture_output=True, text=True, check=True)
    assert done.stdout == "there\n"
    line = f"{shlex.join(connection.ssh)} birds 'echo there'"
    assert subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout == "there\n"
    assert server.logins == 1


OF_EVERY_HOST = {
    "remote-command": "RemoteCommand echo mine",
    "terminal": "RequestTTY force",
    "background": "ForkAfterAuthentication yes",
    "session": "SessionType none",
    "subsystem": "SessionType subsystem",
    "no-input": "StdinNull yes",
    "local-command": "PermitLocalCommand yes\n  LocalCommand touch {there}/ran",
    "taken-port": "ExitOnForwardFailure yes\n  LocalForward {port} localhost:22",
    "taken-port-there": "ExitOnForwardFailure yes\n  RemoteForward 22 localhost:22",
    "proxy": "ExitOnForwardFailure yes\n  DynamicForward {port}",
    "tunnel": "ExitOnForwardFailure yes\n  Tunnel yes",
    "sharing": "ControlMaster yes\n  ControlPath {there}/mine\n  ControlPersist no",
    "newer": "IgnoreUnknown UseKeychain\n  UseKeychain yes",
}
"""What people have for `Host *`, and what each would do to a program that uses ssh."""


@pytest.mark.parametrize("option", OF_EVERY_HOST.values(), ids=OF_EVERY_HOST)
def test_what_the_users_configuration_says_of_every_host_breaks_nothing(server, option, tmp_path):
    home = Path.home()
    (home / ".ssh").mkdir()
    (home / ".ssh/config").write_text("Host *\n  " + option.format(there=tmp_path, port=server.port) + "\n")
    connection = Connection(cluster(**server.reach))
    connection.open(batch=True, accept_host_key=server.mine)
    try:
        assert connection.run(script="cat", input=b"given", timeout=120).stdout == "given"
        assert FabricConnection(connection).run("echo there", hide=True, timeout=120).stdout == "there\n"
        for ssh in (
            connection.ssh,
            [*connection.ssh, "-o", "ControlPath=none"],
        ):  # as rsync and git use it; as a key is tried
            done = subprocess.run(
                [*ssh, "birds", "cat"], input="given", capture_output=True, text=True, timeout=120, check=False
            )
            assert (done.returncode, done.stdout) == (0, "given"), done.stderr
        assert connection.is_open()
    finally:
        connection.close()
    assert not (tmp_path / "ran").exists()


def test_why_ssh_failed_is_known_where_the_user_wants_it_quiet(server):
    (Path.home() / ".ssh").mkdir()
    (Path.home() / ".ssh/config").write_text("Host *\n  LogLevel QUIET\n")
    profile = cluster(**{**server.reach, "user": "eve"})
    with pytest.raises(SshError) as caught:
        Connection(profile).open(batch=True, accept_host_key=server.mine)
    assert caught.value.reason == "denied"


def test_what_the_users_configuration_says_of_the_full_name_opens_the_cluster(server, tmp_path):
    """Port, username and key by ~/.ssh/config; the key then by an agent of its own instead."""
    home = Path.home()
    (home / ".ssh").mkdir()
    key = server.reach["identity_file"]
    profile = cluster(port=1)
    text = f"Host 127.0.0.1\n  Port {server.port}\n  IdentityFile '{key}'\n  IdentitiesOnly yes\n"
    (home / ".ssh/config").write_text(text)
    connection = Connection(user_settings.applied(profile, ()))
    connection.open(batch=True, accept_host_key=server.mine)
    assert connection.run(["echo", "there"]).stdout == "there\n"
    connection.close()
    agent = str(tmp_path / "an agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL) as process:
        try:
            add = partial(subprocess.run, ["ssh-add", "-q", key], env={**os.environ, "SSH_AUTH_SOCK": agent})
            wait_for(lambda: add(check=False).returncode == 0)
            (home / ".ssh/config").write_text(f"Match host 127.*\n  Port {server.port}\n  IdentityAgent '{agent}'\n")
            connection = Connection(user_settings.applied(profile, ()))
            assert onboard_key.is_needed(connection, ask=False) is False
            connection.open(batch=True)
            connection.close()
            (home / ".ssh/config").write_text(f"Host 127.*\n  Port {server.port}\n")
            assert onboard_key.is_needed(Connection(user_settings.applied(profile, ())), ask=False) is True
        finally:
            process.terminate()
    with pytest.raises(SshError) as caught:
        onboard_key.is_needed(Connection(user_settings.applied(cluster(port=1), {"cluster_port"})), ask=False)
    assert caught.value.reason == "refused"


def test_a_key_is_taken_only_where_it_is(server):
    """A server that takes no keys at all has not taken this one."""
    Path.home().joinpath("other").touch()
    connection = Connection(cluster(**{**server.reach, "user": "eve"}))
    with pytest.raises(SshError):
        connection.open(batch=True, accept_host_key=server.mine)
    server.methods = "password"
    assert not onboard_key.opens(connection)
    assert onboard_key.opens(
        Connection(cluster(**{**server.reach, "user": "eve"}, data={"cluster_logins": ["key+totp"]}))
    )


def test_a_key_of_the_users_configuration_that_is_locked_is_named(server, tmp_path):
    key = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(key)], check=True)
    (Path.home() / ".ssh").mkdir()
    (Path.home() / ".ssh/config").write_text(f"Host 127.*\n  Port {server.port}\n  IdentityFile {key}\n")
    with pytest.raises(SshError, match=f"your key {key} has a passphrase"):
        Connection(user_settings.applied(cluster(), ())).open(batch=True, accept_host_key=server.mine)
