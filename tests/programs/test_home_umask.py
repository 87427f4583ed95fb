"""Under every umask nobody else can write to what shells read, and its owner can use all of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from home_helpers import Login, pythons

UMASKS = (0o000, 0o002, 0o022, 0o027, 0o077, 0o777)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def declaration(login: Login) -> dict[str, object]:
    """Something of every kind, in folders that are not there yet."""
    (login.home / ".cache").mkdir()
    (login.home / ".cache/wheel").write_text("x")
    make = "mkdir -p ~/made/bin && echo true >~/made/bin/tool && chmod +x ~/made/bin/tool"
    return {
        "directories": [{"path": "~/lib/R/4.3"}, {"path": "~/open", "mode": "0755"}],
        "moves": [{"path": "~/.cache", "storage": str(login.storage)}],
        "links": [{"path": "~/.local/bin/tool", "target": "~/made"}],
        "files": [{"path": "~/.config/rookery/env.sh", "content": "x\n"}, {"path": "~/start-pyenv", "content": "x\n"}],
        "blocks": [{"path": "~/.bashrc", "content": ". ~/env.sh", "position": "top"}],
        "json": [{"path": "~/.vscode-server/settings.json", "values": {"ours": True}}],
        "environment": {"name": "50-python", "variables": {"A": "b"}},
        "commands": [{"what": "Make it", "argv": ["sh", "-c", make], "creates": "~/made/bin/tool"}],
    }


@pytest.mark.parametrize("mask", UMASKS, ids="{:03o}".format)
@pytest.mark.parametrize("python", pythons()[:2])
def test_what_is_made_is_the_owners_to_use_and_nobody_elses_to_change(tmp_path: Path, python: str, mask: int) -> None:
    login = Login(tmp_path, python)
    with umask(0o022):
        wanted = declaration(login)
    before = set(tmp_path.rglob("*"))
    with umask(mask):
        answer = login.send(wanted)
    assert not answer.get("failed"), answer
    made = [path for path in tmp_path.rglob("*") if path not in before and not path.is_symlink()]
    assert len(made) > 20
    for path in made:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o022 == 0, f"{path} {mode:04o}"
        assert mode & (0o700 if path.is_dir() else 0o600) == (0o700 if path.is_dir() else 0o600), f"{path} {mode:04o}"
    if mask in {0o027, 0o077}:  # a umask that says less is the user's choice
        assert stat.S_IMODE((login.home / "start-pyenv").stat().st_mode) == 0o666 & ~mask
    with umask(mask):
        assert not login.send(wanted)["changed"]
