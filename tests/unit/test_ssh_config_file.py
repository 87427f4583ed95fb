"""rookery's ssh_config, as the real ssh reads it."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from ssh_server import cluster
from user_home import at_home

from rookery.clusters.ssh import config_file
from rookery.core.errors import RookeryError

HOMES = ["plain", "with a blank", """it's "quoted" \\ too""", "100% $HOME #not a comment"]


def asked_of_ssh(path: Path, name: str) -> dict[str, str]:
    """What ssh makes of a host in a config file."""
    completed = subprocess.run(["ssh", "-G", "-F", str(path), name], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in completed.stdout.splitlines() if " " in line)


@pytest.fixture(params=HOMES)
def home(request, tmp_path, monkeypatch):
    return at_home(tmp_path / request.param, monkeypatch)


def test_ssh_reads_what_was_meant(home):
    key = home / "keys of mine" / "id"
    birds = cluster(host="login.example.org", port=6767, user="a.b", identity_file=str(key), proxy_jump="me@hop:22")
    settings = asked_of_ssh(config_file.write(birds), "birds")
    assert (settings["hostname"], settings["port"], settings["user"]) == ("login.example.org", "6767", "a.b")
    assert settings["proxyjump"] == "me@hop:22"
    assert settings["identityfile"].replace("%%", "%") == str(key)
    assert settings["identitiesonly"] == "yes"
    assert settings["stricthostkeychecking"] in {"true", "yes"}
    assert (
        settings["userknownhostsfile"].replace("%%", "%")
        == f"{home}/.local/state/rookery/known_hosts {home}/.ssh/known_hosts"
    )
    assert settings["controlmaster"] == "auto"
    assert settings["controlpersist"] == "14400"
    assert settings["forwardagent"] == "no"


def test_the_persons_own_config_comes_last(home):
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text(
        "Host *\n  Compression yes\n  StrictHostKeyChecking no\nHost birds\n  Port 99\n"
    )
    settings = asked_of_ssh(config_file.write(cluster(port=22)), "birds")
    assert settings["compression"] == "yes"
    assert settings["stricthostkeychecking"] in {"true", "yes"}
    assert settings["port"] == "22"


def test_a_sandbox_knows_nothing_of_the_persons(home):
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text("Host *\n  Compression yes\n")
    path = config_file.write(cluster(sandbox=True, known_hosts_file=str(home / "kh")))
    settings = asked_of_ssh(path, "birds")
    assert path == home / ".local/state/rookery/sandbox/ssh_config"
    assert settings["compression"] == "no"
    assert settings["userknownhostsfile"].replace("%%", "%") == str(home / "kh")
    assert not (home / ".config").exists()


def test_entries_of_other_clusters_stay(home):  # noqa: ARG001
    config_file.write(cluster("birds", host="one.example.org"))
    config_file.write(cluster("fish", host="two.example.org"))
    path = config_file.write(cluster("birds", host="three.example.org"))
    assert asked_of_ssh(path, "birds")["hostname"] == "three.example.org"
    assert asked_of_ssh(path, "fish")["hostname"] == "two.example.org"
    assert path.read_text().count("Host birds\n") == 1
    assert path.read_text().count("Host *\n") == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["ssh_config"]


def test_an_unchanged_file_is_not_written_again(tmp_path, monkeypatch):
    at_home(tmp_path / "home", monkeypatch)
    before = config_file.write(cluster()).stat()
    after = config_file.write(cluster()).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "a b"},
        {"user": "a\nProxyCommand evil"},
        {"user": "-oProxyCommand=evil"},
        {"user": "$(evil)"},
        {"host": "a b"},
        {"host": "-evil"},
        {"proxy_jump": "a; evil"},
        {"proxy_jump": "-evil"},
        {"name": "a*"},
        {"identity_file": "/keys/a\nProxyCommand evil"},
        {"identity_file": "/keys/${HOME}"},
        {"user": ""},
    ],
)
def test_what_cannot_be_is_refused(changes, tmp_path, monkeypatch):
    at_home(tmp_path / "home", monkeypatch)
    with pytest.raises(RookeryError) as caught:
        config_file.write(cluster(**changes))
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / "home" / ".config" / "rookery" / "ssh_config").exists()


def test_the_persons_own_known_hosts_is_never_the_one_written_to(tmp_path, monkeypatch):
    home = at_home(tmp_path / "home", monkeypatch)
    birds = cluster(known_hosts_file=str(home / ".ssh" / "known_hosts"))
    assert config_file.own_known_hosts(birds) == home / ".local/state/rookery/known_hosts"


def test_what_the_user_has_for_every_host_does_not_reach_rookerys_own_commands(home):
    (home / ".ssh").mkdir()
    every_host = ("BatchMode yes", "ForwardX11 yes", "ForwardAgent yes", "SessionType none")
    (home / ".ssh" / "config").write_text("Host *\n" + "".join(f"  {setting}\n" for setting in every_host))
    path = config_file.write(cluster(data={"cluster_scheduler": "slurm"}))
    for name, cleared in (("birds", "yes"), ("birds-job", "no"), ("jump.example.org", "no")):
        settings = asked_of_ssh(path, name)
        assert (settings["batchmode"], settings["forwardx11"], settings["clearallforwardings"]) == ("no", "no", cleared)
        assert settings["sessiontype"] == "default"
    assert asked_of_ssh(path, "birds")["forwardagent"] == asked_of_ssh(path, "birds-job")["forwardagent"] == "no"


def test_an_ssh_that_does_not_know_a_newer_word_is_not_told_it(tmp_path, monkeypatch):
    """As OpenSSH before 8.7; a stand-in, since no such ssh is here."""
    home = at_home(tmp_path / "home", monkeypatch)
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text("Host *\n  Compression yes\n")
    old = tmp_path / "bin" / "ssh"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\ngrep -qi 'sessiontype\\|stdinnull\\|forkafter' && exit 255\nexit 0\n")
    old.chmod(0o755)
    for folder, known in ((f"{old.parent}:", False), ("", True), ("/nowhere:/", False)):
        config_file._newer.cache_clear()
        with monkeypatch.context() as patch:
            patch.setenv("PATH", folder if folder.endswith("/") else f"{folder}{os.environ['PATH']}")
            assert ("SessionType default" in config_file.write(cluster()).read_text()) == known
    config_file._newer.cache_clear()
