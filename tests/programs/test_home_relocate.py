"""A folder moved to storage and linked: nothing lost, nothing overwritten, whatever stands there."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from folder_moves import FOLDERS, build, move, moved
from home_helpers import Login, names, states, tree
from hypothesis import HealthCheck, given, settings
from undo_helpers import take_back


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


def test_what_an_older_version_declared_and_moved_is_in_place(login: Login) -> None:
    """`status` goes by that declaration, which names the folder on the storage."""
    to = login.storage / ".cache"
    to.mkdir()
    (login.home / ".cache").symlink_to(to)
    told = login.converge({"moves": [{"path": "~/.cache", "to": str(to)}]}, check=True)
    assert states(told) == ["present"]


@given(content=FOLDERS)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_tree_arrives_whole(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    login = Login(tmp_path_factory.mktemp("move"))
    build(login.home / ".cache", content)
    before = tree(login.home / ".cache", times=True)
    answer = login.converge(move(login))
    assert states(answer) == ["changed"], answer
    assert (login.home / ".cache").readlink() == moved(login)
    assert tree(moved(login), times=True) == before
    assert names(moved(login).parent) == [".cache"]
    assert not (login.home / ".cache.rookery-aside").exists()


@given(content=FOLDERS, there=FOLDERS)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_nothing_is_merged_and_undo_gives_both_trees_back(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], there: dict[str, Any]
) -> None:
    login = Login(tmp_path_factory.mktemp("both"))
    build(login.home / ".cache", content)
    build(login.storage / ".cache", there)
    coming, standing = tree(login.home / ".cache", times=True), tree(login.storage / ".cache", times=True)
    answer = login.converge(move(login))
    assert "failed" not in answer
    assert "/.cache, which existed already" in answer["outcomes"][0]["note"]
    assert tree(moved(login), times=True) == coming
    assert tree(login.storage / ".cache", times=True) == standing
    assert not login.converge(move(login))["changed"]
    take_back(login, purge=True)
    assert tree(login.home / ".cache", times=True) == coming
    assert tree(login.storage, times=True) == {
        ".cache": tree(login.storage, times=True)[".cache"],
        **{f".cache/{name}": state for name, state in standing.items()},
    }


@pytest.mark.parametrize(
    "stands",
    ["nothing", "nothing, but the storage", "dangling right", "dangling", "right", "users", "elsewhere", "file"],
)
def test_what_else_may_stand_there(login: Login, stands: str) -> None:
    path, to, users = login.home / ".cache", moved(login), login.storage / ".cache"
    other = login.home / "other"
    other.mkdir()
    links = {
        "dangling right": to,
        "right": to,
        "dangling": Path("/nowhere/at/all"),
        "users": users,
        "elsewhere": other,
    }
    if stands in links:
        path.symlink_to(links[stands])
    if stands == "right":
        to.mkdir(parents=True)
    if stands in ("users", "nothing, but the storage"):
        users.mkdir()
    if stands == "file":
        path.write_text("mine")
    answer = login.converge(move(login))
    expected = {"nothing": "made", "nothing, but the storage": "made", "dangling right": "changed"}
    expected |= {"right": "present", "users": "present"}
    assert states(answer) == [expected.get(stands, "kept")]
    note = answer["outcomes"][0]["note"]
    if stands == "file":
        assert note == "~/.cache is not a folder; it was kept"
        assert path.read_text() == "mine"
    elif stands == "elsewhere":
        assert note == "~/.cache is a link to ~/other; it was kept"
        assert path.readlink() == other
    elif stands == "dangling":
        assert note == "~/.cache is a link to /nowhere/at/all, which does not exist; it was kept"
        assert path.readlink() == links[stands]
    else:
        assert path.readlink() == (users if "storage" in stands or stands == "users" else to)
        assert path.is_dir()
    assert not login.converge(move(login))["changed"]


@pytest.mark.parametrize("to", ["rookery/home/.cache", ".cache"])
def test_what_was_made_for_a_link_that_led_to_nothing_goes_with_undo(login: Login, to: str) -> None:
    (login.storage / "rookery/home").mkdir(parents=True)
    (login.home / ".cache").symlink_to(login.storage / to)
    link = (login.home / ".cache").lstat().st_ino
    for path in (login.storage / "rookery/home", login.storage / "rookery", login.storage):
        os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    before = tree(login.home.parent, times=True)
    assert states(login.converge(move(login))) == ["changed"]
    assert (login.storage / to).is_dir()
    take_back(login, purge=True)
    assert tree(login.storage, times=True) == {
        name.removeprefix("storage/"): state for name, state in before.items() if name.startswith("storage/")
    }
    assert (login.home / ".cache").readlink() == login.storage / to
    assert (login.home / ".cache").lstat().st_ino == link, "the link is the same, and its owner with it"


@pytest.mark.parametrize("again", [False, True])
def test_a_killed_move_is_taken_back_with_the_time_of_the_folder_that_it_went_to(tmp_path: Path, again: bool) -> None:
    for step in itertools.count(1):
        login = Login(tmp_path / str(step))
        to = login.storage / "rookery/home"
        to.mkdir(parents=True)
        build(login.home / ".cache", {"a": ("file", b"x", 0o644)})
        os.utime(to, ns=(1, 1_600_000_000_123_456_789))
        if login.converge(move(login), kill_at=step):
            break
        if again:
            login.converge(move(login))
        take_back(login, purge=True)
        assert (login.home / ".cache/a").read_bytes() == b"x", f"step {step}"
        assert (names(to), to.stat().st_mtime_ns) == ([], 1_600_000_000_123_456_789), f"step {step}"
    assert step > 10, "the test kills at every step there is"


def test_an_empty_folder_where_a_moved_one_goes_is_there_again_after_undo(login: Login) -> None:
    build(login.home / ".cache", {"a": ("file", b"x", 0o644)})
    moved(login).mkdir(parents=True, mode=0o700)
    os.utime(moved(login), ns=(1, 1_600_000_000_123_456_789))
    before = tree(login.home.parent)
    assert states(login.converge(move(login))) == ["changed"]
    assert names(moved(login)) == ["a"]
    take_back(login, purge=True)
    assert tree(login.home.parent) == before
    assert moved(login).stat().st_mtime_ns == 1_600_000_000_123_456_789


@pytest.mark.skipif(os.getuid() != 0, reason="another group needs root")
def test_files_take_the_group_of_a_project_and_their_own_again(login: Login) -> None:
    """Room on the storage of a project is counted by group, which a folder there hands down (setgid)."""
    build(login.home / ".cache", {"mine": ("file", b"x", 0o644), "of others": ("file", b"y", 0o644)})
    os.chown(login.home / ".cache/of others", -1, 4712)
    os.chown(login.storage, -1, 4711)
    login.storage.chmod(0o2775)
    groups = [path.stat().st_gid for path in (login.home / ".cache", *sorted((login.home / ".cache").iterdir()))]
    login.converge(move(login))
    there = moved(login)
    assert [path.stat().st_gid for path in (there, *sorted(there.iterdir()))] == [4711, 4711, 4712]
    take_back(login, purge=True)
    assert [
        path.stat().st_gid for path in (login.home / ".cache", *sorted((login.home / ".cache").iterdir()))
    ] == groups


@pytest.mark.parametrize("link_in_home", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_on_the_storage_that_leads_out_of_it_is_not_linked_to(
    login: Login, tmp_path: Path, is_there: bool, link_in_home: bool
) -> None:
    outside = tmp_path / "outside"
    if is_there:
        outside.mkdir()
    (login.storage / ".cache").symlink_to(outside)
    if link_in_home:
        (login.home / ".cache").symlink_to(outside)
    before = tree(login.home.parent, times=True)
    answer = login.converge(move(login))
    expected = "made" if not link_in_home else "present" if is_there else "kept"
    assert states(answer) == [expected], answer
    if not link_in_home:
        assert (login.home / ".cache").readlink() == moved(login)
    assert outside.exists() == is_there
    take_back(login, purge=True)
    assert tree(login.home.parent, times=True).keys() == before.keys()
    assert tree(login.home, times=True) == {
        name.removeprefix("home/"): state for name, state in before.items() if name.startswith("home/")
    }


def test_the_storage_s_own_folder_stays_when_the_link_to_it_is_taken_back(login: Login) -> None:
    build(login.storage / ".cache", {"a": ("file", b"theirs", 0o644)})
    before = tree(login.storage, times=True)
    assert states(login.converge(move(login))) == ["made"]
    assert (login.home / ".cache/a").read_bytes() == b"theirs"
    take_back(login, purge=True)
    assert names(login.home) == []
    assert tree(login.storage, times=True) == before


def test_a_folder_made_anew_after_setup_is_not_put_into_the_moved_one(login: Login) -> None:
    build(login.home / ".cache", {"a": ("file", b"first", 0o644)})
    login.converge(move(login))
    (login.home / ".cache").unlink()
    build(login.home / ".cache", {"a": ("file", b"second", 0o644)})
    answer = login.converge(move(login))
    assert states(answer) == ["kept"]
    assert "already has files, and folders are not merged" in answer["outcomes"][0]["note"]
    assert (login.home / ".cache/a").read_bytes() == b"second"
    assert (moved(login) / "a").read_bytes() == b"first"


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_link_that_is_gone_leads_to_the_moved_folder_again(login: Login, left: str) -> None:
    build(login.home / ".cache", {"a": ("file", b"first", 0o644)})
    before = tree(login.home, times=True)
    (login.storage / ".cache").mkdir()
    login.converge(move(login))
    (login.home / ".cache").unlink()
    if left != "nothing":
        (login.home / ".cache").mkdir()
    assert login.converge(move(login))["changed"]
    assert (login.home / ".cache/a").read_bytes() == b"first"
    take_back(login, purge=True)
    assert tree(login.home, times=True) == before


@pytest.mark.parametrize("adopt", [True, False])
def test_a_folder_of_the_user_s_on_the_storage_takes_its_place_unless_it_may_not(login: Login, adopt: bool) -> None:
    """`~/.config/rookery` is none of the user's: STORAGE/rookery has nothing to do with it."""
    (login.storage / ".cache").mkdir()
    [item] = move(login)["moves"]
    answer = login.converge({"moves": [{**item, "adopt": adopt}]})
    assert states(answer) == ["made"]
    assert (login.home / ".cache").readlink() == (login.storage / ".cache" if adopt else moved(login))
    assert states(login.converge({"moves": [{**item, "adopt": adopt}]})) == ["present"]
