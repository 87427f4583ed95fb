"""A cluster's block in ~/.ssh/config itself, as paramiko reads it, and the file after the block is gone again."""

import subprocess
from pathlib import Path

import paramiko
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.clusters.ssh import user_block, user_config
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError
from rookery.homes import local_state, ssh_config
from rookery.homes.options import SshConfigOptions

OWN = "User everyone\nCompression yes\nHost hec*\n  Port 9\n  User somebody\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = at_home(tmp_path / "my home", monkeypatch)
    (home / ".ssh").mkdir()
    own_inventory(home, "hosts.yml", "all:\n  hosts:\n    hec:\n    hex:\n")
    for name in ("hec", "hex"):
        own_inventory(home, f"host_vars/{name}.yml", "cluster_user: ada\n")
    return home


def config(home: Path, text: str) -> Path:
    path = home / ".ssh/config"
    path.write_bytes(text.encode())
    return path


def by_paramiko(path: Path, name: str) -> dict[str, object]:
    """What paramiko's clients make of a name; they do not follow Include."""
    return dict(paramiko.SSHConfig.from_path(str(path)).lookup(name))


def by_ssh(path: Path, name: str) -> dict[str, str]:
    completed = subprocess.run(["ssh", "-G", "-F", str(path), name], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in completed.stdout.splitlines() if " " in line)


def test_paramiko_reads_what_include_keeps_from_it(home: Path) -> None:
    path = config(home, OWN)
    own_inventory(home, "host_vars/hec.yml", "cluster_user: ada\ncluster_identity_file: ~/.ssh/my key\n")
    ssh_config.run(SshConfigOptions("hec"))
    assert by_paramiko(path, "hec")["user"] == "everyone"  # the reason for the block
    ssh_config.run(SshConfigOptions("hec", into_config=True))
    seen = by_paramiko(path, "hec")
    assert (seen["hostname"], seen["user"], seen["port"]) == ("wayland-2022.hec.lancaster.ac.uk", "ada", "22")
    assert seen["identityfile"] == [f"{home}/.ssh/my key"]
    assert by_ssh(path, "hec")["controlmaster"] == "auto"  # the rest of the entry is there for ssh
    # what stands below holds for every other host as before
    for read in (by_paramiko, by_ssh):
        assert (read(path, "else")["user"], read(path, "else")["compression"]) == ("everyone", "yes")
    assert by_paramiko(path, "hec2")["port"] == "9"


def test_a_jump_host_is_there_and_none_is_no_host(home: Path) -> None:
    path = config(home, "")
    own_inventory(home, "host_vars/hec.yml", "cluster_user: ada\ncluster_proxy_jump: me@gate:2222\n")
    ssh_config.run(SshConfigOptions("hec", into_config=True))
    assert by_paramiko(path, "hec")["proxyjump"] == "me@gate:2222"
    (home / ".ssh/config").write_text("Host *.lancs.ac.uk\n  ProxyJump none\n" + path.read_text())
    ssh_config.run(SshConfigOptions("hex", into_config=True))
    assert "proxyjump" not in by_paramiko(path, "hex")


LINES = [
    "Host a b",
    "  User x",
    "\tPort 22",
    "",
    "# note é",
    "Match all",
    "# >>> rookery: other",
    "# <<< rookery: hecate",
]


@settings(max_examples=5)  # each of them starts ten programs
@given(st.lists(st.sampled_from(LINES), max_size=9), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_put_in_and_taken_out_the_rest_is_byte_for_byte_as_before(
    home: Path, lines: list[str], end: str, ended: bool
) -> None:
    text = end.join(lines) + end * (ended and bool(lines))
    path = config(home, text)
    for _ in range(2):
        for name in ("hec", "hex"):
            ssh_config.run(SshConfigOptions(name, into_config=True))
    written = path.read_bytes().decode()
    assert [written.count(f">>> rookery: {name}") for name in ("hec", "hex")] == [1, 1]
    assert written.endswith(text)
    ssh_config.run(SshConfigOptions("hec", remove=True))
    assert by_paramiko(path, "hex")["user"] == "ada"
    ssh_config.run(SshConfigOptions("hex", remove=True))
    assert path.read_bytes() == text.encode()
    for copy in path.parent.glob("config.*"):
        copy.unlink()


def test_undo_takes_it_out_too(home: Path) -> None:
    path = config(home, OWN)
    ssh_config.run(SshConfigOptions("hec", into_config=True))
    path.write_text(path.read_text() + "Host mine\n  User me\n")
    local_state.forget(Connection(profile.load("hec")), purge=True)
    assert path.read_text() == OWN + "Host mine\n  User me\n"


def test_it_follows_what_is_known_of_the_cluster_and_only_where_it_is(home: Path) -> None:
    path = config(home, OWN)
    Connection(profile.load("hec")).prepare()
    assert path.read_text() == OWN
    ssh_config.run(SshConfigOptions("hec", into_config=True, alias="lancaster"))
    assert by_paramiko(path, "lancaster")["user"] == "ada"
    Connection(profile.load("hec", overrides={"cluster_user": "bea"})).prepare()
    assert by_paramiko(path, "lancaster")["user"] == "bea"
    path.chmod(0o400)
    Connection(profile.load("hec", overrides={"cluster_user": "cy"})).prepare()  # it is no reason to stop
    assert by_paramiko(path, "lancaster")["user"] == "bea"


def test_check_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(home, OWN)
    ssh_config.run(SshConfigOptions("hec", into_config=True, check=True))
    shown = capsys.readouterr().out
    assert "+    User ada" in shown
    assert "would write `Host hec` into " in shown
    assert path.read_text() == OWN
    assert not user_config.file().exists()
    ssh_config.run(SshConfigOptions("hec", into_config=True))
    before = path.read_text()
    ssh_config.run(SshConfigOptions("hec", remove=True, check=True))
    assert "-    User ada" in capsys.readouterr().out
    assert (path.read_text(), user_config.aliases()) == (before, {"hec": "hec"})


def test_a_link_stays_a_link_and_the_mode_is_kept(home: Path) -> None:
    real = home / "dotfiles"
    real.write_text(OWN)
    real.chmod(0o640)
    (home / ".ssh/config").symlink_to(real)
    ssh_config.run(SshConfigOptions("hec", into_config=True))
    assert (home / ".ssh/config").is_symlink()
    assert by_paramiko(real, "hec")["user"] == "ada"
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (SshConfigOptions("hec"), "`Host hec` is your own entry", "ssh.config hec --alias hec-ada"),
        (SshConfigOptions("hec", alias="a b"), "can't be a name for ssh", "--alias hec-ada"),
        (SshConfigOptions("penguins", into_config=True), "Missing username", "login penguins --user"),
    ],
)
def test_what_can_not_be_written(home: Path, options: SshConfigOptions, message: str, hint: str) -> None:
    path = config(home, "Host hec\n  User me\n")
    with pytest.raises(RookeryError) as caught:
        ssh_config.run(options)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)
    assert path.read_text() == "Host hec\n  User me\n"
    assert user_config.aliases() == {}


def test_a_file_that_can_not_be_written(home: Path) -> None:
    config(home, OWN).chmod(0o400)
    with pytest.raises(RookeryError, match="Can't write") as caught:
        ssh_config.run(SshConfigOptions("hec", into_config=True))
    assert "ssh.config hec --into-config --check" in str(caught.value.hint)


def test_nothing_to_remove(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(home, OWN)
    ssh_config.run(SshConfigOptions("hec", remove=True))
    assert "nothing to remove" in capsys.readouterr().out


@pytest.mark.parametrize("above", [True, False])
def test_a_block_whose_end_somebody_removed_is_left_alone(home: Path, above: bool) -> None:
    broken = f"{user_config.BLOCK_BEGINS.format('hec')}\nHost mine\n  User me\n"
    path = config(home, "" if above else broken)
    ssh_config.run(SshConfigOptions("hec", into_config=True))
    if above:
        path.write_text(broken + path.read_text())
    ssh_config.run(SshConfigOptions("hec", remove=True))
    assert path.read_text() == broken
    assert not user_block.removed(profile.load("hec"))
