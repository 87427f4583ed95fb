"""Editors of this computer, which settings clusters need in them, and settings that go with their cluster."""

import json
import sys
from pathlib import Path

import pytest
from vscode_home import PLATFORM, cluster, home_with_vscode, settings_file

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh import user_config
from rookery.core import invocation
from rookery.core.errors import RookeryError
from rookery.homes.options import VscodeSettingsOptions
from rookery.homes.vscode import by_hand, editors, jsonc, workstation


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_with_vscode(tmp_path, monkeypatch)


@pytest.fixture
def file(home: Path) -> Path:
    return settings_file(home)


def test_editors_are_found_by_their_folder_or_their_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(place.title, place.path.relative_to(home)) for place in editors.places()] == [
        ("VS Code", Path(".config/Code/User/settings.json"))
    ]
    (home / "bin").mkdir()
    (home / "bin/codium").write_text("#!/bin/sh\n")
    (home / "bin/codium").chmod(0o755)
    (home / ".var/app/com.visualstudio.code/config/Code").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{home}/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    (home / "elsewhere/Code - Insiders").mkdir(parents=True)
    assert [place.path.relative_to(home).parts[:3] for place in editors.places()] == [
        (".var", "app", "com.visualstudio.code"),
        ("elsewhere", "Code - Insiders", "User"),
        ("elsewhere", "VSCodium", "User"),
    ]


def test_a_mac_has_them_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert editors.places() == []
    (home / "Library/Application Support/Code").mkdir(parents=True)
    assert [place.path for place in editors.places()] == [home / "Library/Application Support/Code/User/settings.json"]


def test_the_side_of_windows_gets_no_paths_of_this_side(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".config/Code/User").rmdir()
    (home / ".config/Code").rmdir()
    windows = home / "c/Users/Ada L/AppData/Roaming"
    (windows / "Code").mkdir(parents=True)
    monkeypatch.setenv("ROOKERY_WINDOWS_APPDATA", str(windows))
    (outcome,) = workstation.run([cluster()])
    settings = json.loads((windows / "Code/User/settings.json").read_text())
    assert settings[PLATFORM] == {"penguins": "linux", "penguins-job": "linux"}
    assert "remote.SSH.configFile" not in settings
    assert "VS Code on Windows" in next(workstation.lines([outcome]))


def test_windows_is_asked_where_its_folder_is(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    users = tmp_path / "c/Users"
    for name in ("Ada", "Public"):
        (users / name / "AppData/Roaming").mkdir(parents=True)
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    assert editors._appdata(users) is None  # two that it may be, and nobody to ask
    (home / "cmd.exe").write_text("#!/bin/sh\nprintf 'C:\\\\Users\\\\Ada\\\\AppData\\\\Roaming\\r\\n'\n")
    (home / "cmd.exe").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    assert editors._appdata(users) == Path("/mnt/c/Users/Ada/AppData/Roaming")
    (home / "cmd.exe").unlink()
    (users / "Public/AppData/Roaming").rmdir()
    assert editors._appdata(users) == users / "Ada/AppData/Roaming"


def values_for(clusters: list[Cluster]) -> dict[str, object]:
    return {".".join(change.path): change.value for change in workstation.needed_changes(clusters)}


def test_what_clusters_need() -> None:
    key_only = cluster(cluster_logins=["key"])
    without_jobs = cluster("hec", cluster_scheduler="none", cluster_logins=["password+totp"])
    assert "remote.SSH.showLoginTerminal" not in values_for([key_only])
    assert values_for([key_only])["remote.SSH.connectTimeout"] == 600
    assert values_for([without_jobs])["remote.SSH.connectTimeout"] == 60
    assert values_for([without_jobs])["remote.SSH.showLoginTerminal"] is True
    assert f"{PLATFORM}.hec-job" not in values_for([without_jobs])
    assert str(values_for([key_only])["remote.SSH.configFile"]).endswith("/rookery/ssh_config")


def test_once_ssh_knows_the_cluster_by_name_no_other_config_is_needed(file: Path) -> None:
    before = file.read_bytes()
    workstation.run([cluster()])
    assert "remote.SSH.configFile" in file.read_text()
    user_config.write(cluster(), "icefloe")
    workstation.run([cluster()])
    assert "remote.SSH.configFile" not in file.read_text()
    assert workstation.host(cluster(), job=True) == "icefloe-job"
    assert '"icefloe-job": "linux"' in file.read_text()
    for path in workstation.files(cluster()):
        workstation.take_back(cluster(), path)
    assert file.read_bytes() == before


def test_with_the_last_cluster_all_of_it_goes(file: Path) -> None:
    before = file.read_bytes()
    workstation.run([cluster(), cluster("hec")])
    workstation.take_back(cluster("hec"), file)
    now = jsonc.read(file.read_text())
    assert now
    assert now.data[PLATFORM] == {"penguins": "linux", "penguins-job": "linux"}
    assert workstation.files(cluster("hec")) == []
    workstation.take_back(cluster(), file)
    assert file.read_bytes() == before


def test_by_hand_it_is_for_the_clusters_where_one_is_known(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RookeryError, match="Missing argument CLUSTER"):
        by_hand.settings(VscodeSettingsOptions("", json=False))
    profile.remember("hec", {"cluster_user": "ada"})
    assert invocation.guarded(lambda: by_hand.settings(VscodeSettingsOptions("", json=True))) == 0
    (entry,) = json.loads(capsys.readouterr().out)["files"]
    assert [PLATFORM, "hec-job"] in entry["written"]
    file.write_text("{")
    assert by_hand.settings(VscodeSettingsOptions("hec", json=False)) == 1
