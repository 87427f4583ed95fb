"""Folders that stay in the home: what can't be moved, what does not fit, and whose it is."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from folder_moves import NOBODY, as_nobody, build, move, moved
from home_helpers import Login, names, states, tree


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


@pytest.mark.parametrize("reason", ["unreadable", "closed folder", "foreign", "device", "mounted"])
def test_what_can_t_be_moved_stays_in_the_home_and_all_else_is_done(reason: str) -> None:
    if os.getuid() != 0:
        pytest.skip("another user's files need root")
    folder = Path(tempfile.mkdtemp())  # pytest's own folder is closed to others
    login = Login(folder)
    inner = login.home / ".cache/deep/inner"
    inner.mkdir(parents=True)
    (inner / "secret").write_text("x")
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    folder.chmod(0o755)
    secret = inner / "secret"
    if reason == "unreadable":
        secret.chmod(0)
    elif reason == "closed folder":
        inner.chmod(0)
    elif reason == "foreign":
        os.chown(secret, 0, 0)
    elif reason == "device":
        secret.unlink()
        os.mknod(secret, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.chown(secret, NOBODY, NOBODY)
    else:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"uid={NOBODY}", "none", inner], check=True)
    try:
        before = tree(login.home / ".cache", times=True)
        declaration = {**move(login), "files": [{"path": "~/other", "content": "x"}]}
        answer = as_nobody(login, declaration)
        assert states(answer) == ["kept", "made"], answer
        note = answer["outcomes"][0]["note"]
        assert note.startswith("~/.cache stays in the home: ")
        says = {"foreign": "belongs to root", "device": "is a device", "mounted": "another filesystem is mounted at"}
        assert says.get(reason, "permission denied") in note
        assert str(inner) in note
        assert tree(login.home / ".cache", times=True) == before
        assert not moved(login).exists()
        assert not as_nobody(login, declaration)["changed"]
    finally:
        if reason == "mounted":
            subprocess.run(["umount", inner], check=True)
        shutil.rmtree(folder)


def test_a_folder_that_can_be_written_to_and_not_listed_is_no_obstacle() -> None:
    if os.getuid() != 0:
        pytest.skip("another user's files need root")
    with tempfile.TemporaryDirectory() as made:
        login = Login(Path(made))
        (login.home / "closed").mkdir(mode=0o300)
        for path in [Path(made), *Path(made).rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        answer = as_nobody(login, {"files": [{"path": "~/closed/file", "content": "x"}]})
        assert states(answer) == ["made"], answer
        assert (login.home / "closed/file").read_text() == "x"


def test_a_home_of_somebody_else_is_refused_in_a_line() -> None:
    if os.getuid() != 0:
        pytest.skip("another user's files need root")
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        login = Login(Path(made))
        login.home.chmod(0o700)
        answer = as_nobody(login, move(login))
        assert answer["msg"] == f"permission denied: {login.home}"
        assert "exception" not in answer


def test_a_folder_is_not_moved_into_itself(login: Login) -> None:
    folder = login.storage / "rookery/home"
    folder.mkdir(parents=True)
    (folder / "mine").write_text("mine")
    (login.home / "way").symlink_to(login.storage)
    before = tree(login.storage)
    answer = login.converge({"moves": [{"path": "~/way/rookery/home", "storage": str(login.storage)}]})
    assert states(answer) == ["kept"]
    assert "is inside it" in answer["outcomes"][0]["note"]
    assert tree(login.storage) == before


def test_a_move_that_does_not_fit_is_refused_before_it_begins(login: Login) -> None:
    (login.home / ".cache").mkdir()
    (login.home / ".cache/big").write_bytes(bytes(3_000_000))
    answer = login.converge({**move(login), "space": {str(login.storage): 2}})
    assert f"moving ~/.cache needs 3 MB on {login.storage}, but only 2 MB are free" in answer["msg"]
    assert (login.home / ".cache/big").stat().st_size == 3_000_000
    assert names(login.storage) == []


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_destination_on_another_filesystem_that_fills_up(login: Login) -> None:
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "t", login.storage], check=False
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        build(login.home / ".cache", {f"f{number}": ("file", b"x", 0o644) for number in range(40)})
        before = tree(login.home / ".cache")
        answer = login.converge(move(login))  # there is room, but there are too few inodes: seen only on the way
        assert f"no space is left on {login.storage}" in answer["msg"]
        assert tree(login.home / ".cache") == before
        assert names(login.storage / "rookery/home") == []
        subprocess.run(["mount", "-o", "remount,nr_inodes=1000", login.storage], check=True)
        assert states(login.converge(move(login))) == ["changed"]
        assert tree(moved(login)) == before
        assert stat.S_ISLNK((login.home / ".cache").lstat().st_mode)
    finally:
        subprocess.run(["umount", login.storage], check=True)
