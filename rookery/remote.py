"""Commands as they are sent to a cluster: one line that means the same to every login shell."""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from rookery.errors import RookeryError

LONGEST_ARGUMENT = 120_000
"""Bytes of a command that still pass as one argument on Linux (128 kB, less what the login shell adds)."""

STATE_FOLDER = r"""
state=$HOME/.local/state/rookery
made='' top=$HOME
if [ ! -d "$state" ]; then
  for folder in "$HOME/.local" "$HOME/.local/state"; do
    if [ -d "$folder" ]; then top=$folder; else made="${made}made $folder
"; fi
  done
  before=$(stat -c %.9Y "$top" 2>/dev/null | tr -d .)
  mkdir -p "$HOME/.local/state" && mkdir -m 700 "$state"
else
  before=
fi
# to be called when the script has written what it writes in these folders
note_state() {
  [ -n "$before" ] || return 0
  printf '%stime %s %s %s\n' "$made" "$before" "$(stat -c %.9Y "$top" | tr -d .)" "$top" >"$state/made"
}
"""
"""POSIX sh that makes rookery's folder on a cluster, and notes for undo what came with it (converger/ledger.py)."""

_SPECIAL = re.compile(rb"[^ -~]|['!\\]")


def remote_command(script: str, arguments: Sequence[str] = ()) -> str:
    r"""A command line that runs a POSIX sh script under any login shell.

    What sshd hands to bash, zsh, fish or tcsh must mean the same to each of them: inside single quotes, fish reads \
    and tcsh reads ! and line breaks in ways of their own. So those are written as octal escapes, which printf, built
    into every sh, turns back.

    Args:
        script: The script.
        arguments: Its positional parameters.

    Raises:
        RookeryError: It holds a NUL byte, which no argument can.
    """
    text = f"set -- {shlex.join(arguments)}\n{script}"
    if "\0" in text:
        raise RookeryError("A command can't hold a NUL byte.")
    encoded = _SPECIAL.sub(lambda found: b"\\0%03o" % found[0][0], text.encode(errors="surrogateescape"))
    return f"exec sh -c 'eval \"$(printf %b \"$1\")\"' sh '{encoded.decode()}'"


def marked(script: str, mark: str) -> str:
    """A script that says on both its streams where its own output begins."""
    return f"echo {mark}; echo {mark} >&2\n{script}"


def unattended() -> dict[str, Any]:
    """Options of subprocess.run for an ssh that must not ask anything, nor a jump host's that it starts.

    ssh opens /dev/tty for its questions, so it gets a session of its own, which has no terminal.
    """
    environment = {**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    return {
        "env": environment,
        "start_new_session": True,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
    }
