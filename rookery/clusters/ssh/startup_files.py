"""Start-up files on a cluster that keep commands from running: which line it is, and the error that says so."""

import shlex
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.remote_command import remote_command

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Door

ENDS, TAKES_INPUT, HANGS = "startup", "startup-input", "startup-hangs"
"""Reasons of an SshError: start-up files end the shell, read a command's standard input, or don't come to an end."""

GUARDED_SHELLS = ("bash", "zsh")
"""Login shells whose start-up files `setup` can put a guard into."""

PATIENCE = 10
"""Seconds in which the line is looked for."""

# The shell is started as sshd does it, with a standard input on which nothing comes, and says each line before it runs
# it (PS4); the last one is where it stands still. Only bash and zsh can tell the file.
CULPRIT = r"""
user=$(id -un) shell=$(getent passwd "$(id -un)")
shell=${shell##*:}
echo "shell ${shell##*/}"
case ${shell##*/} in
  bash) tell='+rookery ${BASH_SOURCE}:${LINENO}: ' ;;
  zsh) tell='+rookery %x:%I: ' ;;
  *) exit ;;
esac
command -v timeout >/dev/null 2>&1 || exit
sleep 3 | env -i HOME="$HOME" USER="$user" LOGNAME="$user" SHELL="$shell" PATH="$PATH" PS4="$tell" \
  SSH_CLIENT='127.0.0.1 1 22' SSH_CONNECTION='127.0.0.1 1 127.0.0.1 22' \
  timeout 2 "$shell" -xc 'echo rookery-through >&2' 2>&1 >/dev/null |
  sed -n '/^rookery-through/q; s/^++*rookery /at /p' | tail -n 1
"""


@dataclass(frozen=True)
class Culprit:
    """Where start-up files stand still.

    Attributes:
        shell: The login shell; "" where that could not be asked.
        line: `~/.bashrc, line 3 (read -n 1)`; "" where it can't be told.
    """

    shell: str = ""
    line: str = ""


def read(said: str, home: str = "") -> Culprit:
    """What CULPRIT printed.

    Args:
        said: Its output.
        home: The home there, shown as ~.
    """
    from rookery.core.console import clean

    told = dict(line.partition(" ")[::2] for line in clean(said).splitlines() if " " in line)
    file, _, rest = told.get("at", "").partition(":")
    number, _, text = rest.partition(": ")
    if home and file.startswith(f"{home}/"):
        file = f"~{file.removeprefix(home)}"
    line = f"{file}, line {number} ({text.strip()[:60]})" if number.isdigit() and file else ""
    return Culprit(told.get("shell", ""), line)


def find(door: "Door") -> Culprit:
    """Ask the cluster where its start-up files stand still; without an input most shells come through."""
    command = door.command(remote_command(f'{CULPRIT}\necho "home $HOME"'))
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Culprit()
    said = done.stdout.decode(errors="replace")
    home = next((line.removeprefix("home ") for line in said.splitlines() if line.startswith("home ")), "")
    return read(said, home)


def takes_input(door: "Door") -> SshError:
    """The error for a command whose input was read by a start-up file."""
    found, name = find(door), door.cluster.name
    return SshError(
        TAKES_INPUT,
        f"{name}: a start-up file there reads the input of commands sent over ssh"
        f"{f': {found.line}' if found.line else ''}.",
        hint=_guard(door) if found.shell in GUARDED_SHELLS else _by_hand(door, found),
    )


def hangs(door: "Door") -> SshError:
    """The error for a command that did not begin in time."""
    found, name = find(door), door.cluster.name
    where = f": {found.line} does not end" if found.line else ""
    return SshError(
        HANGS,
        f"{name}: commands do not begin there, your start-up files keep the shell waiting{where}.",
        hint=_by_hand(door, found),
    )


def _guard(door: "Door") -> str:
    sandbox = " --sandbox" if door.cluster.sandbox else ""
    return f"invoke setup --cluster {door.cluster.name}{sandbox}   # commands will pass over that line"


def _by_hand(door: "Door", found: Culprit) -> str:
    file = found.line.partition(",")[0] or {"tcsh": "~/.cshrc", "fish": "~/.config/fish/config.fish"}.get(
        found.shell, "~/.bashrc"
    )
    login = shlex.join(["ssh", "-t", "-F", str(door.config_file), door.cluster.name])
    return f"{login}   # then look in {file} for a command that waits or reads; only interactive shells should run it"
