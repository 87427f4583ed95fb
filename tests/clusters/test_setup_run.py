"""`setup` from the command line to the summary, over real ssh, for the roles that need no network."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from ssh_server import Sshd, fingerprint, sshd
from user_home import at_home
from waiting import wait_for

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
TAGS = ("--tags", "shell,tmux")


def execute(self: Sshd, channel: paramiko.Channel, command: bytes) -> None:
    """Run a command while its input may still be open, as Ansible leaves it; it ends when the client goes."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        ["sh", "-c", f"{self.profile}\n{command.decode()}"], stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr

    def feed() -> None:
        with contextlib.suppress(OSError):
            while data := channel.recv(65536):
                process.stdin.write(data)
                process.stdin.flush()
            process.stdin.close()

    threading.Thread(target=feed, daemon=True).start()
    with contextlib.suppress(OSError):
        while chunk := os.read(process.stdout.fileno(), 1 << 16):  # each answer as it comes
            channel.sendall(chunk)
        channel.sendall_stderr(process.stderr.read())
        channel.send_exit_status(process.wait())
    with contextlib.suppress(OSError, EOFError):  # the client has gone
        channel.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """Penguins is this computer, with the home `there`; the person's own home is `here`."""
    here, there = at_home(tmp_path / "here", monkeypatch), tmp_path / "there"
    there.mkdir()
    monkeypatch.setattr(Sshd, "execute", execute)
    with sshd(tmp_path) as (server, values):
        server.profile = f"export HOME='{there}' USER=ada LC_ALL=C.UTF-8; cd"
        folder = here / ".config/rookery/inventory"
        for name in ("penguins", "hec"):
            (folder / "host_vars").mkdir(parents=True, exist_ok=True)
            settings = {
                "host": "127.0.0.1",
                "port": server.port,
                "user": "ada",
                "identity_file": values["identity_file"],
            }
            text = "".join(f"cluster_{key}: {value}\n" for key, value in settings.items())
            (folder / "host_vars" / f"{name}.yml").write_text(text)
        (folder / "hosts.yml").write_text("all: {hosts: {penguins: , hec: }}\n")
        try:
            yield server
        finally:
            for name in ("penguins", "hec"):
                config = here / ".config/rookery/ssh_config"
                subprocess.run(["ssh", "-F", config, "-O", "exit", name], capture_output=True, check=False)


def command(tmp_path: Path, *arguments: str) -> list[str]:
    key = fingerprint((tmp_path / "host_key.pub").read_text())
    return [str(BIN / "invoke"), "setup", "--accept-host-key", key, *TAGS, *arguments]


def setup(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = command(tmp_path, *arguments)
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def kill_in_mid_run(tmp_path: Path, *arguments: str) -> None:
    """Begin a run, and kill it as soon as `home` has begun."""
    line = command(tmp_path, *arguments)
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (tmp_path / "there/.local/state/rookery").exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate(timeout=120)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_killed_run_is_finished_by_the_same_command_and_then_nothing_is_to_do(server: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / ".bashrc").write_text("# mine\n")
    (there / ".tmux.conf").write_text("# mine too\n")
    kill_in_mid_run(tmp_path, "-c", "penguins")

    first = setup(tmp_path, "-c", "penguins")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"^penguins is ready: \d+ changes, ", first.stdout, re.MULTILINE)
    assert str(there) in first.stdout
    assert "invoke tmux penguins" in first.stdout
    assert (there / ".config/rookery/env.sh").is_file()
    assert "# mine\n" in (there / ".bashrc").read_text()
    assert (there / ".tmux.conf").read_text().endswith("\n# mine too\n")
    assert not (tmp_path / "here/.local/state/rookery/clusters").exists()  # some roles are not the whole

    second = setup(tmp_path, "-c", "penguins", "--json")
    document = json.loads(second.stdout)
    assert document["exit"] == 0
    assert document["clusters"]["penguins"]["changed"] == 0
    assert document["clusters"]["penguins"]["facts"]["home"] == str(there)
    assert server.logins == 1  # one login for all of it


def test_one_of_two_clusters_fails_and_is_named_at_the_end(server: Sshd, tmp_path: Path) -> None:
    there, hec = tmp_path / "there", tmp_path / "here/.config/rookery/inventory/host_vars/hec.yml"
    (there / ".bashrc").write_text("# mine\n")
    hec.write_text(hec.read_text().replace(str(server.port), "1"))
    completed = setup(tmp_path, "--cluster", "penguins,hec", "--check", "--diff")
    assert completed.returncode == 1
    assert re.search(r"^penguins: \d+ changes to make; nothing was changed", completed.stdout, re.MULTILINE)
    assert re.search(r"^ +\+# Written by rookery", completed.stdout, re.MULTILINE)
    assert "✗ hec: " in completed.stdout
    assert completed.stderr.strip().endswith("1 of 2 clusters failed: hec")
    assert tree(there) == {".bashrc"}
