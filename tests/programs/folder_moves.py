"""Folders that roles move to the storage: what they hold, where they go, and an account without rights."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from home_helpers import Login, action
from hypothesis import strategies as st

NAMES = st.one_of(
    st.sampled_from(["a", "b", "c", ".hidden"]),
    st.binary(min_size=1, max_size=6)
    .filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))
    .map(os.fsdecode),
)
LEAVES = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=50), st.sampled_from([0o644, 0o600, 0o755, 0o444])),
    st.tuples(st.just("link"), st.sampled_from(["a", "/nowhere", "../b"]), st.none()),
    st.tuples(st.just("fifo"), st.none(), st.none()),
)
TREES: Any = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=8)
FOLDERS = st.dictionaries(NAMES, TREES, max_size=4)


def build(folder: Path, content: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, node in content.items():
        path = folder / name
        if isinstance(node, dict):
            build(path, node)
        elif node[0] == "file":
            path.write_bytes(node[1])
            path.chmod(node[2])
            os.utime(path, ns=(1, 1_600_000_000_123_456_789))
        elif node[0] == "link":
            path.symlink_to(node[1])
        else:
            os.mkfifo(path)


def move(login: Login) -> dict[str, Any]:
    return {"moves": [{"path": "~/.cache", "storage": str(login.storage)}]}


def moved(login: Login) -> Path:
    """Where a folder goes that is moved: a place that nobody else uses."""
    return login.storage / "rookery/home/.cache"


NOBODY = 65534


def as_nobody(login: Login, declaration: dict[str, Any]) -> dict[str, Any]:
    """The apply program's answer as an account without root's rights."""
    line, _ = action.bundle.command("python3", action.bundle.pack(action.PROGRAM, login.payload(declaration)))
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env={"PATH": "/usr/bin:/bin", "HOME": str(login.home)},
        capture_output=True,
        check=False,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )
    answer: dict[str, Any] | None = action.frame.last(done.stdout.decode(), action.answers.apply_program)
    assert answer is not None, done.stderr.decode()
    return answer
