"""Input data on a laptop: what is taken along, its digest, and what of it is not read twice."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from projects import cluster
from user_home import at_home

from rookery.clusters.login_node.quota_formats import Area
from rookery.core.errors import RookeryError
from rookery.jobs.data import naming, pushed, room
from rookery.projects import config
from rookery.projects.data import comparison, digests, scan
from rookery.projects.data.digests import ChangingError, DigestCache
from rookery.projects.data.scan import LocalData
from rookery.remote.data import data_names, manifest
from rookery.remote.data.manifest import ManifestLine

LONG_AGO = 1_600_000_000


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with data."""
    at_home(tmp_path / "home", monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "demo"
    (project / "data/deep").mkdir(parents=True)
    (project / "data/a.csv").write_text("1\n")
    (project / "data/deep/b.csv").write_text("22\n")
    (project / "rookery.yml").write_text("name: demo\nclusters: [hec]\ninputs: [data]\n")
    for path in project.rglob("*.csv"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    monkeypatch.chdir(project)
    return project


def scanned(root: Path, path: str = "data") -> LocalData:
    local = scan.scan(root, path)
    assert local
    return local


def digest(root: Path, path: str = "data") -> str:
    return digests.at_hand(scanned(root, path))


def test_the_digest_of_a_folder_can_be_had_with_sha256sum(root: Path) -> None:
    (root / "data/new\nline").write_text("3")
    (root / "data/-dash").write_text("5")
    (root / "data" / os.fsdecode(b"not utf-8 \xff")).write_text("4")
    script = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z -- | sha256sum"
    told = subprocess.run(["bash", "-c", script], cwd=root / "data", capture_output=True, text=True, check=True)
    assert digest(root) == told.stdout.split()[0]


def test_the_digest_of_a_file_is_its_own(root: Path) -> None:
    assert digest(root, "data/a.csv") == hashlib.sha256(b"1\n").hexdigest()


def test_links_and_empty_folders_count(root: Path) -> None:
    plain = digest(root)
    (root / "data/empty").mkdir()
    with_folder = digest(root)
    (root / "data/link").symlink_to("deep/b.csv")
    with_link = digest(root)
    (root / "data/link").unlink()
    (root / "data/link").symlink_to("a.csv")
    assert len({plain, with_folder, with_link, digest(root)}) == 4
    assert scanned(root).faults == ()


def test_what_can_t_be_taken_along_is_named_each_with_its_reason(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = root / "data"
    (data / "out").symlink_to("../rookery.yml")
    (data / "absolute").symlink_to("/etc/passwd")
    (data / "nowhere").symlink_to("deep/c.csv")
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("data/socket")
    monkeypatch.setattr(os, "access", lambda path, _: not str(path).endswith("b.csv"))  # root may read everything
    assert dict(scanned(root).faults) == {
        "out": "a link to ../rookery.yml, outside of the data: replace it with the file",
        "absolute": "a link to /etc/passwd, outside of the data: replace it with the file",
        "nowhere": "a link to deep/c.csv, which does not exist",
        "pipe": "neither a file, a folder nor a link",
        "socket": "neither a file, a folder nor a link",
        "deep/b.csv": "you may not read it",
    }
    with pytest.raises(RookeryError, match=r"data has files that can't be pushed: absolute: .*; and 1 more"):
        naming.scanned(config.load(root), ["data"])


def test_a_link_to_the_data_itself_is_followed(root: Path, tmp_path: Path) -> None:
    shutil.move(root / "data", tmp_path / "elsewhere")
    (root / "data").symlink_to(tmp_path / "elsewhere")
    local = scanned(root)
    assert [entry.path for entry in local.entries] == ["a.csv", "deep/b.csv"]
    assert local.link == str(tmp_path / "elsewhere")


def test_what_has_not_changed_is_not_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(root)
    monkeypatch.setattr(digests, "pieces", lambda *_: pytest.fail("it was read again"))
    assert digest(root) == before


def test_what_has_changed_is_read_again(root: Path) -> None:
    before = digest(root)
    (root / "data/a.csv").write_text("2\n")
    os.utime(root / "data/a.csv", (LONG_AGO, LONG_AGO))
    (root / "data/a.csv").rename(root / "data/b")
    (root / "data/a.csv").write_text("2\n")
    os.utime(root / "data/a.csv", (LONG_AGO, LONG_AGO))
    (root / "data/b").unlink()
    assert digest(root) != before  # same size, same time: another inode


def test_the_digest_of_a_file_that_has_just_been_written_is_not_kept(root: Path) -> None:
    """Its next change could have the same time."""
    (root / "data/a.csv").write_text("5\n")
    [entry, _] = scanned(root).files
    cache = DigestCache(scanned(root))
    digests.read(scanned(root), entry, cache)
    assert cache.get(entry) == ""


def test_a_cache_with_anything_in_it_is_skipped(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest(root)
    [file] = (tmp_path / "cache/rookery/data").iterdir()
    file.write_text('{"a.csv": [1, 2]}')
    digest(root)
    assert "unexpected content (has an entry that is not of size, time, inode and digest)" in capsys.readouterr().err


def test_a_file_that_changes_while_it_is_read(root: Path) -> None:
    local = scanned(root)
    coming = digests.pieces(local, local.files[0])
    next(coming)
    with (root / "data/a.csv").open("a") as stream:
        stream.write("more")
    with pytest.raises(ChangingError, match=r"data/a\.csv changed while it was read"):
        list(coming)


def test_a_release_s_data_and_the_laptop_s(root: Path) -> None:
    here = digest(root)
    assert list(comparison.differences(root, {"data": here, "elsewhere": "0" * 64})) == []
    [(path, why)] = comparison.differences(root, {"data": "0" * 64})
    assert (path, why) == ("data", f"yours is {here[:12]}")
    os.mkfifo(root / "data/pipe")
    [(_, why)] = comparison.differences(root, {"data": here})
    assert why == "can't be compared: pipe is neither a file, a folder nor a link"


def test_data_that_would_take_long_to_read_is_not_read_to_compare(root: Path) -> None:
    assert digests.at_hand(scanned(root), most=1) == ""
    digest(root)
    assert digests.at_hand(scanned(root), most=1) == digest(root)


_PARTS = some.text(some.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
_LINES = some.lists(
    some.builds(
        ManifestLine,
        some.lists(_PARTS, min_size=1, max_size=3).map("/".join),
        some.just(manifest.FILE),
        some.binary(max_size=3).map(lambda data: hashlib.sha256(data).hexdigest()),
    ),
    unique_by=lambda line: line.path,
)


@given(_LINES)
def test_a_manifest_is_read_as_it_was_written(lines: list[ManifestLine]) -> None:
    assert sorted(manifest.parse(manifest.text(lines))) == sorted(lines)


def test_a_manifest_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="another form"):
        manifest.parse(b"abc  x\0")


@given(some.lists(_PARTS, min_size=1, max_size=3).map("/".join))
def test_each_path_has_a_folder_of_its_own(path: str) -> None:
    folder = data_names.folder(path)
    assert data_names.path(folder) == path
    assert "/" not in folder
    assert folder.isascii()


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", "a/..", "a/./b", "a\0"])
def test_a_path_that_leads_out_of_the_data_does_not_fit(path: str) -> None:
    assert not manifest.fits(path)


def test_words_that_name_data(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = config.load(root)
    assert naming.of_words(project, []) == ["data"]
    assert naming.of_words(project, ["data/", "./data/deep", str(root / "data")]) == ["data", "data/deep"]
    monkeypatch.chdir(root / "data")
    assert naming.of_words(project, ["deep", "data/deep"]) == ["data/deep"]
    for word, says in {
        "../../other": "is not in the project's folder",
        "/etc": "is not in the project's folder",
        "..": "is or holds the project's folder",
        "/": "is or holds the project's folder",
        "../runs/x": "it can't be in runs, which rookery or git uses",
        "../.git": "it can't be in .git",
        "x" * 201: "it is too long a path",
        "a\nb": "it must be a name without line breaks",
        os.fsdecode(b"a\xff"): "it must be a name without line breaks",
        "-x": "that does not begin with -",
    }.items():
        with pytest.raises(RookeryError, match=says):
            naming.of_words(project, [word])


def test_data_is_pushed_only_where_releases_can_have_it(root: Path) -> None:
    (root / "rookery.yml").write_text(
        "name: demo\nclusters: [hec]\noutputs: ['out/put/{run}']\ninputs: [data/raw, data/x.csv]\n"
    )
    project = config.load(root)
    assert naming.to_push(project, ["data/raw", "data/rawer"]) == ["data/raw", "data/rawer"]
    for path, says in {
        "data": "the input data/raw",
        "data/raw/a": "the input data/raw",
        "out": "the output folder out/put",
        "out/put/1": "the output folder out/put",
    }.items():
        with pytest.raises(RookeryError, match=f"{path} can't be used with {says}"):
            naming.to_push(project, [path])
        assert naming.of_words(project, [path]) == [path], "it can be removed"
    with pytest.raises(RookeryError, match="new can't be used with the input new/part"):
        naming.to_push(project, ["new", "new/part"])


def test_what_is_in_git_is_refused_and_what_git_does_not_ignore_is_known(root: Path) -> None:
    project = config.load(root)
    assert naming.is_ignored(project, "data")  # there is no git
    subprocess.run(["git", "init", "-q", "."], check=True)
    assert not naming.is_ignored(project, "data")
    (root / ".gitignore").write_text("/data\n")
    assert naming.is_ignored(project, "data")
    subprocess.run(["git", "add", "-f", "data/a.csv"], check=True)
    with pytest.raises(RookeryError, match=r"data is in git \(1 file\)") as refused:
        naming.scanned(project, ["data", "missing"])
    assert "Can't find missing in" in refused.value.message
    assert "git rm -r --cached data" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ("", "inputs: [data, 'a: b']"),
        ("inputs: [old]\n", "inputs: [old, data, 'a: b']"),
        (
            "inputs: {old: abcdefabcdef, digits: '012345678901', new: latest}\n",
            "inputs: {old: abcdefabcdef, digits: '012345678901', new: latest, data: latest, 'a: b': latest}",
        ),
    ],
)
def test_the_line_for_rookery_yml_keeps_versions_and_can_be_read(root: Path, inputs: str, line: str) -> None:
    (root / "rookery.yml").write_text(f"name: demo\nclusters: [hec]\n{inputs}")
    project = config.load(root)
    done = [pushed.Pushed(path, "0" * 64, "new", 1, 1) for path in ("data", "a: b")]
    target: Any = SimpleNamespace(next=str)
    said = "\n".join(pushed.advice(project, done, target, check=True))
    written = said.partition("add the line `")[2].partition("`")[0]
    assert written == line.replace("'", '"')
    (root / "rookery.yml").write_text(f"name: demo\nclusters: [hec]\n{written}\n")
    assert list(config.load(root).inputs) == [*project.inputs, "data", "a: b"]


def test_empty_data_is_refused(root: Path) -> None:
    (root / "void").mkdir()
    with pytest.raises(RookeryError, match="void is empty"):
        naming.scanned(config.load(root), ["void"])


HEC = cluster(storage=[{"name": "home", "expression": "$HOME"}, {"name": "persistent", "expression": "/p"}],
              roomy_storage="persistent")  # fmt: skip


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ([], (1000, 50, "the disk")),
        ([Area("persistent", 10, 10.0005)], (524, 50, "your quota")),
        ([Area("home", 10, 10)], (1000, 50, "the disk")),
        ([Area("home, persistent", 12, 10)], (0, 50, "your quota")),
        ([Area("x", 1, 1, path="/p")], (0, 50, "your quota")),
        ([Area("x", 1, 1, path="/pq")], (1000, 50, "the disk")),
        ([Area("persistent", 1, None, 90, 100)], (1000, 10, "the disk")),
        ([Area("persistent", 1, 1, source="df")], (1000, 50, "the disk")),
    ],
)
def test_the_room_is_the_least_of_disk_and_quota(areas: list[Area], expected: tuple[int, int, str]) -> None:
    found = room.smallest(HEC, "/p/ada", 1000, 50, areas)
    assert (found.free, found.files, found.limit) == expected


def test_data_that_does_not_fit_is_refused() -> None:
    with pytest.raises(RookeryError, match=r"data needs 2.0 kB on here, and only 1.0 kB free \(your quota\) there"):
        room.require(room.Room(1000, 10, "your quota"), HEC, "data", 2000, 1)
    with pytest.raises(RookeryError, match="data has 11 new files, and here takes only 10 more"):
        room.require(room.Room(1000, 10), HEC, "data", 10, 11)
    room.require(room.Room(1000, None), HEC, "data", 1000, 10**6)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("[/data]", "rookery.yml:3: input '/data' must be relative to the project's folder"),
        ("[a,\n  ../b]", "rookery.yml:4: input '../b' must be a path inside the project"),
        ("[a/b, a]", "input 'a' can't be used with 'a/b': name only the outer folder"),
        ("[results/x]\noutputs: results", "input 'results/x' can't be used with the output 'results'"),
        ("[runs]", "can't be in runs"),
        ("{data: 12}", "must be 12 to 64 digits of a digest, or latest"),
        ("{data: }", "has no value"),
        ("[data, data]", "lists 'data' twice"),
        (f"[{'x' * 201}]", "is too long a path"),
    ],
)
def test_inputs_that_can_t_be_are_refused_with_their_line(root: Path, written: str, says: str) -> None:
    (root / "rookery.yml").write_text(f"name: demo\nclusters: [hec]\ninputs: {written}\n")
    with pytest.raises(RookeryError) as refused:
        config.load(root)
    assert says in str(refused.value)


def test_inputs_in_each_of_their_forms(root: Path) -> None:
    head = "name: demo\nclusters: [hec]\noutputs: [results]\n"
    for written, expected in {
        "data/": {"data": ""},
        "[a, ./b c]": {"a": "", "b c": ""},
        "{a: latest, b: 012345678901, c: abcdefabcdef}": {"a": "", "b": "012345678901", "c": "abcdefabcdef"},
    }.items():
        (root / "rookery.yml").write_text(f"{head}inputs: {written}\n")
        project = config.load(root)
        assert project.inputs == expected
        assert project.linked == ("results", *expected)


def test_a_large_cache_is_saved_while_it_grows(root: Path, tmp_path: Path) -> None:
    local = scanned(root)
    cache = DigestCache(local)
    cache.put(local.files[0], "0" * 64)
    assert not (tmp_path / "cache/rookery/data").exists()
    cache._saved = time.monotonic() - 10
    cache.put(local.files[1], "0" * 64)
    assert (tmp_path / "cache/rookery/data").exists()
