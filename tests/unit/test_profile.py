"""Loading a cluster: which folders, what wins, whose username, what is remembered."""

import os
import stat
from pathlib import Path

import pytest
import yaml
from user_home import at_home, own_inventory

from rookery.clusters import cluster as cluster_module
from rookery.clusters.config import profile
from rookery.core import paths
from rookery.core.errors import RookeryError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def test_the_folders_and_their_order(home: Path) -> None:
    assert profile.sources() == [paths.root() / "inventory"]
    own_inventory(home, "hosts.yml", "all:\n")
    assert profile.sources(sandbox=True) == [
        paths.root() / "inventory",
        home / ".config" / "rookery" / "inventory",
        home / ".local" / "state" / "rookery" / "sandbox" / "inventory",
    ]


def test_the_persons_own_wins_and_the_command_line_over_it(home: Path) -> None:
    file = own_inventory(
        home, "host_vars/penguins.yml", "---\ncluster_user: a.student\ncluster_port: 2222\nfavourite: tea\n"
    )
    cluster = profile.load("penguins", overrides={"cluster_port": 3333})
    assert (cluster.name, cluster.host, cluster.user, cluster.port) == (
        "penguins",
        "icefloe-fe.lancs.ac.uk",
        "a.student",
        3333,
    )
    assert cluster.variables["favourite"] == "tea"
    assert "favourite" not in cluster.data
    assert not cluster.sandbox
    where = {setting.key: setting.where() for setting in profile.explain("penguins")}
    assert where["cluster_user"] == f"{file}:2"
    assert where["cluster_host"].startswith(f"{paths.root()}/inventory/host_vars/penguins.yml:")


def test_a_wrong_override_is_called_by_its_place() -> None:
    with pytest.raises(RookeryError, match=r"^command line: `cluster_user` must be a username, not 'a b'") as caught:
        profile.load("penguins", overrides={"cluster_user": "a b"})
    assert caught.value.hint == "invoke setup penguins --user YOUR_USERNAME"


def test_a_cluster_is_frozen() -> None:
    cluster = profile.load("hec")
    with pytest.raises(AttributeError):
        cluster.host = "elsewhere"  # type: ignore[misc]
    with pytest.raises(TypeError):
        cluster.data["cluster_host"] = "elsewhere"  # type: ignore[index]


def test_what_an_entry_of_storage_leaves_out_is_filled_in() -> None:
    penguins = {area.name: area for area in profile.load("penguins").storage}
    hec = {area.name: area for area in profile.load("hec").storage}
    assert (penguins["persistent"].site_sets, penguins["persistent"].create) == (False, True)
    assert (hec["persistent"].site_sets, hec["persistent"].create, hec["persistent"].purge_days) == (True, False, None)
    assert (hec["scratch"].purge_days, hec["tmp"].scope) == (28, "node")


def test_an_unknown_cluster_is_answered_with_those_there_are(home: Path) -> None:
    with pytest.raises(RookeryError) as caught:
        profile.load("pengiuns")
    assert (
        caught.value.message
        == "Unknown cluster 'pengiuns' (did you mean penguins?). Clusters: penguins, hec, hex, bede."
    )
    assert caught.value.hint == "invoke clusters   # `invoke clusters.add` adds another one"
    with pytest.raises(RookeryError, match=r"^Unknown cluster 'x'\. There are no clusters"):
        profile.load("x", [home])


def test_an_unknown_cluster_of_the_library_can_be_added() -> None:
    with pytest.raises(RookeryError, match="Unknown cluster 'lumi'") as caught:
        profile.load("lumi")
    assert str(caught.value.hint).startswith("invoke clusters.add lumi ")


def test_a_profile_that_no_inventory_names_is_told_of(home: Path) -> None:
    file = own_inventory(home, "host_vars/archer2.yml", "cluster_host: login.archer2.ac.uk\n")
    with pytest.raises(RookeryError) as caught:
        profile.load("archer2")
    assert caught.value.message == f"{paths.shown(file)} has settings for archer2, but no inventory file lists it."
    assert "hosts.yml" in str(caught.value.hint)


def test_a_cluster_of_ones_own_is_listed(home: Path) -> None:
    own_inventory(home, "hosts.yml", "all:\n  hosts:\n    localhost:\n    archer2:\n")
    assert profile.names() == ["penguins", "hec", "hex", "bede", "archer2"]


def test_the_sandbox_is_never_the_real_cluster() -> None:
    """With the sandbox asked for and no miniature there, the profile would otherwise lead to the real host."""
    folders = profile.sources(sandbox=True)
    with pytest.raises(RookeryError, match="No miniature of hec") as caught:
        profile.load("hec", folders)
    assert caught.value.hint == "invoke sandbox.up hec"
    file = folders[-1] / "host_vars" / "hec.yml"
    file.parent.mkdir(parents=True)
    file.write_text("cluster_host: 127.8.0.2\ncluster_port: 2022\ncluster_user: student\n")
    cluster = profile.load("hec", folders)
    assert (cluster.sandbox, cluster.host, cluster.port, cluster.user) == (True, "127.8.0.2", 2022, "student")


def test_a_missing_username_is_answered_with_the_command() -> None:
    cluster = profile.load("penguins")
    assert cluster.user == ""
    with pytest.raises(RookeryError, match="Missing username on Penguins") as caught:
        cluster_module.require_user(cluster)
    assert str(caught.value.hint).startswith("invoke login penguins --user YOUR_USERNAME")
    assert cluster_module.require_user(profile.load("penguins", overrides={"cluster_user": "me"})) == "me"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# mine\ncluster_user: old  # from the letter\nx: 1\n",
            "# mine\ncluster_user: new  # from the letter\nx: 1\n",
        ),
        ("cluster_port: 22", "cluster_port: 22\ncluster_user: new\n"),
        ("---\n# é , not ASCII\ntea: ü\ncluster_user: 'old'\n", "---\n# é , not ASCII\ntea: ü\ncluster_user: new\n"),
        ("cluster_user:\nx: 1\n", "cluster_user: new\nx: 1\n"),
        ("cluster_user:   # none yet\n", "cluster_user: new   # none yet\n"),
        ("{cluster_user: old, x: 1}\n", "{cluster_user: new, x: 1}\n"),
        ('"cluster_user": >-\n  old\nx: 1\n', '"cluster_user": new\nx: 1\n'),
        ("x: {cluster_user: inner}\r\n", None),
        ("", "cluster_user: new\n"),
    ],
)
def test_remember_keeps_what_else_the_file_says(home: Path, before: str, after: str | None) -> None:
    file = own_inventory(home, "host_vars/penguins.yml", before)
    profile.remember("penguins", {"cluster_user": "new"})
    if after is not None:
        assert file.read_text() == after
    assert yaml.safe_load(file.read_text()) == {**(yaml.safe_load(before) or {}), "cluster_user": "new"}


def test_remember_quotes_what_yaml_would_read_otherwise() -> None:
    file = profile.remember("hec", {"cluster_user": "007"})
    assert yaml.safe_load(file.read_text()) == {"cluster_user": "007"}
    assert profile.load("hec").user == "007"


def test_remember_writes_where_ansible_looks(home: Path) -> None:
    """A folder host_vars/NAME hides host_vars/NAME.yml, so a new file there would say nothing."""
    file = own_inventory(home, "host_vars/penguins/10-me.yml", "cluster_user: old\n")
    last = own_inventory(home, "host_vars/penguins/20-more.yml", "x: 1\n")
    assert profile.remember("penguins", {"cluster_user": "new"}) == file
    assert last.read_text() == "x: 1\n"
    assert profile.load("penguins").user == "new"


def test_remember_keeps_mode_and_link_and_leaves_nothing_behind(home: Path) -> None:
    real = home / "dotfiles" / "penguins.yml"
    real.parent.mkdir()
    real.write_text("x: 1\n")
    real.chmod(0o600)
    link = home / ".config" / "rookery" / "inventory" / "host_vars" / "penguins.yml"
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    profile.remember("penguins", {"cluster_user": "me"})
    assert link.is_symlink()
    assert real.read_text() == "x: 1\ncluster_user: me\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [path.name for path in real.parent.iterdir()] == ["penguins.yml"]


def test_remember_leaves_alone_what_is_said_already(home: Path) -> None:
    file = own_inventory(home, "host_vars/penguins.yml", "cluster_user: me\n")
    os.utime(file, (1, 1))
    profile.remember("penguins", {"cluster_user": "me"})
    assert file.stat().st_mtime == 1


def test_remember_writes_nothing_that_is_wrong(home: Path) -> None:
    for name, user, message in (("penguins", "a b", "must be a username"), ("pengiun", "me", "Unknown cluster")):
        with pytest.raises(RookeryError, match=message):
            profile.remember(name, {"cluster_user": user})
    assert not (home / ".config").exists()


def test_remember_gives_up_on_a_file_it_cant_edit(home: Path) -> None:
    text = "{x: 1}\n"
    file = own_inventory(home, "host_vars/penguins.yml", text)
    with pytest.raises(RookeryError) as caught:
        profile.remember("penguins", {"cluster_user": "me"})
    assert paths.typed(file) in caught.value.message
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == ["penguins.yml"]


def test_remember_mends_a_wrong_username(home: Path) -> None:
    own_inventory(home, "host_vars/penguins.yml", "cluster_user: my name\n")
    with pytest.raises(RookeryError, match="must be a username"):
        profile.load("penguins")
    profile.remember("penguins", {"cluster_user": "me"})
    assert profile.load("penguins").user == "me"


def test_an_account_takes_the_place_of_a_block_and_comments_stay(home: Path) -> None:
    text = "cluster_account:\n  required: true\n  name: old  # project of 2025\n\n# two GPUs\ncluster_user: ada\n"
    file = own_inventory(home, "host_vars/bede.yml", text)
    profile.remember("bede", profile.of_user("bede", "", "bdlan09"))
    rewritten = file.read_text()
    assert rewritten.endswith("  # project of 2025\n\n# two GPUs\ncluster_user: ada\n")
    assert profile.load("bede").data["cluster_account"] == {"required": True, "name": "bdlan09"}


@pytest.mark.usefixtures("home")
def test_the_house_s_words_of_an_account_stay_beside_a_person_s() -> None:
    profile.remember("bede", profile.of_user("bede", "ada", "bdlan09"))
    known = profile.load("bede").data["cluster_account"]
    assert (known["name"], known["example"], known["hint"]) == ("bdlan09", "bdlan09", "the code of your project")
    assert profile.of_user("hec", "", "x")["cluster_account"] == {"required": False, "name": "x"}


@pytest.mark.parametrize("key", ["pypi", "cran", "pyenv_git", "python_sources", "uv_python_downloads"])
def test_a_mirror_that_anybody_between_could_change_is_refused(home: Path, key: str) -> None:
    file = own_inventory(home, "group_vars/all.yml", f"---\ncluster_mirrors:\n  {key}: http://mirror.example.org/x\n")
    with pytest.raises(
        RookeryError, match=rf"^{paths.shown(file)}:3: `{key}` must begin with https:// or file://, not"
    ):
        profile.load("penguins")
