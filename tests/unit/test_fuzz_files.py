"""Readers of files that are not to be trusted: whatever stands there, a RookeryError or an answer, and soon.

Each input is a good one with some parts replaced. `ROOKERY_FUZZ` says how many are tried of each (fuzzing.py).
"""

import base64
import gzip
import io
import json
import os
import tarfile
import zlib
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fuzz_inputs import COMMIT, MADE, tolerated
from fuzzing import contents, garbled, in_time
from home_helpers import Login
from hypothesis import example, given
from hypothesis import strategies as st
from undo_helpers import HOMES, made_anew

from rookery.clusters import set_up_note
from rookery.core import yaml_document
from rookery.core.errors import RookeryError
from rookery.homes.vscode import record as note
from rookery.homes.vscode import settings as editor
from rookery.jobs import run_record
from rookery.jobs.results import archive, fetch, source_run
from rookery.jobs.results.download import Arrivals
from rookery.projects import deploy_cache, release_protocol
from rookery.remote import strict_json
from rookery.remote.apply import records, reply
from rookery.remote.apply import undo as taken_back
from rookery.remote.slurm import basics

pytestmark = pytest.mark.usefixtures("state_of_its_own")


@given(contents(MADE))
def test_json(data: bytes) -> None:
    with tolerated():
        try:
            value = strict_json.loads(data)
        except strict_json.MalformedError:
            return
        assert json.dumps(value) == json.dumps(json.loads(data))


@given(contents(MADE))
def test_records_of_runs(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "runs").mkdir(exist_ok=True)
    (tmp_path / "runs/12.json").write_bytes(data)
    project = cast("Any", SimpleNamespace(root=tmp_path, jobs={}, name="seals"))
    with tolerated():
        records = run_record.every(tmp_path)
        assert [record.id for record in records] in ([], ["12"])
        assert bool(run_record.fault(data, "12.json")) == (not records)
        fetch.ran_on(tmp_path, "12", sandbox=False)
        source_run.of_record(project)
        for record in records:
            run_record.keep(tmp_path, record)
            assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "runs"}
    basics.record(str(tmp_path / "runs/12.json"))


AFTER = json.loads((HOMES / f"version-{records.VERSION}.json").read_text())["after"]
LEDGER = json.loads(base64.b64decode(AFTER["home/.local/state/rookery/ledger.json"]["content"]))


@pytest.fixture
def lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    """A home that was set up, of which `undo --check` only looks."""
    login = made_anew(tmp_path / "login", records.VERSION, "after")
    monkeypatch.setenv("HOME", str(login.home))
    monkeypatch.chdir(login.home)
    return login


@given(contents(LEDGER))
@example(json.dumps({**LEDGER, "storage": ["/a\0b"]}).encode())
@example(json.dumps({**LEDGER, "storage": ["/\ud800"]}).encode())
def test_ledgers(lived: Login, data: bytes) -> None:
    ledger = lived.state / "ledger.json"
    ledger.write_bytes(data.replace(b"@TOP@", os.fsencode(lived.home.parent)))
    payload = {"run": {"id": "u", "who": "sam", "laptop": "teapot"}, "storage": [str(lived.storage)], "space": {}}
    with in_time():
        answer = reply.answer(
            taken_back.UndoSession, {**payload, "grain": 1, "check": True, "only": [], "purge": False}
        )
    assert "exception" not in answer, answer["exception"]


@given(contents({"results/a": ["hec", 1, 2]}), contents({"project": "/x"}), contents([{"a": 1}, [[["a"], 1]]]))
def test_notes_on_the_laptop(tmp_path: Path, fetched: bytes, plain: bytes, cached: bytes) -> None:
    from rookery.core import paths

    root = tmp_path / "demo"
    root.mkdir(exist_ok=True)
    (root / "a.yml").write_text("a: 1\n")
    with tolerated():
        arrivals = Arrivals(root, "hec")
        arrivals.close()
        arrivals._note.write_bytes(fetched)
        Arrivals(root, "hec").plan([archive.File("results/a", "results/a", 1, 1)], ["results"])
        folder = paths.state_dir() / "clusters"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hec.json").write_bytes(plain)
        set_up_note.when("hec", sandbox=False)
        yaml_document.read(root / "a.yml")
        for file in (paths.cache_dir() / "yaml").iterdir():
            file.write_bytes(cached)
        yaml_document.read(root / "a.yml")


REMEMBERED = {
    "commits": [COMMIT], "key": "0" * 64, "order": asdict(release_protocol.Order("a", COMMIT, "", "w", ("results",))),
    "jobs": ["a"], "scripts": [], "own": [], "warnings": ["b"], "outwards": {"a": "/b"},
}  # fmt: skip
WRITTEN = {"values": [[["a"], 1]], "made": [["a"]], "before": "", "after": "", "backup": ""}


@given(contents(REMEMBERED), contents({"version": 1, "files": {"/x/settings.json": {**WRITTEN, "planned": WRITTEN}}}))
def test_caches_of_deploys_and_editors(tmp_path: Path, deploys: bytes, editors: bytes) -> None:
    (tmp_path / "deploy.json").write_bytes(deploys)
    note.note().parent.mkdir(parents=True, exist_ok=True)
    note.note().write_bytes(editors)
    with tolerated():
        cached = deploy_cache.load(tmp_path / "deploy.json")
        if cached.release:
            release_protocol.look(cached.release.order)
        with note.changing():
            pass


SETTINGS = '// mine\n{\n    "a": [1, {"b": null}], /* x */ "remote.SSH.remotePlatform": {"hec": "linux"},\n}\n'


@given(garbled(SETTINGS), st.sampled_from(("", "[" * 100_000, '{"a":' * 100_000)))
def test_settings_of_editors(tmp_path: Path, text: str, deep: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes((deep or text).encode(errors="surrogatepass"))
    before = path.read_bytes()
    wishes = [editor.SettingsChange(("remote.SSH.remotePlatform", "hec"), "linux")]
    with tolerated():
        outcome = editor.apply(path, wishes)
        if outcome.state != "changed":
            assert path.read_bytes() == before
        editor.take_back(path)


def tar_of(names: list[str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as made:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 600
            made.addfile(member, io.BytesIO(b"x" * 600))
    return stream.getvalue()


TAR = tar_of(["current/results/a", "current/results/" + "b" * 150])
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(TAR)), st.integers(0, 600), st.sampled_from((b"", b"\xff" * 12, b"L", b"x", b"9" * 11))
    ),
    max_size=4,
)


@given(EDITS, st.integers(0, 40))
def test_archives(tmp_path: Path, edits: list[tuple[int, int, bytes]], cut: int) -> None:
    """Nothing half-written stays, nothing is written elsewhere."""
    data = bytearray(TAR)
    for start, length, new in edits:
        data[start : start + (length if length % 3 == 0 else len(new))] = new
    packed = gzip.compress(bytes(data), 1)
    names = ["results/a", "results/" + "b" * 150]
    wanted = {f"current/{name}": archive.File(name, f"current/{name}", 600, 10**18) for name in names}
    root = tmp_path / os.urandom(8).hex()
    root.mkdir()
    arrivals = Arrivals(root, "hec")
    stream = io.BytesIO(b"mark\n" + packed[: len(packed) - cut])
    try:
        with in_time():
            list(arrivals.take(archive.members(stream, "mark", wanted, 1 << 26)))
    except (RookeryError, EOFError, ValueError, zlib.error, gzip.BadGzipFile):
        pass  # what `remote_listing.sent` makes one line of
    finally:
        arrivals.close()
    assert {str(path.relative_to(root)) for path in root.rglob("*")} <= {"results", *names}
