"""Which cluster is the first to start a job: estimates, and races that were cut off."""

import time
from pathlib import Path

import pytest

from rookery.jobs import race_state
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.race_state import Entrant, Race
from rookery.jobs.submit import starts
from rookery.jobs.submit.estimates import Estimate, show, soonest, when
from rookery.remote.slurm import submission


def test_the_soonest_comes_first_and_ties_go_by_the_order_of_the_file() -> None:
    known = [
        Estimate("silent"),
        Estimate("late", wait=7200),
        Estimate("tie", wait=59),
        Estimate("now", wait=0),
        Estimate("out", wait=0, reason="not deployed"),
    ]
    assert [each.cluster for each in soonest(known)] == ["tie", "now", "late", "silent"]
    assert [when(each) for each in (known[0], known[3], known[4])] == ["unknown", "now", "-"]


@pytest.mark.parametrize("reason", ["", "not deployed"])
def test_reasons_are_a_column_where_there_are_any(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    show([Estimate("hec", wait=0), Estimate("penguins", reason=reason)])
    assert ("why not" in capsys.readouterr().out) == bool(reason)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("sbatch: Job 8 to start at {} using 1 processors on nodes wn01 in partition serial", 3600),
        ("sbatch: Job 8 to start at Unknown using 1 processors on nodes wn01 in partition serial", None),
        ("sbatch: Job 8 to start at 2026-99-99T00:00:00 using", None),
        ("", None),
    ],
)
def test_the_wait_is_by_the_clocks_of_the_cluster(monkeypatch: pytest.MonkeyPatch, said: str, wait: int | None) -> None:
    asked = []
    monkeypatch.setattr(submission, "run", lambda argv: (asked.append(argv[3]), (0, "up\n", ""))[1])
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 3600))
    answer = submission.expected_start(said.format(moment))
    assert answer["closed"] == ""
    assert asked == (["serial"] if "partition" in said else [])
    if wait is None:
        assert "wait" not in answer
    else:
        assert wait - 5 <= answer["wait"] <= wait


def test_slurm_gives_a_time_for_a_closed_partition_and_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "run", lambda _: (0, "down\n", ""))
    said = "sbatch: Job 8 to start at 2026-11-30T12:00:00 using 1 processors on nodes wn01 in partition serial"
    assert submission.expected_start(said)["closed"] == "partition serial is closed at the moment (down)"


def test_the_job_that_started_first_stays() -> None:
    waiting = JobRun(1, counts={"PENDING": 1})
    running = JobRun(2, counts={"RUNNING": 1}, start=200)
    failed_at_once = JobRun(3, counts={"FAILED": 1}, start=100)
    cancelled = JobRun(4, counts={"CANCELLED": 1}, start=50)
    array = JobRun(5, counts={"PENDING": 9, "RUNNING": 1}, start=300)
    assert starts.winner({"a": waiting, "b": cancelled}) == ""
    assert starts.winner({"a": waiting, "b": array}) == "b"
    assert starts.winner({"a": running, "b": failed_at_once, "c": cancelled}) == "b"
    assert starts.winner({"a": JobRun(6, counts={"CANCELLED": 1}, elapsed=3, start=10), "b": running}) == "a"


def test_a_race_is_kept_until_it_has_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    race = Race(
        "scripts/a b.sh", True, (Entrant("hec", "0" * 32), Entrant("penguins", "1" * 32, "17")), commit="a" * 40
    )
    race_state.save(tmp_path, race)
    path = race_state.file(tmp_path, "scripts/a b.sh", sandbox=True)
    assert race_state.load(path) == race
    assert path != race_state.file(tmp_path, "scripts/a b.sh", sandbox=False)
    assert race_state.load(race_state.file(tmp_path, "other", sandbox=False)) is None
    assert [each.id for each in race.with_entrant(Entrant("hec", "0" * 32, "4")).entrants] == ["4", "17"]
    assert [each.cluster for each in race.without("hec").entrants] == ["penguins"]
    path.write_text('{"job": "x", "entrants": 3}')
    assert race_state.load(path) is None
    assert str(path) in capsys.readouterr().err
