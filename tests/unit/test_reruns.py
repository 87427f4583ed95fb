"""Reruns of reruns: what a run has completed is offered no more, whichever run of the same tasks is named."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.jobs import run_record
from rookery.jobs.monitor import job_table
from rookery.jobs.monitor import reruns as left_tasks
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.remote.slurm import earlier_runs, reruns
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.earlier_runs import EarlierRuns
from rookery.remote.slurm.forms import expression

RECORDS = {"40": "", "41": "", "42": "41", "43": "41", "44": "42", "45": "44", "50": "40"}


@pytest.mark.parametrize("number", ["41", "42", "43", "44", "45"])
def test_all_runs_of_the_same_tasks_belong_together(number: str) -> None:
    assert reruns.family(number, RECORDS) == ["41", "42", "43", "44", "45"]


def test_records_that_are_missing_or_go_round_in_circles_end_nothing() -> None:
    assert reruns.family("43", {"42": "41", "43": "41"}) == ["41", "42", "43"]
    assert reruns.family("7", {}) == ["7"]
    assert reruns.family("3", {"3": "3"}) == ["3"]


def run(number: int, **states: set[int]) -> JobRun:
    """An array with these tasks in each state."""
    counts = {state: len(tasks) for state, tasks in states.items()}
    total = sum(counts.values())
    tasks = {state: expression(tasks) for state, tasks in states.items()}
    return JobRun(number, array=True, name="simulate", total=total, counts=counts, tasks=tasks)


def target(root: Path | None = None) -> Any:
    project = SimpleNamespace(root=root, name="study") if root else None
    cluster = SimpleNamespace(name="hec", label="hec")
    return SimpleNamespace(cluster=cluster, project=project, required_project=project, flags="", next=str)


@given(st.data())
def test_only_what_failed_and_no_run_has_completed_is_left(data: st.DataObject) -> None:
    tasks = set(range(1, 9))
    failing = data.draw(st.sets(st.sampled_from(sorted(tasks)), min_size=1))
    runs, failed_of, wanted = [run(41, FAILED=failing, COMPLETED=tasks - failing)], {"41": ""}, failing
    done = tasks - failing
    for number in range(42, data.draw(st.integers(42, 46))):
        named = data.draw(st.sampled_from(runs))
        again = {task for task in left_of(named, runs) if task not in done}
        if not again:
            continue
        repaired = data.draw(st.sets(st.sampled_from(sorted(again))))
        cancelled = data.draw(st.sets(st.sampled_from(sorted(again)))) - repaired
        runs.append(run(number, COMPLETED=repaired, CANCELLED=cancelled, FAILED=again - repaired - cancelled))
        failed_of[str(number)] = str(named.id)
        done, wanted = done | repaired, wanted - repaired
    snapshot = SlurmSnapshot(1, 1000, tuple(runs))
    family = left_tasks.family(runs[-1], snapshot, failed_of)
    assert family == runs
    assert left_tasks.left(runs[0], family, 1000) == (expression(wanted), len(wanted))
    for member in runs:
        offered = left_tasks.left(member, family, 1000)[0]
        assert not set(earlier_runs.forms.numbers(offered)) & done


def left_of(named: JobRun, runs: list[JobRun]) -> set[int]:
    return set(earlier_runs.forms.numbers(left_tasks.left(named, runs, 1000)[0]))


def test_the_table_offers_failed_tasks_once_with_the_last_run_that_has_some(tmp_path: Path) -> None:
    def offers(*runs: JobRun) -> list[str]:
        lines = job_table.remarks(SlurmSnapshot(1, 1000, runs), runs, target(tmp_path))
        return [line for line in lines if "--failed" in line]

    for number, failed_of in (("41", ""), ("42", "41"), ("43", "41")):
        run_record.keep(tmp_path, run_record.RunRecord("simulate", number, "hec", failed_of=failed_of, token=number))
    first, second = run(41, FAILED={1, 2, 3}, COMPLETED={4}), run(42, COMPLETED={1, 2}, FAILED={3})
    assert offers(first, second, run(43, RUNNING={3})) == []
    assert offers(first, second, run(43, COMPLETED={3})) == []
    (line,) = offers(first, second, run(43, FAILED={3}))
    assert line == "Job 43: 1 of 1 tasks failed (3): rookery submit --failed 43"
    (line,) = offers(first, second, run(43, CANCELLED={3}))
    assert line == "Job 42: 1 of 3 tasks failed (3): rookery submit --failed 42"
    assert offers(first, second) == [], "43 may have done it"


def test_no_command_is_offered_for_a_job_that_the_project_did_not_submit(tmp_path: Path) -> None:
    def lines(folder: str, root: Path | None) -> list[str]:
        runs = (replace(run(41, FAILED={1}), folder=folder),)
        return list(job_table.remarks(SlurmSnapshot(1, 1000, runs), runs, target(root)))

    told = ["Job 41: 1 of 1 tasks failed (1)"]
    for folder, root in (
        ("/home/ada", tmp_path),
        ("/home/ada/projects/other/releases/1", tmp_path),
        ("/home/ada", None),
    ):
        assert lines(folder, root) == told
    assert lines("/home/ada/projects/study/releases/1", tmp_path) == [f"{told[0]}: rookery submit --failed 41"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    for number, failed_of in RECORDS.items():
        record = {"id": number, "job": "simulate", "failed_of": failed_of, "when": f"2026-11-30T{number}"}
        (tmp_path / f"runs/{number}.json").write_text(json.dumps(record))
    return tmp_path


FIRST = {"41_1": "COMPLETED", "41_2": "FAILED", "41_3": "TIMEOUT"}


@pytest.mark.parametrize(
    ("later", "after"),
    [
        ({"42_2": "COMPLETED", "43_3": "COMPLETED"}, []),
        ({"42_2": "COMPLETED", "42_3": "FAILED", "44_3": "COMPLETED"}, []),
        ({"42_2": "COMPLETED", "44_3": "RUNNING"}, ["44"]),
        ({"42_2": "RUNNING", "42_[3-4%2]": "PENDING"}, ["42"]),
        ({"42_2": "RUNNING", "42_3": "FAILED"}, None),
        ({"42_2": "COMPLETED", "42_3": "CANCELLED by 1000"}, None),
        ({}, None),
    ],
)
def test_a_job_waits_for_the_runs_that_repair_the_one_that_it_comes_after(
    base: Path, monkeypatch: pytest.MonkeyPatch, later: Mapping[str, str], after: list[str] | None
) -> None:
    def sacct(argv: list[str], *_: Any, **__: Any) -> tuple[int, str, str]:
        wanted, lines = argv[-1].split(","), {**FIRST, **later}.items()
        chosen = [(job, state) for job, state in lines if job.partition("_")[0] in wanted]
        with_job = any("JobID" in word for word in argv)
        return 0, "".join(f"{job}|{state}\n" if with_job else f"{state}\n" for job, state in chosen), ""

    monkeypatch.setattr(earlier_runs, "run", sacct)
    runs = EarlierRuns(str(base), [])
    if after is not None:
        assert runs.dependencies(["41"]) == (["41"], after)
        return
    with pytest.raises(Answer) as raised:
        runs.dependencies(["41"])
    assert raised.value.document["state"] == "failed-before"
