"""Records of runs: what is kept in a project's runs/, and found again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.core import state_files
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.run_record import RunRecord
from rookery.projects import copy_note
from rookery.projects.copy_note import CopyNote

MADE = RunRecord(
    job="simulate", id="12", cluster="hec", commit="a" * 40, array="1-3%2", rows=({"n": "1"}, {"n": "2"}),
    modules=("R/4.3.1",), when="2026-11-22T10:00:00Z", token="t1",
)  # fmt: skip


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    run_record.keep(tmp_path, MADE)
    assert run_record.find(tmp_path, "12") == MADE
    assert run_record.find(tmp_path, "12", "penguins") is None
    assert run_record.find(tmp_path, "13") is None
    assert run_record.find(tmp_path, "../12") is None


def test_what_a_later_version_adds_is_left_out(tmp_path: Path) -> None:
    document = {**json.loads(run_record.text(MADE)), "from_the_future": 1}
    assert run_record.read(document) == MADE
    run_record.keep(tmp_path, MADE)
    (tmp_path / "runs/99.json").write_text("{ cut off")
    (tmp_path / "runs/98.json").write_text('{"job": "a"}')
    (tmp_path / "runs/97.json").write_text("[]")
    assert run_record.every(tmp_path) == [MADE]


def test_two_clusters_that_give_the_same_number_keep_both_records(tmp_path: Path) -> None:
    other = replace(MADE, cluster="penguins", token="t2", when="2026-11-22T11:00:00Z")
    run_record.keep(tmp_path, MADE)
    run_record.keep(tmp_path, other)
    run_record.keep(tmp_path, other)
    assert run_record.find(tmp_path, "12", "hec") == MADE
    assert run_record.find(tmp_path, "12", "penguins") == other
    assert run_record.find(tmp_path, "12") == other == run_record.latest(tmp_path)
    assert run_record.latest(tmp_path, "hec") == MADE
    assert len(run_record.every(tmp_path)) == 2


def test_records_in_git_are_none_of_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = state_files.place("copies") / "study-reproduce-12-0"
    note = CopyNote("study-reproduce-12", "study", "/home/ada/study", "", "a" * 40, "2026-11-22T10:00:00Z")
    copy_note.save(folder, note)
    root = folder / copy_note.INSIDE
    run_record.keep(root, replace(MADE, project="study"))  # as git has it
    assert run_record.latest(root) is None
    made = replace(MADE, id="13", project="study-reproduce-12", token="t2")
    run_record.keep(root, made)
    assert run_record.every(root) == [made]


@pytest.mark.parametrize(("given_", "read"), [("123", ("123", "")), (" 123_4 ", ("123", "4")), ("9_0", ("9", "0"))])
def test_numbers(given_: str, read: tuple[str, str]) -> None:
    assert run_record.parse_id(given_) == read


@given(st.text())
def test_nothing_else_passes_for_a_number(text: str) -> None:
    try:
        number, task = run_record.parse_id(text, " --cluster hec")
    except RookeryError as error:
        assert (error.hint or "").startswith("invoke jobs --cluster hec   #")
        return
    assert number.isascii() and number.isdigit() and (not task or (task.isascii() and task.isdigit()))
