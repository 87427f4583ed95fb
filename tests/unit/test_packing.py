"""Packs of commits: what they bring, and how they fail and end."""

import random
import subprocess
from pathlib import Path

import pytest
from repositories import Git

from rookery.core.errors import RookeryError
from rookery.projects import commit, packing


def test_a_pack_brings_what_is_new_also_from_a_shallow_clone(root: Path, git: Git, tmp_path: Path) -> None:
    first = git("rev-parse", "HEAD")
    (root / "a.py").write_text("1\n" * 50)
    git("commit", "-q", "-a", "-m", "second")
    bare = tmp_path / "bare.git"
    git("init", "-q", "--bare", str(bare))

    def take(place: Path, there: list[str]) -> None:
        with commit.chosen(place) as chosen:
            data = b"".join(packing.Packing(chosen, there).pieces())
            (bare / "shallow").write_text("".join(f"{identity}\n" for identity in packing.boundary(chosen)))
        unpack = ["git", "--git-dir", str(bare), "index-pack", "--stdin", "--fix-thin"]
        subprocess.run(unpack, input=data, check=True, capture_output=True)
        git("update-ref", "refs/x/y", chosen.id, cwd=bare)

    git("clone", "-q", "--depth=1", f"file://{root}", str(tmp_path / "shallow"), cwd=tmp_path)
    take(tmp_path / "shallow", [])
    git("fsck", "--strict", cwd=bare)
    assert packing.known(root, [first, "0" * 40]) == [first]
    (root / "a.py").write_text("1\n" * 50 + "2\n")
    git("commit", "-q", "-a", "-m", "third")
    take(root, [git("rev-parse", "HEAD~1"), "0" * 40])
    assert git("cat-file", "blob", "refs/x/y:a.py", cwd=bare) == ("1\n" * 50 + "2").strip()


def test_a_commit_that_git_can_t_pack_is_an_error(root: Path, git: Git) -> None:
    (root / "big.bin").write_bytes(random.Random(1).randbytes(packing.PIECE * 3))
    git("add", "-A")
    git("commit", "-q", "-m", "big")
    identity = git("rev-parse", "HEAD:big.bin")
    path = root / ".git/objects" / identity[:2] / identity[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: packing.PIECE * 2])
    with commit.chosen(root) as chosen, pytest.raises(RookeryError, match="git failed in"):
        list(packing.Packing(chosen, []).pieces())


def test_a_pack_that_nobody_wants_is_ended(root: Path, git: Git) -> None:
    (root / "big.bin").write_bytes(random.Random(1).randbytes(packing.PIECE * 30))
    git("add", "-A")
    git("commit", "-q", "-m", "big")
    with commit.chosen(root) as chosen:
        unwanted, half = packing.Packing(chosen, []), packing.Packing(chosen, [])
        unwanted.close()
        assert list(unwanted.pieces()) == []
        pieces = half.pieces()
        next(pieces)
        pieces.close()  # waits for the end of git, which would write on otherwise
        assert list(half.pieces()) == []
