"""What a role declares no longer is taken back by its next run; what the person changed stays, and is named once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, states, tree


@pytest.fixture
def login(tmp_path: Path) -> Login:
    """A home in which a role has written all kinds of things."""
    login = Login(tmp_path)
    (login.home / "start-pyenv").write_text("mine\n")
    (login.home / ".zshrc").write_text("mine\n")
    answer = login.converge(written())
    assert "failed" not in answer, answer
    login.converge({"files": [{"path": "~/other", "content": "ours\n"}]}, role="other")
    return login


def written() -> dict[str, Any]:
    return {
        "directories": [{"path": "~/empty"}, {"path": "~/full"}],
        "files": [{"path": "~/start-pyenv", "content": "ours\n"}, {"path": "~/full/x", "content": "ours\n"}],
        "blocks": [{"path": "~/.zshrc", "content": "ours"}],
        "links": [{"path": "~/link", "target": "/there"}],
        "json": [{"path": "~/s.json", "values": {"a": 1, "b": {"c": 2, "d": 3}}}],
        "environment": {"name": "50-x", "variables": {"A": "b"}, "shells": ["sh", "csh"]},
        "commands": [{"what": "Make", "argv": ["touch", "{stage}"], "creates": "~/tools/made", "stage": True}],
    }


def test_nothing_is_stale_in_a_second_run(login: Login) -> None:
    before = tree(login.home, times=True, leave_out=".local")
    assert not login.converge(written())["changed"]
    assert tree(login.home, times=True, leave_out=".local") == before


def test_what_is_declared_no_longer_is_taken_back(login: Login) -> None:
    less = {
        "environment": {"name": "50-x", "variables": {"A": "b"}, "shells": ["sh"]},
        "directories": [{"path": "~/full"}],
    }
    before = tree(login.home)
    check = login.converge(less, check=True)
    assert tree(login.home) == before
    answer = login.converge(less)
    assert [outcome["path"] for outcome in answer["outcomes"]] == [outcome["path"] for outcome in check["outcomes"]]
    assert set(states(answer)) == {"present", "changed"}
    assert len(answer["diff"]) == 7
    assert (login.home / "start-pyenv").read_text() == "mine\n"
    assert (login.home / ".zshrc").read_text() == "mine\n"
    names = sorted(name for name in tree(login.home, leave_out=".local") if not name.startswith(".config"))
    assert names == [".zshrc", "full", "other", "start-pyenv", "tools", "tools/made"]
    assert [path.name for path in (login.home / ".config/rookery/env.d").iterdir()] == ["50-x.sh"]
    assert not login.converge(less)["changed"]


def test_keys_of_settings_go_one_by_one(login: Login) -> None:
    file = login.home / "s.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "mine": 4}))
    less = {**written(), "json": [{"path": "~/s.json", "values": {"b": {"c": 2}}}]}
    assert login.converge(less)["changed"]
    assert json.loads(file.read_text()) == {"b": {"c": 2}, "mine": 4}
    assert not login.converge(less)["changed"]


def test_what_the_person_changed_stays_and_is_named_once(login: Login) -> None:
    (login.home / "start-pyenv").write_text("mine again\n")
    less = {key: value for key, value in written().items() if key != "files"}
    (kept,) = [outcome for outcome in login.converge(less)["outcomes"] if outcome["state"] == "kept"]
    assert kept["note"].startswith("no longer needed, but you have changed it since; the earlier version is in ~/")
    assert (login.home / "start-pyenv").read_text() == "mine again\n"
    assert set(states(login.converge(less))) == {"present"}


def test_a_run_that_fails_takes_nothing_back(login: Login) -> None:
    failing = {"commands": [{"what": "Fail", "argv": ["false"], "creates": "~/never"}]}
    before = tree(login.home, leave_out=".local")
    assert login.converge(failing)["failed"]
    assert tree(login.home, leave_out=".local") == before


def test_a_file_by_another_name_is_still_the_declared_one(login: Login) -> None:
    (login.home / "dotfiles").mkdir()
    (login.home / ".zshrc").rename(login.home / "dotfiles/zshrc")
    (login.home / ".zshrc").symlink_to("dotfiles/zshrc")
    text = (login.home / "dotfiles/zshrc").read_text()
    login.converge(written())
    assert (login.home / "dotfiles/zshrc").read_text() == text


def test_a_folder_goes_with_the_files_that_go(login: Login) -> None:
    less: dict[str, Any] = {"files": [{"path": "~/start-pyenv", "content": "ours\n"}]}
    check = login.converge(less, check=True)
    answer = login.converge(less)
    assert [outcome["path"] for outcome in answer["outcomes"]] == [outcome["path"] for outcome in check["outcomes"]]
    assert not (login.home / "full").exists()
    assert not login.converge(less)["changed"]
