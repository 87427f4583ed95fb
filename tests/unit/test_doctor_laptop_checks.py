"""Doctor's checks of this computer: its system, its programs, its ~/.ssh."""

import json
from pathlib import Path

import pytest
from doctor_homes import check_of

from rookery.support import options
from rookery.support.doctor import checks, command, laptop_checks
from rookery.support.doctor.checks import Check, CheckResults

pytestmark = pytest.mark.usefixtures("home_of_its_own")


@pytest.mark.parametrize(
    ("platform", "kernel", "state"),
    [
        ("win32", "", "fault"),
        ("msys", "", "fault"),
        ("linux", "Linux version 5.15.90.1-microsoft-standard-WSL2", "ok"),
        ("linux", "Linux version 4.4.0-19041-Microsoft", "warning"),
        ("linux", "Linux version 6.1.0-13-amd64", "ok"),
        ("darwin", "", "ok"),
    ],
)
def test_systems(platform: str, kernel: str, state: str) -> None:
    results = CheckResults(checks.LAPTOP)
    laptop_checks.system(results, platform, kernel)
    check = check_of(results, "system")
    assert check.state == state
    assert ("wsl" in check.fix) == (state != "ok")


def test_windows_itself_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(laptop_checks.sys, "platform", "win32")
    assert command.run(options.DoctorOptions(cluster="penguins", json=True)) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["exit"], document["clusters"]) == (1, 3, {})
    assert [check["state"] for check in document["laptop"]] == ["fault", *["skipped"] * (len(checks.LAPTOP) - 1)]
    assert set(document["laptop"][0]) == {"name", "title", "state", "found", "fix"}


@pytest.mark.parametrize(
    ("output", "state"),
    [
        ("OpenSSH_9.2p1 Debian-2, OpenSSL 3", "ok"),
        ("OpenSSH_7.4p1, OpenSSL 1.0.2k", "fault"),
        ("OpenSSH_for_Windows_8.1p1, LibreSSL", "ok"),
        ("hello", "warning"),
    ],
)
def test_versions(output: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho '{output}' >&2\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    results = CheckResults(checks.LAPTOP)
    laptop_checks.check_program(results, laptop_checks.PROGRAMS[0])
    assert check_of(results, "ssh").state == state


def test_how_a_program_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laptop_checks.shutil, "which", lambda _: None)
    assert laptop_checks.installing(laptop_checks.PROGRAMS[1], "linux").startswith("sudo apt install rsync ")
    assert laptop_checks.installing(laptop_checks.PROGRAMS[2], "darwin") == "xcode-select --install"
    monkeypatch.setattr(laptop_checks.shutil, "which", lambda name: "/usr/bin/dnf" if name == "dnf" else None)
    assert laptop_checks.installing(laptop_checks.PROGRAMS[0], "linux") == "sudo dnf install openssh-clients"


def test_the_ssh_folder(tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"

    def look() -> Check:
        results = CheckResults(checks.LAPTOP)
        laptop_checks.ssh_folder(results, folder)
        return check_of(results, "ssh-folder")

    assert look().state == "ok"
    folder.write_text("")
    assert "is not a folder" in look().found
    folder.unlink()
    folder.mkdir(mode=0o755)
    (folder / "id_x y").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (folder / "id_x y.pub").write_text("ssh-ed25519 AAAA\n")
    (folder / "notes").write_text("nothing")
    (folder / "id_x y").chmod(0o600)
    assert look().found == "readable only by you; 1 private key"
    (folder / "id_x y").chmod(0o640)
    assert look().fix == f"chmod 600 '{folder}/id_x y'"
    folder.chmod(0o775)
    assert look().fix.startswith(f"chmod 700 {folder} && ")
