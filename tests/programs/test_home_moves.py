"""A folder moved to storage and linked: nothing lost, nothing overwritten, whatever stands there."""

from __future__ import annotations

import errno
import itertools
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
from home_helpers import Login, action, names, states, tree, wait_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from undo_helpers import take_back

from rookery.remote.apply import relocate, tree_copy
from rookery.remote.apply.problem import Problem

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
    return {"moves": [{"path": "~/.cache", "storage": str(login.storage)}]}


def moved(login: Login) -> Path:
    """Where a folder goes that is moved: a place that nobody else uses."""
    return login.storage / "rookery/home/.cache"


def test_what_an_older_version_declared_and_moved_is_in_place(login: Login) -> None:
    """`status` goes by that declaration, which names the folder on the storage."""
    to = login.storage / ".cache"
    to.mkdir()
    (login.home / ".cache").symlink_to(to)
    told = login.converge({"moves": [{"path": "~/.cache", "to": str(to)}]}, check=True)
    assert states(told) == ["present"]


@given(content=FOLDERS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tree_arrives_whole(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    login = Login(tmp_path_factory.mktemp("move"))
    build(login.home / ".cache", content)
    before = tree(login.home / ".cache", times=True)
    answer = login.converge(move(login))
    assert states(answer) == ["changed"], answer
    assert (login.home / ".cache").readlink() == moved(login)
    assert tree(moved(login), times=True) == before
    assert names(moved(login).parent) == [".cache"]
    assert not (login.home / ".cache.rookery-aside").exists()


@given(content=FOLDERS, there=FOLDERS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_merged_and_undo_gives_both_trees_back(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], there: dict[str, Any]
) -> None:
    login = Login(tmp_path_factory.mktemp("both"))
    build(login.home / ".cache", content)
    build(login.storage / ".cache", there)
    coming, standing = tree(login.home / ".cache", times=True), tree(login.storage / ".cache", times=True)
    answer = login.converge(move(login))
    assert "failed" not in answer
    assert "/.cache was there already, and is left alone" in answer["outcomes"][0]["note"]
    assert tree(moved(login), times=True) == coming
    assert tree(login.storage / ".cache", times=True) == standing
    assert not login.converge(move(login))["changed"]
    take_back(login, purge=True)
    assert tree(login.home / ".cache", times=True) == coming
    assert tree(login.storage, times=True) == {
        ".cache": tree(login.storage, times=True)[".cache"],
        **{f".cache/{name}": state for name, state in standing.items()},
    }


@pytest.mark.parametrize(
    "stands",
    ["nothing", "nothing, but the storage", "dangling right", "dangling", "right", "users", "elsewhere", "file"],
)
def test_what_else_may_stand_there(login: Login, stands: str) -> None:
    path, to, users = login.home / ".cache", moved(login), login.storage / ".cache"
    other = login.home / "other"
    other.mkdir()
    links = {
        "dangling right": to,
        "right": to,
        "dangling": Path("/nowhere/at/all"),
        "users": users,
        "elsewhere": other,
    }
    if stands in links:
        path.symlink_to(links[stands])
    if stands == "right":
        to.mkdir(parents=True)
    if stands in ("users", "nothing, but the storage"):
        users.mkdir()
    if stands == "file":
        path.write_text("mine")
    answer = login.converge(move(login))
    expected = {"nothing": "made", "nothing, but the storage": "made", "dangling right": "changed"}
    expected |= {"right": "present", "users": "present"}
    assert states(answer) == [expected.get(stands, "kept")]
    note = answer["outcomes"][0]["note"]
    if stands == "file":
        assert note == "~/.cache is not a folder, so it stays as it is"
        assert path.read_text() == "mine"
    elif stands == "elsewhere":
        assert note == "~/.cache is a link to ~/other, and stays as it is"
        assert path.readlink() == other
    elif stands == "dangling":
        assert note == "~/.cache is a link to /nowhere/at/all, which is not there, and stays as it is"
        assert path.readlink() == links[stands]
    else:
        assert path.readlink() == (users if "storage" in stands or stands == "users" else to)
        assert path.is_dir()
    assert not login.converge(move(login))["changed"]


@pytest.mark.parametrize("to", ["rookery/home/.cache", ".cache"])
def test_what_was_made_for_a_link_that_led_to_nothing_goes_with_undo(login: Login, to: str) -> None:
    (login.storage / "rookery/home").mkdir(parents=True)
    (login.home / ".cache").symlink_to(login.storage / to)
    link = (login.home / ".cache").lstat().st_ino
    for path in (login.storage / "rookery/home", login.storage / "rookery", login.storage):
        os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    before = tree(login.home.parent, times=True)
    assert states(login.converge(move(login))) == ["changed"]
    assert (login.storage / to).is_dir()
    take_back(login, purge=True)
    assert tree(login.storage, times=True) == {
        name.removeprefix("storage/"): state for name, state in before.items() if name.startswith("storage/")
    }
    assert (login.home / ".cache").readlink() == login.storage / to
    assert (login.home / ".cache").lstat().st_ino == link, "the link is the same, and its owner with it"


@pytest.mark.parametrize("again", [False, True])
def test_a_killed_move_is_taken_back_with_the_time_of_the_folder_that_it_went_to(tmp_path: Path, again: bool) -> None:
    for step in itertools.count(1):
        login = Login(tmp_path / str(step))
        to = login.storage / "rookery/home"
        to.mkdir(parents=True)
        build(login.home / ".cache", {"a": ("file", b"x", 0o644)})
        os.utime(to, ns=(1, 1_600_000_000_123_456_789))
        if login.converge(move(login), kill_at=step):
            break
        if again:
            login.converge(move(login))
        take_back(login, purge=True)
        assert (login.home / ".cache/a").read_bytes() == b"x", f"step {step}"
        assert (names(to), to.stat().st_mtime_ns) == ([], 1_600_000_000_123_456_789), f"step {step}"
    assert step > 10, "the test kills at every step there is"


def test_an_empty_folder_where_a_moved_one_goes_is_there_again_after_undo(login: Login) -> None:
    build(login.home / ".cache", {"a": ("file", b"x", 0o644)})
    moved(login).mkdir(parents=True, mode=0o700)
    os.utime(moved(login), ns=(1, 1_600_000_000_123_456_789))
    before = tree(login.home.parent)
    assert states(login.converge(move(login))) == ["changed"]
    assert names(moved(login)) == ["a"]
    take_back(login, purge=True)
    assert tree(login.home.parent) == before
    assert moved(login).stat().st_mtime_ns == 1_600_000_000_123_456_789


@pytest.mark.skipif(os.getuid() != 0, reason="another group needs root")
def test_files_take_the_group_of_a_project_and_their_own_again(login: Login) -> None:
    """Room on the storage of a project is counted by group, which a folder there hands down (setgid)."""
    build(login.home / ".cache", {"mine": ("file", b"x", 0o644), "of others": ("file", b"y", 0o644)})
    os.chown(login.home / ".cache/of others", -1, 4712)
    os.chown(login.storage, -1, 4711)
    login.storage.chmod(0o2775)
    groups = [path.stat().st_gid for path in (login.home / ".cache", *sorted((login.home / ".cache").iterdir()))]
    login.converge(move(login))
    there = moved(login)
    assert [path.stat().st_gid for path in (there, *sorted(there.iterdir()))] == [4711, 4711, 4712]
    take_back(login, purge=True)
    assert [
        path.stat().st_gid for path in (login.home / ".cache", *sorted((login.home / ".cache").iterdir()))
    ] == groups


@pytest.mark.parametrize("link_in_home", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_on_the_storage_that_leads_out_of_it_is_not_linked_to(
    login: Login, tmp_path: Path, is_there: bool, link_in_home: bool
) -> None:
    outside = tmp_path / "outside"
    if is_there:
        outside.mkdir()
    (login.storage / ".cache").symlink_to(outside)
    if link_in_home:
        (login.home / ".cache").symlink_to(outside)
    before = tree(login.home.parent, times=True)
    answer = login.converge(move(login))
    expected = "made" if not link_in_home else "present" if is_there else "kept"
    assert states(answer) == [expected], answer
    if not link_in_home:
        assert (login.home / ".cache").readlink() == moved(login)
    assert outside.exists() == is_there
    take_back(login, purge=True)
    assert tree(login.home.parent, times=True).keys() == before.keys()
    assert tree(login.home, times=True) == {
        name.removeprefix("home/"): state for name, state in before.items() if name.startswith("home/")
    }


def test_the_storage_s_own_folder_stays_when_the_link_to_it_is_taken_back(login: Login) -> None:
    build(login.storage / ".cache", {"a": ("file", b"theirs", 0o644)})
    before = tree(login.storage, times=True)
    assert states(login.converge(move(login))) == ["made"]
    assert (login.home / ".cache/a").read_bytes() == b"theirs"
    take_back(login, purge=True)
    assert names(login.home) == []
    assert tree(login.storage, times=True) == before


def test_a_folder_made_anew_after_setup_is_not_put_into_the_moved_one(login: Login) -> None:
    build(login.home / ".cache", {"a": ("file", b"first", 0o644)})
    login.converge(move(login))
    (login.home / ".cache").unlink()
    build(login.home / ".cache", {"a": ("file", b"second", 0o644)})
    answer = login.converge(move(login))
    assert states(answer) == ["kept"]
    assert "holds another one, and the two are not mixed" in answer["outcomes"][0]["note"]
    assert (login.home / ".cache/a").read_bytes() == b"second"
    assert (moved(login) / "a").read_bytes() == b"first"


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_link_that_is_gone_leads_to_the_moved_folder_again(login: Login, left: str) -> None:
    build(login.home / ".cache", {"a": ("file", b"first", 0o644)})
    before = tree(login.home, times=True)
    (login.storage / ".cache").mkdir()
    login.converge(move(login))
    (login.home / ".cache").unlink()
    if left != "nothing":
        (login.home / ".cache").mkdir()
    assert login.converge(move(login))["changed"]
    assert (login.home / ".cache/a").read_bytes() == b"first"
    take_back(login, purge=True)
    assert tree(login.home, times=True) == before


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
    assert "sockets of running programs were left out: s" in answer["outcomes"][0]["note"]


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
        assert names(login.storage / "rookery/home") == []
        subprocess.run(["mount", "-o", "remount,nr_inodes=1000", login.storage], check=True)
        assert states(login.converge(move(login))) == ["changed"]
        assert tree(moved(login)) == before
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
    with pytest.raises(Problem, match="programs go on writing"):
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
