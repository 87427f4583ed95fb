"""`undo` in a home: what the person changed stays, what it tells beforehand is what it does, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login
from undo_helpers import HOMES, everything, furnish, made_anew, quick, set_up, take_back

from rookery.homes import bashrc_guard
from rookery.remote.apply import disk, records, restore


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where homes are."""
    with quick(tmp_path) as place:
        yield place


@pytest.fixture
def login(folder: Path) -> Login:
    """A home that was lived in and set up."""
    made = furnish(folder / "login")
    set_up(made)
    return made


def told(answer: dict[str, Any] | None, login: Login) -> dict[str, tuple[str, str]]:
    """State and note by path, with ~ for the home and $ for the storage."""
    assert answer is not None
    assert "failed" not in answer, answer
    short = {str(login.home): "~", str(login.storage): "$"}
    pattern = re.compile("|".join(map(re.escape, short)))
    return {
        pattern.sub(lambda match: short[match[0]], outcome["path"]): (outcome["state"], outcome["note"])
        for outcome in answer["outcomes"]
    }


def test_check_tells_exactly_what_will_be_done(login: Login) -> None:
    before = everything(login, state=True)
    for options in ({}, {"purge": True}, {"only": ["python"]}):
        listed = take_back(login, check=True, **options)
        assert everything(login, state=True) == before
        assert listed is not None
        assert len(listed["outcomes"]) > 2
    listed = take_back(login, check=True)
    done = take_back(login)
    assert listed is not None
    assert done is not None
    assert done["outcomes"] == listed["outcomes"]


def test_what_the_person_changed_since_stays_and_is_named(login: Login) -> None:
    home = login.home
    (home / "start-pyenv").write_text("mine again\n")
    bashrc = (home / ".bashrc").read_bytes()
    (home / ".bashrc").write_bytes(bashrc.replace(b"\nours\n", b"\nours and mine\n"))
    (home / ".profile").write_bytes((home / ".profile").read_bytes() + b"mine\n")
    settings = json.loads((home / "settings.json").read_text())
    (home / "settings.json").write_text(json.dumps({**settings, "later": True}))
    (home / "new").unlink()
    (home / "new").symlink_to("/elsewhere")
    (home / "made/mine").write_text("mine")
    (home / ".cache/later").write_text("mine")
    (login.storage / "rookery/x86/virtualenvs/project").mkdir(parents=True)
    outcomes = told(take_back(login), login)
    assert outcomes["~/start-pyenv"][0] == "left"
    kept = re.search(r"is in ~/(\S+)", outcomes["~/start-pyenv"][1])
    assert kept
    assert (home / kept[1]).read_bytes() == b"mine \xff"
    assert (home / "start-pyenv").read_text() == "mine again\n"
    assert outcomes["~/.bashrc"][0] == "left"
    assert b"ours and mine" in (home / ".bashrc").read_bytes()
    assert outcomes["~/.profile"] == ("restored", "rookery's lines only; your changes since are kept")
    assert (home / ".profile").read_text() == "mine\n"
    assert json.loads((home / "settings.json").read_text()) == {"mine": {"kept": 1}, "empty": {}, "later": True}
    assert outcomes["~/new"][0] == "left"
    assert (home / "new").readlink() == Path("/elsewhere")
    assert outcomes["~/made"] == ("left", "it has files of yours: mine")
    assert (home / ".cache/later").read_text() == "mine"
    assert not (home / ".cache").is_symlink()
    assert outcomes["$/rookery/x86"][0] == "left"
    assert "virtualenvs/project" in outcomes["$/rookery/x86"][1]
    # purged, nothing is lost that stands nowhere else
    answer = take_back(login, purge=True)
    assert told(answer, login)["$/rookery/x86"][0] == "removed"
    assert not (login.storage / "rookery/x86").exists()
    assert sorted(path.read_bytes() for path in (login.state / "kept").iterdir())[1] == b"mine \xff"
    assert sorted(path.name for path in login.state.iterdir()) == ["kept"]


def test_a_role_alone_is_taken_back_where_nothing_needs_it(login: Login) -> None:
    before = everything(login)
    answer = take_back(login, only=["shell"])
    assert answer is not None
    assert "can't undo shell alone: python needs it" in answer["msg"]
    assert "--tags python,shell" in answer["hint"]
    assert everything(login) == before
    assert "role nobody has nothing to undo in this home" in (take_back(login, only=["nobody"]) or {})["msg"]
    outcomes = told(take_back(login, only=["storage"]), login)
    assert outcomes["~/.cache"][0] == "restored"
    assert (login.home / "lib/made").exists()
    assert {entry["role"] for entry in login.ledger()} == {"shell", "python"}
    before = everything(furnish(login.home.parent.parent / "other"))
    told(take_back(login), login)
    assert everything(login) == before


def test_a_home_that_is_too_full_for_what_must_come_back_is_left_as_it_is(login: Login) -> None:
    (login.storage / "rookery/home/.conda/big").write_bytes(b"x" * 30_000_000)
    before = everything(login)
    answer = take_back(login, space={str(login.home): 20, str(login.storage): 1000})
    assert answer is not None
    assert re.search(r"needs 30 MB on \S+/home, but only 20 MB are free", answer["msg"]), answer
    assert everything(login) == before


DAMAGES = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "no object": lambda _: "[]",
    "a newer one": lambda text: text.replace('"version": 3', '"version": 4'),
    "no number": lambda text: text.replace('"version": 3', '"version": true'),
    "a path elsewhere": lambda text: text.replace("/home/start-pyenv", "/home/../../../etc/start-pyenv"),
    "a path of another": lambda text: re.sub(r'"[^"]*/home/start-pyenv"', '"/etc/passwd"', text),
    "a relative path": lambda text: re.sub(r'"[^"]*/home/start-pyenv"', '"start-pyenv"', text),
    "the home itself": lambda text: re.sub(r'("[^"]*/home)/start-pyenv"', r'\1"', text),
    "a kept copy elsewhere": lambda text: text.replace('"kept": "start-pyenv', '"kept": "../../start-pyenv'),
    "an unknown kind": lambda text: text.replace('"kind": "links"', '"kind": "spells"'),
    "a wrong type": lambda text: text.replace('"order": 3', '"order": "three"'),
    "one number twice": lambda text: text.replace('"order": 3', '"order": 4'),
    "a wrong mode": lambda text: text.replace('"mode": "0600"', '"mode": "rw"'),
    "a folder in itself": lambda text: re.sub(r'"target": "[^"]*/home/.cache"', '"target": "@/.cache/inner"', text),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_is_refused_and_nothing_is_done(login: Login, damage: str) -> None:
    file = login.state / "ledger.json"
    text = file.read_text()
    damaged = DAMAGES[damage](text).replace("@", str(login.home))
    assert damaged != text
    file.write_text(damaged)
    before = everything(login)
    for check in (True, False):
        answer = take_back(login, check=check)
        assert answer is not None
        assert re.search("is damaged, so nothing was changed|written by a newer rookery", answer["msg"]), answer
        assert everything(login) == before
        assert file.read_text() == damaged


def test_there_may_be_nothing_to_take_back(folder: Path) -> None:
    login = furnish(folder / "login")
    before = everything(login, state=True)
    for options in ({}, {"purge": True}, {"check": True}):
        answer = take_back(login, **options)
        assert answer == {"found": False, "outcomes": [], "notes": []}
        assert everything(login, state=True) == before


def test_another_laptop_at_work_is_not_disturbed(login: Login) -> None:
    before = everything(login)
    answer = take_back(login, run={"id": "u", "who": "alex", "laptop": "kettle"})
    assert answer is not None
    assert "another rookery command is running in this home (sam, on the laptop teapot" in answer["msg"]
    assert everything(login) == before


@pytest.mark.parametrize("version", range(1, records.VERSION + 1))
def test_a_home_of_each_version_is_taken_back(folder: Path, version: int) -> None:
    before = everything(made_anew(folder / "login", version, "before"))
    login = made_anew(folder / "login", version, "after")
    ledger = json.loads((login.state / "ledger.json").read_text())
    assert ledger["version"] == version
    outcomes = told(take_back(login), login)
    assert not [path for path, (state, _) in outcomes.items() if state == "left"]
    after = everything(login)
    if version == 1:  # it did not know the times of folders and links, nor what was whose where two became one
        assert "it is not known which came from the home" in outcomes["~/.conda"][1]
        leave_out = re.compile("home/.conda|storage")
        before, after = (
            {
                name: entry if entry[0][:1] == "-" else entry[:2]
                for name, entry in every.items()
                if not leave_out.match(name)
            }
            for every in (before, after)
        )
    assert after == before


@pytest.mark.parametrize("version", range(1, records.VERSION + 1))
def test_a_home_of_each_version_is_brought_on_by_setup(folder: Path, version: int) -> None:
    login = made_anew(folder / "login", version, "after")
    before = everything(login)
    answers = set_up(login)
    assert answers is not None
    assert not any(answer["changed"] for answer in answers)
    assert everything(login) == before
    ledger = json.loads((login.state / "ledger.json").read_text())
    assert ledger["version"] == records.VERSION
    assert ledger["storage"] == [str(login.storage)]
    assert told(take_back(login), login)["~/start-pyenv"] == ("restored", "")
    assert (login.home / "start-pyenv").read_bytes() == b"mine \xff"


def test_there_is_a_home_of_each_version() -> None:
    names = sorted(path.name for path in HOMES.glob("version-*"))
    assert names == [f"version-{version}.json" for version in range(1, records.VERSION + 1)]


def test_the_guard_that_got_rookery_in_is_known(folder: Path) -> None:
    login = Login(folder / "login")
    bashrc = login.home / ".bashrc"
    bashrc.write_text('[ -z "$PS1" ] && exit\n')
    bashrc.chmod(0o640)
    os.utime(bashrc, ns=(1, 1_600_000_000_000_000_001))
    os.utime(login.home, ns=(1, 1_600_000_000_000_000_002))
    before = everything(login, state=True)
    home = {**os.environ, "HOME": str(login.home)}
    subprocess.run(["sh", "-c", bashrc_guard._SCRIPT], env=home, check=True, stdout=subprocess.DEVNULL)
    assert "ROOKERY_PROBE" in bashrc.read_text()
    told(take_back(login, purge=True), login)
    assert everything(login, state=True) == before
    guard = re.search(r"'(case [^']*)'", bashrc_guard._SCRIPT)
    assert guard
    assert disk.digest(guard[1].encode() + b"\n") == restore.GUARD


def test_a_purge_that_was_killed_at_its_end_leaves_no_trace(folder: Path) -> None:
    login = Login(folder / "login")
    gone = login.home / ".local/.rookery-gone-state-1600000000123456789"
    gone.mkdir(parents=True)
    assert take_back(login) == {"found": False, "outcomes": [], "notes": []}
    assert list((login.home / ".local").iterdir()) == []
    assert (login.home / ".local").stat().st_mtime_ns == 1_600_000_000_123_456_789


@pytest.mark.skipif(os.getuid() != 0, reason="files of others need root")
def test_modes_groups_and_owners_of_files_are_the_same_afterwards(folder: Path) -> None:
    login = Login(folder / "login")
    for name in (".bashrc", "tool", "theirs"):
        (login.home / name).write_text(name)
    (login.home / ".bashrc").chmod(0o6755)
    os.chown(login.home / "tool", -1, 4711)
    os.chown(login.home / "theirs", 4712, -1)
    before = {path.name: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in login.home.iterdir()}
    links = [{"path": f"~/{name}", "target": "/new"} for name in ("tool", "theirs")]
    answer = login.converge({"links": links, "blocks": [{"path": "~/.bashrc", "content": "ours"}]})
    assert [outcome["state"] for outcome in answer["outcomes"]] == ["changed", "kept", "changed"]
    assert (login.home / ".bashrc").stat().st_mode == before[".bashrc"][0]
    take_back(login, purge=True)
    after = {path.name: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in login.home.iterdir()}
    assert after == before


def test_a_drop_in_of_the_person_s_own_stays_whatever_is_purged(login: Login) -> None:
    mine = login.home / ".config/rookery/env.d/99-mine.sh"
    mine.write_text("export MINE=1\n")
    answer = take_back(login, purge=True)
    assert answer is not None
    assert "failed" not in answer, answer
    assert mine.read_text() == "export MINE=1\n"


def test_a_storage_that_is_not_there_leaves_link_and_ledger(login: Login) -> None:
    away = login.storage.with_name("away")
    login.storage.rename(away)
    login.storage.mkdir()
    for purge in (False, True):
        answer = take_back(login, purge=purge)
        assert answer is not None
        assert ".cache is missing" in answer["msg"]
        assert answer["hint"].endswith("run the same command again")
        assert (login.home / ".cache").is_symlink()
    login.storage.rmdir()
    away.rename(login.storage)
    answer = take_back(login, purge=True)
    assert answer is not None
    assert "failed" not in answer, answer
    assert (login.home / ".cache/deep/b").read_text() == ".cache deep/b"
    assert not login.state.exists()


def test_what_is_on_a_storage_that_is_not_there_is_not_forgotten(folder: Path) -> None:
    login = furnish(folder / "login")
    before = everything(login)
    set_up(login)
    away = login.storage.with_name("away")
    login.storage.rename(away)
    login.storage.mkdir()
    without_storage, ledger = everything(login), json.loads((login.state / "ledger.json").read_text())
    for options in ({"check": True}, {"purge": True}, {}):
        answer = take_back(login, **options)
        assert answer is not None
        assert "so is everything else that rookery put on" in answer["msg"]
    assert everything(login) == without_storage
    assert json.loads((login.state / "ledger.json").read_text())["entries"] == ledger["entries"]
    login.storage.rmdir()
    away.rename(login.storage)
    answer = take_back(login, purge=True)
    assert answer is not None
    assert "failed" not in answer, answer
    assert everything(login) == before


def test_whoever_has_emptied_the_storage_runs_the_command_that_is_named(login: Login) -> None:
    shutil.rmtree(login.storage)
    answer = take_back(login, purge=True)
    assert answer is not None
    named = re.search(r"if you have removed it all, (mkdir -p .*?);", answer["hint"])
    assert named is not None
    subprocess.run(["/bin/sh", "-c", named[1]], check=True)
    answer = take_back(login, purge=True)
    assert answer is not None
    assert "failed" not in answer, answer
    assert (login.home / ".cache").is_dir()
    assert not (login.home / ".cache").is_symlink()
    assert not login.state.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="another user's files need root")
def test_what_cannot_come_back_is_not_forgotten_by_a_purge(login: Login) -> None:
    theirs = next(path for path in (login.storage / "rookery/home/.cache").rglob("*") if path.is_file())
    os.chown(theirs, 1234, -1)
    answer = take_back(login, purge=True)
    assert answer is not None
    assert "belongs to" in answer["msg"]
    assert (login.state / "ledger.json").exists()
    os.chown(theirs, os.getuid(), -1)
    answer = take_back(login, purge=True)
    assert answer is not None
    assert "failed" not in answer, answer
    assert (login.home / ".cache").is_dir()
    assert not (login.home / ".cache").is_symlink()
    assert not login.state.exists()
