"""`report`: sums of runs, estimates of energy, and reports of a group from files of strangers."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.core.errors import RookeryError
from rookery.jobs.history.energy import PowerModel, kilowatt_hours
from rookery.jobs.history.run_use import RunUse
from rookery.support import web_page
from rookery.support.options import ReportOptions
from rookery.support.usage_report import command, page, person, text, usage
from rookery.support.usage_report.person import PersonalReport
from rookery.support.usage_report.usage import ProjectUsage

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
ONE = PowerModel(core_watts=10, gpu_watts=100, memory_watts=1, pue=2, grams_per_kwh=500)
RUN = RunUse(
    id="5",
    submitted=1000,
    project="auks",
    counts={"COMPLETED": 8, "TIMEOUT": 1, "OUT_OF_MEMORY": 1},
    waits=((60, 9), (600, 1)),
    core_seconds=36_000,
    lost_core_seconds=7200,
    cpu_seconds=18_000,
    gpu_seconds=3600,
    megabyte_seconds=3600 * 1024,
)
USED = usage.of_runs([RUN], "hec", ONE, 0)[0]
REPORT = PersonalReport("Ada <b>", NOW, 90, (USED,), {"hec": ONE.assumptions}, ("bede does not answer.",))


def test_runs_are_summed_by_project_since_a_day() -> None:
    runs = [RUN, replace(RUN, id="6", submitted=2000), replace(RUN, id="7", project="", core_seconds=10**6)]
    runs.append(replace(RUN, id="8", submitted=10))
    other, auks = usage.of_runs(runs, "hec", ONE, 500)
    assert (other.project, auks.project, auks.runs, auks.tasks) == ("", "auks", 2, 20)
    assert (auks.core_hours, auks.lost_core_hours, auks.busy_core_hours, auks.gpu_hours) == (20, 4, 10, 2)
    assert (auks.half_waited, auks.most_waited) == (60, 600)
    assert auks.failures == {"TIMEOUT": 2, "OUT_OF_MEMORY": 2}
    both = usage.total([other, auks])
    assert (both.runs, both.core_hours) == (3, 20 + 10**6 / 3600)


def test_energy_counts_cores_gpus_memory_and_the_building() -> None:
    assert kilowatt_hours(RUN, ONE) == pytest.approx(2 * (10 * 10 + 1 * 100 + 1 * 1) / 1000)
    assert kilowatt_hours(replace(RUN, joules=7_200_000), ONE) == 4  # as Slurm measured it
    assert USED.kilograms == pytest.approx(USED.kilowatt_hours / 2)
    assert not USED.is_measured
    measured, waiting = replace(RUN, joules=1), replace(RUN, core_seconds=0)
    assert usage.of_runs([measured, waiting], "hec", ONE, 0)[0].is_measured
    assert not usage.of_runs([measured, RUN], "hec", ONE, 0)[0].is_measured
    assert not usage.of_runs([waiting], "hec", ONE, 0)[0].is_measured


def test_energy_without_a_mark_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    own = replace(REPORT, usage=usage.of_runs([replace(RUN, joules=7_200_000)], "hec", ONE, 0))
    for report, is_said in ((own, True), (REPORT, False)):
        text.show_own(report)
        assert ("measured by Slurm" in capsys.readouterr().out) == is_said
        assert ("measured by Slurm" in page.own(report)) == is_said


@given(st.floats(0, 1e9))
def test_amounts_are_short(value: float) -> None:
    assert len(text.amount(value)) <= 13
    assert "e" not in text.amount(value)


def sent(folder: Path, name: str, content: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_report_is_read_as_it_was_sent(tmp_path: Path) -> None:
    sent(tmp_path / "r", "ada.json", REPORT.document())
    [read], unread = person.read_folder(tmp_path / "r")
    assert (read, unread) == (REPORT, [])


def test_the_latest_of_a_name_counts_and_a_file_stands_for_one_without(tmp_path: Path) -> None:
    older = replace(REPORT, name="ADA <B>", when=NOW.replace(year=2025), days=1)
    sent(tmp_path / "r", "a.json", REPORT.document())
    sent(tmp_path / "r", "b.json", older.document())
    sent(tmp_path / "r", "carol.json", replace(REPORT, name="").document())
    read, _ = person.read_folder(tmp_path / "r")
    assert [(report.name, report.days) for report in read] == [("Ada <b>", 90), ("carol", 90)]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"kind": "other"}',
        "[" * 100_000,
        {**REPORT.document(), "version": 2},
        {**REPORT.document(), "when": "yesterday"},
        {**REPORT.document(), "days": 0},
        {**REPORT.document(), "usage": [{**REPORT.document()["usage"][0], "core_hours": -1}]},
        {**REPORT.document(), "usage": [{**REPORT.document()["usage"][0], "counts": {"rm -rf": 1}}]},
        {**REPORT.document(), "usage": [{}] * 1001},
        json.dumps({**REPORT.document(), "name": "x" * 201}),
        json.dumps(REPORT.document()).replace("10.0", "NaN"),
    ],
    ids=str,
)
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path, content: Any) -> None:
    sent(tmp_path / "r", "bad.json", content)
    sent(tmp_path / "r", "good.json", REPORT.document())
    read, unread = person.read_folder(tmp_path / "r")
    assert ([report.name for report in read], [one.file for one in unread]) == (["Ada <b>"], ["bad.json"])


def test_texts_of_strangers_become_one_line(tmp_path: Path) -> None:
    document = REPORT.document()
    document["name"] = "Eve\x1b[31m\nnext: rm"
    document["usage"][0]["project"] = "a\nb"
    sent(tmp_path / "r", "eve.json", document)
    [read], _ = person.read_folder(tmp_path / "r")
    assert (read.name, read.usage[0].project) == ("Eve next: rm", "a b")


def test_the_page_escapes_names_and_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    second = replace(USED, cluster="bede", project="terns")
    own = page.own(replace(REPORT, usage=(USED, second)))
    assert "Ada &lt;b&gt;: jobs" in own
    assert "<b>" not in own
    assert own.count('<svg viewBox="0 0 1000 20"') == 2
    assert 'class="sum"' in own
    assert "bede does not answer." in own
    assert "<script" not in own
    group = page.group([REPORT, replace(REPORT, name="Bob", usage=())], [])
    assert "Bob: no jobs" in group
    text.show_group([REPORT, replace(REPORT, name="Bob", usage=())], [])
    shown = capsys.readouterr().out
    assert "1 task: " in shown
    assert "no jobs" in shown


def test_assumptions_that_differ_are_named_with_whose_they_are() -> None:
    other = replace(REPORT, name="Bob", assumptions={"hec": "3 W a core", "bede": "1 W a core"})
    assert person.assumptions([REPORT, replace(REPORT, name="Eve")]) == {"hec": ONE.assumptions}
    expected = {"hec (Ada <b>)": ONE.assumptions, "hec (Bob)": "3 W a core", "bede": "1 W a core"}
    assert person.assumptions([REPORT, other]) == expected


def test_a_table_without_gpus_has_no_column_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    for gpu_hours, is_there in ((1, True), (0, False)):
        text.show_own(replace(REPORT, usage=(replace(USED, gpu_hours=gpu_hours),)))
        assert ("GPU hours" in capsys.readouterr().out) == is_there


def test_bars_are_as_long_as_the_core_hours() -> None:
    [bar] = text.by_project([USED]).bars
    assert bar.parts == {"busy": 5, "idle": 3, "lost in tasks that did not complete": 2}
    assert text.by_project([ProjectUsage("hec", "", 1)]).bars[0].length == 0
    two = replace(REPORT, name="Bob", usage=(USED, USED))
    assert [(bar.name, bar.length) for bar in text.by_name([REPORT, two]).bars] == [("Ada <b>", 10), ("Bob", 20)]
    page.own(replace(REPORT, usage=(ProjectUsage("hec", "", 1),)))


def test_a_page_replaces_a_page_of_its_command_alone(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    for _ in range(2):
        web_page.write(file, page.own(REPORT), page.COMMAND)
    with pytest.raises(RookeryError, match="not overwritten"):
        web_page.write(file, "", "cohort")
    assert "Ada" in file.read_text()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"days": 0}, "from 1 to"),
        ({"days": 10**11}, "from 1 to"),
        ({"from_": "sent", "days": 3}, "without --days"),
        ({"from_": "sent", "cluster": "hec"}, "without CLUSTER"),
        ({"from_": "sent"}, "has no reports"),
    ],
)
def test_what_can_t_be_carried_out_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent").mkdir()
    with pytest.raises(RookeryError, match=words):
        command.run(ReportOptions(**given))
