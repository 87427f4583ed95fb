"""Homes that rookery 0.1.0 set up: it put folders among what stood on the storage. Their undo loses nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from home_helpers import Login, steps, tree
from undo_helpers import everything, forked, give_to_nobody, quick, rebuilt, take_back

from rookery.remote.apply import main

RECORD = Path(__file__).resolve().parents[1] / "data/merged_home.json"
"""Files, folders and times that clash in each way, before and after `setup` of 0.1.0."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the home is; its owner is no root, where these tests run as root."""
    with quick(tmp_path) as place:
        place.chmod(0o755)
        yield place / "login"


def at(folder: Path, when: str) -> Login:
    login = rebuilt(folder, RECORD, when)
    if os.getuid() == 0:
        give_to_nobody(login)
    return login


@pytest.mark.parametrize("purge", [False, True])
def test_home_and_storage_are_what_they_were(folder: Path, purge: bool) -> None:
    before = everything(at(folder, "before"))
    login = at(folder, "after")
    answer = take_back(login, purge=purge)
    assert answer is not None
    assert "failed" not in answer, answer
    assert "what was in" in answer["outcomes"][0]["note"]
    assert everything(login) == before


def test_what_came_since_is_in_the_home_and_what_stood_there_on_the_storage(folder: Path) -> None:
    login = at(folder, "after")
    cache = login.home / ".cache"
    (cache / "new").write_text("new")
    (cache / "clash").write_text("storage, changed since")
    (cache / "same").write_text("same, changed since")
    (cache / "f/later").write_text("came into a folder of the storage's where the home had a file")
    if os.getuid() == 0:
        give_to_nobody(login)
    answer = take_back(login, purge=True)
    assert "failed" not in (answer or {}), answer
    home, storage = tree(cache), tree(login.storage / ".cache")
    assert home["new"][1] == b"new"
    assert home["clash"][1] == b"home"
    assert home["same"][1] == b"same, changed since"
    assert home["f"][1] == b"home-f"
    assert home["x/thesis.txt"][1] == b"thesis"
    assert storage["clash"][1] == b"storage, changed since"
    assert storage["f/inner"][1] == b"storage-f"
    assert b"came into a folder" in storage["f/later"][1]
    assert (login.home / ".cache.from-storage/f/later").read_text().startswith("came into")
    assert "new" not in storage
    assert not (login.storage / ".cache.from-home").exists()


@pytest.mark.parametrize("damage", ["gone", "no JSON", "no lists", "deep"])
def test_where_the_lists_are_lost_all_comes_home_and_all_stays_on_the_storage(folder: Path, damage: str) -> None:
    login = at(folder, "after")
    (lists,) = (login.state / "kept").glob("cache.json-*")
    texts = {"no JSON": "{", "no lists": '{"stood": [1], "both": {"a": "b"}}', "deep": "[" * 100_000}
    if damage == "gone":
        lists.unlink()
    else:
        lists.write_text(texts[damage])
    storage = tree(login.storage, times=True)
    answer = take_back(login)
    assert "it is not known which came from the home" in (answer or {})["outcomes"][0]["note"], answer
    after = tree(login.storage, times=True)
    assert {name: after[name] for name in storage if not name.startswith(".cache.from-home")} == {
        name: entry for name, entry in storage.items() if not name.startswith(".cache.from-home")
    }
    home = tree(login.home / ".cache")
    for name, content in {"x/thesis.txt": b"thesis", "s": b"one", "clash": b"home", "ours": b"storage"}.items():
        assert home[name][1] == content


def test_an_undo_killed_at_any_step_is_finished_by_the_next(folder: Path) -> None:
    before = everything(at(folder, "before"))
    for step in steps(3):
        login = at(folder, "after")
        if take_back(login, kill_at=step):
            break
        for content in (b"thesis", b"home-f", b"one", b"two", b"storage-x", b"storage-f"):
            assert any(entry[1] == content for entry in everything(login).values()), f"step {step}: {content!r} is gone"
        answer = take_back(login)
        assert "failed" not in (answer or {}), (step, answer)
        assert everything(login) == before, f"step {step}"
    assert step > 20, "the test kills at every step there is"


@pytest.mark.parametrize("purge", [False, True])
def test_a_storage_that_is_not_there_takes_nothing_away(folder: Path, purge: bool) -> None:
    before = everything(at(folder, "before"))
    login = at(folder, "after")
    away = login.storage.with_name("away")
    login.storage.rename(away)
    login.storage.mkdir()
    answer = take_back(login, purge=purge)
    assert "is missing, and so is everything else" in (answer or {})["msg"], answer
    assert (login.home / ".cache").is_symlink()
    login.storage.rmdir()
    away.rename(login.storage)
    assert "failed" not in (take_back(login, purge=purge) or {})
    assert everything(login) == before


def test_where_the_link_was_removed_the_folder_comes_back(folder: Path) -> None:
    before = everything(at(folder, "before"))
    login = at(folder, "after")
    times = login.home.stat()
    (login.home / ".cache").unlink()
    os.utime(login.home, ns=(times.st_atime_ns, times.st_mtime_ns))
    answer = take_back(login)
    assert answer is not None
    assert answer["outcomes"][0]["state"] == "restored"
    assert everything(login) == before


def test_where_another_folder_stands_nothing_is_touched_and_the_places_are_named(folder: Path) -> None:
    login = at(folder, "after")
    (login.home / ".cache").unlink()
    (login.home / ".cache").mkdir()
    if os.getuid() == 0:
        give_to_nobody(login)
    storage = tree(login.storage)
    answer = take_back(login)
    assert answer is not None
    assert answer["outcomes"][0]["state"] == "left"
    assert f"{login.storage}/.cache.from-home" in answer["outcomes"][0]["note"]
    assert tree(login.storage) == storage


def test_a_setup_after_an_undo_that_was_killed_mixes_nothing(folder: Path) -> None:
    before = everything(at(folder, "before"))
    move = {"moves": [{"path": "~/.cache", "storage": str(at(folder, "after").storage)}]}
    for step in steps(5):
        login = at(folder, "after")
        if take_back(login, kill_at=step):
            break
        first_answer = forked(login, lambda login=login: main.answer(login.payload(move, role="storage")), 0)
        assert "failed" not in first_answer, (step, first_answer)
        answer = take_back(login, purge=True)
        assert "failed" not in (answer or {}), (step, answer)
        assert everything(login) == before, f"step {step}"


@pytest.mark.parametrize("is_linked", [True, False])
def test_where_the_user_has_removed_the_folder_what_is_left_comes_back(folder: Path, is_linked: bool) -> None:
    login = at(folder, "after")
    if os.getuid() == 0:
        give_to_nobody(login)
    (login.storage / "other").mkdir()
    clashes = sorted(path.name for path in (login.storage / ".cache.from-home").iterdir())
    assert clashes
    for path in sorted((login.storage / ".cache").rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(login.storage / ".cache")
    if not is_linked:
        (login.home / ".cache").unlink()
    answer = take_back(login, purge=True)
    assert "failed" not in (answer or {}), answer
    assert sorted(path.name for path in (login.home / ".cache").iterdir()) == clashes
    assert not (login.home / ".cache").is_symlink()
    assert not login.state.exists()


@pytest.mark.parametrize("is_linked", [True, False])
def test_where_all_of_it_is_gone_that_is_told(folder: Path, is_linked: bool) -> None:
    login = at(folder, "after")
    prefix = login.storage / "rookery"
    prefix.mkdir()
    ledger = login.state / "ledger.json"
    document = json.loads(ledger.read_text())
    made = {"order": 0, "role": "shell", "kind": "directories", "path": str(prefix), "before": {"type": "absent"}}
    document["entries"].append({**document["entries"][0], **made, "after": {"type": "dir"}})
    ledger.write_text(json.dumps(document))
    for name in (".cache", ".cache.from-home"):
        subprocess.run(["rm", "-rf", str(login.storage / name)], check=True)
    if not is_linked:
        (login.home / ".cache").unlink()
    answer = take_back(login)
    assert answer is not None
    assert "failed" not in answer, answer
    assert answer["outcomes"][0]["state"] == "left"
    assert "no longer on the storage" in answer["outcomes"][0]["note"]
    assert not os.path.lexists(login.home / ".cache")
    assert not prefix.exists()
