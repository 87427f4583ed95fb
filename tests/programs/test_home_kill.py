"""`kill -9` at every single step, then the same declaration again: it finishes, and nothing of the person's is lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, steps, tree

BASHRC = b"#!/bin/bash\nalias x=y\r\nlast line without an end"


def furnish(folder: Path) -> Login:
    """The same home every time, at the same path."""
    shutil.rmtree(folder, ignore_errors=True)
    login = Login(folder)
    home = login.home
    (home / ".bashrc").write_bytes(BASHRC)
    (home / "start-pyenv").write_bytes(b"mine \xff")
    (home / "settings.json").write_text('{"mine": 1}')
    (home / "tool").symlink_to("/old/tool")
    for name in (".cache", ".conda"):
        (home / name / "deep").mkdir(parents=True)
        for inner in ("a", "deep/b"):
            (home / name / inner).write_text(f"{name} {inner}")
        (home / name / "link").symlink_to("deep/b")
    (login.storage / ".conda").mkdir()
    (login.storage / ".conda/a").write_text("was here first")
    for path in folder.rglob("*"):
        if not path.is_symlink():
            os.utime(path, ns=(1_600_000_000_000_000_000, 1_600_000_000_000_000_000))
    return login


def declaration(login: Login) -> dict[str, Any]:
    return {
        "directories": [{"path": "~/lib/R"}],
        "moves": [{"path": f"~/.{name}", "storage": str(login.storage)} for name in ("cache", "conda")],
        "links": [{"path": "~/tool", "target": "/new/tool"}],
        "files": [{"path": "~/start-pyenv", "content": "ours\n", "mode": "0600"}],
        "blocks": [{"path": "~/.bashrc", "content": "ours"}],
        "json": [{"path": "~/settings.json", "values": {"ours": 2}}],
        "environment": {"name": "50-x", "variables": {"A": "b"}, "shells": ["sh"]},
        "commands": [
            {"what": "Make", "argv": ["touch", "{stage}"], "creates": "~/lib/made", "stage": True},
            {"what": "Beside", "argv": ["touch", "{stage}"], "creates": "~/beside", "stage": True, "needs": []},
        ],
    }


def remembered(login: Login) -> dict[tuple[str, str], Any]:
    """What the ledger knows of how it was at first."""
    entries = login.ledger()
    assert {entry["state"] for entry in entries} == {"done"}
    return {(entry["kind"], entry["path"]): {**entry["before"], "mtime": 0} for entry in entries}


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: hundreds of runs wait for a disk some thousand times."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_every_step_may_be_the_last(in_memory: Path) -> None:
    folder = in_memory / "login"
    login = furnish(folder)
    assert "failed" not in login.converge(declaration(login))
    whole, ledger = tree(folder, leave_out="home/.local"), remembered(login)
    kept = tree(login.state / "kept")
    assert whole["storage/.conda/a"][1] == b"was here first"
    assert whole["storage/rookery/home/.conda/a"][1] == b".conda a"

    for step in steps(3):
        login = furnish(folder)
        if login.converge(declaration(login), kill_at=step):
            break
        bashrc = (login.home / ".bashrc").read_bytes()
        assert bashrc.startswith(BASHRC), f"step {step}: the file is the old one or the new one at any time"
        answer = login.converge(declaration(login))
        assert answer, f"step {step}"
        assert "failed" not in answer, answer
        assert tree(folder, leave_out="home/.local") == whole, f"step {step}"
        assert remembered(login) == ledger, f"step {step}"
        assert tree(login.state / "kept") == kept, f"step {step}"
        (ledger_file,) = [path for path in login.state.iterdir() if path.name.startswith("ledger")]
        assert ledger_file.name == "ledger.json"
    assert step > 60, "the test kills at every step there is"


def test_the_real_process_is_killed_by_the_same_hook(tmp_path: Path) -> None:
    login = furnish(tmp_path / "login")
    assert login.send(declaration(login), environment={"ROOKERY_TEST_KILL_AT": "20"}) == {}
    assert "failed" not in login.send(declaration(login))
    assert not login.send(declaration(login))["changed"]


def test_a_run_killed_twice_still_knows_the_first_state(tmp_path: Path) -> None:
    login = furnish(tmp_path / "login")
    for step in (35, 20, 10):
        assert login.converge(declaration(login), kill_at=step) == {}
    assert "failed" not in login.converge(declaration(login))
    (entry,) = [entry for entry in login.ledger() if entry["path"].endswith("start-pyenv")]
    assert (login.state / "kept" / entry["before"]["kept"]).read_bytes() == b"mine \xff"
