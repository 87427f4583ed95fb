"""Which VS Code servers are found, kept and removed: the scripts themselves, in a home made for the test."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from rookery.homes.vscode import prune as vscode

DAY = 24 * 3600


def server(home: Path, name: str, age_days: float, folder: str = "cli/servers") -> Path:
    path = home / ".vscode-server" / folder / name
    (path / "server").mkdir(parents=True)
    (path / "server" / "node").write_bytes(b"x" * 2_000_000)
    (path / "log.txt").touch()
    when = time.time() - age_days * DAY
    for part in (path / "log.txt", path / "server", path):
        os.utime(part, (when, when))
    return path


def run(script: str, home: Path, text: str = "") -> str:
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["sh", "-c", script], env=environ, input=text, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "a home"
    home.mkdir()
    return home


def listed(home: Path) -> dict[str, vscode.Server]:
    return {Path(server.path).name: server for server in vscode.read(run(vscode._LIST, home), time.time())}


def test_the_newest_the_recent_and_those_that_run_stay(home: Path) -> None:
    for name, age in {"Stable-new": 0.1, "Stable-today": 0.5, "Stable-old": 9, "Stable-busy": 30}.items():
        server(home, name, age)
    server(home, "0123abcd", 300, "bin")
    server(home, f"Stable-half{vscode.GONE}", 0)
    node = home / ".vscode-server/cli/servers/Stable-busy/server/node"
    node.write_text("#!/bin/sh\nread _\n")
    node.chmod(0o755)
    with subprocess.Popen([node], stdin=subprocess.PIPE) as process:
        servers = listed(home)
        again = run(vscode._REMOVE, home, f"{node.parents[1]}\n")
        assert process.stdin
        process.stdin.close()
    assert again == ""  # a server that has begun to run meanwhile is left
    assert {name: installed.keep for name, installed in servers.items()} == {
        "Stable-new": "the newest",
        "Stable-today": "used today",
        "Stable-old": "",
        "Stable-busy": "it runs",
        "0123abcd": "",
        f"Stable-half{vscode.GONE}": "",
    }
    assert servers["Stable-old"].size_mb >= 2
    assert servers["Stable-old"].files == 2


def test_what_is_removed_is_gone_and_nothing_else(home: Path) -> None:
    old, kept = server(home, "Stable-old", 9), server(home, "Stable-new", 0)
    outside = home / "thesis"
    outside.mkdir()
    paths = [old, outside, home / ".vscode-server" / ".." / "thesis", Path("/etc")]
    completed = run(vscode._REMOVE, home, "".join(f"{path}\n" for path in paths))
    assert completed.splitlines() == [str(old)]
    assert not list(old.parent.glob("Stable-old*"))
    assert kept.is_dir()
    assert outside.is_dir()


def test_a_home_without_vscode(home: Path) -> None:
    assert listed(home) == {}
