"""A folder moved to storage and linked: nothing lost, nothing overwritten, whatever stands there."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, action, names, states, tree
from hypothesis import HealthCheck, given, settings
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


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


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
    return {"moves": [{"path": "~/.cache", "to": str(login.storage / "cache")}]}


@given(content=FOLDERS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tree_arrives_whole(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    login = Login(tmp_path_factory.mktemp("move"))
    build(login.home / ".cache", content)
    before = tree(login.home / ".cache", times=True)
    answer = login.converge(move(login))
    assert states(answer) == ["changed"], answer
    assert str((login.home / ".cache").readlink()) == str(login.storage / "cache")
    assert tree(login.storage / "cache", times=True) == before
    assert names(login.storage) == ["cache"]
    assert not (login.home / ".cache.rookery-aside").exists()


@given(content=FOLDERS, there=FOLDERS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_destination_with_content_is_merged_and_nothing_is_overwritten(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], there: dict[str, Any]
) -> None:
    login = Login(tmp_path_factory.mktemp("merge"))
    build(login.home / ".cache", content)
    build(login.storage / "cache", there)
    coming, standing = tree(login.home / ".cache"), tree(login.storage / "cache")
    answer = login.converge(move(login))
    assert "failed" not in answer
    arrived, clashed = tree(login.storage / "cache"), tree(login.storage / "cache.from-home")
    assert {name: arrived[name] for name in standing} == standing
    for name, node in coming.items():
        if not node[0].startswith("d"):
            assert node[1:] in (arrived.get(name, ())[1:], clashed.get(name, ())[1:]), name
    assert bool(clashed) == ("clashed" in answer["outcomes"][0]["note"])
    assert not login.converge(move(login))["changed"]


@pytest.mark.parametrize(
    "stands", ["nothing", "dangling right", "dangling elsewhere", "right", "elsewhere", "same", "file"]
)
def test_what_else_may_stand_there(login: Login, stands: str) -> None:
    path, to = login.home / ".cache", login.storage / "cache"
    other = login.home / "other"
    other.mkdir()
    if stands in ("dangling right", "right"):
        path.symlink_to(to)
    if stands in ("right", "same"):
        to.mkdir()
    if stands in ("dangling elsewhere", "elsewhere"):
        path.symlink_to(other if stands == "elsewhere" else "/nowhere/at/all")
    if stands == "file":
        path.write_text("mine")
    declaration = move(login)
    if stands == "same":
        (login.home / "way").symlink_to(login.storage)
        declaration = {"moves": [{"path": "~/way/cache", "to": str(to)}]}
    answer = login.converge(declaration)
    if stands == "file":
        assert "is not a folder" in answer["msg"]
        assert path.read_text() == "mine"
        return
    expected = {"nothing": "made", "right": "present", "same": "present", "elsewhere": "kept"}
    assert states(answer) == [expected.get(stands, "changed")]
    if stands == "elsewhere":
        assert "~/other" in answer["outcomes"][0]["note"]
        assert str((path).readlink()) == str(other)
    elif stands != "same":
        assert str((path).readlink()) == str(to)
        assert to.is_dir()
    assert not login.converge(declaration)["changed"]


@pytest.mark.parametrize(("path", "to"), [("~/a", "~/a/b"), ("~/a/b", "~/a")])
def test_a_folder_is_not_moved_into_itself(login: Login, path: str, to: str) -> None:
    (login.home / "a/b").mkdir(parents=True)
    (login.home / "a/b/mine").write_text("mine")
    before = tree(login.home)
    answer = login.converge({"moves": [{"path": path, "to": to}]})
    assert "one is inside the other" in answer["msg"]
    assert tree(login.home, leave_out=".local") == before


def test_what_cannot_be_read_stops_the_move_before_it_begins(request: pytest.FixtureRequest) -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's own folder is closed to others
    request.addfinalizer(lambda: shutil.rmtree(folder))
    login = Login(folder)
    secret = login.home / ".cache/deep/secret"
    secret.parent.mkdir(parents=True)
    secret.write_text("x")
    secret.chmod(0)
    if os.getuid() == 0:  # root reads everything: the rest is done as somebody else
        for path in [login.home.parent, *login.home.parent.rglob("*")]:
            os.chown(path, 65534, 65534)
        login.home.parent.chmod(0o755)
    before = tree(login.home) if os.getuid() == 0 else None
    line, _ = action.command("python3", action.pack(login.payload(move(login))))
    user: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env={"PATH": "/usr/bin:/bin", "HOME": str(login.home)},
        capture_output=True,
        check=False,
        **user,
    )
    answer = action.unpack(done.stdout.decode())
    assert "permission denied" in answer["msg"]
    assert "secret" in answer["msg"]
    if before is not None:
        assert tree(login.home, leave_out=".local") == before
    assert names(login.storage) == []


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
    assert names(login.storage / "cache") == ["file"]
    assert "sockets of running programs were left out: s" in answer["outcomes"][0]["note"]


def test_folders_that_cannot_be_written_to_are_moved_too(login: Login) -> None:
    inner = login.home / ".cache/mod"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0o555)
    before = tree(login.home / ".cache")
    assert states(login.converge(move(login))) == ["changed"]
    assert tree(login.storage / "cache") == before


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
    arrived = login.storage / "cache"
    assert {name for name in written if (arrived / name).read_text() != name} == set()
    assert len(list(arrived.glob("old-*"))) == 300


def test_a_move_that_does_not_fit_is_refused_before_it_begins(login: Login) -> None:
    (login.home / ".cache").mkdir()
    (login.home / ".cache/big").write_bytes(bytes(3_000_000))
    answer = login.converge({**move(login), "space": {str(login.storage): 2}})
    assert f"moving ~/.cache needs 3 MB on {login.storage}, and 2 MB are free there" in answer["msg"]
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
        assert names(login.storage) == []
        subprocess.run(["mount", "-o", "remount,nr_inodes=1000", login.storage], check=True)
        assert states(login.converge(move(login))) == ["changed"]
        assert tree(login.storage / "cache") == before
        assert stat.S_ISLNK((login.home / ".cache").lstat().st_mode)
    finally:
        subprocess.run(["umount", login.storage], check=True)


def test_names_of_one_file_stay_names_of_one_file(login: Login) -> None:
    """conda's environments and uv's share files with the package cache: apart they would take the room many times."""
    cache = login.home / ".cache"
    cache.mkdir()
    (cache / "one").write_bytes(b"x" * 100_000)
    (cache / "other").hardlink_to(cache / "one")
    (cache / ".nfs0000001").write_bytes(b"of a program that has it open")
    login.converge(move(login))
    there = login.storage / "cache"
    assert (there / "one").stat().st_ino == (there / "other").stat().st_ino
    assert (there / "other").read_bytes() == b"x" * 100_000
    assert not (there / ".nfs0000001").exists()
    assert cache.readlink() == there
