"""A notification on the desktop, by the sequence that the user's terminal has for it.

    OSC 9    iTerm2: iterm2.com/documentation-escape-codes.html; WezTerm: wezterm.org/escape-sequences.html
    OSC 99   kitty: sw.kovidgoyal.net/kitty/desktop-notifications
    OSC 777  rxvt-unicode's extension, which foot (its foot-ctlseqs(7)), Ghostty and VTE took over

Others, such as Apple's Terminal, Windows Terminal, VS Code and Alacritty, document none: they get the bell alone, which
many of them show as a mark on the window. tmux hands a sequence on where `allow-passthrough` is on (tmux(1)).
"""

import os
from collections.abc import Mapping

from rookery.jobs.monitor.notify.message import Message, line

_ESC, _END, _BELL = "\x1b", "\x1b\\", "\a"

_BY_VARIABLE = {
    "KITTY_WINDOW_ID": "99",
    "ITERM_SESSION_ID": "9",
    "WEZTERM_PANE": "777",
    "GHOSTTY_RESOURCES_DIR": "777",
    "VTE_VERSION": "777",
}
"""Variables that terminals set, which programs in tmux have, too; and the sequence of each."""

_BY_NAME = {"kitty": "99", "iterm": "9", "wezterm": "777", "ghostty": "777", "foot": "777", "rxvt": "777"}
"""Parts of what TERM, TERM_PROGRAM and LC_TERMINAL say, which ssh hands on."""

_LONGEST = 200


def is_there() -> bool:
    """Return whether there is a terminal to write to."""
    return bool(_terminals())


def send(message: Message) -> str:
    """Write a notification to the terminal, never into a pipe; return why that was not possible, or ""."""
    for handle in _terminals()[:1]:
        os.write(handle, sequence(message, os.environ).encode())
        return ""
    return "there is no terminal"


def _terminals() -> list[int]:
    """Return which of standard error and output are one; not by Python's streams, which rich takes over."""
    return [handle for handle in (2, 1) if os.isatty(handle)]


def sequence(message: Message, environment: Mapping[str, str]) -> str:
    """Return what to write to the terminal: its sequence, if it has one, and the bell.

    Args:
        message: The message.
        environment: The environment, by which the terminal is known.
    """
    kind, title, text = _kind(environment), _text(message.title), _text(message.text)
    if kind == "9":  # numbers at its beginning mean other things
        command = f"{_ESC}]9;rookery: {title}. {text}{_END}"
    elif kind == "99":
        command = f"{_ESC}]99;i=rookery:d=0;{title}{_END}{_ESC}]99;i=rookery:p=body;{text}{_END}"
    elif kind == "777":
        command = f"{_ESC}]777;notify;{title};{text}{_END}"
    else:
        return _BELL
    if environment.get("TMUX"):
        command = f"{_ESC}Ptmux;{command.replace(_ESC, _ESC * 2)}{_END}"
    return f"{command}{_BELL}"


def _kind(environment: Mapping[str, str]) -> str:
    """Return the number of the terminal's sequence; "" where none is known, or a program in between drops it."""
    if environment.get("STY") and not environment.get("TMUX"):  # GNU screen
        return ""
    for name in ("TERM", "TERM_PROGRAM", "LC_TERMINAL"):
        value = environment.get(name, "").lower()
        for part, kind in _BY_NAME.items():
            if part in value:
                return kind
    if environment.get("TERM_PROGRAM", "tmux") != "tmux":  # a terminal that was started from one of those
        return ""
    return next((kind for name, kind in _BY_VARIABLE.items() if environment.get(name)), "")


def _text(text: str) -> str:
    """Return a text fit for a sequence, whose parts end at a semicolon."""
    return line(text.replace(";", ","), _LONGEST)
