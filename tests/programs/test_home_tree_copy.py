"""Folders copied to storage and back: every kind of file whole, also while programs go on writing."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from folder_moves import build, move, moved
from home_helpers import Login, names, states, tree
from undo_helpers import take_back
from waiting import wait_for

from rookery.remote.apply import relocate, tree_copy
from rookery.remote.apply.problem import Problem


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


def test_sockets_are_left_out_and_named(login: Login) -> None:
    (login.home / ".cache").mkdir()
    (login.home / ".cache/file").write_text("x")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(login.home / ".cache")  # the path of a socket may not be long
    try:
        server.bind("s")
    finally:
        os.chdir(here)
    answer = login.converge(move(login))
    server.close()
    assert names(moved(login)) == ["file"]
    assert "skipped sockets of running programs: s" in answer["outcomes"][0]["note"]


def test_folders_that_cannot_be_written_to_are_moved_too(login: Login) -> None:
    inner = login.home / ".cache/mod"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0o555)
    before = tree(login.home / ".cache")
    assert states(login.converge(move(login))) == ["changed"]
    assert tree(moved(login)) == before


def test_a_program_that_goes_on_writing_loses_nothing(login: Login) -> None:
    cache = login.home / ".cache"
    cache.mkdir()
    for number in range(300):
        (cache / f"old-{number}").write_bytes(os.urandom(2000))
    written: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set() and len(written) < 300:
            name = f"new-{len(written)}"
            try:
                (cache / name).write_text(name)
            except OSError:  # in the instant between the folder and the link there is neither
                continue
            written.append(name)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        answer = login.converge(move(login))
    finally:
        stop.set()
        writer.join()
    assert states(answer) == ["changed"]
    assert len(written) > 10
    arrived = moved(login)
    assert {name for name in written if (arrived / name).read_text() != name} == set()
    assert len(list(arrived.glob("old-*"))) == 300


def test_names_of_one_file_stay_names_of_one_file(login: Login) -> None:
    """conda's environments and uv's share files with the package cache: apart they would take the room many times."""
    cache = login.home / ".cache"
    cache.mkdir()
    (cache / "one").write_bytes(b"x" * 100_000)
    (cache / "other").hardlink_to(cache / "one")
    (cache / ".nfs0000001").write_bytes(b"of a program that has it open")
    login.converge(move(login))
    there = moved(login)
    assert (there / "one").stat().st_ino == (there / "other").stat().st_ino
    assert (there / "other").read_bytes() == b"x" * 100_000
    assert not (there / ".nfs0000001").exists()
    assert cache.readlink() == there


def test_a_disk_without_room_for_an_attribute_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copystat(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    build(tmp_path / "from", {"a": ("file", b"x", 0o644)})
    monkeypatch.setattr(shutil, "copystat", copystat)
    with pytest.raises(OSError, match="No space left"):
        tree_copy.mirror(str(tmp_path / "from"), str(tmp_path / "to"))


@pytest.mark.parametrize("buffer", [4096, 1 << 16, 1 << 17, 1 << 20])
def test_a_file_with_holes_is_whole_whatever_the_size_of_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    """Python's buffer is as large as a block of the filesystem, which is 1 MB on some network storage."""

    def opened(path: str, mode: str = "r", buffering: int = -1, **more: Any) -> Any:
        return Path(path).open(mode, buffer if buffering < 0 and "b" in mode else buffering, **more)

    (tmp_path / "from").mkdir()
    with (tmp_path / "from/holes").open("wb") as file:
        file.write(os.urandom(4096))
        file.seek(1 << 16)
        file.write(os.urandom(2 << 20))
    before = (tmp_path / "from/holes").read_bytes()
    monkeypatch.setattr(tree_copy, "open", opened, raising=False)
    relocate.carry(str(tmp_path / "from"), str(tmp_path / "to"), leave_link=True)
    assert (tmp_path / "to/holes").read_bytes() == before


def test_what_is_written_into_a_file_while_it_is_copied_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database changes its file in place: neither its size nor its name tells that it did."""
    (tmp_path / "from").mkdir()
    file = tmp_path / "from/database"
    file.write_bytes(bytes(3 << 20))
    plain, written = tree_copy._copy_bytes, []

    def meanwhile(source: Any, sink: Any) -> None:
        plain(source, sink)
        if not written:
            written.append(file)
            with file.open("r+b") as stream:
                stream.write(b"committed")

    monkeypatch.setattr(tree_copy, "_copy_bytes", meanwhile)
    relocate.carry(str(tmp_path / "from"), str(tmp_path / "to"), leave_link=True)
    assert (tmp_path / "to/database").read_bytes()[:9] == b"committed"


def test_a_copy_that_is_too_short_takes_no_file_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / "from", {"a": ("file", b"x" * 5000, 0o644)})
    monkeypatch.setattr(tree_copy, "_copy_bytes", lambda source, sink: sink.write(source.read(10)))
    with pytest.raises(Problem, match="programs keep writing"):
        relocate.carry(str(tmp_path / "from"), str(tmp_path / "to"), leave_link=True)
    assert (tmp_path / "from.rookery-aside/a").stat().st_size == 5000


def test_files_that_come_and_go_meanwhile_stop_nothing(login: Login) -> None:
    folder = login.home / ".cache/d"
    folder.mkdir(parents=True)
    loop = f"cd {folder} && : > ../ready; while :; do for n in 1 2 3 4 5 6 7 8 9; do echo x >t$n; done; rm -f t?; done"
    with subprocess.Popen(["/bin/sh", "-c", loop], stderr=subprocess.DEVNULL) as program:
        try:
            wait_for((login.home / ".cache/ready").exists)
            for _ in range(4):
                answer = login.converge(move(login))
                assert "no such file" not in answer.get("msg", "")
                back = take_back(login)
                assert back is not None
                assert "no such file" not in back.get("msg", "")
        finally:
            program.kill()


def test_what_an_undo_that_was_killed_had_copied_back_goes(login: Login) -> None:
    build(login.home / ".cache", {"a": ("file", b"x", 0o644), "b": ("file", b"y", 0o644)})
    assert states(login.converge(move(login))) == ["changed"]
    for step in itertools.count(1):
        if take_back(login, kill_at=step) is not None:
            break
        if (login.home / ".cache.rookery-partial").exists():
            login.converge(move(login))
            assert not (login.home / ".cache.rookery-partial").exists(), step
            assert (login.home / ".cache").readlink() == moved(login)
            assert sorted((login.home / ".cache").iterdir())
            return
    pytest.fail("no step left a copy")
