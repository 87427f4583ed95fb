"""What is fetched, put into a project's folder: nothing of the user's is lost, nothing leads out of it."""

import gzip
import io
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.results import archive, remote_listing
from rookery.jobs.results.archive import File
from rookery.jobs.results.download import STAGE, Arrivals
from rookery.projects.fetched_files import origins

OLD, NEW = 10**18, 10**18 + 5 * 10**9


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


def remote_file(path: str, content: bytes = b"new", mtime: int = OLD) -> tuple[File, list[bytes]]:
    return File(path, f"current/{path}", len(content), mtime), [content]


def fetched(root: Path, *files: tuple[File, list[bytes]], cluster: str = "hec") -> dict[str, list[str]]:
    """Fetch what is planned; the paths, by what became of them."""
    arrivals = Arrivals(root, cluster)
    plan = arrivals.plan([file for file, _ in files], ["results"])
    contents = {file.there: content for file, content in files}
    brought = list(arrivals.take((file, contents[file.there]) for file in plan.bring))
    arrivals.close()
    return {
        "brought": [file.path for file in brought],
        "kept": [path for path, _ in plan.kept],
        "refused": [path for path, _ in [*plan.refused, *arrivals.refused]],
    }


def unpacked(stream: IO[bytes], wanted: dict[str, File], most: int = 1 << 30) -> list[tuple[str, bytes]]:
    return [(file.path, b"".join(pieces)) for file, pieces in archive.members(stream, "mark", wanted, most)]


def test_what_is_here_is_not_brought_again_and_what_has_changed_there_is(root: Path) -> None:
    assert fetched(root, remote_file("results/a/1.csv"))["brought"] == ["results/a/1.csv"]
    assert (root / "results/a/1.csv").stat().st_mtime_ns == OLD
    assert fetched(root, remote_file("results/a/1.csv"))["brought"] == []
    assert fetched(root, remote_file("results/a/1.csv", b"more", NEW))["brought"] == ["results/a/1.csv"]
    assert (root / "results/a/1.csv").read_bytes() == b"more"
    assert not (root / "results" / STAGE).exists()


def test_a_file_that_grew_after_it_was_listed_comes_again(root: Path) -> None:
    listed, _ = remote_file("results/1.csv", b"1")
    fetched(root, (listed, [b"1\n", b"2\n"]))
    assert fetched(root, remote_file("results/1.csv", b"1\n2\n3\n", NEW)) == {
        "brought": ["results/1.csv"], "kept": [], "refused": [],
    }  # fmt: skip


def test_a_file_of_the_person_s_is_kept(root: Path) -> None:
    (root / "results").mkdir()
    (root / "results/own.csv").write_text("mine")
    fetched(root, remote_file("results/changed.csv"), remote_file("results/gone.csv"))
    (root / "results/changed.csv").write_text("mended by hand")
    (root / "results/gone.csv").unlink()
    paths = fetched(
        root,
        remote_file("results/own.csv"),
        remote_file("results/changed.csv", b"again", NEW),
        remote_file("results/gone.csv"),
    )
    assert paths["kept"] == ["results/own.csv", "results/changed.csv"]
    assert paths["brought"] == ["results/gone.csv"]
    assert (root / "results/own.csv").read_text() == "mine"
    assert (root / "results/changed.csv").read_text() == "mended by hand"


def test_one_cluster_s_results_are_not_overwritten_by_another_s(root: Path) -> None:
    """They lie beside them, again and again, whatever comes first the next time."""
    fetched(root, remote_file("results/a/1.csv"))
    new = (remote_file("results/a/1.csv", b"other", NEW), remote_file("results/a/2.csv", b"alone", NEW))
    paths = fetched(root, *new, cluster="penguins")
    assert (paths["kept"], paths["brought"]) == ([], ["results/penguins/a/1.csv", "results/a/2.csv"])
    assert (root / "results/a/1.csv").read_bytes() == b"new"
    assert (root / "results/penguins/a/1.csv").read_bytes() == b"other"
    assert fetched(root, *new, cluster="penguins")["brought"] == []
    later = remote_file("results/a/1.csv", b"later", NEW + 10**10)
    assert fetched(root, later, cluster="penguins")["brought"] == ["results/penguins/a/1.csv"]
    assert fetched(root, remote_file("results/a/1.csv"), remote_file("results/a/2.csv", b"x"))["brought"] == [
        "results/hec/a/2.csv"
    ]
    (root / "results/a/1.csv").unlink()
    assert fetched(root, later, cluster="penguins")["brought"] == []
    (root / "results/penguins/a/1.csv").write_text("mine now")
    assert fetched(root, later, cluster="penguins")["kept"] == ["results/penguins/a/1.csv"]


def test_a_link_in_place_of_a_cluster_s_own_folder_is_not_followed(root: Path, tmp_path: Path) -> None:
    fetched(root, remote_file("results/1.csv"))
    (tmp_path / "elsewhere").mkdir()
    (root / "results/penguins").symlink_to(tmp_path / "elsewhere")
    paths = fetched(root, remote_file("results/1.csv", b"other", NEW), cluster="penguins")
    assert paths["refused"] == ["results/penguins/1.csv"]
    assert not list((tmp_path / "elsewhere").iterdir())


def test_two_clusters_may_give_a_run_the_same_number(root: Path) -> None:
    def record(cluster: str) -> tuple[File, list[bytes]]:
        content = run_record.text(
            run_record.RunRecord("simulate", "7", cluster, when=f"2026-01-01T00:00:0{len(cluster)}")
        )
        return remote_file("runs/7.json", content.encode(), NEW)

    for cluster, path in (("hec", "runs/7.json"), ("penguins", "runs/7.penguins.json")):
        assert fetched(root, record(cluster), cluster=cluster)["brought"] == [path]
    for cluster in ("hec", "penguins"):
        assert fetched(root, record(cluster), cluster=cluster)["brought"] == []
        known = run_record.find(root, "7", cluster)
        assert known and known.cluster == cluster


def test_without_the_note_everything_here_counts_as_the_person_s(root: Path, tmp_path: Path) -> None:
    fetched(root, remote_file("results/1.csv"), remote_file("results/2.csv"))
    (note,) = (tmp_path / "state/rookery/fetched").iterdir()
    note.write_text("{ half a no")
    paths = fetched(root, remote_file("results/1.csv"), remote_file("results/2.csv", b"more", NEW))
    assert (paths["brought"], paths["kept"]) == ([], ["results/2.csv"])


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../outside", "results/../../outside", "results/../simulate.py", "results/./1", "results//1",
        "results/", "other/1.csv", "results", "results/.git/config", "results/.GIT/hooks/post-checkout",
        f"results/{STAGE}/file", "results/.git", "runs/../simulate.py", "", ".", "rookery.yml",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_outputs(root: Path, path: str) -> None:
    (root / "rookery.yml").write_text("mine")
    assert fetched(root, remote_file(path)) == {"brought": [], "kept": [], "refused": [path]}
    assert [str(file.relative_to(root)) for file in root.rglob("*")] == ["rookery.yml"]


def test_nothing_is_written_through_a_link(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "results").mkdir()
    (root / "results/linked").symlink_to(elsewhere)
    (root / "results/1.csv").symlink_to(elsewhere / "target")
    (root / "results/folder").mkdir()
    paths = fetched(
        root, remote_file("results/linked/1.csv"), remote_file("results/1.csv"), remote_file("results/folder")
    )
    assert paths["refused"] == ["results/linked/1.csv", "results/1.csv", "results/folder"]
    assert not list(elsewhere.iterdir())


def test_a_record_that_is_here_stays(root: Path) -> None:
    (root / "runs").mkdir()
    (root / "runs/7.json").write_text("mine")
    other = b'{"job": "a", "id": "8", "cluster": "hec"}'
    assert fetched(root, remote_file("runs/7.json"), remote_file("runs/8.json", other))["brought"] == ["runs/8.json"]
    assert (root / "runs/7.json").read_text() == "mine"


def test_what_has_come_before_a_break_stays_and_half_a_file_is_never_seen(root: Path) -> None:
    def broken() -> Iterable[bytes]:
        yield b"half of "
        raise EOFError

    arrivals = Arrivals(root, "hec")
    first, second = remote_file("results/1.csv"), remote_file("results/2.csv", b"half of it")
    arrivals.plan([first[0], second[0]], ["results"])
    taken = arrivals.take([first, (second[0], broken())])
    assert next(taken).path == "results/1.csv"
    with pytest.raises(EOFError):
        next(taken)
    arrivals.close()
    assert [path.name for path in (root / "results").iterdir()] == ["1.csv"]
    assert fetched(root, first, second)["brought"] == ["results/2.csv"]


def test_what_a_killed_run_left_is_cleared_away(root: Path) -> None:
    (root / "results" / STAGE).mkdir(parents=True)
    (root / "results" / STAGE / "file").write_text("a very long half of a file")
    fetched(root, remote_file("results/1.csv", b"x"))
    assert (root / "results/1.csv").read_text() == "x"
    assert [path.name for path in (root / "results").iterdir()] == ["1.csv"]


def test_a_disk_that_is_full_is_one_line(root: Path) -> None:
    def full() -> Iterable[bytes]:
        raise OSError(28, "No space left on device")
        yield b""

    with pytest.raises(RookeryError, match="Can't write the fetched files here: No space left on device"):
        list(Arrivals(root, "hec").take([(remote_file("results/1.csv")[0], full())]))


NAME = st.binary(min_size=1, max_size=120).filter(
    lambda name: not set(name) & {0, ord("/")} and name not in {b".", b".."}
)


@given(names=st.lists(NAME, min_size=1, max_size=5, unique=True), content=st.binary(max_size=1500))
def test_any_name_and_any_content_passes_through_the_stream(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes], content: bytes
) -> None:
    """A real tar of real files with the names that they may have, read as it comes."""
    base = tmp_path_factory.mktemp("there")
    (base / "current").mkdir()
    for name in names:
        (base / "current" / os.fsdecode(name)).write_bytes(content)
    packed = subprocess.run(
        ["tar", "-c", "-f-", "--format=gnu", "--no-unquote", "--", *(b"current/" + name for name in names)],
        cwd=base,
        check=True,
        capture_output=True,
    ).stdout
    by_name = {os.fsdecode(b"current/" + name): File(os.fsdecode(name), "", len(content), 0) for name in names}
    stream_ = io.BytesIO(b"noise\nmark\n" + gzip.compress(packed, 1) * 2)
    assert unpacked(stream_, by_name) == [
        (os.fsdecode(name), content) for name in names
    ]  # the second time: passed over


def test_a_stream_that_was_cut_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(5000))
    packed = gzip.compress(subprocess.run(["tar", "-c", "a"], cwd=tmp_path, check=True, capture_output=True).stdout)
    for size in (20, len(packed) // 2, len(packed) - 4):
        with pytest.raises(EOFError):
            unpacked(io.BytesIO(b"mark\n" + packed[:size]), {"a": remote_file("a")[0]})


def test_links_and_what_was_not_asked_for_are_passed_over(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    (tmp_path / "b").unlink()
    (tmp_path / "b").symlink_to("/etc/passwd")
    packed = subprocess.run(["tar", "-c", "a", "b", "c"], cwd=tmp_path, check=True, capture_output=True).stdout
    wanted = {name: remote_file(f"results/{name}")[0] for name in ("b", "c")}
    assert unpacked(io.BytesIO(b"mark\n" + gzip.compress(packed)), wanted) == [("results/c", b"c")]


def member(name: bytes, size: bytes, kind: bytes = b"0", content: bytes = b"") -> bytes:
    """A member of a tar as a hostile cluster writes it."""
    header = name.ljust(100, b"\0") + b"0" * 24 + size.ljust(12, b"\0") + b"9" * 12 + b"0" * 8 + kind
    return header.ljust(512, b"\0") + content.ljust(-(-len(content) // 512) * 512, b"\0")


THREE_GB = b"%011o" % (3 << 30)


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (member(b"././@LongLink", THREE_GB, b"L"), "a file name of 3221225472 bytes"),
        (member(b"./PaxHeaders/a", THREE_GB, b"x"), None),
        (member(b"a", b"\x80" + b"\xff" * 11), None),
        (member(b"a", b"\xff" * 12), None),
        (member(b"a", b"-0000000001"), "negative"),
        (member(b"a", b"99999999999"), "invalid literal"),
        (member(b"sparse", THREE_GB, b"S"), None),
        (member(b"other", THREE_GB) + bytes(200_000_000), None),
    ],
)  # fmt: skip
def test_a_stream_that_lies_about_sizes_is_stopped(stream: bytes, error: str | None) -> None:
    with pytest.raises(ValueError, match=error):
        unpacked(io.BytesIO(b"mark\n" + gzip.compress(stream, 1)), {"a": remote_file("a")[0]}, most=1 << 26)


def test_only_ordinary_files_come_and_each_once() -> None:
    kinds = [member(b"a", b"0", kind) for kind in (b"1", b"2", b"3", b"4", b"5", b"6", b"7")]
    stream = b"".join([*kinds, member(b"a", b"1", b"0", b"1"), member(b"a", b"1", b"0", b"2")])
    assert unpacked(io.BytesIO(b"mark\n" + gzip.compress(stream)), {"a": remote_file("a")[0]}) == [("a", b"1")]


@pytest.mark.parametrize("seconds", ["-9999999999999", "1" + "0" * 25, "-1.5", "0"])
def test_times_that_no_file_system_keeps_are_brought_all_the_same(root: Path, seconds: str) -> None:
    (file,) = remote_listing.read(f"f 3 {seconds} current/results/1.csv\0").files
    assert fetched(root, (file, [b"new"]))["brought"] == ["results/1.csv"]
    assert fetched(root, (file, [b"new"])) == {"brought": [], "kept": [], "refused": []}


def test_what_a_cluster_lists_twice_or_with_a_name_that_is_too_long_is_refused(root: Path) -> None:
    long = "results/" + "x" * 256
    paths = fetched(root, remote_file("results/1.csv"), remote_file("results/1.csv", b"other"), remote_file(long))
    assert (paths["brought"][0], paths["refused"]) == ("results/1.csv", ["results/1.csv", long])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[" * 100_000, b"\xff", b'{"job": "a", "id": "8", "cluster": "hec"}',
        b'{"job": "a", "id": "../../../etc/x", "cluster": "hec"}', b'{"job": "a", "id": 7, "cluster": "hec"}',
        b'{"job": "a", "id": "7", "cluster": "hec", "commit": "--file=/etc/passwd"}',
        b'{"job": "a", "id": "7", "cluster": "hec", "array": "1-9; rm"}',
        b'{"job": "a", "id": "7", "cluster": "hec", "chunk": 1e999}',
    ],
)  # fmt: skip
def test_what_is_no_record_of_a_run_is_not_kept_as_one(root: Path, content: bytes) -> None:
    paths = fetched(root, remote_file("runs/7.json", content), remote_file("runs/x.json"), remote_file("results/1.csv"))
    assert paths == {"brought": ["results/1.csv"], "kept": [], "refused": ["runs/x.json", "runs/7.json"]}
    assert not (root / "runs").exists()


def test_a_note_that_is_a_fifo_or_of_another_form_is_named_and_left(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched(root, remote_file("results/1.csv"))
    (note,) = (tmp_path / "state/rookery/fetched").iterdir()
    for broken in ('{"results/1.csv": ["hec", 1]}', '{"results/1.csv": 7}', "[]", "[" * 100_000):
        note.write_text(broken)
        assert fetched(root, remote_file("results/1.csv", b"more", NEW))["kept"] == ["results/1.csv"]
    note.unlink()
    os.mkfifo(note)
    assert fetched(root, remote_file("results/1.csv", b"more", NEW))["kept"] == ["results/1.csv"]
    assert f"Skipped {note}" in capsys.readouterr().err


def test_the_listing_is_read_whatever_stands_in_it() -> None:
    text = "f 5 1700000000.5 current/results//a b\nc.csv\0l 3 1.0 current/results/link\0f x y\0"
    text += "missing current/logs\0missing releases/12ab/old\0times 10 Unknown\0junk"
    listing = remote_listing.read(text)
    assert listing.files == (File("results/a b\nc.csv", "current/results//a b\nc.csv", 5, 1_700_000_000_500_000_000),)
    assert (listing.links, listing.missing, listing.gone, listing.submitted, listing.ended) == (
        ("results/link",),
        ("logs",),
        ("old",),
        10,
        None,
    )


@given(st.text())
def test_no_listing_breaks_it(text: str) -> None:
    remote_listing.read(text)


def test_the_files_of_a_job_are_those_it_wrote() -> None:
    second = 10**9
    files = tuple(
        File(path, path, 1, mtime * second)
        for path, mtime in (
            ("results/before.csv", 90), ("results/during.csv", 105), ("results/after.csv", 200),
            ("logs/job_12.out", 10), ("logs/job_112.out", 10), ("runs/12.json", 10), ("runs/13.json", 105),
        )
    )  # fmt: skip

    def chosen(**times: int | None) -> list[str]:
        return [file.path for file in remote_listing.of_job(remote_listing.RemoteListing(files, **times), "12")]  # type: ignore[arg-type]

    own = ["logs/job_12.out", "runs/12.json"]
    assert chosen(submitted=100, ended=150) == ["results/during.csv", *own]
    assert chosen(submitted=100, ended=None) == ["results/during.csv", "results/after.csv", *own]
    assert chosen(submitted=None, ended=None) == own


@pytest.mark.parametrize("how", ["mv", "cp -a"])
def test_what_was_fetched_is_known_where_the_folder_is_now(root: Path, how: str) -> None:
    fetched(root, remote_file("results/1.csv"), remote_file("results/2.csv"))
    (root / "results/2.csv").write_text("mine")
    now = root.with_name("thesis")
    subprocess.run([*how.split(), root, now], check=True)
    newer = [remote_file(f"results/{number}.csv", b"newer", NEW) for number in (1, 2)]
    assert origins(now) == {"results/1.csv": "hec"}
    assert fetched(now, *newer) == {"brought": ["results/1.csv"], "kept": ["results/2.csv"], "refused": []}
    assert (now / "results/2.csv").read_text() == "mine"


def test_a_file_that_replaces_an_older_one_is_updated_and_not_new(root: Path) -> None:
    fetched(root, remote_file("results/1.csv"))
    plan = Arrivals(root, "hec").plan([remote_file(f"results/{n}.csv", b"newer", NEW)[0] for n in (1, 2)], ["results"])
    assert ([file.path for file in plan.bring], plan.updated) == (["results/1.csv", "results/2.csv"], {"results/1.csv"})
