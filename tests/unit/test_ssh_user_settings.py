"""What the user's ~/.ssh/config says of a cluster's full host name, in rookery's entry, as the real ssh reads it."""

import subprocess
from pathlib import Path

import pytest
from ssh_server import new_key
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.clusters.ssh import config_file, user_config, user_settings
from rookery.clusters.survey import candidate
from rookery.homes import listing
from rookery.homes.options import ClustersShowOptions
from rookery.support import cluster_pages
from rookery.support.onboarding import details, key
from rookery.support.options import ClustersGuideOptions, OnboardOptions

HOST = "login.ucrel-hex.scc.lancs.ac.uk"
"""HeX, whose profile has a port of its own: 6767."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = at_home(tmp_path / "my home", monkeypatch)
    (home / ".ssh").mkdir()
    return home


def config(home: Path, text: str) -> None:
    (home / ".ssh/config").write_text(text)


def asked_of_ssh(path: Path, name: str) -> dict[str, list[str]]:
    """What ssh makes of a name."""
    completed = subprocess.run(["ssh", "-G", "-F", str(path), name], capture_output=True, text=True, check=True)
    settings: dict[str, list[str]] = {}
    for line in completed.stdout.splitlines():
        option, _, value = line.partition(" ")
        settings.setdefault(option, []).append(value)
    return settings


def entries(home: Path) -> list[dict[str, list[str]]]:
    """What ssh makes of the cluster by rookery's own file, and by the user's, which includes rookery's entries."""
    cluster = profile.load("hex")
    user_config.write(cluster, "hex")
    user_config.carry_out(user_config.planned())
    return [asked_of_ssh(config_file.write(cluster), "hex"), asked_of_ssh(home / ".ssh/config", "hex")]


@pytest.mark.parametrize("block", [f"Host {HOST}", f"Host *.lancs.ac.uk !other.{HOST}", f"Match host {HOST}"])
def test_all_that_it_says_is_used(home: Path, block: str) -> None:
    config(
        home,
        f"{block}\n  User ada\n  Port 99\n  ProxyJump me@gate:2222\n  IdentityAgent '{home}/an agent'\n"
        f"  IdentityFile '{home}/my key'\n  IdentityFile ~/.ssh/%n\n"
        f"  CertificateFile {HOST}.pub\n  IdentitiesOnly yes\n",
    )
    cluster = profile.load("hex")
    assert (cluster.user, cluster.port, cluster.proxy_jump) == ("ada", 99, "me@gate:2222")
    for settings in entries(home):
        assert (settings["hostname"], settings["user"], settings["port"]) == ([HOST], ["ada"], ["99"])
        assert settings["proxyjump"] == ["me@gate:2222"]
        assert settings["identityfile"][:2] == [f"{home}/my key", f"~/.ssh/{HOST}"]
        assert settings["certificatefile"][0] == f"{HOST}.pub"
        assert settings["identityagent"] == [f"{home}/an agent"]
        assert settings["identitiesonly"] == ["yes"]


def test_the_users_own_inventory_wins(home: Path) -> None:
    config(home, f"Host {HOST}\n  User ada\n  Port 99\n  ProxyJump gate\n  IdentityFile ~/.ssh/other\n")
    own_inventory(home, "hosts.yml", "all:\n  hosts:\n    hex:\n")
    own_inventory(
        home,
        "host_vars/hex.yml",
        'cluster_user: bea\ncluster_port: 1234\ncluster_proxy_jump: ""\ncluster_identity_file: ~/.ssh/mine\n',
    )
    for settings in entries(home):
        assert (settings["user"], settings["port"], settings.get("proxyjump")) == (["bea"], ["1234"], None)
        assert settings["identityfile"] == [f"{home}/.ssh/mine"]
    assert profile.load("hex", overrides={"cluster_port": 5}).port == 5  # as do flags


def test_the_shipped_profile_is_the_default(home: Path) -> None:
    config(home, f"Host elsewhere\n  Port 99\nHost {HOST}\n  IdentityFile ~/.ssh/work\nHost *\n  User ada\n")
    for settings in entries(home):
        assert (settings["user"], settings["port"]) == (["ada"], ["6767"])
        assert settings["identityfile"][0] == "~/.ssh/work"


def test_a_jump_host_can_be_refused_for_one_host(home: Path) -> None:
    config(home, f"Host {HOST}\n  ProxyJump none\n  User ada\nHost *\n  ProxyJump gate\n")
    for settings in entries(home):
        assert "proxyjump" not in settings


def test_a_proxy_command_of_the_users_takes_the_place_of_a_jump_host(home: Path) -> None:
    config(home, f"Host {HOST}\n  ProxyCommand nc '%h' %p  # %n\n  User ada\n")
    own_inventory(home, "hosts.yml", "all:\n  hosts:\n    hex:\n")
    assert all(settings["proxycommand"] == [f"nc '%h' %p  # {HOST}"] for settings in entries(home))


@pytest.mark.parametrize("text", ["", "Host other\n  User x\n", "Nonsense yes\n", f"Host {HOST}\n  User 'a b'\n  Bad"])
def test_a_configuration_that_says_nothing_or_is_refused_changes_nothing(home: Path, text: str) -> None:
    before = profile.load("hex")
    config(home, text)
    after = profile.load("hex")
    assert (after.port, after.proxy_jump) == (before.port, None)
    assert not user_settings.has_identity(after)


@pytest.mark.usefixtures("home")
def test_rookerys_own_entry_of_that_name_is_not_the_users() -> None:
    user_config.write(profile.load("hex", overrides={"cluster_user": "ada", "cluster_port": 99}), HOST)
    user_config.carry_out(user_config.planned())
    assert (profile.load("hex").port, profile.load("hex").user) == (6767, "")


def test_neither_a_miniature_nor_a_page_for_others_knows_of_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(home, f"Host {HOST} 127.*\n  Port 99\n  User ada\n")
    cluster_pages.run(ClustersGuideOptions("hex"))
    assert "port 6767" in capsys.readouterr().out
    from ssh_server import cluster

    miniature = cluster(sandbox=True, host=HOST)
    assert user_settings.applied(miniature, ()) == miniature


def test_a_key_for_the_host_comes_before_the_usual_ones(home: Path) -> None:
    for name in ("id_ed25519", "work"):
        new_key(home / ".ssh" / name)
    config(home, f"Host {HOST}\n  IdentityFile '{home}/.ssh/work.pub'\n")
    cluster = profile.load("hex")
    assert key.find(cluster, "") == home / ".ssh/work"
    assert user_settings.has_identity(cluster)
    assert key.find(profile.load("penguins"), "") == home / ".ssh/id_ed25519"


def test_a_username_of_the_configuration_can_be_overruled(home: Path) -> None:
    config(home, f"Host {HOST}\n  User ada\n")
    cluster = profile.load("hex")
    assert profile.found_user(cluster) == "ada"
    assert details.username(cluster, OnboardOptions("hex")) == "ada"
    assert details.username(cluster, OnboardOptions("hex", user="bob")) == "bob"
    assert profile.found_user(profile.load("hex", overrides={"cluster_user": "ada"})) == ""


def test_the_profile_is_shown_with_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listing.show(ClustersShowOptions("hex")) == 0
    assert "ssh/config" not in capsys.readouterr().out
    config(home, f"Host {HOST}\n  Port 99\n  IdentityFile ~/.ssh/work\n  IdentityFile ~/.ssh/other\n")
    assert listing.show(ClustersShowOptions("hex")) == 0
    shown = capsys.readouterr().out.partition(f"From your ~/.ssh/config, for {HOST}")[2].splitlines()
    assert [line.split() for line in shown[1:3]] == [["Port", "99"], ["IdentityFile", "~/.ssh/work", "~/.ssh/other"]]


@pytest.mark.parametrize(
    ("more", "is_more"),
    [
        ("  User ada\n  Port 99\n  IdentityFile ~/.ssh/cold\n  IdentitiesOnly yes\n", False),
        ("  IdentityFile ~/.ssh/a\n  IdentityFile ~/.ssh/b\n", True),
        ("  ProxyJump gate\n", True),
        ("  ProxyCommand nc %h %p\n", True),
        ("  CertificateFile ~/.ssh/cold-cert.pub\n", True),
        ("  IdentityAgent ~/.agent\n", True),
        ("  PreferredAuthentications publickey\n", True),
        ("  ForwardX11 yes\n  ServerAliveInterval 9\n", False),
        ("Match originalhost cold\n  ProxyJump gate\n", True),
        ("Host *\n  IdentityAgent ~/.agent\n", False),
        ("Host *.example.org\n  ProxyJump gate\n", False),
    ],
)
def test_an_alias_that_says_more_than_the_host_s_own_name(home: Path, more: str, is_more: bool) -> None:
    config(home, f"Host cold\n  HostName login.example.com\n{more}")
    assert user_settings.is_alias("cold")
    assert user_settings.says_more("cold") is is_more
    cluster = candidate.of_host("iceberg", "cold", user="bob")
    assert (cluster.host, user_settings.alias(cluster)) == ("login.example.com", "cold" if is_more else "")


@pytest.mark.parametrize(
    "text", [None, "Host cold\n  HostName login.example.com\n", f"Host {HOST}\n  ProxyJump gate\n"]
)
def test_a_host_by_its_own_name_is_no_alias(home: Path, text: str | None) -> None:
    if text:
        config(home, text)
    assert not user_settings.is_alias(HOST)
    assert not user_settings.says_more(HOST)
