"""What `setup` says, as a real process: before it connects, where it can't, and in a terminal."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from user_home import new_home

from rookery.clusters.config import profile
from rookery.core import locking
from rookery.core.errors import RookeryError
from rookery.homes import selection, setup
from rookery.homes.run_results import ClusterResult

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return new_home(tmp_path, monkeypatch)


def invoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "invoke"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_without_a_cluster_those_known_are_listed() -> None:
    completed = invoke("setup")
    assert completed.returncode == 1
    assert (
        completed.stderr
        == "Missing argument CLUSTER. Known clusters: penguins, hec, hex, bede.\n  next: invoke setup penguins\n"
    )


def test_an_unknown_cluster_or_role_stops_before_anything_is_done(person: Path) -> None:
    completed = invoke("setup", "--cluster", "penguins,pengiuns")
    assert completed.returncode == 1
    assert "pengiuns" in completed.stderr
    assert "penguins" in completed.stderr.splitlines()[0].replace("pengiuns", "")
    with pytest.raises(RookeryError, match="Known roles: cluster, shell"):
        selection.roles("shell,pyton")
    assert not (person / "state").exists()


def test_no_username_is_said_with_the_flag_that_gives_it() -> None:
    completed = invoke("setup", "--cluster", "hec", "--yes")
    assert completed.returncode == 1
    assert "username" in completed.stderr
    assert "--user" in completed.stderr
    assert len(completed.stderr.splitlines()) == 2


def test_two_runs_at_once() -> None:
    with locking.held("penguins"):
        completed = invoke("setup", "--cluster", "penguins", "--user", "ada")
    assert completed.returncode == 1
    assert f"process {os.getpid()}" in completed.stderr


def test_what_was_set_up_is_noted_for_the_list_of_clusters(person: Path) -> None:
    cluster = profile.load("hec")
    setup._remember(cluster, ClusterResult("hec", facts={"home": "/home/ada"}))
    noted = json.loads((person / "state/rookery/clusters/hec.json").read_text())
    assert noted["host"] == cluster.host
    assert noted["facts"] == {"home": "/home/ada"}
    listed = json.loads(invoke("clusters", "--json").stdout)
    assert {row["name"]: row["set_up_at"] for row in listed} == dict.fromkeys(profile.names()) | {
        "hec": noted["set_up"]
    }
    assert [path.name for path in (person / "state/rookery/clusters").iterdir()] == ["hec.json"]


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh here")
def test_a_cluster_that_cannot_be_reached_is_one_line(person: Path) -> None:
    folder = person / "config/rookery/inventory/host_vars"
    folder.mkdir(parents=True)
    (folder / "hec.yml").write_text("cluster_host: 127.0.0.1\ncluster_port: 1\ncluster_user: ada\n")
    (folder.parent / "hosts.yml").write_text("all: {hosts: {hec: }}\n")
    completed = invoke("setup", "--cluster", "hec", "--yes")
    assert completed.returncode == 1
    assert completed.stderr.startswith("hec: ")
    assert "Traceback" not in completed.stderr
    assert "next: " in completed.stderr


LIVE = """
import sys
from rookery.homes.run_results import RunResult
from rookery.homes.screen import Screen
with Screen(RunResult(["penguins"]), file=sys.stdout) as screen:
    screen.take({"event": "start", "host": "penguins", "task": "Install Python"})
    screen._live._progress and screen._live._progress.refresh()
    made = [{"kind": "commands", "state": "made", "what": "Python"}]
    screen.take({"event": "result", "host": "penguins", "state": "ok", "outcomes": made})
"""


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_shows_what_is_being_done_and_colours_unless_told_not_to(colour: bool) -> None:
    first, second = pty.openpty()
    environ = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    environ |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | ({} if colour else {"NO_COLOR": "1"})
    subprocess.run([sys.executable, "-c", LIVE], stdout=second, env=environ, cwd=ROOT, check=True, timeout=120)
    os.close(second)
    text = b""
    while True:
        try:
            part = os.read(first, 65536)
        except OSError:  # the other side has closed it
            break
        if not part:
            break
        text += part
    os.close(first)
    assert b"Install Python" in text
    assert "✓ Python".encode() in text
    assert (b"\x1b[32m" in text) is colour
