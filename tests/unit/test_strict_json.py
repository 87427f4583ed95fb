"""The one reader for JSON: what is not plain, bounded and in an ordinary file is refused, without waiting for it."""

import json
import os
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from frames import framed
from fuzzing import in_time

from rookery.clusters.login_node import answers, frame, remote_client
from rookery.core import state_files
from rookery.core.errors import RookeryError
from rookery.homes import up_to_date
from rookery.jobs import run_record
from rookery.jobs.results import source_run
from rookery.remote import strict_json
from rookery.remote.slurm import basics

LOOK = {"state": "look", "script": "", "path": "a", "digest": "0" * 64, "base": "", "stamp": {}}
READY = {"state": "ready", "number": "7", "node": "wn1", "end": "", "key": "ssh-ed25519 " + "A" * 68, "overlap": True}
GOOD = {"job": "simulate", "id": "12", "cluster": "hec", "array": "1-3"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[" * 65 + b"]" * 65, "it is nested too deeply"),
        (b'{"a": 1, "a": 2}', "it has a key twice"),
        (b"1e999", "it has a number that is too large"),
        (b"9" * 5000, "it has a number of 5000 digits"),
        (b"NaN", "it has NaN, which is not JSON"),
        (b"-Infinity", "it has -Infinity, which is not JSON"),
        (b'"\xff"', "it is not text in UTF-8"),
        (b'["\\ud800"]', "it has an invalid character"),
        (b'{"\\udfff": 1}', "it has an invalid character"),
        (b"", "it is not JSON: "),
        (b'"' + b"a" * 200 + b'"', "it is larger than 100 bytes"),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(strict_json.MalformedError) as raised:
        strict_json.loads(data, 100 if b"aaa" in data else strict_json.MOST_BYTES)
    assert str(raised.value).startswith(why)


def test_what_is_plain_comes_as_it_is() -> None:
    value = {"a": [1, -2.5, 10**19, None, True, "é\udcff", "\U0001f427"], "b": {"c": []}}
    assert strict_json.loads(json.dumps(value)) == value
    assert strict_json.loads("[" * 64 + "]" * 64)


@pytest.fixture(params=["fifo", "device", "folder"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The record of a run that is no file."""
    path = tmp_path / "runs/12.json"
    path.parent.mkdir()
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    return path


def test_what_is_no_ordinary_file_is_not_waited_for(odd: Path) -> None:
    with in_time(), pytest.raises((strict_json.MalformedError, IsADirectoryError)):
        strict_json.read(odd)


def test_a_record_that_can_t_be_used_is_named_once_and_stops_nothing(
    odd: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(state_files, "_named", set())
    (odd.parent / "13.json").write_text(json.dumps({**GOOD, "id": "13"}))
    with in_time():
        for _ in range(2):
            assert [record.id for record in run_record.every(odd.parent.parent)] == ["13"]
        assert basics.record(str(odd)) == {}
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"Skipped {odd}: ")
    assert lines[1].startswith("  next: mv ")
    assert len(lines) == 2


@pytest.mark.parametrize(
    "change", [{"id": "13"}, {"id": "../../13"}, {"array": "1-9;x"}, {"commit": "--all"}, {"chunk": 0}, {"rows": {}}]
)
def test_a_record_of_another_form_is_left_aside(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/12.json").write_text(json.dumps({**GOOD, **change}))
    assert run_record.find(tmp_path, "12") is None
    with pytest.raises(RookeryError, match="not a run record") if change != {"id": "13"} else in_time():
        run_record.read({**GOOD, **change})


def test_an_array_that_no_cluster_takes_is_not_counted_through(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/12.json").write_text(json.dumps({**GOOD, "array": "1-999999999999,1-9999999"}))
    project = cast("Any", SimpleNamespace(root=tmp_path))
    with in_time():
        assert source_run.of_record(project).tasks == frozenset()


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ("submission", {"state": "submitted", "record": {**GOOD, "id": "../../../home/a/settings"}, "stamp": {}}),
        ("submission", {**LOOK, "base": "--file=x"}),
        ("accounting", {"now": 1e999, "uid": 1, "squeue": "", "sacct": "", "jobs": []}),
        ("host", {**READY, "node": "-oProxyCommand=x y"}),
        ("host", {**READY, "key": "ssh-ed25519 AAAA\n* ssh-ed25519 AAAA"}),
        ("host", {"state": "stopped", "jobs": [{"number": "all"}]}),
        ("following", {"state": "begin", "path": ["a"]}),
        ("following", []),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_one_line(program: str, answer: Any) -> None:
    connection = cast("Any", SimpleNamespace(cluster=SimpleNamespace(name="hec")))
    with pytest.raises(RookeryError, match="hec sent an invalid answer, which rookery ignored: "):
        remote_client.read(connection, program, framed(answer))


def test_all_that_is_read_of_a_look_passes_the_check() -> None:
    """What the shape does not name is dropped, so a new part of an answer has to be named there."""
    made_here = {"intact", "problem", "hint", "answered", "startup"}
    assert {field.name for field in fields(up_to_date.HomeComparison)} - made_here <= answers._apply_fields.keys()


@pytest.mark.parametrize("text", [b"0" * (strict_json.MOST_BYTES + 1), b"[" * 100_000, b'{"found": "yes"}', b"[]"])
def test_an_answer_of_the_apply_program_that_is_none_is_one_line(text: bytes) -> None:
    with in_time(), pytest.raises(RookeryError, match="sent an invalid answer"):
        frame.last(framed(None, text=text), answers.apply_program)
