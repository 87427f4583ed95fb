"""Make command lines for a cluster: one line that bash, zsh, fish and tcsh read alike.

It starts /bin/sh without the variables, functions and options that start-up files have set, in the home, with a sane
umask. The first line of an input is checked, so that a start-up file that has read some of it is noticed before
anything is done.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from rookery.core.errors import RookeryError
from rookery.remote.slurm import variables


def new_mark() -> str:
    """Return a line that no start-up file prints: it separates their output from the command's."""
    return f"rookery-{os.urandom(8).hex()}"


LONGEST_ARGUMENT = 120_000
"""Bytes of a command that still pass as one argument on Linux (128 kB, less what the login shell adds)."""

INPUT_LOST = "rookery-input-lost"
"""What is printed where start-up files have taken some of a command's standard input."""

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
"""POSIX sh that makes rookery's folder on a cluster, and notes what came with it for undo (remote/apply/ledger.py)."""

DOWNLOADS = r"""
for rookery_link in "$HOME/.local/state/rookery/download_proxy.$(uname -n)".*; do
  ! kill -0 "${rookery_link##*.}" 2>/dev/null || eval "$(cat "$rookery_link" 2>/dev/null)"
done
unset rookery_link
"""
"""POSIX sh that takes the way to the internet that a laptop gives a login node without one (download_link.py).

Only for commands that install something: what is begun by others (jobs, a tmux session) lasts longer than that way.
"""

_SPECIAL = re.compile(rb"[^ -~]|['!\\]")


def clean_function() -> str:
    """Return POSIX sh that defines rookery_clean, which unsets what start-up files have set.

    Every command has called it; a script that reads /etc/profile may call it again.
    """
    return _CLEAN.format(kept="|".join(variables.KEPT), patterns="|".join(variables.ALL))


_CLEAN = r"""rookery_clean() {{
  case $- in *f*) _f= ;; *) _f=1; set -f ;; esac
  for _v in $(export -p); do
    _v=${{_v%%=*}}
    case $_v in *[!A-Za-z0-9_]* | {kept}) ;; {patterns}) unset "$_v" ;; esac
  done
  [ -z "${{BASH_VERSION-}}" ] || for _v in $(declare -Fx); do
    case $_v in declare | *[!A-Za-z0-9_]* | *module* | ml) ;; *) unset -f "$_v" ;; esac
  done
  [ -z "$_f" ] || set +f
  _l=${{LD_LIBRARY_PATH-}}: LD_LIBRARY_PATH=
  while [ -n "$_l" ]; do
    _v=${{_l%%:*}} _l=${{_l#*:}}
    case $_v in /*) [ -O "$_v" ] || LD_LIBRARY_PATH=${{LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}}$_v ;; esac
  done
  [ -n "$LD_LIBRARY_PATH" ] || unset LD_LIBRARY_PATH
  unset _v _l _f
}}
"""
# Only what is built into sh, as every command pays for it. Of values with blanks each word is looked at as if it were a
# name, which unsets nothing that would stay. Functions are exported by bash alone; modules need theirs. Of
# LD_LIBRARY_PATH, folders that belong to the user go, those of the site and its modules stay.

_START = r"""rookery_clean
case ${SSH_CONNECTION:+$LOGNAME} in
  '' | [!A-Za-z_]* | *[!A-Za-z0-9._@-]*) ;;
  *) eval "_h=~$LOGNAME"; case $_h in /*) export HOME="$_h" ;; esac ;;
esac
case :$PATH: in *:/usr/bin:*) ;; *) PATH=$PATH:/usr/bin:/bin ;; esac
export ROOKERY_UMASK=$(umask)
umask u=rwx,go-w
cd "$HOME" 2>/dev/null || cd /
"""
# HOME: sshd gives the home of the password database; a start-up file may have set another since. The umask that was
# there is a job's (remote/slurm/basics.py).


def remote_command(script: str, arguments: Sequence[str] = (), *, stdin: str | None = None) -> str:
    r"""Return a command line that runs a POSIX sh script under any login shell, as if there were no start-up files.

    What sshd hands to bash, zsh, fish or tcsh must mean the same to each of them: inside single quotes, fish reads \
    and tcsh reads ! and line breaks in ways of their own. So those are written as octal escapes, which printf, built
    into every sh, turns back. This is the one place where the shell of rookery's own commands is made clean: variables
    that change what programs do are gone, functions too, HOME is the account's home and the working directory.

    Args:
        script: The script.
        arguments: Its positional parameters.
        stdin: The mark whose `greeting` comes first on standard input; the script does not begin where start-up files
            have taken some of that. "" for an input without a greeting, None for no input at all.

    Raises:
        RookeryError: It holds a NUL byte, which no argument can.
    """
    if stdin is None:
        take_input = "exec </dev/null\n"
    elif stdin:
        take_input = (
            f'IFS= read -r _v; [ "$_v" = {greeting(stdin).decode().strip()} ] || {{ echo {INPUT_LOST}; exit 97; }}\n'
        )
    else:
        take_input = ""
    text = f"set -- {shlex.join(arguments)}\n{take_input}{clean_function()}{_START}{script}"
    if "\0" in text:
        raise RookeryError("A command can't hold a NUL byte.")
    encoded = _SPECIAL.sub(lambda match: b"\\0%03o" % match[0][0], text.encode(errors="surrogateescape"))
    # options that a start-up file has exported would hold for this shell already
    start = "exec /usr/bin/env -u SHELLOPTS -u BASHOPTS /bin/sh -c"
    return f"{start} 'eval \"$(printf %b \"$1\")\"' sh '{encoded.decode()}'"


def greeting(mark: str) -> bytes:
    """Return the line that a command's standard input begins with; a start-up file that prints it prints no mark."""
    return f"{mark}-input\n".encode()


def marked(script: str, mark: str) -> str:
    """Return a script that prints on both its streams where its own output begins."""
    return f"echo {mark}; echo {mark} >&2\n{script}"


def unattended() -> dict[str, Any]:
    """Return options of subprocess.run for an ssh that must not ask anything, nor the ssh to a jump host.

    ssh opens /dev/tty for its questions, so it gets a session of its own, which has no terminal.
    """
    environment = {**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    return {
        "env": environment,
        "start_new_session": True,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
    }
