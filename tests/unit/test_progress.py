"""A sign of life while something takes time: on a terminal alone, and as plain lines where lines can't be redrawn."""

import io
import sys
import threading
import time

import pytest
from test_wrapping import Terminal, on_terminal
from waiting import wait_for

from rookery.core import console


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "SOON", 0.01)
    monkeypatch.setattr(console, "LATER", 0.01)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def seen(terminal: Terminal, text: str) -> bool:
    return wait_for(lambda: text in terminal.getvalue())


def test_what_takes_time_is_shown_and_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with console.waiting("asking hec"):
        assert seen(terminal, "asking hec")
    assert terminal.getvalue().endswith("\x1b[2K") or "\x1b[?25h" in terminal.getvalue()
    assert threading.active_count() == 1 or not any("Timer" in thread.name for thread in threading.enumerate())


def test_what_is_quick_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(console, "SOON", 60)
    with console.waiting("asking hec"):
        pass
    assert terminal.getvalue() == ""


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with console.waiting("asking hec"), console.LiveStatus(["hec"]) as live:
        live.say("hec", "looking")
        time.sleep(0.1)
    assert capsys.readouterr() == ("", "")


def test_without_colour_the_line_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = on_terminal(monkeypatch)
    with console.waiting("asking hec"):
        assert seen(terminal, "asking hec")
    assert "\x1b[3" not in terminal.getvalue()


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_can_not_redraw_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("TERM", kind)
    terminal = on_terminal(monkeypatch)
    with console.waiting("asking hec"):
        assert seen(terminal, "asking hec …\n")
    with console.LiveStatus(["hec"]) as live:
        live.say("hec", "installing\x1b[2J Python")
        assert seen(terminal, "installing Python …\n")
    assert "\x1b" not in terminal.getvalue()
    assert terminal.getvalue().count("asking hec") == 1


def test_of_two_at_a_time_the_first_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with console.LiveStatus(["outer"]):
        with console.waiting("inner"):
            time.sleep(0.1)
        assert "inner" not in terminal.getvalue()
    with console.waiting("later"):
        assert seen(terminal, "later")


def test_a_failure_within_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with pytest.raises(ValueError, match="no"), console.waiting("asking hec"):
        assert seen(terminal, "asking hec")
        raise ValueError("no")
    assert not console.LiveStatus._is_shown
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with console.waiting("again"):
        pass
