"""Find the line of a start-up file on a cluster that keeps commands from running, and make the error for it."""

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.ssh.config_file import config_file
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.remote_command import remote_command
from rookery.core.console import clean

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

Command = Callable[[str], list[str]]
"""Makes the argument list that runs a command line on a cluster (Connection.command)."""

ENDS, TAKES_INPUT, HANGS = "startup", "startup-input", "startup-hangs"
"""Reasons of an SshError: start-up files end the shell, read a command's standard input, or don't come to an end."""

GUARDED_SHELLS = ("bash", "zsh")
"""Login shells whose start-up files `setup` can put a guard into."""

PATIENCE = 10
"""Seconds in which the line is looked for."""

# The shell is started as sshd does it, with a standard input on which nothing comes, and says each line before it runs
# it (PS4); the last one is where it hangs. Only bash and zsh can tell the file.
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
    """The line of a start-up file that keeps commands from running.

    Attributes:
        shell: The login shell; "" where that could not be asked.
        line: `~/.bashrc, line 3 (read -n 1)`; "" where that is not known.
    """

    shell: str = ""
    line: str = ""


def read(output: str, home: str = "") -> Culprit:
    """Return the culprit, from the output of CULPRIT.

    Args:
        output: Its output.
        home: The home there, shown as ~.
    """
    values = dict(line.partition(" ")[::2] for line in clean(output).splitlines() if " " in line)
    file, _, rest = values.get("at", "").partition(":")
    number, _, text = rest.partition(": ")
    if home and file.startswith(f"{home}/"):
        file = f"~{file.removeprefix(home)}"
    line = f"{file}, line {number} ({text.strip()[:60]})" if number.isdigit() and file else ""
    return Culprit(values.get("shell", ""), line)


def find(command: Command) -> Culprit:
    """Ask the cluster which line of its start-up files waits; without an input most shells get past it."""
    arguments = command(remote_command(f'{CULPRIT}\necho "home $HOME"'))
    try:
        completed = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Culprit()
    output = completed.stdout.decode(errors="replace")
    home = next((line.removeprefix("home ") for line in output.splitlines() if line.startswith("home ")), "")
    return read(output, home)


def takes_input(cluster: "Cluster", command: Command) -> SshError:
    """Return the error for a command whose input was read by a start-up file."""
    culprit, name = find(command), cluster.name
    return SshError(
        TAKES_INPUT,
        f"{name}: one of your start-up files on the cluster reads the input of commands sent over ssh"
        f"{f': {culprit.line}' if culprit.line else ''}.",
        hint=_guard(cluster) if culprit.shell in GUARDED_SHELLS else _by_hand(cluster, culprit),
    )


def hangs(cluster: "Cluster", command: Command) -> SshError:
    """Return the error for a command that did not begin in time."""
    culprit, name = find(command), cluster.name
    where = f" ({culprit.line} does not end)" if culprit.line else ""
    return SshError(
        HANGS,
        f"{name}: commands do not start, because your start-up files on the cluster keep the shell waiting{where}.",
        hint=_by_hand(cluster, culprit),
    )


def _guard(cluster: "Cluster") -> str:
    return f"invoke setup {cluster.argument}   # makes commands skip that line"


def _by_hand(cluster: "Cluster", culprit: Culprit) -> str:
    file = culprit.line.partition(",")[0] or {"tcsh": "~/.cshrc", "fish": "~/.config/fish/config.fish"}.get(
        culprit.shell, "~/.bashrc"
    )
    login = shlex.join(["ssh", "-t", "-F", str(config_file(cluster)), cluster.name])
    return f"{login}   # then find a command in {file} that waits or reads input, and run it in interactive shells only"
