"""Run commands in a home whose start-up files end the shell for every command over ssh, or read the command's input.

`[ -z "$PS1" ] && exit` at the top of a ~/.bashrc is a common slip for `return`: bash reads that file also for commands
that sshd runs (bash(1), INVOCATION), so each of them ends before it begins: scp, rsync, VS Code and rookery alike. An
interactive login still works, so one is opened on a pseudo-terminal, and a guard goes above the text. The `shell`
role replaces it by the whole block; undo takes either away. A `read` in there takes the input of commands: those that
have none come through, so the guard is put there by one of them.
"""

import base64
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rookery.clusters.ssh import startup_files
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.remote_command import STATE_FOLDER
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

# The marks are those of `home`'s block for the role `shell`, so that it finds the guard and makes it its own.
_SCRIPT = (
    r"""
set -eu
shell=$(getent passwd "$(id -un)")
case $shell in
  */zsh) file=$HOME/.zshenv ;;
  *) file=$HOME/.bashrc ;;
esac
[ -f "$file" ]
target=$(readlink -f "$file")
case $target in
  "$(cd -P "$HOME" && pwd)"/*) ;; # elsewhere it may be another user's too
  *) exit 1 ;;
esac
mark='# >>> rookery shell >>>'
guard='case $-${ROOKERY_PROBE-}${SLURM_JOB_ID:+1} in *i*|*1) ;; *) return 0 ;; esac'
if grep -qxF "$guard" "$target"; then echo rookery-guarded; exit; fi
"""
    + STATE_FOLDER
    + r"""
kept=$state/kept
(umask 077 && mkdir -p "$kept")
copy=$kept/${file##*/.}-before-rescue
[ -e "$copy" ] || cp -p "$target" "$copy"
new=$(mktemp "$target.rookery-XXXXXX")
trap 'rm -f "$new"' EXIT
cp -p "$target" "$new"
# a block that is there, of a home that had no need of a guard, gets it as its first line, and comes to the top
{
  printf '%s\n' "$mark" "$guard"
  if grep -qxF "$mark" "$target"; then
    awk '/^# >>> rookery shell >>>$/ { ours = 1; next } ours { print } /^# <<< rookery shell <<<$/ { exit }' "$target"
    sed '/^# >>> rookery shell >>>$/,/^# <<< rookery shell <<<$/d' "$target"
  else
    printf '%s\n' '# <<< rookery shell <<<'
    cat "$target"
  fi
} >"$new"
sync "$new" 2>/dev/null || sync
mv "$new" "$target"
note_state
echo rookery-guarded
"""
)


def repair(connection: "Connection", *, check: bool = False) -> bool:
    """Check that the cluster runs commands and leaves them their input; where not, write the guard.

    Args:
        connection: The open connection to the cluster.
        check: Only look; such a home can't be looked at any further, so that is an error then.

    Returns:
        Whether the guard was put there now.

    Raises:
        RookeryError: Start-up files keep commands from running, and can't be (or, with `check`, must not be) repaired.
    """
    try:
        _try(connection)
    except SshError as error:
        if check or error.reason not in {startup_files.ENDS, startup_files.TAKES_INPUT, startup_files.HANGS}:
            raise
        if error.reason == startup_files.TAKES_INPUT:
            if "rookery-guarded" not in connection.run(script=_SCRIPT, check=False).stdout:
                raise
        else:
            try:
                guard([*connection.ssh, connection.cluster.name])
            except RookeryError as no_way_in:
                raise (error if error.reason == startup_files.HANGS else no_way_in) from None
        _try(connection)
        return True
    return False


def _try(connection: "Connection") -> None:
    """Run a command with an input.

    Raises:
        SshError: It does not begin, or not with its input.
    """
    connection.run(["cat"], input=b"rookery\n")


def guard(ssh: Sequence[str]) -> None:
    """Write the guard above the text of ~/.bashrc.

    Args:
        ssh: The command that reaches the login node through its open master, up to and with the host.

    Raises:
        RookeryError: An interactive login does not get that far either.
    """
    packed = base64.b64encode(_SCRIPT.encode()).decode()
    # `-tt` and no command: an interactive login shell, which takes this line from its terminal
    line = f'unset HISTFILE; exec sh -c "$(printf %s {packed} | base64 -d)"\n'
    try:
        completed = subprocess.run(
            [*ssh[:1], "-tt", *ssh[1:]], input=line.encode(), capture_output=True, timeout=30, check=False
        )
        output = completed.stdout
    except subprocess.TimeoutExpired:
        output = b""
    # the terminal echoes the line that was typed, but in that the word is packed
    if b"rookery-guarded" not in output:
        raise RookeryError(
            "Your start-up files on the cluster end the shell before it runs a command, also in an interactive login.",
            hint="ask the cluster's support to remove `exit` from ~/.bashrc and ~/.profile there",
        )
