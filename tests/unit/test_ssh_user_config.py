"""The line in ~/.ssh/config, and the file that it includes."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.clusters import cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh import user_config
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a blank in its name, and nothing in it."""
    folder = tmp_path / "my home"
    folder.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def penguins(**values: object) -> cluster.Cluster:
    return profile.load("penguins", overrides={"cluster_user": "ada", **values})


def config(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / ".ssh/config"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def asked_of_ssh(path: Path, name: str) -> dict[str, str]:
    """What ssh itself makes of a configuration."""
    completed = subprocess.run(["ssh", "-G", "-F", str(path), name], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in completed.stdout.splitlines() if " " in line)


def test_ssh_reads_the_entry_through_the_line(home: Path) -> None:
    user_config.write(penguins(), "penguins")
    assert user_config.carry_out(user_config.planned()) is None
    path = home / ".ssh/config"
    settings = asked_of_ssh(path, "penguins")
    assert (settings["hostname"], settings["user"], settings["stricthostkeychecking"]) == (
        "icefloe-fe.lancs.ac.uk",
        "ada",
        "true",
    )
    assert asked_of_ssh(path, "elsewhere")["stricthostkeychecking"] == "ask"  # it holds for our hosts alone
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not user_config.planned()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_what_stands_there_keeps_its_bytes_its_mode_and_a_copy(home: Path, end: str, mode: int) -> None:
    text = end.join(["# mine", "Host *", "  Compression yes   # as I like it", "", "Host icy", "\tUser me"])
    path = config(home, text, mode)
    change = user_config.planned()
    assert [line for line in change.diff() if line.startswith("-")] == [f"--- {path}"]
    kept = user_config.carry_out(change)
    assert kept is not None
    assert kept.read_bytes() == text.encode()
    assert path.read_bytes().decode().endswith(end + text)
    assert path.stat().st_mode & 0o777 == kept.stat().st_mode & 0o777 == mode
    user_config.write(penguins(), "penguins")
    assert asked_of_ssh(path, "penguins")["compression"] == "yes"
    assert asked_of_ssh(path, "icy")["user"] == "me"
    user_config.forget(penguins())
    assert path.read_bytes() == text.encode()
    config(home, "other\n")
    assert user_config.carry_out(user_config.planned()) == kept.with_name(f"{kept.name}.1")
    assert kept.read_bytes() == text.encode()  # the first copy is not written over


def test_a_file_that_was_not_there_goes_again(home: Path) -> None:
    user_config.write(penguins(), "penguins")
    user_config.carry_out(user_config.planned())
    user_config.forget(penguins())
    assert not list((home / ".ssh").iterdir())
    assert not user_config.file().exists()


def test_a_link_stays_a_link(home: Path) -> None:
    dotfiles = home / "dotfiles/ssh_config"
    dotfiles.parent.mkdir()
    dotfiles.write_text("Host *\n    Compression yes\n")
    (home / ".ssh").mkdir()
    (home / ".ssh/config").symlink_to(dotfiles)
    user_config.carry_out(user_config.planned())
    assert (home / ".ssh/config").is_symlink()
    assert user_config.line() in dotfiles.read_text()


def test_a_folder_that_cant_be_written_names_the_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(home, "Host *\n")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rookery.core.atomic_files.write", refused)  # root may write anywhere, so a mode would not do
    with pytest.raises(RookeryError, match=r"Can't write .*: Permission denied") as caught:
        user_config.carry_out(user_config.planned())
    assert user_config.line() in str(caught.value.hint)
    assert path.read_text() == "Host *\n"


def test_what_was_changed_meanwhile_or_may_not_be_written_is_left(home: Path) -> None:
    path = config(home, "Host a\n")
    change = user_config.planned()
    path.write_text("Host a\nHost b\n")
    with pytest.raises(RookeryError, match="changed by another program at the same time"):
        user_config.carry_out(change)
    assert path.read_text() == "Host a\nHost b\n"
    path.chmod(0o400)
    with pytest.raises(RookeryError, match="read-only"):
        user_config.carry_out(user_config.planned())
    assert [file.name for file in path.parent.iterdir()] == ["config"]


def test_a_line_below_a_host_is_none(home: Path) -> None:
    """ssh reads it for that host alone."""
    user_config.write(penguins(), "penguins")
    path = config(home, f"Host work\n    User me\n{user_config.line()}\n")
    assert not user_config.works("penguins", penguins())
    user_config.carry_out(user_config.planned())
    assert user_config.works("penguins", penguins())
    assert asked_of_ssh(path, "work")["user"] == "me"


def test_names_that_are_taken(home: Path) -> None:
    config(home, "Host penguins\nHost hec-job\n")
    assert "line 1" in user_config.taken("penguins")
    assert "line 2" in user_config.taken("hec")
    assert "can't be a name" in user_config.taken("my study")
    assert user_config.taken("penguins-ada") == ""


def test_connections_are_shared_where_there_is_a_folder_for_that(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gone after a restart of the computer, and ssh makes it anew; somebody else's is not used."""
    with tempfile.TemporaryDirectory(prefix="rk-") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        user_config.write(penguins(), "penguins")
        path = config(home, f"{user_config.line()}\n")
        shutil.rmtree(Path(short) / "rookery")
        assert asked_of_ssh(path, "penguins")["controlmaster"] == "auto"
        folder = Path(short) / "rookery"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert "controlpath" not in asked_of_ssh(path, "elsewhere")
        folder.rmdir()
        folder.symlink_to("/tmp")
        assert "controlpath" not in asked_of_ssh(path, "penguins")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Host penguins\n", "line 1"),
        ("# x\n  host = other penguins\n", "line 2"),
        ('HOST "penguins" more\n', "line 1"),
        ("Host peng* *.lancs.ac.uk *\n", ""),
        ("# Host penguins\nMatch host penguins\n", ""),
        ("Host 'not closed\nHost penguins-old\n", ""),
    ],
)
def test_an_entry_of_the_persons_own_is_seen(home: Path, text: str, place: str) -> None:
    config(home, text)
    assert place in user_config.owner("penguins")
    assert bool(user_config.owner("penguins")) == bool(place)


def test_an_entry_in_a_file_that_is_included_is_seen_and_circles_end(home: Path) -> None:
    config(home, f'Include conf.d/*\nInclude "{home}/.ssh/config"\n')
    (home / ".ssh/conf.d").mkdir()
    (home / ".ssh/conf.d/work").write_text("Host hec\nHost penguins\n")
    assert user_config.owner("penguins") == f"{home}/.ssh/conf.d/work, line 2"
    user_config.write(penguins(), "icy")
    user_config.carry_out(user_config.planned())
    assert user_config.owner("icy") == ""  # rookery's own are not the person's


def test_the_entry_follows_what_is_known_of_the_cluster(home: Path) -> None:
    user_config.write(penguins(), "icy")
    user_config.write(profile.load("hec", overrides={"cluster_user": "ada"}), "hec")
    assert user_config.aliases() == {"penguins": "icy", "hec": "hec"}
    Connection(penguins(cluster_user="ada2")).prepare()
    path = config(home, f"{user_config.line()}\n")
    assert asked_of_ssh(path, "icy")["user"] == "ada2"
    user_config.forget(penguins())
    assert user_config.aliases() == {"hec": "hec"}
    assert user_config.line() in path.read_text()  # hec still needs it
    assert user_config.file().exists()


@settings(max_examples=10)
@given(
    st.lists(
        st.sampled_from(["Host a b", "  User x", "\tPort 22", "", "# note é", "Match all", "Include none"]), max_size=9
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_put_in_and_taken_out_again_it_is_as_before(home: Path, lines: list[str], end: str, ended: bool) -> None:
    text = end.join(lines) + end * (ended and bool(lines))
    path = config(home, text)
    user_config.write(penguins(), "penguins")
    user_config.carry_out(user_config.planned())
    assert not user_config.planned()
    assert path.read_bytes().decode().count('Include "') == 1
    user_config.forget(penguins())
    assert path.read_bytes() == text.encode()
    for copy in path.parent.glob("config.*"):
        assert re.fullmatch(r"config\.before-rookery(\.\d+)?", copy.name)
        copy.unlink()


OLDEST = {
    *("HostName", "Port", "User", "ForwardAgent", "ForwardX11", "UserKnownHostsFile", "GlobalKnownHostsFile"),
    *("StrictHostKeyChecking", "UpdateHostKeys", "HashKnownHosts", "CheckHostIP", "RemoteCommand", "RequestTTY"),
    *("ProxyCommand", "HostKeyAlias", "HostKeyAlgorithms", "IdentityFile", "IdentitiesOnly", "ConnectTimeout"),
    *("PreferredAuthentications", "ControlMaster", "ControlPath", "ControlPersist"),
}
"""Options that OpenSSH 7.6 knows (Ubuntu 18.04); ssh refuses a whole configuration with one that it does not know."""


def test_the_users_own_ssh_may_be_old_and_its_every_host_is_no_bar_to_scp(home: Path) -> None:
    user_config.write(penguins(cluster_identity_file="~/.ssh/mine"), "penguins")
    lines = [line.split() for line in user_config.file().read_text().splitlines() if line.startswith("    ")]
    assert {words[0] for words in lines} <= OLDEST
    path = config(home, f"{user_config.line()}\nHost *\n  RemoteCommand tmux\n  RequestTTY force\n  ForwardX11 yes\n")
    for name in ("penguins", "penguins-job"):
        settings = asked_of_ssh(path, name)
        assert (settings.get("remotecommand", "none"), settings["requesttty"]) == ("none", "auto")
    assert asked_of_ssh(path, "penguins-job")["forwardx11"] == "no"
    assert asked_of_ssh(path, "penguins")["clearallforwardings"] == "no"  # ssh -L is the user's to use
    assert asked_of_ssh(path, "elsewhere")["remotecommand"] == "tmux"
