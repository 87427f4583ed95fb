"""The table of jobs: the newest first, when, states in colour and words, used told from asked."""

import io
import re
import time
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from rich.console import Console

from rookery.jobs.monitor import job_states, job_table
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot

NOW = 1_794_492_000
LONG = "a_long_name_of_a_job_that_never_seems_to_end"
DONE = JobRun(
    41, name="simulate", limit="600", submitted=NOW - 90_000, start=NOW - 90_000, counts={"COMPLETED": 1}, elapsed=64,
    cpus=4, cpu_used=58, cpu_given=64 * 4, memory_asked=8 << 20, memory_peak=1258291,
)  # fmt: skip
WAITING = JobRun(43, name=LONG, limit="172800", submitted=NOW - 60, counts={"PENDING": 1}, cpus=1, memory_asked=1 << 20)
MIXED = JobRun(
    42, array=True, name="grid", limit="UNLIMITED", submitted=NOW - 3600, start=NOW - 3000, total=200, elapsed=3000,
    counts={"COMPLETED": 163, "RUNNING": 2, "PENDING": 30, "FAILED": 5}, cpus=16, memory_asked=64 << 20,
)  # fmt: skip
UNKNOWN = JobRun(40, name="old", counts={"COMPLETED": 1})
SNAPSHOT = SlurmSnapshot(NOW, 1000, (UNKNOWN, DONE, MIXED, WAITING))
TARGET = SimpleNamespace(cluster=SimpleNamespace(name="hec", label="hec"), project=None, flags="")


def shown(width: int, *, colour: bool = False, runs: tuple[JobRun, ...] = SNAPSHOT.runs[::-1]) -> str:
    file = io.StringIO()
    color = "standard" if colour else None
    console = Console(file=file, width=width, force_terminal=colour, color_system=color, legacy_windows=False)
    console.print(job_table.table(runs, NOW, width))
    return file.getvalue()


def rows(text: str) -> Mapping[str, list[str]]:
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if cells[0].isdigit()}


def test_used_stands_before_what_was_asked_for_and_a_dash_for_what_is_not_known() -> None:
    day = time.strftime("%H:%M", time.localtime(NOW - 90_000))
    cells = rows(shown(120))
    assert cells["41"] == ["simulate", f"yesterday {day}", "done", "1:04/10:00", "0.9/4", "1.2G/8.0G"]
    assert cells["43"][2:] == ["waiting", "-/2-00:00:00", "-/1", "-/1.0G"]
    assert cells["42"][2:] == ["163 done, 5 failed, 2 running, 30 waiting", "50:00/-", "-/16", "-/64.0G"]
    assert cells["40"] == ["old", "-", "done", "-", "-", "-"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_and_no_figure_and_no_word_is_broken(width: int) -> None:
    text = shown(width)
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    for whole in ("-/2-00:00:00", "1.2G/8.0G", "-/64.0G", "0.9/4", "yesterday", "running", "waiting", "163", "failed,"):
        assert whole in text
    assert "…" in text, "the name is cut, which its number stands for"


def test_the_newest_stands_first(capsys: pytest.CaptureFixture[str]) -> None:
    job_table.show(SNAPSHOT, TARGET, "", 7)
    text = capsys.readouterr().out
    assert list(rows(text)) == ["43", "42", "41", "40"]
    assert "\x1b" not in text
    assert [run["id"] for run in job_table.document(SNAPSHOT, TARGET)["jobs"]] == [40, 41, 42, 43], "--json stays"


def test_of_many_the_newest_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    runs = tuple(JobRun(number, counts={"COMPLETED": 1}) for number in range(100, 150))
    job_table.show(SlurmSnapshot(NOW, 1000, runs), TARGET, "", 7)
    text = capsys.readouterr().out
    assert list(rows(text)) == [str(number) for number in range(149, 109, -1)]
    assert "10 earlier jobs are not shown; use --json for all." in text


@pytest.mark.parametrize(
    ("code", "colour"),
    [
        ("COMPLETED", "32"),
        ("PENDING", "33"),
        ("CONFIGURING", "36"),
        ("RUNNING", "36"),
        ("COMPLETING", "36"),
        ("FAILED", "31"),
        ("TIMEOUT", "31"),
        ("OUT_OF_MEMORY", "31"),
        ("NODE_FAIL", "31"),
        ("SOMETHING_NEW", "31"),
        ("CANCELLED", ""),
    ],
)
def test_a_state_has_a_colour_and_a_word(code: str, colour: str) -> None:
    run = JobRun(1, counts={code: 1})
    text = shown(120, colour=True, runs=(run,))
    word = job_states.word(code)
    assert (f"\x1b[{colour}m{word}" in text) if colour else f"\x1b[3{word}" not in text
    assert word in shown(120, runs=(run,))


def test_each_part_of_an_array_s_state_has_its_own() -> None:
    text = shown(120, colour=True, runs=(MIXED,))
    for colour, words in (("32", "163 done"), ("31", "5 failed"), ("36", "2 running"), ("33", "30 waiting")):
        assert f"\x1b[{colour}m{words}" in text


def test_the_start_that_slurm_expects_is_told_as_a_user_says_it() -> None:
    run = JobRun(7, counts={"PENDING": 1}, reasons={"Resources": 1}, expected=NOW + 3 * 86_400)
    (line,) = job_table.remarks(SNAPSHOT, [run], TARGET)
    assert re.search(r"; expected start: \d+ Nov \d\d:\d\d$", line)
