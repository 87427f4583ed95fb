"""The connection to real login nodes: OpenSSH's own sshd, every login shell, every tool over one login, tmux."""

import atexit
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from live import Live

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh import fabric_connection, startup_files, user_settings
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.fabric_connection import FabricConnection
from rookery.core.errors import RookeryError
from rookery.support.onboarding import key as key_

pytestmark = pytest.mark.cluster

SHELLS = {"bina": "/bin/bash", "zoe": "/usr/bin/zsh", "fin": "/usr/bin/fish", "tess": "/bin/tcsh"}
Account = Callable[..., Cluster]
ODD = ["a  b", "it's", 'say "hi"!', "$HOME `id` $(id)", "two\nlines", "back\\slash \\n %s", "é ✓", "-n", "*", "~", ""]


def sockets(tmp_path: Path) -> Path:
    """A folder for sockets whose path is short enough."""
    folder = Path("/tmp") / f"rk-{tmp_path.stat().st_ino}"
    folder.mkdir(mode=0o700, exist_ok=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def made() -> set[tuple[str, str]]:
    """The accounts that there are by now: cluster and name."""
    return set()


@pytest.fixture
def account(penguins: Live, made: set[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Makes an account on a miniature, where it is not there yet; this process is the person whom it belongs to."""
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(key, penguins.environment[key])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets(tmp_path)))

    def account(live: Live, name: str, shell: str = "/bin/bash") -> Cluster:
        cluster = live.miniature.name
        if (cluster, name) not in made:
            live.add_user(name, shell)
            made.add((cluster, name))
        return replace(profile.load(cluster, profile.sources(sandbox=True)), user=name)

    return account


@pytest.fixture
def opened(account):  # noqa: ARG001 (whose home the connections are closed in)
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


def master(connection: Connection) -> int:
    completed = subprocess.run(
        [*connection.ssh, "-O", "check", connection.cluster.name], capture_output=True, text=True, check=True
    )
    return int(re.search(r"pid=(\d+)", completed.stderr)[1])


def until(condition, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_master_is_found_again(account, penguins, opened):
    connection = opened(account(penguins, "bina"))
    again = Connection(connection.cluster)
    again.open(batch=True)
    assert line_of(again) == line_of(connection)


def test_a_killed_master_is_replaced(account, penguins, opened):
    connection = opened(account(penguins, "bina"))
    before, pid = line_of(connection), master(connection)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not connection.is_open())
    connection.open(batch=True)
    assert line_of(connection) != before


def test_a_connection_that_the_cluster_ended_is_replaced(account, penguins, opened):
    connection = opened(account(penguins, "bina"))
    before = line_of(connection)
    with pytest.raises(SshError) as caught:
        connection.run(script="kill -KILL $PPID; sleep 60")
    assert caught.value.reason == "lost"
    assert not connection.is_open()
    connection.open(batch=True)
    assert line_of(connection) != before


def test_a_connection_that_hangs_is_replaced(account, penguins, opened, monkeypatch):
    connection = opened(account(penguins, "bina"))
    before, server = line_of(connection), connection.run(script="echo $PPID").stdout.strip()
    with pytest.raises(RookeryError, match="took longer"):
        connection.run(["kill", "-STOP", server], timeout=1)
    monkeypatch.setattr("rookery.clusters.ssh.connection.FRESH", 0)
    monkeypatch.setattr("rookery.clusters.ssh.connection.ANSWER", 1)
    connection.open(batch=True)
    assert line_of(connection) != before
    connection.run(["kill", "-KILL", server])


@pytest.mark.parametrize("name", SHELLS)
def test_every_login_shell(account, hec, opened, name):
    connection = opened(account(hec, name, SHELLS[name]))
    script = "for word; do printf '%s\\0' \"$word\"; done; cat"
    assert connection.run(ODD, script=script, input=b"in").stdout == "".join(f"{word}\0" for word in ODD) + "in"
    assert connection.run(["printf", "%s|", *ODD]).stdout == "".join(f"{word}|" for word in ODD)
    assert connection.run(["echo", "x" * 100_000]).stdout == "x" * 100_000 + "\n"
    assert connection.run(["é" * 100_000], script='echo "$1"; cat', input=b"in").stdout == "é" * 100_000 + "\nin"
    result = FabricConnection(connection).run('for x in \'a b\' "it\'s"; do echo "$x"; done', hide=True)
    assert result.stdout == "a b\nit's\n"


def test_start_up_files_that_keep_sftp_waiting(account, hec, opened, monkeypatch, tmp_path):
    connection = opened(account(hec, "idle"))
    connection.run(script="echo 'sleep 20' >~/.bashrc.new && mv ~/.bashrc.new ~/.bashrc")
    monkeypatch.setattr(fabric_connection, "FIRST_ANSWER", 1)
    monkeypatch.setattr(startup_files, "PATIENCE", 1)
    with pytest.raises(SshError, match="commands do not begin there"):
        FabricConnection(connection).get(".profile", str(tmp_path / "it"))


def refused(cluster: Cluster) -> SshError:
    with pytest.raises(SshError) as caught:
        Connection(cluster).open(batch=True)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_wrong_user_and_a_wrong_key_and_a_closed_port(account, penguins, tmp_path):
    cluster = account(penguins, "bina")
    assert refused(replace(cluster, user="nobody-here")).reason == "denied"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "a key")], check=True)
    error = refused(replace(cluster, user="bina", identity_file=str(tmp_path / "a key"), name="other"))
    assert error.reason == "denied"
    assert str(tmp_path / "a key") in error.message
    assert "bina" in error.message
    assert refused(replace(cluster, port=1, name="other")).reason == "refused"


def test_host_keys(account, penguins, tmp_path):
    cluster = replace(account(penguins, "bina"), known_hosts_file=str(tmp_path / "known hosts"))
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


def test_start_up_files_that_print_and_that_exit(account, penguins, opened, tmp_path):
    connection = opened(account(penguins, "nuno"))
    home = connection.run(["pwd"]).stdout.strip()
    write = f"printf '%s\\n' 'echo welcome' 'echo warning >&2' >{home}/.bashrc"
    penguins.root_run(["sh", "-c", write])
    completed = connection.run(["echo", "hello"])
    assert (completed.stdout, completed.stderr) == ("hello\n", "")
    assert set(completed.noise.split()) == {"welcome", "warning"}
    fabric = FabricConnection(connection)
    (tmp_path / "up").write_text("content")
    fabric.put(str(tmp_path / "up"), "there")
    fabric.get("there", str(tmp_path / "down"))
    assert (tmp_path / "down").read_text() == "content"
    fabric.close()
    penguins.root_run(["sh", "-c", f"echo exit >{home}/.bashrc"])
    with pytest.raises(SshError) as caught:
        connection.run(["true"])
    assert caught.value.reason == "startup"


def test_fabric_on_two_clusters_at_once(account, penguins, hec, opened, capsys):
    from fabric import ThreadingGroup
    from fabric.runners import Result

    connections = [opened(account(penguins, "bina")), opened(account(hec, "bina"))]
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
    connection = opened(account(penguins, "bina"))
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
    cluster = account(penguins, "bina")
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
        "bina",
        "-n",
        "bina",
        str(tmp_path / "mine.pub"),
    ]
    subprocess.run(sign, check=True)
    certificate = (tmp_path / "mine-cert.pub").rename(tmp_path / "a certificate")
    line = f"cert-authority {(tmp_path / 'authority.pub').read_text().strip()}"
    penguins.root_run(["sh", "-c", "cat >>/home/bina/.ssh/authorized_keys"], stdin=f"{line}\n")
    of_this = f"Host {cluster.host}\n  Port {cluster.port}\n  IdentityFile {tmp_path}/mine\n"
    of_this += f'  CertificateFile "{certificate}"\n'
    (home / ".ssh/config").write_text(of_this + OF_EVERY_HOST.format(ran=tmp_path / "ran"))
    plain = replace(cluster, sandbox=False, port=1, identity_file=None)
    connection = Connection(user_settings.applied(plain, {"cluster_user"}))
    assert not key_.is_needed(connection, ask=False)
    connection.open(batch=True)
    try:
        assert connection.run(script="cat", input=b"given", timeout=20).stdout == "given"
        (tmp_path / "a file").write_text("content")
        for command in (
            ["rsync", "-a", "-e", shlex.join(connection.ssh), str(tmp_path / "a file"), f"{cluster.name}:from here"],
            ["scp", *connection.ssh[1:], str(tmp_path / "a file"), f"{cluster.name}:from here too"],
        ):
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        assert connection.run(["cat", "from here", "from here too"]).stdout == "contentcontent"
    finally:
        connection.close()
    assert not (tmp_path / "ran").exists()
    (home / ".ssh/config").write_text(of_this.partition("  CertificateFile")[0])
    assert key_.is_needed(Connection(user_settings.applied(plain, {"cluster_user"})), ask=False)


class Terminal:
    """A terminal in which a person runs `tmux`."""

    def __init__(self, cluster: Cluster, session: str) -> None:
        program = f"""
            from rookery.clusters.config import profile
            from rookery.clusters.login_node import tmux
            from rookery.clusters.ssh.connection import Connection
            from dataclasses import replace
            one = replace(profile.load({cluster.name!r}, profile.sources(sandbox=True)), user={cluster.user!r})
            print("ended", tmux.tmux(Connection(one), {session!r}))
        """
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(sys.executable, [sys.executable, "-c", textwrap.dedent(program)])
        self.seen = ""

    def shows(self, pattern: str, seconds: float = 20) -> None:
        """Wait until the terminal has shown it."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen, re.DOTALL):
            assert time.monotonic() < end, self.seen
            if select.select([self.screen], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError as error:  # the program on it has ended
                    raise AssertionError(self.seen) from error

    def types(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def ends(self) -> None:
        self.shows(r"ended 0")
        os.waitpid(self.pid, 0)
        os.close(self.screen)


def test_tmux_attach_detach_attach(account, penguins, opened):
    connection = opened(account(penguins, "bina"))
    connection.run(script="tmux kill-server 2>/dev/null; rm -rf ~/.local/state/rookery/tmux")
    detach = ["tmux", "detach-client", "-s", "work"]
    first = Terminal(connection.cluster, "work")
    first.shows(r"\[work\]")
    first.types("echo mark-$((6*7))\n")
    first.shows("mark-42")
    connection.run(detach)
    first.ends()
    node = connection.run(["uname", "-n"]).stdout
    assert connection.run(["cat", ".local/state/rookery/tmux/work"]).stdout == node
    second = Terminal(connection.cluster, "work")
    second.shows("mark-42")
    connection.run(detach)
    second.ends()
    assert connection.run(["tmux", "list-sessions", "-F", "#S"]).stdout == "work\n"
    connection.run(["tmux", "kill-server"])


def test_tmux_on_a_node_that_is_gone(account, penguins, opened):
    connection = opened(account(penguins, "bina"))
    connection.run(script="tmux kill-server 2>/dev/null; cd; mkdir -p .local/state/rookery/tmux")
    connection.run(script="echo gone.invalid >~/.local/state/rookery/tmux/work")
    terminal = Terminal(connection.cluster, "work")
    terminal.shows(r"gone\.invalid.*A new session work is made on .*\[work\]")
    connection.run(["tmux", "kill-session", "-t", "work"])
    terminal.ends()


START_UP = {
    "bina": (
        ".bashrc",
        "cd /tmp; umask 000; export TAR_OPTIONS=-z GIT_DIR=/x CDPATH=/ PYTHONPATH=/x HOME=/tmp; set -u",
    ),
    "zoe": (".zshenv", "cd /tmp; umask 000; export TAR_OPTIONS=-z GIT_DIR=/x CDPATH=/ PYTHONPATH=/x HOME=/tmp; set -u"),
    "fin": (
        ".config/fish/config.fish",
        "cd /tmp; umask 000; set -gx TAR_OPTIONS -z; set -gx GIT_DIR /x; set -gx CDPATH /; set -gx PYTHONPATH /x; "
        "set -gx HOME /tmp",
    ),
    "tess": (
        ".cshrc",
        "cd /tmp; umask 000; setenv TAR_OPTIONS -z; setenv GIT_DIR /x; setenv CDPATH /; setenv PYTHONPATH /x; "
        "setenv HOME /tmp",
    ),
}


@pytest.mark.parametrize("name", SHELLS)
def test_start_up_files_of_every_shell_leave_commands_alone(account, penguins, opened, name):
    """One command each way: from the home, with none of their variables, and its input whole."""
    connection = opened(account(penguins, name, SHELLS[name]))
    file, text = START_UP[name]
    write = 'cd && mkdir -p "$(dirname "$1")" && { [ ! -e "$1" ] || cp -p "$1" kept; } && printf "%s\\n" "$2" >"$1"'
    connection.run([file, text], script=write)
    try:
        script = 'pwd; echo "$HOME"; umask; env | grep -cE "^(TAR_OPTIONS|GIT_DIR|CDPATH|PYTHONPATH)="; cat'
        words = connection.run(script=script, input=b"whole\n").stdout.split()
    finally:
        connection.run([file], script='cd && rm "$1" && { [ ! -e kept ] || mv kept "$1"; }')
    assert words == [f"/home/{name}", f"/home/{name}", "0022", "0", "whole"]
