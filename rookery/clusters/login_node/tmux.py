"""Attach to a tmux session on a cluster, which stays when the connection drops."""

import re
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rookery.clusters.ssh.remote_command import remote_command
from rookery.core import prompts
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

DEFAULT_SESSION = "rookery"

_NO_TMUX, _GONE = 97, 98
"""Exit statuses that nothing else in the script below ends with."""

# The session's name, then the command that a new one runs instead of a shell
_SCRIPT = r"""
session=$1
shift
here=$(uname -n)
notes="$HOME/.local/state/rookery/tmux"
command -v tmux >/dev/null 2>&1 || exit 97
# a terminal that this system has never heard of would keep tmux from starting
{ infocmp "$TERM" || ! command -v infocmp; } >/dev/null 2>&1 || export TERM=xterm-256color
if ! tmux has-session -t "=$session" 2>/dev/null && [ -f "$notes/$session" ]; then
    read -r there <"$notes/$session"
    case $there in
    "$here" | '' | -* | *[!A-Za-z0-9.-]*) ;;
    *)
        echo "Session $session is on $there (this is $here): connecting to $there." >&2
        ssh -t -o ConnectTimeout=10 "$there" \
            "exec sh -c 'tmux has-session -t =$session 2>/dev/null || exit 98; exec tmux -u attach -t =$session'"
        status=$?
        case $status in
        98) echo "Session $session on $there has ended. Starting a new one on $here." >&2 ;;
        255) echo "Can't reach $there, or lost the connection to it." >&2
             # was it an open session that broke off, or a node that is gone?
             ssh -o ConnectTimeout=10 "$there" true </dev/null >/dev/null 2>&1 && exit 255
             echo "Starting a new session $session on $here." >&2 ;;
        *) exit "$status" ;;
        esac
        ;;
    esac
fi
mkdir -p "$notes" && printf '%s\n' "$here" >"$notes/.$session.$$" && mv -f "$notes/.$session.$$" "$notes/$session"
exec tmux -u new-session -A -s "$session" "$@"
"""


def tmux(connection: "Connection", session: str = DEFAULT_SESSION) -> int:
    """Attach this terminal to a named tmux session on the login node where it was made, or make it.

    Args:
        connection: The cluster's.
        session: The session's name.

    Returns:
        The exit status of ssh: 0 where the user detached or ended the session.

    Raises:
        RookeryError: As `attach`.
    """
    return attach(
        connection,
        session,
        again=f"invoke tmux {connection.cluster.argument}",
    )


def attach(connection: "Connection", session: str, *, again: str, command: Sequence[str] = ()) -> int:
    """Attach this terminal to a named tmux session; a new one runs a command, or a shell.

    The node's name is kept on the cluster (~/.local/state/rookery/tmux/SESSION): a login that lands on another one of
    several nodes goes on from there.

    Args:
        connection: The cluster's.
        session: The session's name.
        again: The command with which the user comes back, for hints; the session's name is put behind it.
        command: What a new session runs.

    Returns:
        The exit status of ssh: 0 where the user detached or ended the session.

    Raises:
        RookeryError: There is no terminal here, the cluster forbids or lacks tmux, or it can't be reached.
    """
    name, policies = connection.cluster.name, connection.cluster.data.get("cluster_policies") or {}
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", session):
        raise RookeryError(
            f"Invalid session name {session!r}: use only letters, digits, - and _.",
            hint=f"{again} --session {DEFAULT_SESSION}",
        )
    if policies.get("tmux") == "forbidden":
        raise RookeryError(
            f"{name} does not allow tmux sessions on its login nodes.",
            hint=f"invoke clusters.show {name}   # shows its rules",
        )
    if not prompts.is_interactive():
        hint = f"{again} --session {session}   # in a terminal"
        raise RookeryError(f"{again.split()[1]} needs a terminal.", hint=hint)
    connection.open()
    remote = remote_command(_SCRIPT, [session, *command], stdin="")
    status = subprocess.run(connection.command(remote, terminal=True), check=False).returncode
    if status == _NO_TMUX:
        raise RookeryError(
            f"tmux is not installed on {name}.", hint=f"invoke setup {connection.cluster.argument} --tags tmux"
        )
    if status == 255 and not connection.is_open():
        raise RookeryError(
            f"Lost the connection to {name}. Session {session} is still running there.",
            hint=f"{again} --session {session}",
        )
    return status
