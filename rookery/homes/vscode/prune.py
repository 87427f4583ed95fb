"""The command `vscode.prune`: remove VS Code servers that are no longer used from a cluster.

VS Code Remote puts a server of some 200 MB and 2,000 files on the host for every release of VS Code that connects,
and removes none. They are in ~/.vscode-server/cli/servers/Stable-COMMIT (since 2024) and ~/.vscode-server/bin/COMMIT
(before).
"""

import json as json_
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rookery.clusters.connect import connect
from rookery.core import console, invocation, prompts
from rookery.core.errors import RookeryError
from rookery.homes.options import VscodePruneOptions

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

RECENT = 24 * 3600
"""Seconds since a server was last written to in which it may well run on another login node, where it can't be seen."""

GONE = ".rookery-gone"
"""What the name of a server ends with while it is being removed, so that half of one is never taken for a whole."""

_SHOWN = {"it runs": "running", "the newest": "newest"}
"""What a user reads for a reason of --json."""

# A line a server: runs, seconds since 1970 of the last change, kB, files, path
_LIST = r"""
all=$(ps -u "$(id -u)" -o args= 2>/dev/null)
for folder in "$HOME"/.vscode-server/cli/servers/*/ "$HOME"/.vscode-server/bin/*/; do
    folder=${folder%/}
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    name=${folder##*/}
    runs=0 used=0
    case $name in
    *.rookery-gone) ;;
    *)
        used=$(find "$folder" -maxdepth 1 -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1)
        case $all in *"/$name/"*) runs=1 ;; esac
        ;;
    esac
    size=$(du -sk "$folder" 2>/dev/null | cut -f 1)
    files=$(find "$folder" -type f 2>/dev/null | wc -l)
    printf '%s\t%s\t%s\t%s\t%s\n' "$runs" "${used%.*}" "${size:-0}" "${files:-0}" "$folder"
done
"""

# The paths come on standard input. A server that has been started meanwhile is left.
_REMOVE = r"""
all=$(ps -u "$(id -u)" -o args= 2>/dev/null)
while IFS= read -r folder; do
    case $folder in
    */../* | */..) continue ;;
    "$HOME"/.vscode-server/*) ;;
    *) continue ;;
    esac
    case $all in *"/${folder##*/}/"*) continue ;; esac
    gone=${folder%.rookery-gone}.rookery-gone
    [ "$gone" = "$folder" ] || mv "$folder" "$gone" || continue
    rm -rf "$gone" && printf '%s\n' "$folder"
done
"""


_LINE = re.compile(r"([01])\t([0-9]{0,11})\t([0-9]{1,15})\t([0-9]{1,15})\t(/[^\x00-\x1f]{1,4095})")


@dataclass(frozen=True)
class Server:
    """A VS Code server on a cluster.

    Attributes:
        path: Its folder.
        size_mb: What it takes, in MB.
        files: How many files that is.
        used: When it was last written to, in seconds since 1970.
        runs: Whether it runs on the login node.
        keep: Why it stays; empty where it may go.
    """

    path: str
    size_mb: int
    files: int
    used: int
    runs: bool
    keep: str = ""


def read(text: str, now: float) -> list[Server]:
    """Return the servers that _LIST found, newest first, with the reason to keep each.

    Args:
        text: Its output.
        now: Seconds since 1970.
    """
    servers = []
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            runs, used, size, files, path = match.groups()
            servers.append(Server(path, -(-int(size) // 1024), int(files), int(used or 0), runs == "1"))
    servers.sort(key=lambda server: server.used, reverse=True)
    return [
        Server(**{**asdict(server), "keep": _reason(server, newest=index == 0, now=now)})
        for index, server in enumerate(servers)
    ]


def _reason(server: Server, *, newest: bool, now: float) -> str:
    if server.path.endswith(GONE):
        return ""
    if server.runs:
        return "it runs"
    if newest:
        return "the newest"
    return "used today" if now - server.used < RECENT else ""


def run(options: VscodePruneOptions) -> int:
    """Remove old servers from the cluster that is named; see `prune`."""
    connection = connect(options.cluster, sandbox=options.sandbox)
    return prune(connection, check=options.check, yes=options.yes, json=options.json)


def prune(connection: "Connection", *, check: bool = False, yes: bool = False, json: bool = False) -> int:
    """List the VS Code servers of a cluster, and remove the old ones.

    Args:
        connection: The cluster's.
        check: Remove nothing.
        yes: Don't ask first.
        json: Print one JSON document.

    Raises:
        RookeryError: The cluster can't be reached, or there is nobody to ask.
    """
    connection.open()
    with console.waiting(f"Looking for VS Code servers on {connection.cluster.name}"):
        servers = read(connection.run(script=_LIST).stdout, time.time())
    old = [server for server in servers if not server.keep]
    if not json:
        _show(connection.cluster.name, servers)
    removed: list[str] = []
    if old and not check and (yes or _agreed(old, connection)):
        with console.waiting(f"Removing {_amount(old)}"):
            completed = connection.run(
                script=_REMOVE, input="".join(f"{server.path}\n" for server in old).encode(errors="surrogateescape")
            )
        removed = completed.stdout.splitlines()
    left = [server for server in old if server.path not in removed]
    if json:
        print(json_.dumps({"servers": [asdict(server) for server in servers], "removed": removed}, indent=2))
    elif removed:
        console.say(f"Removed {_amount(server for server in old if server.path in removed)}")
    return int(bool(removed and left))


def _amount(servers: Iterable[Server]) -> str:
    some = list(servers)
    size, files = sum(server.size_mb for server in some), sum(server.files for server in some)
    return f"{len(some)} server{'' if len(some) == 1 else 's'} ({size} MB, {files} files)"


def _show(name: str, servers: list[Server]) -> None:
    if not servers:
        console.say(f"{name} has no VS Code servers.")
    for server in servers:
        used = time.strftime("%Y-%m-%d", time.localtime(server.used)) if server.used else "incomplete"
        fate = f"kept: {_SHOWN.get(server.keep, server.keep)}" if server.keep else "old"
        console.say(f"{server.size_mb:6} MB {server.files:7} files  {used}  {console.clean(server.path)}  {fate}")
    if servers and all(server.keep for server in servers):
        console.say("Nothing to remove.")


def _agreed(old: list[Server], connection: "Connection") -> bool:
    if not prompts.is_interactive():
        raise RookeryError(
            f"{_amount(old)} can be removed. Can't ask for confirmation without a terminal.",
            hint=f"{invocation.invocation()} vscode.prune {connection.cluster.argument} --yes",
        )
    return prompts.confirm(f"Remove {_amount(old)}?")
