"""`rookery top` in a real terminal: a login that asks, and no colours where none are wanted."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tmux_screens import Screen
from waiting import wait_for

PROGRAM = shlex.join([sys.executable, str(Path(__file__).with_name("top_in_terminal.py"))])
PASSWORD = "Password:"


@pytest.fixture
def screen() -> Iterator[Screen]:
    folders = os.pathsep.join(sys.path)
    made = Screen({"PATH": os.environ["PATH"], "PYTHONPATH": folders, "LANG": "C.UTF-8", "HOME": os.environ["HOME"]})
    try:
        yield made
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            made.tmux("kill-server")


def test_a_cluster_that_asks_for_a_password_is_logged_in_to_from_the_screen(screen: Screen) -> None:
    screen.types(f"{PROGRAM}; echo ended: $?\n")
    screen.shows("hec needs a login", "hec asks for your password. L logs in.")
    screen.types("L")
    screen.shows(PASSWORD)
    screen.presses("C-c")  # ends the login alone
    screen.shows("hec needs a login", "L logs in.")
    screen.types("L")
    wait_for(lambda: screen.text.rstrip().endswith(PASSWORD))
    screen.types("wrong\n")
    screen.shows("hec does not accept the password.", "next: rookery login hec", "Press Enter to go back.")
    screen.types("\n")
    screen.shows("hec needs a login", "L logs in.")
    screen.types("L")
    wait_for(lambda: screen.text.rstrip().endswith(PASSWORD))
    screen.types("right\n")
    screen.shows("hec 2", "many", "$ rookery jobs 9 --cluster hec")
    screen.types("L")
    screen.shows("No cluster waits for a login.")
    screen.types("q")
    screen.shows("ended: 0")


def test_a_key_is_answered_at_once_with_10000_tasks_on_the_screen(screen: Screen) -> None:
    def seconds(key: str) -> float:
        before, began = screen.text, time.monotonic()
        screen.presses(key)
        wait_for(lambda: screen.text != before)
        return time.monotonic() - began

    screen.types(f"{PROGRAM}\n")
    screen.shows("hec needs a login")
    screen.types("L")
    screen.shows(PASSWORD)
    screen.types("right\n")
    screen.shows("hec 2", "many")
    screen.presses("Enter")
    screen.shows("Task 9_1: done")
    assert min(seconds(key) for key in ("Down", "Right", "n", "Up", "f")) < 0.1  # the others: a busy machine


def test_without_colours_the_screen_has_none(screen: Screen) -> None:
    def coloured() -> bool:
        sequences = re.findall(r"\x1b\[([0-9;]*)m", screen.tmux("capture-pane", "-e", "-p"))
        codes = {int(code or 0) for sequence in sequences for code in sequence.split(";")}
        return any(30 <= code <= 38 or 40 <= code <= 48 or 90 <= code <= 107 for code in codes)

    screen.types(f"clear; {PROGRAM}; echo ended: $?\n")
    screen.shows("hec needs a login", "Quit")
    assert coloured()
    screen.types("q")
    screen.shows("ended: 0")
    screen.types(f"clear; NO_COLOR=1 {PROGRAM}\n")
    screen.shows("hec needs a login", "Quit")
    assert not coloured()
    screen.types("L")
    screen.shows(PASSWORD)
    screen.types("right\n")
    screen.shows("hec 2", "many")
    for key, text in (("Enter", "✗ failed"), ("?", "Everywhere")):
        screen.presses(key)
        screen.shows(text)
        assert not coloured()
