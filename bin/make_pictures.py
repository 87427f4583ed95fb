"""Make the pictures of the documentation, docs/pictures/NAME.svg and .png, from real commands in the sandbox.

    uv run --all-extras bin/make_pictures.py [NAME...]

It starts miniatures of Penguins and HEC in an empty home (Debian or Ubuntu, root or sudo; some minutes the first time),
types the commands of bin/pictures.yml into a terminal there (tmux), and saves what the terminal shows after each; of
pages, what Chromium shows. With names, all the commands run, and those pictures alone are written. Run it after a
change to what commands print.
"""

import argparse
import importlib
import io
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml
from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURES: Final = ROOT / "docs/pictures"
WIDTH: Final = 90
HEIGHT: Final = 120
LONGEST: Final = 1800
"""Seconds that the commands of one picture may take."""

SHOWN_HOME: Final = "/home/ada"
COLOURS: Final = 96
"""As many are enough for a page of text, and make a PNG a third as large."""


@dataclass(frozen=True)
class Step:
    """Something that is typed, and what is waited for.

    Attributes:
        type: A line; `{NAME}` in it is what an earlier step has kept under that name.
        keys: Keys, as tmux names them, pressed after the line.
        until: An expression that the screen has to match; the next prompt where that is "".
        keep: The name under which the number of a submitted job is kept.
    """

    type: str = ""
    keys: str = ""
    until: str = ""
    keep: str = ""

    @classmethod
    def read(cls, text: str | dict[str, str]) -> Self:
        """Return a step of pictures.yml, which may be a line alone."""
        return cls(text) if isinstance(text, str) else cls(**text)


@dataclass(frozen=True)
class Page:
    """A page in a browser, of which a PNG is made.

    Attributes:
        address: A file in the home, or an expression for an address on the screen.
        size: Its width and height.
        actions: What is done there: methods of `browsers.Page`, each with what it gets.
        dark: Whether the reader's browser asks for dark pages.
    """

    address: str
    size: tuple[int, int]
    actions: Sequence[Mapping[str, Any]] = ()
    dark: bool = False


@dataclass(frozen=True)
class Shot:
    """A picture, and the steps that lead to it; without a name, steps that nobody is shown.

    Attributes:
        steps: What is done, and shown.
        name: The file in docs/pictures, without its ending.
        title: What stands in the window's bar.
        prepare: Steps before, which are not shown.
        size: Columns and rows of the terminal; for a program that takes the whole screen, that is the picture's.
        file: A file in the home that is the picture, in place of the screen.
        page: A page that is the picture, in place of the screen.
        finish: Steps afterwards, which are not shown.
    """

    steps: Sequence[Step]
    name: str = ""
    title: str = ""
    prepare: Sequence[Step] = ()
    size: tuple[int, int] = (WIDTH, HEIGHT)
    file: str = ""
    page: Page | None = None
    finish: Sequence[Step] = ()

    @classmethod
    def read(cls, keys: dict[str, Any]) -> Self:
        """Return a picture of pictures.yml."""
        steps = {key: [Step.read(step) for step in keys.get(key, ())] for key in ("steps", "prepare", "finish")}
        return cls(**{**keys, **steps, "page": Page(**keys["page"]) if "page" in keys else None})

    @property
    def path(self) -> Path:
        """The file of the picture."""
        return PICTURES / f"{self.name}{'.png' if self.page else '.svg'}"


_READ: Final = yaml.safe_load((ROOT / "bin/pictures.yml").read_text(encoding="utf-8"))
FILES: Final[Mapping[str, str]] = _READ["files"]
"""What is in the home at the beginning."""
SHOTS: Final = tuple(Shot.read(keys) for keys in _READ["shots"])


def environment(home: Path) -> dict[str, str]:
    """Return the variables of programs in a home: nothing else of this computer's reaches them."""
    kept = {key: value for key, value in os.environ.items() if key.startswith(("PYENV", "UV_", "PIP_", "SSL_"))}
    return kept | {
        "HOME": str(home),
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HISTFILE": "",
    }


class Terminal:
    """A shell in a terminal of a fixed size, in a tmux server of its own."""

    def __init__(self, home: Path) -> None:
        """Start it, in this home."""
        self.socket = f"{home}.tmux"
        self.kept: dict[str, str] = {}
        shown = {
            "PS1": r"\[\e[1;32m\]$\[\e[0m\] ",
            "PROMPT_COMMAND": f"tmux -S {self.socket} wait-for -S ready",
            "TERM": "tmux-256color",
        }
        variables = [f"{key}={value}" for key, value in (environment(home) | shown).items()]
        config = home / ".tmux.conf"
        config.write_text("set -g status off\nset -g history-limit 5000\n")
        shell = ["env", "-i", *variables, "bash", "--noprofile", "--norc"]
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        subprocess.run(
            ["tmux", "-S", self.socket, "-f", str(config), "new-session", "-d", *size, "-c", str(home), *shell],
            check=True,
        )
        self.wait()

    def tmux(self, *words: str, timeout: float = 60) -> str:
        """Give tmux a command, and return what it prints."""
        done = subprocess.run(
            ["tmux", "-S", self.socket, *words], check=True, capture_output=True, text=True, timeout=timeout
        )
        return done.stdout

    def wait(self) -> None:
        """Wait for the next prompt: the shell says so just before it shows it."""
        self.tmux("wait-for", "ready", timeout=LONGEST)
        while not self.tmux("capture-pane", "-p").rstrip().endswith("$"):
            time.sleep(0.02)

    def take(self, step: Step) -> None:
        """Type what a step has, and wait for what it waits for."""
        line = re.sub(r"\{([A-Z]+)\}", lambda found: self.kept[found[1]], step.type)
        print(f"$ {line or step.keys}", file=sys.stderr, flush=True)
        if line:
            self.tmux("send-keys", "-l", line)
            self.tmux("send-keys", "Enter")
        if step.keys:
            self.tmux("send-keys", *step.keys.split())
        if step.until:
            self.wait_for(step.until)
        else:
            self.wait()
        if step.keep:
            self.kept[step.keep] = re.findall(r"Submitted job (\d+)", self.screen())[-1]

    def wait_for(self, expression: str) -> None:
        """Wait until the screen matches an expression, twice, so that what is being drawn is drawn."""
        end, matches = time.monotonic() + LONGEST, 0
        while matches < 2:
            shown = self.tmux("capture-pane", "-p")
            matches = matches + 1 if re.search(expression, shown) else 0
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} is not on the screen:\n{shown}")
            time.sleep(0.3)

    def clear(self, columns: int = WIDTH, rows: int = HEIGHT) -> None:
        """Give it a size, and empty the screen and its history."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        self.take(Step("clear"))
        self.tmux("clear-history")

    def screen(self) -> str:
        """Return what is shown, with colours, without the prompt that waits at the end."""
        lines = self.tmux("capture-pane", "-e", "-p", "-S", "-").rstrip().splitlines()
        while lines and re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip() in {"", "$"}:
            lines.pop()
        return "\n".join(lines)

    def close(self) -> None:
        """End the terminal."""
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)
        Path(self.socket).unlink(missing_ok=True)


def svg(shot: Shot, screen: str) -> str:
    """Return the picture of a screen.

    Args:
        shot: What it shows.
        screen: The terminal's text, with ANSI colours.
    """
    console = Console(record=True, width=shot.size[0], file=io.StringIO(), legacy_windows=False)
    console.print(Text.from_ansi(screen), soft_wrap=True)
    text = console.export_svg(title=shot.title, unique_id=f"rookery-{shot.name}")
    # no font is loaded from elsewhere; every reader has one with letters of equal width
    text = re.sub(r"\s*@font-face \{.*?\}", "", text, flags=re.DOTALL)
    return text.replace("Fira Code, monospace", "Fira Code, Menlo, Consolas, DejaVu Sans Mono, monospace") + "\n"


def png(page: Page, screen: str, home: Path) -> bytes:
    """Return the picture of a page, in few colours.

    Args:
        page: Which page, and what is done there.
        screen: The terminal's text, which may have its address.
        home: Where its file may be, and the browser's profile is.
    """
    from PIL import Image  # noqa: PLC0415 it is of an extra, as matplotlib is

    sys.path.insert(0, str(ROOT / "tests/clusters"))
    browsers = importlib.import_module("browsers")
    found = re.search(page.address, screen) if page.address.startswith("http") else None
    with browsers.browser(home / "browser") as browser:
        width, height = page.size
        browser.view(width, "dark" if page.dark else "light", height)
        browser.open(found[0] if found else (home / page.address).as_uri())
        browser.until("location.href != 'about:blank' && document.readyState == 'complete'")
        for action in page.actions:
            for method, argument in action.items():
                getattr(browser, method)(*([argument] if argument else []))
        browser.picture(home / "page.png")
    output = io.BytesIO()
    Image.open(home / "page.png").convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        output, "PNG", optimize=True
    )
    return output.getvalue()


@contextmanager
def made_home() -> Iterator[Path]:
    """Make a home whose path is as long as SHOWN_HOME, so that lines wrap as they would there.

    It is removed afterwards, and the miniatures of it are ended, whatever has happened.
    """
    home = Path("/tmp", secrets.token_hex(2))  # noqa: S108 the path must be short
    home.mkdir(mode=0o700)
    try:
        yield home
    finally:
        ending = ["rookery", "sandbox.down", "all"]
        subprocess.run(ending, env=environment(home), check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


def plain(screen: str, home: Path) -> str:
    """Return a screen without the name of this computer, and of the home on it."""

    def shown(found: re.Match[str]) -> str:
        letters = iter(SHOWN_HOME)
        return "".join(letter if letter == "\n" else next(letters) for letter in found[0])

    screen = re.sub("\n?".join(map(re.escape, str(home))), shown, screen)
    screen = re.sub(r"(?<=token=)[\w-]+", lambda found: "x" * len(found[0]), screen)
    return re.sub(rf"\b{re.escape(socket.gethostname())}\b", "laptop", screen)


def take(shot: Shot, terminal: Terminal, home: Path, *, wanted: bool) -> None:
    """Take the steps of a picture, and write it where it is wanted."""
    terminal.clear()
    for step in shot.prepare:
        terminal.take(step)
    terminal.clear(*shot.size)
    for step in shot.steps:
        terminal.take(step)
    screen = terminal.screen()
    if wanted and shot.page:
        shot.path.write_bytes(png(shot.page, screen, home))
    elif wanted and shot.file:
        shutil.copy(home / shot.file, shot.path)
    elif wanted:
        shot.path.write_text(svg(shot, plain(screen, home)), encoding="utf-8")
    for step in shot.finish:
        terminal.take(step)


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description="Make the terminal pictures of the documentation")
    names = [shot.name for shot in SHOTS if shot.name]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pictures to write: {', '.join(names)} [all]")
    wanted = parser.parse_args().names or names
    if unknown := set(wanted) - set(names):
        parser.error(f"unknown picture: {', '.join(sorted(unknown))}")
    PICTURES.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the miniatures end with it
    with made_home() as home:
        terminal = Terminal(home)
        try:
            for name, text in FILES.items():
                (home / name).write_text(text, encoding="utf-8")
            for shot in SHOTS:
                take(shot, terminal, home, wanted=shot.name in wanted)
        finally:
            terminal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
