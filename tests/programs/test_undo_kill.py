"""`kill -9` at every single step of a setup or of an undo, then undo: the home is as it was, to the nanosecond."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from home_helpers import steps
from undo_helpers import everything, furnish, quick, set_up, take_back


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the home is."""
    with quick(tmp_path) as place:
        yield place / "login"


@pytest.mark.parametrize("purge", [False, True])
def test_setup_then_undo_gives_the_old_home_back(folder: Path, purge: bool) -> None:
    login = furnish(folder)
    before = everything(login, state=True)
    set_up(login)
    assert everything(login) != before
    answer = take_back(login, purge=purge)
    assert answer is not None
    assert "failed" not in answer, answer
    assert [one for one in answer["outcomes"] if one["state"] == "left"] == []
    if purge:
        assert everything(login, state=True) == before
    else:
        assert everything(login) == {name: seen for name, seen in before.items() if not name.startswith("home/.local")}


def test_a_setup_killed_at_any_step_is_taken_back(folder: Path) -> None:
    before = everything(furnish(folder))
    for step in steps(7):
        login = furnish(folder)
        if set_up(login, kill_at=step):
            break
        answer = take_back(login, purge=bool(step % 2))
        assert "failed" not in (answer or {}), (step, answer)
        assert contents(everything(login)) == contents(before), f"step {step}"
    assert step > 100, "the test kills at every step there is"


def test_an_undo_killed_at_any_step_is_finished_by_the_next(folder: Path) -> None:
    login = furnish(folder)
    before = everything(login)
    set_up(login)
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy, symlinks=True)
    for step in steps(7):
        shutil.rmtree(folder)
        shutil.copytree(copy, folder, symlinks=True)
        purge = bool(step % 2)
        if take_back(login, kill_at=step, purge=purge):
            break
        answer = take_back(login, purge=purge)
        assert "failed" not in (answer or {}), (step, answer)
        assert everything(login) == before, f"step {step}"
    assert step > 80, "the test kills at every step there is"


def contents(seen: dict[str, tuple[str, object, int]]) -> dict[str, tuple[str, object]]:
    """All but the times of folders, which a setup that was cut off can't always have written down."""
    return {name: (mode, data if mode[:1] != "d" else None) for name, (mode, data, _) in seen.items()}
