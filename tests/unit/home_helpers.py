"""Runs the apply program as the login node does: a real process, in a home of its own."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rookery.remote.apply import disk, main

ROOT = Path(__file__).resolve().parents[2]

_spec = importlib.util.spec_from_file_location("home_action", ROOT / "plugins/action/home.py")
assert _spec is not None
assert _spec.loader is not None
action = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(action)


def steps(every: int) -> Iterator[int]:
    """Steps at which a run is killed: each so many, from another one each time; all with ROOKERY_TEST_EVERY_STEP=1."""
    if os.environ.get("ROOKERY_TEST_EVERY_STEP"):
        return itertools.count(1)
    return itertools.count(secrets.randbelow(every) + 1, every)


def pythons() -> list[str]:
    """This Python, and older and newer ones where the machine has them (ROOKERY_TEST_PYTHONS, pyenv)."""
    named = [path for path in os.environ.get("ROOKERY_TEST_PYTHONS", "").split(":") if path]
    versions = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    installed = [
        str(path)
        for pattern in ("3.6*", "3.7*", "3.8*", "3.13*", "3.14*")
        for path in versions.glob(f"{pattern}/bin/python3")
    ]
    usable = [path for path in [*named, *installed] if shutil.which(path)]
    return [sys.executable, *dict.fromkeys(usable)]


class Login:
    """A login node with one home and one storage, both empty folders.

    Attributes:
        home: The home.
        storage: The storage beside it.
        python: The Python that the apply program runs on.
    """

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.home = folder / "home"
        self.storage = folder / "storage"
        self.python = python
        self.home.mkdir(parents=True)
        self.storage.mkdir()

    @property
    def state(self) -> Path:
        """Where rookery keeps what it remembers."""
        return self.home / ".local/state/rookery"

    def payload(self, declaration: dict[str, Any], **overrides: Any) -> dict[str, Any]:
        """What the action plugin would send."""
        usual = {
            "role": "shell",
            "run": {"id": "run-1", "who": "sam", "laptop": "teapot"},
            "storage": [str(self.storage)],
            "check": False,
            "declaration": declaration,
            "resume": None,
        }
        return {**usual, **overrides}

    def start(self, payload: dict[str, Any], **environment: str) -> subprocess.Popen[bytes]:
        """The apply program, running."""
        line, data = action.bundle.command(self.python, action.bundle.pack(action.PROGRAM, payload))
        process = subprocess.Popen(
            ["/bin/sh", "-c", "exec " + line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **environment},
            start_new_session=True,
        )
        if data:
            assert process.stdin is not None
            process.stdin.write(data)
            process.stdin.close()
            process.stdin = None
        return process

    def send(
        self, declaration: dict[str, Any], environment: dict[str, str] | None = None, **overrides: Any
    ) -> dict[str, Any]:
        """The whole way of a declaration: packed, started by a shell, answered. A kill of itself gives nothing."""
        process = self.start(self.payload(declaration, **overrides), **(environment or {}))
        output, errors = process.communicate(timeout=120)
        if process.returncode == -signal.SIGKILL:
            return {}
        answer: dict[str, Any] | None = action.frame.last(output.decode(), action.answers.apply_program)
        assert answer is not None, errors.decode()
        assert "exception" not in answer, answer["exception"]
        return answer

    def converge(self, declaration: dict[str, Any], kill_at: int = 0, **overrides: Any) -> dict[str, Any]:
        """The same in a fork of this process, which starts in no time; nothing where it was killed at that step."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.environ["HOME"] = str(self.home)
                disk._KILL_AT, disk._steps_taken = kill_at, itertools.count(1)
                os.write(writer, json.dumps(main.answer(self.payload(declaration, **overrides))).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            text = stream.read()
        os.waitpid(child, 0)
        answer: dict[str, Any] = json.loads(text) if text else {}
        assert text or kill_at, "it ended without an answer"
        assert "exception" not in answer, answer["exception"]
        return answer

    def ledger(self) -> list[dict[str, Any]]:
        """The ledger's entries."""
        entries: list[dict[str, Any]] = json.loads((self.state / "ledger.json").read_text())["entries"]
        return entries


def states(answer: dict[str, Any]) -> list[str]:
    """The state of each outcome."""
    return [outcome["state"] for outcome in answer["outcomes"]]


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def tree(folder: Path, *, times: bool = False, leave_out: str = "") -> dict[str, Any]:
    """Everything in a folder: type, mode, content or target, and when asked the time of change."""
    entries: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if leave_out and (name == leave_out or name.startswith(leave_out + "/")):
            continue
        status = path.lstat()
        content: Any = None
        if stat.S_ISLNK(status.st_mode):
            content = str(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        entries[name] = (stat.filemode(status.st_mode), content, status.st_mtime_ns if times else None)
    return entries


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only the memory of how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends between opening and reading
        return False
