"""The programs for input data on a cluster, run in a folder that stands for a home there."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from threading import Event, Thread

import pytest
from data_home import DataHome, data_home, stream
from user_home import at_home

from rookery.remote.data import store


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    return data_home(tmp_path / "there")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with data, of a few bytes and of more than a piece."""
    at_home(tmp_path / "home", monkeypatch)
    project = tmp_path / "demo"
    (project / "data/deep").mkdir(parents=True)
    (project / "data/a.csv").write_text("1\n")
    (project / "data/deep/b.bin").write_bytes(os.urandom(3_000_000))
    return project


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_data_set_arrives_whole(home: DataHome, root: Path) -> None:
    odd = os.fsdecode(b"new\nline \xff")
    (root / "data" / odd).write_text("odd")
    (root / "data/empty").mkdir()
    (root / "data/link").symlink_to("deep/b.bin")
    (root / "data/run.sh").write_text("x")
    (root / "data/run.sh").chmod(0o700)
    os.utime(root / "data/a.csv", ns=(0, 1_600_000_000_123_456_789))
    answer = home.receive(stream(root))
    assert answer["state"] == "done"
    there = home.version()
    assert {os.path.relpath(path, there) for path in there.rglob("*")} == {
        os.path.relpath(path, root / "data") for path in (root / "data").rglob("*")
    }
    assert (there / "deep/b.bin").read_bytes() == (root / "data/deep/b.bin").read_bytes()
    assert (there / odd).read_text() == "odd"
    assert (there / "link").readlink() == Path("deep/b.bin")
    assert (there / "a.csv").stat().st_mtime_ns == 1_600_000_000_123_456_789
    assert stat.S_IMODE((there / "run.sh").stat().st_mode) == 0o555
    assert all(not path.lstat().st_mode & 0o222 for path in (there, *there.rglob("*")) if not path.is_symlink())
    assert stat.S_IMODE((home.folder / "storage/projects/demo").stat().st_mode) == 0o700
    assert not (home.store / "data/.partial").exists()
    [each] = home.look()["sets"]
    [version] = each["versions"]
    assert (version["digest"], version["latest"], version["files"]) == (answer["digest"], True, 4)
    assert version["size"] == sum(
        path.lstat().st_size for path in (root / "data").rglob("*") if path.is_file() and not path.is_symlink()
    )


def test_a_single_file(home: DataHome, root: Path) -> None:
    assert home.receive(stream(root, "data/a.csv"), "data/a.csv")["digest"] == sha(root / "data/a.csv")
    assert home.version("data/a.csv").read_text() == "1\n"
    (root / "data/a.csv").write_text("2\n")
    home.receive(stream(root, "data/a.csv"), "data/a.csv")
    assert home.version("data/a.csv").read_text() == "2\n"


@pytest.mark.parametrize("cut", [1, 150, 1_500_000, -200, -1])
def test_a_stream_that_is_cut_off_anywhere_is_continued(home: DataHome, root: Path, cut: int) -> None:
    """And nothing of it is taken for whole: there is no version before the end."""
    whole = stream(root)
    assert home.receive(whole[:cut])["state"] == "cut"
    looked = home.look()
    assert looked["sets"][0]["versions"] == []
    staged = {path: digest for path, _, digest in looked["staged"]}
    assert all(digest == sha(root / "data" / path) for path, digest in staged.items())
    rest = stream(root, have=staged, offsets=dict(map(tuple, looked["begun"])), **staged)
    assert home.receive(rest)["state"] == "done"
    assert sha(home.version() / "deep/b.bin") == sha(root / "data/deep/b.bin")
    if cut == 1_500_000:
        assert looked["begun"][0][1] > 1_000_000
        assert len(rest) < 2_000_000


def test_a_beginning_of_something_else_is_found_out_and_sent_again(home: DataHome, root: Path) -> None:
    home.receive(stream(root)[:2_000_000])
    [[path, size]] = home.look()["begun"]
    (root / "data/deep/b.bin").write_bytes(os.urandom(3_000_000))
    answer = home.receive(stream(root, offsets={path: size}))
    assert answer == {"state": "again", "paths": ["deep/b.bin"]}
    assert home.receive(stream(root))["state"] == "done"
    assert sha(home.version() / "deep/b.bin") == sha(root / "data/deep/b.bin")


def test_a_journal_that_lies_is_not_believed(home: DataHome, root: Path) -> None:
    """A file that has another size or time than was noted, or is gone, has not arrived."""
    home.receive(stream(root)[:-100])
    files = home.store / "data/.partial/version/files/data"
    (files / "a.csv").chmod(0o644)
    (files / "a.csv").write_text("9\n")
    (files / "deep/b.bin").unlink()
    with (home.store / "data/.partial/journal").open("a") as journal:
        journal.write('{"path": "x", "si')
    assert home.look()["staged"] == []
    assert home.receive(stream(root))["state"] == "done"
    assert (home.version() / "a.csv").read_text() == "1\n"


def test_versions_stand_beside_each_other_and_share_what_is_alike(home: DataHome, root: Path) -> None:
    first = home.receive(stream(root))["digest"]
    before = home.version()
    (root / "data/a.csv").write_text("2\n")
    known = sha(root / "data/deep/b.bin")
    assert [3_000_000, known] in home.look()["known"]
    sent = stream(root, have={"deep/b.bin"}, **{"deep/b.bin": known})
    assert len(sent) < 2000
    second = home.receive(sent)["digest"]
    assert (before / "a.csv").read_text() == "1\n"
    assert (home.version() / "a.csv").read_text() == "2\n"
    assert (before / "deep/b.bin").samefile(home.version() / "deep/b.bin")
    assert {version["digest"] for version in home.look()["sets"][0]["versions"]} == {first, second}
    assert home.receive(b"", digest=first)["digest"] == first
    assert home.version() == before


def test_a_file_that_is_said_to_be_there_and_is_not_is_asked_for(home: DataHome, root: Path) -> None:
    assert home.receive(stream(root, have={"a.csv"}, **{"a.csv": "0" * 64})) == {"state": "again", "paths": ["a.csv"]}


def test_a_file_that_was_changed_there_is_no_part_of_a_later_version(home: DataHome, root: Path) -> None:
    """It is asked for, though a version should have it."""
    home.receive(stream(root))
    (home.version() / "a.csv").chmod(0o644)
    (home.version() / "a.csv").write_text("9\n")
    (root / "data/b").write_text("b")
    known = {"a.csv": sha(root / "data/a.csv"), "deep/b.bin": sha(root / "data/deep/b.bin")}
    assert home.receive(stream(root, have=known, **known)) == {"state": "again", "paths": ["a.csv"]}
    assert home.receive(stream(root))["state"] == "done"
    assert (home.version() / "a.csv").read_text() == "1\n"


def test_what_an_earlier_push_has_left_is_no_part_of_the_data(home: DataHome, root: Path) -> None:
    (root / "data/z").write_text("late")
    (root / "data/old").mkdir()
    (root / "data/old/x").write_text("x")
    home.receive(stream(root)[:-10])
    for path in ("z", "old/x"):
        (root / "data" / path).unlink()
    (root / "data/old").rmdir()
    (root / "data/old").write_text("a file now")
    assert home.receive(stream(root))["state"] == "done"
    assert (home.version() / "old").read_text() == "a file now"
    assert not (home.version() / "z").exists()


def test_a_digest_that_does_not_agree_makes_no_version(home: DataHome, root: Path) -> None:
    sent = stream(root)
    *_, end = sent.splitlines()
    other = json.dumps({**json.loads(end), "digest": "0" * 64}).encode() + b"\n"
    assert home.receive(sent.removesuffix(end + b"\n") + other)["state"] == "differs"
    assert home.look()["sets"][0]["versions"] == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"op": "folder", "path": "../x"}\n',
        b'{"op": "link", "path": "/tmp/x", "goal": "y"}\n',
        b"[]\n",
        b"nonsense\n",
        b'{"op": "file", "path": "a", "offset": 0, "mtime": 0, "executable": false}\n\xff\xff\xff\xff',
    ],
)
def test_a_stream_of_another_form_is_refused(home: DataHome, line: bytes) -> None:
    assert home.receive(line)["state"] == "malformed"
    assert not (home.store / "x").exists()


def test_a_home_that_is_not_set_up(tmp_path: Path) -> None:
    home = DataHome(tmp_path)
    assert home.look()["state"] == "not-set-up"
    (tmp_path / ".config/rookery").mkdir(parents=True)
    (tmp_path / ".config/rookery/env.sh").touch()
    assert home.look()["state"] == "no-storage"


def test_releases_that_use_a_version(home: DataHome, root: Path) -> None:
    digest = home.receive(stream(root))["digest"]
    for project, commit in (("demo", "a" * 40), ("demo-copy", "b" * 40), ("other", "c" * 40)):
        release = home.folder / "projects" / project / "releases" / commit
        release.mkdir(parents=True)
        (release / "data").symlink_to(home.version() if project != "other" else "/elsewhere")
        (release.parents[1] / "current").symlink_to(f"releases/{commit}")
    [version] = home.look()["sets"][0]["versions"]
    assert version["digest"] == digest
    assert version["used"] == [
        {"project": "demo", "commit": "a" * 40, "current": True},
        {"project": "demo-copy", "commit": "b" * 40, "current": True},
    ]


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_storage_that_fills_up_on_the_way(home: DataHome, root: Path) -> None:
    """What has arrived stays, and the rest goes there when there is room."""
    storage = home.folder / "storage"
    storage.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", storage], check=True)
    try:
        answer = home.receive(stream(root))
        assert (answer["state"], answer["errno"]) == ("broken", errno.ENOSPC)
        looked = home.look()
        assert [path for path, *_ in looked["staged"]] == ["a.csv"]
        subprocess.run(["mount", "-o", "remount,size=20m", storage], check=True)
        staged = {path: digest for path, _, digest in looked["staged"]}
        rest = stream(root, have=staged, offsets=dict(map(tuple, looked["begun"])), **staged)
        assert home.receive(rest)["state"] == "done"
        assert sha(home.version() / "deep/b.bin") == sha(root / "data/deep/b.bin")
    finally:
        subprocess.run(["umount", storage], check=True)


def release(home: DataHome, commit: str, goal: Path) -> None:
    """A release with a link to the data."""
    folder = home.folder / "projects/demo/releases" / (commit * 40)
    folder.mkdir(parents=True)
    (folder / "data").symlink_to(goal)


def test_data_is_verified(home: DataHome, root: Path) -> None:
    (root / "data/empty").mkdir()
    (root / "data/link").symlink_to("a.csv")
    home.receive(stream(root))
    home.receive(stream(root, "data/a.csv"), "data/a.csv")
    verified = home.ask("verify", paths=None)["sets"]
    assert [(each["path"], each["files"], each["count"]) for each in verified] == [("data", 2, 0), ("data/a.csv", 1, 0)]


@pytest.mark.parametrize(
    ("script", "path", "fault"),
    [
        ("cp -p a.csv ../old; echo 2 >a.csv; touch -r ../old a.csv", "a.csv", "changed"),
        ("rm deep/b.bin", "deep/b.bin", "missing"),
        ("ln -sfn deep/b.bin link", "link", "changed"),
        ("rm link; echo 1 >link", "link", "changed"),
        ("rmdir empty", "empty", "missing"),
        ("echo x >empty/x", "empty/x", "added"),
        ("printf 'folder  a\\0' >../../manifest", "", "manifest"),
        ("rm ../../manifest", "", "manifest"),
    ],
)
def test_whatever_has_changed_is_found(home: DataHome, root: Path, script: str, path: str, fault: str) -> None:
    """By hand, as its owner can."""
    (root / "data/empty").mkdir()
    (root / "data/link").symlink_to("a.csv")
    home.receive(stream(root))
    subprocess.run(["sh", "-ec", f"chmod -R u+w ..; {script}"], cwd=home.version(), check=True)
    [verified] = home.ask("verify", paths=["data"])["sets"]
    assert (verified["faults"], verified["count"]) == ([[path, fault]], 1)


def removed(home: DataHome, **how: bool | str) -> dict[str, object]:
    request = {"digest": "", "unused": False, "force": False, "slurm": False, "who": "ada", "check": False, **how}
    return home.ask("remove", paths=["data"], **request)


def test_what_a_release_uses_is_not_removed(home: DataHome, root: Path) -> None:
    first = home.receive(stream(root))["digest"]
    release(home, "a", home.version())
    (root / "data/a.csv").write_text("2\n")
    second = home.receive(stream(root))["digest"]
    refused = removed(home)
    assert refused["state"] == "used"
    assert [each["digest"] for each in refused["kept"]] == [first]
    assert len(home.look()["sets"][0]["versions"]) == 2
    would = removed(home, unused=True, check=True)
    assert (would["state"], [each["digest"] for each in would["removed"]]) == ("removed", [second])
    assert len(home.look()["sets"][0]["versions"]) == 2
    removed(home, unused=True)
    [left] = home.look()["sets"][0]["versions"]
    assert (left["digest"], left["latest"]) == (first, True)
    assert removed(home, digest=first[:8])["state"] == "used"
    removed(home, digest=first[:8], force=True)
    assert home.ask("look", paths=None, push=False)["sets"] == []


def test_a_release_uses_a_version_whatever_path_led_to_the_storage_then(home: DataHome, root: Path) -> None:
    digest = home.receive(stream(root))["digest"]
    (home.folder / "scratch").symlink_to("storage")
    release(home, "a", Path(str(home.version()).replace("/storage/", "/scratch/")))
    assert [each["digest"] for each in removed(home)["kept"]] == [digest]


def test_what_a_push_leaves_that_was_killed_behind_its_last_rename_goes_too(home: DataHome, root: Path) -> None:
    home.receive(stream(root))
    (home.store / "data/.partial").mkdir()
    (home.store / "data/.partial/journal").write_text("{}\n")
    removed(home)
    assert not (home.store / "data").exists()


def test_whoever_waits_while_the_data_is_removed_is_alone_afterwards(tmp_path: Path) -> None:
    folder, begun, held, ended = tmp_path / "data", Event(), Event(), Event()

    def wait() -> None:
        begun.set()
        with store.alone(str(folder), "second"):
            held.set()
            ended.wait(120)

    thread = Thread(target=wait)
    with store.alone(str(folder), "first"):
        thread.start()
        begun.wait(120)
        shutil.rmtree(folder)
    assert held.wait(120)
    with (folder / ".lock").open() as stream, pytest.raises(BlockingIOError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert (folder / ".lock").read_text().startswith("second, since ")
    ended.set()
    thread.join()


def test_one_version_and_the_beginning_of_another_are_removed(home: DataHome, root: Path) -> None:
    first = home.receive(stream(root))["digest"]
    (root / "data/a.csv").write_text("2\n")
    second = home.receive(stream(root))["digest"]
    (root / "data/a.csv").write_text("3\n")
    home.receive(stream(root)[:-10])
    removed(home, digest=second[:12])
    look = home.look()
    assert [version["digest"] for version in look["sets"][0]["versions"]] == [first]
    assert look["sets"][0]["partial"] > 0
    assert home.version().parents[1].name == first
    (home.store / "data" / f".removed-{second}").mkdir()  # left by a removal that was cut off
    assert removed(home)["partial"] == ["data"]
    assert not (home.store / "data").exists()


def test_nothing_is_removed_where_slurm_does_not_say_what_jobs_use(home: DataHome, root: Path) -> None:
    home.receive(stream(root))
    answer = removed(home, slurm=True)
    assert answer == {
        "state": "unknown",
        "said": "Slurm does not say which jobs use the data (squeue: command not found)",
    }
    assert home.look()["sets"][0]["versions"]
