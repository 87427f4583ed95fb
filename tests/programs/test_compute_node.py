"""NAME-job in ssh's configuration: its entry, its key and its host key."""

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from compute_nodes import cluster, own_home, program

from rookery.clusters.ssh import compute_node, compute_node_keys, config_file, user_config
from rookery.core.errors import RookeryError
from rookery.homes.vscode import workstation


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_home(tmp_path, monkeypatch)


@pytest.mark.parametrize("folder", ["plain", "with a blank", 'it\'s "50%" of %h $HOME', "back`tick;&|<>(){}*?#~"])
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_ssh_starts_the_command_whatever_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, shell: str
) -> None:
    log = tmp_path / "told"
    python = program(tmp_path / folder / "python", f'#!/bin/sh\nprintf "%s\\n" "$@" "$XDG_STATE_HOME" "$PWD" >{log}\n')
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / folder / "state"))
    config = config_file.write(cluster())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    minimal = {"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin", "SHELL": shell}
    command = ["ssh", "-F", str(config), "-o", "BatchMode=yes", "penguins-job", "true"]
    subprocess.run(command, env=minimal, cwd=elsewhere, capture_output=True, timeout=120, check=False)
    assert log.read_text().splitlines() == [
        *("-P", "-m", "rookery.jobs.interactive.proxy", "penguins"),
        str(tmp_path / folder / "state"),
        str(elsewhere),
    ]


def test_its_host_key_is_asked_of_rookerys_file_alone(home: Path) -> None:
    config = config_file.write(cluster())
    done = subprocess.run(["ssh", "-F", config, "-G", "penguins-job"], capture_output=True, text=True, check=True)
    options = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    state = home / ".local/state/rookery/node"
    assert options["userknownhostsfile"] == str(state / "penguins.known_hosts")
    assert options["globalknownhostsfile"] == "none"
    assert options["hostkeyalias"] == "rookery-job-penguins"
    assert options["stricthostkeychecking"] == "true"
    assert options["identityfile"] == str(state / "id_ed25519")
    assert options["user"] == "ada"
    assert options["controlmaster"] == "false"
    assert int(options["connecttimeout"]) > compute_node.PATIENCE


def test_entries_of_jobs_come_and_go_with_their_clusters() -> None:
    for name in ("penguins", "hec", "penguins"):
        path = config_file.write(cluster(name))
    assert re.findall(r"^Host (\S+)", path.read_text(), re.MULTILINE) == [
        "hec",
        "hec-job",
        "penguins",
        "penguins-job",
        "*",
    ]
    config_file.remove(cluster("hec"))
    assert re.findall(r"^Host (\S+)", path.read_text(), re.MULTILINE) == ["penguins", "penguins-job", "*"]
    config_file.write(cluster(cluster_scheduler="none"))
    assert "penguins-job" not in path.read_text()


def test_the_persons_own_ssh_knows_the_job_by_the_name_they_chose() -> None:
    user_config.write(cluster(), "icefloe")
    text = user_config.file().read_text()
    assert re.findall(r"^Host (\S+)", text, re.MULTILINE) == ["icefloe", "icefloe-job"]
    assert user_config.aliases() == {"penguins": "icefloe"}
    user_config.forget(cluster())
    assert not user_config.file().exists()


def test_its_key_is_made_once_and_private(capsys: pytest.CaptureFixture[str]) -> None:
    first = compute_node_keys.public(cluster())
    path = compute_node_keys.private(cluster())
    stderr = capsys.readouterr().err
    assert stderr.startswith(
        f"penguins-job: created the key {path}, without a passphrase. It only works for your own jobs"
    )
    assert compute_node_keys.public(cluster("hec")) == first
    assert capsys.readouterr().err == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    compute_node_keys.remember(cluster(), first)
    assert compute_node_keys.known_hosts(cluster()).read_text() == f"rookery-job-penguins {first}\n"
    compute_node_keys.forget(cluster())
    assert not path.parent.exists()


@pytest.mark.parametrize("text", ["", "ssh-rsa AAAA", "ssh-ed25519 AAAA\n* ssh-ed25519 BBBB", "ssh-ed25519 AA AA"])
def test_nothing_but_a_key_gets_into_known_hosts(text: str) -> None:
    with pytest.raises(RookeryError, match="sent an invalid host key"):
        compute_node_keys.remember(cluster(), text)
    assert not compute_node_keys.known_hosts(cluster()).exists()


@pytest.mark.parametrize(("called", "typed"), [("invoke", "invoke"), ("uv run invoke", "uv run invoke"), ("", "")])
def test_its_hints_say_what_the_person_typed(monkeypatch: pytest.MonkeyPatch, called: str, typed: str) -> None:
    monkeypatch.setenv("ROOKERY_CALLED_AS", called)
    monkeypatch.setattr(sys, "argv", ["/opt/bin/rookery"])
    words = [
        word for word in shlex.split(compute_node.proxy_command(cluster())) if word.startswith("ROOKERY_CALLED_AS=")
    ]
    assert words == [f"ROOKERY_CALLED_AS={typed}"] * bool(typed)


@pytest.mark.parametrize(
    ("python", "warned"),
    [
        ("/home/ada/.cache/uv/archive-v0/x1/bin/python", True),
        ("/tmp/c/environments-v2/x1/bin/python", True),
        ("/home/ada/.local/share/uv/tools/rookery-hpc/bin/python", False),
        ("/home/ada/archive-v0.1/bin/python", False),
    ],
)
def test_what_uvx_runs_does_not_last(monkeypatch: pytest.MonkeyPatch, python: str, warned: bool) -> None:
    monkeypatch.setattr(sys, "executable", python)
    assert ("uv tool install" in compute_node.warning()) == warned
    assert len([line for line in workstation.lines([]) if "uv tool install" in line]) == warned
