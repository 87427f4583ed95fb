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
        echo "This is $here; session $session is on $there: going there." >&2
        ssh -t -o ConnectTimeout=10 "$there" \
            "exec sh -c 'tmux has-session -t =$session 2>/dev/null || exit 98; exec tmux -u attach -t =$session'"
        status=$?
        case $status in
        98) echo "$there no longer has session $session; a new one is made on $here." >&2 ;;
        255) echo "$there can't be reached or broke off." >&2
             # was it an open session that broke off, or a node that is gone?
             ssh -o ConnectTimeout=10 "$there" true </dev/null >/dev/null 2>&1 && exit 255
             echo "A new session $session is made on $here." >&2 ;;
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
    return attach(connection, session, again=f"invoke tmux --cluster {connection.cluster.name}")


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
            f"{session!r} can't be a session's name: letters, digits, - and _ only.",
            hint=f"{again} --session {DEFAULT_SESSION}",
        )
    if policies.get("tmux") == "forbidden":
        raise RookeryError(
            f"{name} does not allow sessions that stay on its login nodes.",
            hint=f"invoke clusters.show {name}   # says what it allows",
        )
    if not prompts.is_interactive():
        raise RookeryError(f"{again.split()[1]} needs a terminal.", hint=f"run {again} in one")
    connection.open()
    remote = remote_command(_SCRIPT, [session, *command], stdin="")
    status = subprocess.run(connection.command(remote, terminal=True), check=False).returncode
    if status == _NO_TMUX:
        raise RookeryError(f"There is no tmux on {name}.", hint=f"invoke setup --cluster {name} --tags tmux")
    if status == 255 and not connection.is_open():
        raise RookeryError(
            f"The connection to {name} broke off; session {session} goes on there.",
            hint=f"{again} --session {session}",
        )
    return status
