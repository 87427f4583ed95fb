"""`run`: how far it has come is kept and found again, and what counts as done."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.jobs import run_record
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.run_job import progress as kept
from rookery.jobs.run_job import steps
from rookery.jobs.run_job.progress import FAILED, Progress
from rookery.jobs.run_record import RunRecord
from rookery.projects.model import Environment, Project
from rookery.remote.slurm.forms import expression


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Project(tmp_path / "seals", "seals", ("hec", "penguins"), Environment(), ("results",), {})


def test_the_run_that_began_last_is_found_whatever_its_job_and_cluster(project: Project) -> None:
    first = Progress("fit", "hec", step="wait", id="41", token="a" * 32, when=100)
    second = Progress("scripts/own run.sh", "penguins-sandbox", step="fetch", id="7", dirty=True, when=200)
    for each in (second, first):
        kept.save(project, each)
    assert kept.latest(project) == second
    assert kept.latest(project, "fit") == kept.latest(project, cluster="hec") == first
    assert kept.latest(project, "fit", "penguins") is None
    kept.forget(project, second)
    assert kept.latest(project) == first
    assert kept.latest(replace(project, root=project.root.with_name("others"))) is None


def test_scripts_whose_names_look_alike_are_kept_apart(project: Project) -> None:
    for name in ("a b.sh", "a_b.sh", "a/b.sh"):
        kept.save(project, Progress(name, "hec", when=1))
    assert [each.job for name in ("a b.sh", "a_b.sh", "a/b.sh") if (each := kept.latest(project, name))] == [
        "a b.sh",
        "a_b.sh",
        "a/b.sh",
    ]


def test_stopped_between_the_record_and_the_note_the_job_is_found_by_its_token(project: Project) -> None:
    run_record.keep(project.root, RunRecord("fit", "41", "hec", token="b" * 32))
    run_record.keep(project.root, RunRecord("fit", "42", "penguins", token="a" * 32))
    kept.save(project, Progress("fit", "hec", step="submit", token="a" * 32, when=1))
    assert kept.latest(project) == Progress("fit", "hec", step="submit", token="a" * 32, when=1)
    run_record.keep(project.root, RunRecord("fit", "43", "hec", token="a" * 32))
    found = kept.latest(project)
    assert found
    assert (found.id, found.step) == ("43", "wait")


@pytest.mark.parametrize(
    "text", ["", "{", '{"job": 3}', '{"version": 1, "job": "fit", "cluster": "hec", "step": "no"}']
)
def test_a_file_that_can_t_be_used_is_named_and_skipped(
    project: Project, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.save(project, Progress("fit", "hec", step=FAILED))
    [file] = Path(project.root.parent, "state").rglob("hec.fit.json")
    file.write_text(text)
    assert kept.latest(project) is None
    assert f"Skipped {file}" in capsys.readouterr().err


@given(st.sets(st.integers(1, 30), min_size=1), st.lists(st.sets(st.integers(1, 30)), max_size=3))
def test_a_task_is_done_where_any_of_the_runs_has_done_it(tasks: set[int], done: list[set[int]]) -> None:
    first, *again = (completed & tasks for completed in (done or [set()]))
    states = {"COMPLETED": expression(first), "FAILED": expression(tasks - first)}
    runs = [JobRun(1, array=True, tasks={state: numbers for state, numbers in states.items() if numbers})]
    runs += [
        JobRun(number, array=True, tasks={"COMPLETED": expression(completed)})
        for number, completed in enumerate(again, 2)
    ]
    assert steps.undone(runs[0], runs) == len(tasks.difference(first, *again))


def test_a_job_that_is_no_array_is_done_where_one_of_its_runs_has() -> None:
    failed, done = JobRun(1, counts={"FAILED": 1}), JobRun(2, counts={"COMPLETED": 1})
    assert [steps.undone(runs[0], runs) for runs in ([failed], [failed, done], [done])] == [1, 0, 0]


def test_a_second_cluster_has_a_table_of_its_own(project: Project) -> None:
    assert steps.table_name(project, "hec") == "combined.csv"
    assert steps.table_name(project, "penguins") == "combined-penguins.csv"
