"""Somebody at a terminal: what a program shows there, and what is typed."""

import os
import pty
import re
import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Terminal:
    """A program on a terminal of its own; leaving the block closes the terminal."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], cwd: Path | None = None) -> None:
        self.seen, self.code, self.read_to = "", None, 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(cwd or "/")
            os.execvpe(argv[0], argv, {**environment, "TERM": "xterm"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code is None:
            self.hangs_up()

    def _reads(self) -> bool:
        """Take in what is shown. Whether the program is still there."""
        if not select.select([self.terminal], [], [], 0.1)[0]:
            return True
        try:
            some = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.seen += some.decode(errors="replace").replace("\r", "")
        return bool(some)

    def shows(self, pattern: str, seconds: float = 120) -> None:
        """Wait until the terminal has shown it, after what was waited for last."""
        end, there = time.monotonic() + seconds, True
        while not (match := re.compile(pattern, re.DOTALL).search(self.seen, self.read_to)):
            assert there, f"ended without {pattern!r}:\n{self.seen}"
            assert time.monotonic() < end, f"waited for {pattern!r}:\n{self.seen}"
            there = self._reads()
        self.read_to = match.end()

    def types(self, text: str) -> None:
        """Type a line."""
        os.write(self.terminal, f"{text}\n".encode())

    def presses(self, key: str) -> None:
        """Press a key, such as "\\x03" for Ctrl-C."""
        os.write(self.terminal, key.encode())

    def presses_until(self, key: str, pattern: str, seconds: float = 120) -> None:
        """Press a key, again if need be, until the terminal has shown it.

        A signal that comes between ssh's prompt and its reading is noted by ssh, and acted on with the next key alone
        (openbsd-compat/readpassphrase.c).
        """
        end = time.monotonic() + seconds
        while True:
            self.presses(key)
            try:
                return self.shows(pattern, 2)
            except AssertionError:
                if time.monotonic() > end:
                    raise

    def answers(self, prompt: str, text: str, seconds: float = 120) -> None:
        """Wait for a prompt, and type a line."""
        self.shows(prompt, seconds)
        self.types(text)

    def ends(self, seconds: float = 120) -> int:
        """Wait until the program has ended; its exit code."""
        end = time.monotonic() + seconds
        while self._reads():
            assert time.monotonic() < end, f"still there:\n{self.seen}"
        return self.hangs_up()

    def hangs_up(self) -> int:
        """Close the terminal, which ends whoever still sits at it."""
        os.close(self.terminal)
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code
