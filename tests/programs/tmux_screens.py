"""A terminal that shows what a person would see, and takes keys: tmux."""

import itertools
import os
import subprocess
from collections.abc import Mapping

from waiting import wait_for

_numbers = itertools.count()


class Screen:
    """A shell in tmux, of 80x24."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.server = f"rookery-test-top-{os.getpid()}-{next(_numbers)}"  # one that ends may still hold its socket
        self.environment = {**environment, "TERM": "xterm-256color", "PS1": "prompt: "}
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", "bash --norc --noprofile")

    def tmux(self, *words: str) -> str:
        completed = subprocess.run(
            ["tmux", "-L", self.server, "-f", os.devnull, *words],
            env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return completed.stdout

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.tmux("capture-pane", "-p")

    def types(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def presses(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def shows(self, *texts: str) -> None:
        """Wait until all of these texts are on the screen."""
        wait_for(lambda: all(text in self.text for text in texts))
