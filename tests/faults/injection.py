"""The apply program as the home's account, in a fork that is killed, or has no room left, at a change of a file."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from random_home import GROUP, OTHER, PROJECT, USER

PATIENCE = 120
"""Seconds after which a run counts as one that hangs."""

_NEED_ROOM = {"open", "os.rename", "os.mkdir", "os.link", "os.symlink", "os.setxattr", "os.truncate"}
_CHANGES = _NEED_ROOM | {"os.remove", "os.rmdir", "os.chmod", "os.chown", "os.utime", "os.removexattr"}
_WRITES = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a run.

    Attributes:
        kind: kill (by the run itself, before a change of a file), full (no room from that change on), sudden (killed
            from outside after a time).
        at: When: the share of the changes, or of the time, of a run to which nothing happens.
        length: Of `full`: for how many changes there is no room.
    """

    kind: str
    at: float
    length: int = 1


@dataclass(frozen=True)
class Machine:
    """What the machine is like on which a run works.

    Attributes:
        lacks: What its filesystems don't know: `links` (hard links), `attributes` (extended ones), `locks`.
        clock: Seconds that its clock is ahead.
    """

    lacks: frozenset[str] = frozenset()
    clock: float = 0


_LACKING = {
    "os.link": ("links", errno.EPERM),
    "os.setxattr": ("attributes", errno.ENOTSUP),
    "fcntl.flock": ("locks", errno.ENOLCK),
}


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        answer: What it answered; None where it was killed.
        changes: How many changes of files it made.
        seconds: How long it took.
    """

    answer: Any
    changes: int
    seconds: float


class Injector:
    """An audit hook of the interpreter, which is called before every system call that changes a file."""

    def __init__(self, top: Path, machine: Machine, fault: Fault | None, usual: Outcome | None) -> None:
        self.top = str(top)
        self.machine = machine
        self.changes = 0
        self.fault = fault
        self.first = 1 + int(fault.at * usual.changes) if fault and usual else 0

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count a change, and let the fault happen where its turn has come."""
        lacking, code = _LACKING.get(event, ("", 0))
        if lacking in self.machine.lacks:
            raise OSError(code, os.strerror(code))
        if event not in _CHANGES or not self._concerns(event, arguments):
            return
        self.changes += 1
        if not self.fault or self.changes < self.first:
            return
        if self.fault.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.fault.kind == "full" and event in _NEED_ROOM and self.changes < self.first + self.fault.length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))

    def _concerns(self, event: str, arguments: tuple[Any, ...]) -> bool:
        path = arguments[0]
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITES):
            return False
        return isinstance(path, int) or os.fsdecode(path).startswith(self.top)


def run(
    top: Path, work: Callable[[], Any], machine: Machine, fault: Fault | None = None, usual: Outcome | None = None
) -> Outcome:
    """Run something in a fork of this process, as the account whose home it is.

    Args:
        top: The folder with the home.
        work: What to run; its answer is sent back as JSON.
        machine: What it runs on.
        fault: What goes wrong.
        usual: What came of a run to which nothing happened.

    Raises:
        AssertionError: It hangs, or ended without an answer though nothing had happened to it.
    """
    reader, writer = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _work(top, work, writer, Injector(top, machine, fault, usual))
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        if fault and fault.kind == "sudden" and usual:
            select.select([stream], [], [], fault.at * usual.seconds)
            os.kill(child, signal.SIGKILL)
        is_over = bool(select.select([stream], [], [], PATIENCE)[0])
        if not is_over:
            os.kill(child, signal.SIGKILL)
        text = stream.read()
    os.waitpid(child, 0)
    assert is_over, "it hangs"
    assert text or (fault and fault.kind != "full"), "it ended without an answer"
    try:
        document = json.loads(text)
    except ValueError:  # it was killed, and may have been in the middle of its answer
        document = {"answer": None, "changes": 0}
    return Outcome(document["answer"], document["changes"], time.monotonic() - began)


def _work(top: Path, work: Callable[[], Any], writer: int, injector: Injector) -> None:
    try:
        os.environ["HOME"] = str(top / "home")
        os.sync = lambda: None  # it waits for all the machine's disks
        if os.getuid() == 0:
            os.setgroups([PROJECT, OTHER])
            os.setgid(GROUP)
            os.setuid(USER)
        if injector.machine.clock:
            now = time.time
            time.time = lambda: now() + injector.machine.clock
        sys.addaudithook(injector.hook)
        answer = work()
        os.write(writer, json.dumps({"answer": answer, "changes": injector.changes}).encode())
    finally:
        os._exit(0)
