"""`kill -9` at every single step of a setup or of an undo, then undo: the home is as it was, to the nanosecond."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from home_helpers import Login, steps
from undo_helpers import everything, give_to_nobody, quick, set_up, take_back
from undo_helpers import furnish as furnish_it


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the home is."""
    with quick(tmp_path) as place:
        place.chmod(0o755)
        yield place / "login"


def furnish(folder: Path) -> Login:
    """A home of somebody whom file modes hold back."""
    login = furnish_it(folder)
    if os.getuid() == 0:
        give_to_nobody(login)
    return login


@pytest.mark.parametrize("purge", [False, True])
def test_setup_then_undo_gives_the_old_home_back(folder: Path, purge: bool) -> None:
    login = furnish(folder)
    before = everything(login, state=True)
    set_up(login)
    assert everything(login) != before
    answer = take_back(login, purge=purge)
    assert answer is not None
    assert "failed" not in answer, answer
    assert [outcome for outcome in answer["outcomes"] if outcome["state"] == "left"] == []
    if purge:
        assert everything(login, state=True) == before
    else:
        assert everything(login) == {
            name: entry for name, entry in before.items() if not name.startswith("home/.local")
        }


def test_a_setup_killed_at_any_step_is_taken_back(folder: Path) -> None:
    before = everything(furnish(folder))
    for step in steps(7):
        login = furnish(folder)
        if set_up(login, kill_at=step):
            break
        answer = take_back(login, purge=bool(step % 2))
        assert "failed" not in (answer or {}), (step, answer)
        assert everything(login) == before, f"step {step}"
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
        if os.getuid() == 0:
            give_to_nobody(login)
        purge = bool(step % 2)
        if take_back(login, kill_at=step, purge=purge):
            break
        answer = take_back(login, purge=purge)
        assert "failed" not in (answer or {}), (step, answer)
        assert everything(login) == before, f"step {step}"
    assert step > 80, "the test kills at every step there is"


def test_a_setup_after_a_purge_killed_at_any_step_knows_the_first_times(folder: Path) -> None:
    login = furnish(folder)
    before = everything(login, state=True)
    for step in steps(9):
        login = furnish(folder)
        set_up(login)
        if take_back(login, kill_at=step, purge=True):
            break
        set_up(login)
        answer = take_back(login, purge=True)
        assert "failed" not in (answer or {}), (step, answer)
        assert everything(login, state=True) == before, f"step {step}"
    assert step > 80, "the test kills at every step there is"
