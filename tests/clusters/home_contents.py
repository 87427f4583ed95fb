"""What stands in homes on HEC, and what runs said of it."""

import shlex
from pathlib import Path
from typing import Any

from live import Live, as_root

CHANGES = ("made", "changed", "would-change")
ODD = r"""
import os
home = os.path.expanduser("~").encode()
def put(path, text, mode=0o644):
    path = os.path.join(home, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text)
    os.chmod(path, mode)
    os.utime(path, (1000000000, 1234567890.5))
put(b".cache/a b/it's \"quoted\" $(touch /tmp/no)", b"one\0two")
put(b".cache/new\nline/-rf", b"x" * 100000, 0o400)
put(b".cache/caf\xe9/\xff\xfe", b"latin")
put(".cache/\u96ea/empty".encode(), b"")
put(b".cache/run.sh", b"#!/bin/sh\n", 0o755)
os.symlink("run.sh", os.path.join(home, b".cache/link"))
os.symlink("/no/where at all", os.path.join(home, b".cache/a b/dangling"))
os.makedirs(os.path.join(home, b".cache/hollow/inner"))
os.chmod(os.path.join(home, b".cache/hollow"), 0o500)
os.chmod(os.path.join(home, b".cache"), 0o700)
put(b".mamba/shared.txt", b"mine")
put(b".mamba/only-at-home.txt", b"mine")
put(b".vscode-server/data/Machine/settings.json", b'{"mine": 1}')
put(b".condarc", b"channels: [conda-forge]\n")
os.makedirs(os.path.join(home, b"elsewhere"))
put(b"elsewhere/environments.txt", b"mine")
os.symlink("elsewhere", os.path.join(home, b".conda"))
"""
"""A script that makes what homes may hold: odd names and modes, links, folders under names that roles use."""


def storage_of(hec: Live, user: str) -> str:
    """The person's folder on the storage with room."""
    return as_root(hec, f"echo /storage/hpc/*/{user}")


def tree(hec: Live, user: str) -> str:
    """All that a person has there: kind, mode, size, time and target of each."""
    places = f"/home/{user} /storage/hpc/*/{user} /scratch/hpc/*/{user}"
    return as_root(hec, f"find {places} -printf '%p %y %m %s %T@ %l\\n' | sort")


def inside(hec: Live, path: str) -> Path:
    """A path of the miniature, as this machine sees it."""
    return Path(f"/proc/{hec.miniature.pid}/root{path}")


def write(hec: Live, user: str, name: str, text: str) -> None:
    """Put a file into somebody's home there."""
    path = shlex.quote(name)
    hec.root_run(
        ["runuser", "-u", user, "--", "sh", "-c", f"cd && mkdir -p $(dirname {path}) && cat >{path}"], stdin=text
    )


def changes(answer: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What a run changed, or would change: by which role, of what kind, where."""
    return by_state(answer, *CHANGES)


def by_state(answer: dict[str, Any], *states: str) -> set[tuple[str, str, str]]:
    """The outcomes that have one of the states: role, kind, path."""
    return {
        (outcome["role"], outcome["kind"], outcome["path"])
        for outcome in answer["outcomes"]
        if outcome["state"] in states
    }


def notes(answer: dict[str, Any]) -> dict[str, str]:
    """What a run said besides, by path."""
    return {outcome["path"]: outcome["note"] for outcome in answer["outcomes"] if outcome["note"]}


def as_person(hec: Live, user: str, script: str, *arguments: str) -> None:
    """Run a Python script as somebody there."""
    hec.root_run(["runuser", "-u", user, "--", "/usr/bin/python3", "-", *arguments], stdin=script)


def manifest(hec: Live, folder: str) -> str:
    """A folder's content: names, kinds, modes, times, targets and digests."""
    return as_root(
        hec,
        f"cd {folder}/ && export LC_ALL=C && (find . -printf '%p %y %m %T@ %l\\n' | sort; "
        "find . -type f -print0 | sort -z | xargs -0r sha256sum) | cat -v",
    )
