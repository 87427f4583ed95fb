"""Make the terminal pictures of the documentation, docs/pictures/NAME.svg, from real commands in the sandbox.

    uv run bin/make_pictures.py [NAME...]

It starts a miniature of Penguins in an empty home (Debian or Ubuntu, root or sudo; some minutes the first time), types
the commands of SHOTS into a terminal there (tmux), and saves what the terminal shows after each. With names, all the
commands run, and those pictures alone are written. Run it after a change to what commands print.
"""

import argparse
import io
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURES: Final = ROOT / "docs/pictures"
WIDTH: Final = 90
HEIGHT: Final = 120
LONGEST: Final = 1800
"""Seconds that the commands of one picture may take."""

BROKEN: Final = """\
#!/bin/bash
#SBATCH --job-name=age
#SBATCH --partition=Penguin
#SBATCH --array=1-200
#SBATCH --mem=1.5G
#SBATCH --output=logs/%x.out
RScript simulate.R ${SLURM_ARRAY_TASK_ID}
"""
"""A job script with some of the mistakes that everybody makes once."""

ONBOARD: Final = (
    'rookery onboard --cluster penguins --sandbox --name "Ada Lovelace" --email ada@example.ac.uk '
    "--project penguins-age --language python --offline-mirrors --yes"
)
SSH_CONFIG: Final = "~/.local/state/rookery/sandbox/ssh_config"
SHOWN_HOME: Final = "/home/ada"


@dataclass(frozen=True)
class Shot:
    """A picture, and the commands that it shows.

    Attributes:
        name: The file, without `.svg`; empty for commands that nobody is shown.
        title: What stands in the window's bar.
        commands: What is typed, a line each.
    """

    name: str
    title: str
    commands: tuple[str, ...]


SHOTS: Final = (
    Shot("", "", ("rookery sandbox.up penguins --offline-mirrors --yes",)),
    Shot("onboard", "From nothing to a first result", (ONBOARD,)),
    Shot("", "", ("cd penguins-age", "echo >>README.md", "git commit --all --quiet --message Notes")),
    Shot("deploy", "Deploy and submit", ("rookery deploy --sandbox", "rookery submit simulate --sandbox")),
    Shot("", "", ("rookery jobs --sandbox --watch >/dev/null",)),
    Shot("jobs", "Jobs, and what they used", ("rookery jobs --sandbox",)),
    Shot("results", "Fetch and combine the results", ("rookery fetch --sandbox", "rookery combine")),
    Shot("", "", ("cp ../age.sh .",)),
    Shot("lint", "Check a job script", ("cat age.sh", "rookery lint age.sh --sandbox")),
    Shot("status", "Status of a home", ("rookery status --cluster penguins --sandbox",)),
    Shot("", "", (f"ssh -F {SSH_CONFIG} penguins 'echo >>~/.config/rookery/env.sh'",)),
    Shot("doctor", "Find a problem", ("rookery doctor --cluster penguins --sandbox",)),
    Shot("undo", "What undo would do", ("rookery undo --cluster penguins --check --sandbox",)),
    Shot("", "", ("rookery logout --sandbox", "rookery sandbox.down penguins")),
)


class Terminal:
    """A shell in a terminal of a fixed size, in a tmux server of its own."""

    def __init__(self, home: Path) -> None:
        """Start it, in this home."""
        self.socket = f"{home}.tmux"
        programs = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
        started = {
            "HOME": str(home),
            "PATH": programs,
            "PS1": r"\[\e[1;32m\]$\[\e[0m\] ",
            "PROMPT_COMMAND": f"tmux -S {self.socket} wait-for -S ready",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HISTFILE": "",
        }
        kept = {key: value for key, value in os.environ.items() if key.startswith(("PYENV", "UV_", "PIP_", "SSL_"))}
        environment = [f"{key}={value}" for key, value in (kept | started).items()]
        config = home / ".tmux.conf"
        config.write_text("set -g status off\nset -g history-limit 5000\n")
        shell = ["env", "-i", *environment, "TERM=tmux-256color", "bash", "--noprofile", "--norc"]
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

    def type(self, line: str) -> None:
        """Type a line, and wait until the command has ended."""
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")
        self.wait()

    def clear(self) -> None:
        """Empty the screen and its history."""
        self.type("clear")
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
    console = Console(record=True, width=WIDTH, file=io.StringIO(), legacy_windows=False)
    console.print(Text.from_ansi(screen), soft_wrap=True)
    text = console.export_svg(title=shot.title, unique_id=f"rookery-{shot.name}")
    # no font is loaded from elsewhere; every reader has one with letters of equal width
    text = re.sub(r"\s*@font-face \{.*?\}", "", text, flags=re.DOTALL)
    return text.replace("Fira Code, monospace", "Fira Code, Menlo, Consolas, DejaVu Sans Mono, monospace") + "\n"


@contextmanager
def made_home() -> Iterator[Path]:
    """Make a home whose path is as long as SHOWN_HOME, so that lines wrap as they would there; remove it afterwards."""
    home = Path("/tmp", secrets.token_hex(2))  # noqa: S108 the path must be short
    home.mkdir(mode=0o700)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def plain(screen: str, home: Path) -> str:
    """Return a screen without the name of this computer, and of the home on it."""

    def shown(found: re.Match[str]) -> str:
        letters = iter(SHOWN_HOME)
        return "".join(letter if letter == "\n" else next(letters) for letter in found[0])

    screen = re.sub("\n?".join(map(re.escape, str(home))), shown, screen)
    return re.sub(rf"\b{re.escape(socket.gethostname())}\b", "laptop", screen)


def main() -> int:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description="Make the terminal pictures of the documentation")
    names = [shot.name for shot in SHOTS if shot.name]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pictures to write: {', '.join(names)} [all]")
    wanted = parser.parse_args().names or names
    if unknown := set(wanted) - set(names):
        parser.error(f"unknown picture: {', '.join(sorted(unknown))}")
    PICTURES.mkdir(exist_ok=True)
    with made_home() as home:
        terminal = Terminal(home)
        try:
            (home / "age.sh").write_text(BROKEN)
            for shot in SHOTS:
                terminal.clear()
                for line in shot.commands:
                    print(f"$ {line}", file=sys.stderr, flush=True)
                    terminal.type(line)
                if shot.name in wanted:
                    (PICTURES / f"{shot.name}.svg").write_text(svg(shot, plain(terminal.screen(), home)))
        finally:
            terminal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
