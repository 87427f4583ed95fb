"""How fetch tells what is new: the listing, and each file beside what is noted and what is here."""

import gzip
import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.jobs.results import archive, remote_listing
from rookery.jobs.results.archive import File
from rookery.jobs.results.download import Arrivals, Plan

THEN = 10**18


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


def there(name: str, size: int = 3, mtime: int = THEN) -> File:
    return File(f"results/{name}", f"current/results/{name}", size, mtime)


def fetch(root: Path, *files: File) -> Plan:
    """Fetch files of their size; return what was planned."""
    arrivals = Arrivals(root, "hec")
    plan = arrivals.plan(files, ["results"])
    list(arrivals.take((file, [b"x" * file.size]) for file in plan.bring))
    arrivals.close()
    return plan


NAME = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
FILE = st.builds(
    "{} {} {} current/results/{}".format,
    st.sampled_from("flx"),
    st.integers(0, 10**20),
    st.one_of(st.integers(-(10**12), 10**12), st.from_regex(r"-?[0-9]{1,11}\.[0-9]{0,12}", fullmatch=True)),
    NAME,
)
RECORD = st.one_of(
    FILE, NAME, st.just(""), st.just("missing logs"), st.just("times 10 Unknown"), st.just("no-accounts")
)


@given(st.lists(RECORD, max_size=6))
def test_a_listing_is_its_records_one_by_one(records: list[str]) -> None:
    """No record is read into another, whatever its form."""
    whole, parts = remote_listing.read("\0".join(records)), [remote_listing.read(record) for record in records]
    assert whole.files == tuple(file for part in parts for file in part.files)
    assert whole.links == tuple(link for part in parts for link in part.links)
    assert whole.missing == tuple(output for part in parts for output in part.missing)
    assert whole.keeps_accounts == all(part.keeps_accounts for part in parts)


HERE = ("nothing", "edited", "touched", "removed", "a folder", "a link")
CHANGES = ("nothing", "newer", "older")
OUTCOMES = {
    "nothing": {"nothing": "here", "newer": "updated", "older": "kept"},
    "removed": dict.fromkeys(CHANGES, "new"),
}
"""What becomes of a file, by what happened to it here and there; else it is kept, or refused where it is no file."""


@given(st.lists(st.tuples(st.sampled_from(HERE), st.sampled_from(CHANGES), st.booleans()), max_size=8))
def test_each_file_is_compared_with_what_is_noted_and_what_is_here(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[str, str, bool]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        top = tmp_path_factory.mktemp("case")
        patch.setenv("XDG_STATE_HOME", str(top / "state"))
        root = top / "demo"
        root.mkdir()
        names = [f"{'a/' * is_deep}{number}.csv" for number, (_, _, is_deep) in enumerate(cases)]
        fetch(root, *map(there, names))
        listed, expected = [], {}
        for name, (here, change, _) in zip(names, cases, strict=True):
            path = root / "results" / name
            if here == "edited":
                path.write_text("longer than before")
            elif here == "touched":
                os.utime(path, ns=(THEN, THEN + 10**9))
            elif here != "nothing":
                path.unlink()
            if here == "a folder":
                path.mkdir()
            elif here == "a link":
                path.symlink_to("/etc/passwd")
            listed.append(
                there(name, 3 + (change != "nothing"), THEN + {"newer": 10**10, "older": -(10**10)}.get(change, 0))
            )
            otherwise = "kept" if here in {"edited", "touched"} else "refused"
            expected[f"results/{name}"] = OUTCOMES.get(here, {}).get(change, otherwise)
        plan = fetch(root, *listed)
        found = dict.fromkeys((path for path, _ in plan.kept), "kept") | dict.fromkeys(
            (path for path, _ in plan.refused), "refused"
        )
        found |= {file.path: "updated" if file.path in plan.updated else "new" for file in plan.bring}
        assert found == {path: outcome for path, outcome in expected.items() if outcome != "here"}
        assert plan.here == list(expected.values()).count("here")


def test_a_folder_that_is_called_like_the_cluster_is_no_other_place(root: Path) -> None:
    files = [there("1.csv"), there("hec/1.csv", 5)]
    assert [file.path for file in fetch(root, *files).bring] == ["results/1.csv", "results/hec/1.csv"]
    again = fetch(root, *files)
    assert (again.bring, again.refused, again.beside, again.here) == ([], [], [], 2)


def test_a_file_below_a_folder_that_became_a_link_is_refused_also_where_it_is_as_it_came(root: Path) -> None:
    fetch(root, there("a/1.csv"))
    (root / "results/a").rename(root / "elsewhere")
    (root / "results/a").symlink_to(root / "elsewhere")
    assert [path for path, _ in fetch(root, there("a/1.csv")).refused] == ["results/a/1.csv"]


def test_the_note_is_written_only_where_it_has_changed(root: Path, tmp_path: Path) -> None:
    fetch(root, there("1.csv"))
    (note,) = (tmp_path / "state/rookery/fetched").iterdir()
    before = note.stat().st_ino
    fetch(root, there("1.csv"))
    assert note.stat().st_ino == before
    fetch(root, there("1.csv", 4, THEN + 10**10))
    assert note.stat().st_ino != before and '"results/1.csv": ["hec", 1000000010000000000, 4]' in note.read_text()


SIZES = (0, 1, 511, 512, 513, *(archive._PIECE + more for more in (-513, -512, -1, 0, 1, 512, 513)))


def test_contents_of_any_size_leave_the_next_header_where_it_is(tmp_path: Path) -> None:
    contents = [(str(number), os.urandom(size)) for number, size in enumerate(SIZES)]
    for name, content in contents:
        (tmp_path / name).write_bytes(content)
    names = [name for name, _ in contents]
    packed = subprocess.run(["tar", "-c", *names], cwd=tmp_path, check=True, capture_output=True).stdout
    wanted = {name: File(name, name, len(content), 0) for name, content in contents}
    stream = io.BytesIO(b"mark\n" + gzip.compress(packed, 1))
    assert [
        (file.path, b"".join(pieces)) for file, pieces in archive.members(stream, "mark", wanted, 1 << 30)
    ] == contents
