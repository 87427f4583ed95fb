"""A home that was lived in, set up and taken back by the apply program, in forks that may be killed at any step."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, tree

from rookery.remote.apply import disk, reply, undo

LONG_AGO = 1_600_000_000_123_456_789
STATE = "home/.local"


@contextmanager
def quick(folder: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: hundreds of runs wait for a disk some thousand times."""
    memory = Path("/dev/shm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sync", lambda: None)  # which waits for all the machine's disks
        if not os.access(memory, os.W_OK):
            yield folder
            return
        with tempfile.TemporaryDirectory(dir=memory) as made:
            yield Path(made)


def furnish(folder: Path) -> Login:
    """The same home every time, at the same path, with times from long ago."""
    shutil.rmtree(folder, ignore_errors=True)
    login = Login(folder)
    home = login.home
    (home / ".bashrc").write_bytes(b"#!/bin/bash\nalias x=y\r\nlast line without an end")
    (home / ".bashrc").chmod(0o640)
    (home / "start-pyenv").write_bytes(b"mine \xff")
    (home / "settings.json").write_text('{"mine": {"kept": 1}, "empty": {}}')
    (home / "tool").symlink_to("/old/tool")
    (home / "open").mkdir(mode=0o755)
    for name in (".cache", ".conda"):
        (home / name / "deep").mkdir(parents=True)
        for inner in ("a", "same", "deep/b"):
            (home / name / inner).write_text(f"{name} {inner}")
        (home / name / "link").symlink_to("deep/b")
    (home / ".conda/hollow/inner").mkdir(parents=True)
    (home / ".conda/hollow").chmod(0o500)
    (login.storage / ".conda/deep").mkdir(parents=True)
    (login.storage / ".conda/a").write_text("was here first")
    (login.storage / ".conda/same").write_text(".conda same")
    (login.storage / ".conda/deep/c").write_text("was here too")
    (login.storage / ".mamba").mkdir()
    (login.storage / ".mamba/x").write_text("was here first")
    for number, path in enumerate(sorted(folder.rglob("*"))):
        stamp = LONG_AGO + number * 1_000_000_007
        os.utime(path, ns=(stamp, stamp), follow_symlinks=False)
    return login


def declarations(login: Login) -> list[tuple[str, dict[str, Any]]]:
    """What three roles declare for it."""
    store = login.storage
    lib = "mkdir -p {0}/inner && echo x >{0}/inner/x && echo rookery-made: {0}/inner/x".format("$HOME/lib/R")
    return [
        (
            "shell",
            {
                "directories": [
                    "~/made",
                    {"path": "~/open", "mode": "0700", "enforce": True},
                    f"{store}/rookery",
                    f"{store}/rookery/x86",
                ],
                "blocks": [{"path": "~/.bashrc", "content": "ours"}, {"path": "~/.profile", "content": "ours"}],
                "environment": {"name": "50-x", "variables": {"A": "b"}, "shells": ["sh"]},
            },
        ),
        (
            "storage",
            {
                "moves": [
                    {"path": f"~/.{name}", "storage": str(store)} for name in ("cache", "conda", "mamba", "code")
                ],
                "links": [{"path": "~/tool", "target": "/new/tool"}, {"path": "~/new", "target": "/new"}],
                "files": [
                    {"path": "~/start-pyenv", "content": "ours\n", "mode": "0600"},
                    {"path": "~/.code/data/x", "content": "ours\n"},
                ],
                "json": [
                    {"path": "~/settings.json", "values": {"ours": 2, "mine": {"too": 3}, "empty": {"a": 1}}},
                    {"path": "~/.code/s.json", "values": {"ours": 2}},
                ],
            },
        ),
        (
            "python",
            {
                "directories": ["~/lib/R"],
                "commands": [
                    {"what": "Make", "argv": ["touch", "{stage}"], "creates": "~/lib/made", "stage": True},
                    {
                        "what": "Fill",
                        "argv": ["sh", "-c", lib],
                        "needs": ["Make"],
                        "creates": "~/lib/R/inner/x",
                        "makes": ["~/lib/R"],
                    },
                    {
                        "what": "Tool",
                        "needs": [],
                        "argv": ["sh", "-c", f"mkdir -p {store}/rookery/x86/bin && touch {store}/rookery/x86/bin/uv"],
                        "creates": f"{store}/rookery/x86/bin/uv",
                    },
                ],
            },
        ),
    ]


def full(declaration: dict[str, Any]) -> dict[str, Any]:
    """A declaration as the action plugin would send it."""
    folders = declaration.get("directories", [])
    plain = [{"path": folder} if isinstance(folder, str) else folder for folder in folders]
    return {**declaration, "directories": plain}


NOBODY = 65534


def give_to_nobody(login: Login) -> None:
    """Make all of it an ordinary account's, which file modes hold back; who is root gives it away."""
    for path in [login.home.parent, *login.home.parent.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def forked(login: Login, work: Callable[[], Any], kill_at: int) -> Any:
    """What work gives in a fork of this process, as the home's owner; None where it was killed at that step."""
    owner = login.home.stat().st_uid
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.environ["HOME"] = str(login.home)
            disk._KILL_AT, disk._steps_taken = kill_at, itertools.count(1)
            if owner != os.getuid():
                os.setgroups([])
                os.setgid(owner)
                os.setuid(owner)
            os.write(writer, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        text = stream.read()
    os.waitpid(child, 0)
    assert text or kill_at, "it ended without an answer"
    return json.loads(text) if text else None


def set_up(login: Login, kill_at: int = 0) -> list[dict[str, Any]] | None:
    """All roles in one fork: their answers."""
    from rookery.remote.apply import main

    def work() -> list[dict[str, Any]]:
        return [main.answer(login.payload(full(declaration), role=role)) for role, declaration in declarations(login)]

    answers: list[dict[str, Any]] | None = forked(login, work, kill_at)
    for answer in answers or []:
        assert "failed" not in answer, answer
    return answers


def take_back(login: Login, kill_at: int = 0, **overrides: Any) -> dict[str, Any] | None:
    """`undo` there; its answer."""
    usual = {
        "run": {"id": "undo-1", "who": "sam", "laptop": "teapot"},
        "storage": [str(login.storage)],
        "space": {},
        "grain": 1,
        "check": False,
        "only": [],
        "purge": False,
    }
    answer: dict[str, Any] | None = forked(
        login, lambda: reply.answer(undo.UndoSession, {**usual, **overrides}), kill_at
    )
    assert "exception" not in (answer or {}), answer
    return answer


def everything(login: Login, *, state: bool = False) -> dict[str, Any]:
    """Home and storage, with times; rookery's own folder, and those made for it, only when asked for."""
    entries = tree(login.home.parent, times=True, leave_out="" if state else STATE)
    entries["home"] = ("", None, login.home.stat().st_mtime_ns)
    return entries


HOMES = Path(__file__).resolve().parents[1] / "data/homes"
"""A home for each version of the ledger, before and after its setup: `recorded` of `furnish` and of `set_up`."""


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """All that is in a folder, so that it can be made anew in another one."""
    top, entries = str(folder), {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        entry: dict[str, Any] = {"mtime": status.st_mtime_ns}
        if stat.S_ISLNK(status.st_mode):
            entry["target"] = str(path.readlink()).replace(top, "@TOP@")
        else:
            entry["mode"] = f"{stat.S_IMODE(status.st_mode):04o}"
        if stat.S_ISREG(status.st_mode):
            entry["content"] = base64.b64encode(path.read_bytes().replace(top.encode(), b"@TOP@")).decode()
        entries[str(path.relative_to(folder))] = entry
    return entries


def made_anew(folder: Path, version: int, when: str) -> Login:
    """The home of a version of the ledger, `before` or `after` its setup."""
    return rebuilt(folder, HOMES / f"version-{version}.json", when)


def rebuilt(folder: Path, record: Path, when: str) -> Login:
    """A home that was recorded, `before` or `after` its setup."""
    shutil.rmtree(folder, ignore_errors=True)
    entries = json.loads(record.read_text())[when]
    login = Login(folder)
    for name, entry in entries.items():
        path = folder / name
        if "target" in entry:
            path.symlink_to(entry["target"].replace("@TOP@", str(folder)))
        elif "content" in entry:
            path.write_bytes(base64.b64decode(entry["content"]).replace(b"@TOP@", str(folder).encode()))
        else:
            path.mkdir(exist_ok=True)
    for name, entry in sorted(entries.items(), reverse=True):
        if "mode" in entry:
            (folder / name).chmod(int(entry["mode"], 8))
        os.utime(folder / name, ns=(entry["mtime"], entry["mtime"]), follow_symlinks=False)
    return login
