"""Which files are a run's: those of its cluster, its job, its tasks and its time."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from combining import combined, project, recorded

from rookery.core.errors import RookeryError
from rookery.jobs import options
from rookery.jobs.results import combine, download, source_run
from rookery.jobs.results.archive import File
from rookery.projects import config


def test_each_cluster_s_run_has_its_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that lie in the cluster's folder, and those that no other cluster's were in the way of."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = project(tmp_path / "demo")
    rows = [{"seed": 5}, {"seed": 6}]
    (root / "rookery.yml").write_text(
        "name: demo\nclusters: [hec, bede]\noutputs: [results]\n"
        "jobs: {hec: {command: './x --out=results/s{seed}.csv'}}\n"
    )
    recorded(root, 7, job="hec", rows=rows, when="2020-01-01T00:00:00+00:00")
    recorded(root, 8, job="hec", rows=rows, cluster="bede", when="2020-01-02T00:00:00+00:00")
    for cluster, names in (("hec", ["s5.csv"]), ("bede", ["s5.csv", "s6.csv"]), ("hec", ["s6.csv"])):
        files = [File(f"results/{name}", "x", 8, 10**18) for name in names]
        arrivals = download.Arrivals(root, cluster)
        plan = arrivals.plan(files, ["results"])
        list(arrivals.take((file, [f"x\n{cluster}\n".encode()]) for file in plan.bring))
        arrivals.close()
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*.csv")) == [
        "results/bede/s5.csv", "results/hec/s6.csv", "results/s5.csv", "results/s6.csv",
    ]  # fmt: skip
    for number, cluster in (("7", "hec"), ("8", "bede")):
        outcome = combined(root, capsys, job=number)
        assert outcome["table"] == f"run,task,seed,x\n{number},1,5,{cluster}\n{number},2,6,{cluster}\n"
        assert (outcome["missing"], outcome["newer"]) == ([], [])


def test_a_cluster_whose_runs_were_no_arrays_has_a_table_of_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, coef__csv="x\na\n")
    recorded(tmp_path, 10)
    assert combined(root, capsys, cluster="hec") == combined(root, capsys)
    assert combine.run(options.CombineOptions(project=str(root), cluster="hec")) == 0
    assert capsys.readouterr().out.startswith("combined.csv: 1 row from 1 file.")


@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        (
            {"cluster": "pengiuns"},
            "Unknown cluster 'pengiuns'",
            "invoke clusters   # `invoke clusters.add` adds another one",
        ),
        ({"cluster": "bede"}, "No run on bede has a record in runs/.", "invoke fetch --cluster bede --project {root}"),
        ({"sandbox": True}, "No run on hec (miniature) has", "invoke fetch --cluster hec --sandbox --project {root}"),
        ({"cluster": "hec,bede"}, "This command takes one cluster.", "run the same command with --cluster hec"),
    ],
)
def test_a_cluster_without_runs_is_refused(tmp_path: Path, flags: dict[str, Any], message: str, hint: str) -> None:
    project(tmp_path, **{"1__csv": "x\na\n"})
    recorded(tmp_path, 10, array="1")
    with pytest.raises(RookeryError) as refused:
        combine.run(options.CombineOptions(project=str(tmp_path), **flags))
    assert message in refused.value.message
    assert refused.value.hint == hint.format(root=tmp_path)
    assert not (tmp_path / "combined.csv").exists()


def test_a_run_on_the_miniature_needs_sandbox(tmp_path: Path) -> None:
    project(tmp_path, **{"1__csv": "x\na\n"})
    recorded(tmp_path, array="1", cluster="bede-sandbox")
    with pytest.raises(RookeryError) as refused:
        combine.run(options.CombineOptions(project=str(tmp_path), cluster="bede"))
    assert (refused.value.message, refused.value.hint) == (
        "No run on bede has a record in runs/.", "run the same command with --sandbox",
    )  # fmt: skip


def test_old_results_and_two_of_one_task_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, r_1__csv="x\na\n", s_1__csv="x\nb\n", r_2__csv="x\nc\n")
    recorded(tmp_path, array="1-2")
    os.utime(tmp_path / "results/r_2.csv", (1e9, 1e9))
    outcome = combined(tmp_path, capsys)
    assert (outcome["twice"], outcome["old"], outcome["code"]) == (["7_1"], ["results/r_2.csv"], 1)


@pytest.mark.parametrize(
    ("written", "array", "named"),
    [
        ({"r_1__csv": "x\na\n", "s_1__csv": "x\nb\n"}, "1", "twice"),
        ({"r_1__csv": "x\na\n", "r_2__csv": "x\nb\n"}, "1", "others"),
        ({"old_1__csv": "x\na\n"}, "1", "old"),
    ],
)
def test_each_thing_that_is_wrong_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: dict[str, str], array: str, named: str
) -> None:
    project(tmp_path, **written)
    recorded(tmp_path, array=array)
    for path in tmp_path.glob("results/old_*"):
        os.utime(path, (1e9, 1e9))
    outcome = combined(tmp_path, capsys)
    wrong = {key for key in ("missing", "empty", "broken", "others", "old", "newer", "twice") if outcome[key]}
    assert (wrong, outcome["code"]) == ({named}, 1)


def test_where_all_files_are_of_other_tasks_the_run_s_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, **{"1__csv": "x\na\n", "2__csv": "x\nb\n"})
    recorded(tmp_path, 10, array="301-400")
    assert combine.run(options.CombineOptions(project=str(tmp_path))) == 1
    assert "missing: 100 of 100 tasks have no result: 301-400\n" in capsys.readouterr().err


def test_files_that_a_later_run_of_the_job_may_have_written_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, r_1__csv="x\na\n", r_2__csv="x\nb\n", of_10_r_3__csv="x\nc\n", r_4__csv="x\nd\n")
    rows = [{"n": n} for n in (1, 2, 3, 4)]
    recorded(tmp_path, 10, rows=rows, when="2020-01-01T00:00:00+00:00")
    recorded(tmp_path, 11, rows=rows, when="2020-01-02T00:00:00+00:00", failed_of="10")
    recorded(tmp_path, 12, rows=rows, when="2020-01-03T00:00:00+00:00", job="another")
    recorded(tmp_path, 13, rows=[{"n": 9}] * 4, when="2020-01-05T00:00:00+00:00")
    for name, day in (("r_1", 1), ("r_2", 4), ("r_4", 6)):
        seconds = datetime(2020, 1, day, 12, tzinfo=UTC).timestamp()
        os.utime(tmp_path / f"results/{name}.csv", (seconds, seconds))
    outcome = combined(tmp_path, capsys, job="10")
    assert (outcome["newer"], outcome["code"]) == (["results/r_4.csv"], 1)
    assert combined(tmp_path, capsys, job="11")["newer"] == ["results/r_4.csv"]
    assert combined(tmp_path, capsys)["newer"] == []


def test_a_run_of_failed_tasks_counts_as_the_run_they_are_of(tmp_path: Path) -> None:
    from rookery.projects import config

    project(tmp_path)
    recorded(tmp_path, 5, array="1-3")
    recorded(tmp_path, 6, array="2", failed_of="5")
    recorded(tmp_path, 8)  # no array
    run = source_run.of_record(config.load(tmp_path))
    assert (run.id, run.tasks) == ("5", {1, 2, 3})


def test_where_no_run_is_an_array_files_are_of_no_run_and_the_last_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, simulate__csv="x\n1\n", other__csv="x\n2\n")
    recorded(tmp_path, 7)
    recorded(tmp_path, 8, job="other")
    assert combined(tmp_path, capsys)["table"] == "x\n2\n1\n"
    assert combine.run(options.CombineOptions(project=str(tmp_path))) == 0
    assert f" combine 8 --project {tmp_path}   # this run alone" in capsys.readouterr().err
    assert combined(tmp_path, capsys, job="8")["table"].startswith("run,x\n8,")


def test_results_of_several_jobs_lie_beside_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, simulate_1__csv="x\n1\n", simulate_2__csv="x\n2\n", flaky_1__csv="y\n3\n")
    recorded(tmp_path, 21, job="simulate", array="1-2", when="2020-01-01T00:00:00Z")
    recorded(tmp_path, 53, job="flaky", array="1", when="2020-01-02T00:00:00Z")
    assert combined(tmp_path, capsys)["table"] == "run,task,y\n53,1,3\n"
    assert combined(tmp_path, capsys, job="21")["table"] == "run,task,x\n21,1,1\n21,2,2\n"
    outcome = combined(tmp_path, capsys, files="results/simulate_*.csv")
    assert (outcome["runs"], outcome["code"]) == (["21"], 0)


def test_jobs_with_other_columns_are_not_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, simulate_1__csv="x,y\n1,2\n", simulate_2__csv="x,y\n2,3\n", flaky_1__csv="y,z\n3,4\n")
    recorded(tmp_path, 21, job="simulate", array="1-2", when="2020-01-01T00:00:00Z")
    recorded(tmp_path, 53, job="flaky", array="1-2", when="2020-01-02T00:00:00Z")
    with pytest.raises(RookeryError) as caught:
        combined(tmp_path, capsys, job="21,53", plot_by="y", plot_file="figures/y.svg")
    assert caught.value.message == (
        "Runs 21 (simulate) and 53 (flaky) can't be one table, since their columns differ: 53 has also z and no x."
    )
    again = f"--project {tmp_path} --output"
    assert caught.value.hint == (
        f"invoke combine 21 {again} combined-simulate.csv --plot-by y --plot-file figures/y-simulate.svg; "
        f"invoke combine 53 {again} combined-flaky.csv --plot-by y --plot-file figures/y-flaky.svg"
    )
    assert not (tmp_path / "combined.csv").exists()
    (tmp_path / "results/flaky_2.csv").write_text("y,x\n6,5\n")
    outcome = combined(tmp_path, capsys, job="21,53")
    assert outcome["table"] == "run,task,x,y\n21,1,1,2\n21,2,2,3\n53,2,5,6\n", "a file that does not fit is left out"
    assert (outcome["missing"], outcome["code"]) == (["53_1"], 1)


def test_a_table_of_a_script_is_named_as_a_file(tmp_path: Path) -> None:
    recorded(tmp_path, 7, job="scripts/run.sh", array="1")
    source = source_run.of_record(config.load(project(tmp_path)))
    assert combine._apart(options.CombineOptions(plot_file="figures/y.svg"), [source]) == (
        "invoke combine 7 --output combined-scripts-run.sh.csv --plot-file figures/y-scripts-run.sh.svg"
    )


@pytest.mark.parametrize(("other", "file"), [("simulate-2", "simulate_{}"), ("summary", "summary_{}")])
def test_in_the_folder_of_a_run_no_file_is_another_job_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str, file: str
) -> None:
    """Whatever it is called: the task's number after the job's name may be the name of another job."""
    project(tmp_path)
    (tmp_path / "rookery.yml").write_text(
        f"name: demo\nclusters: [hec]\noutputs: ['results/{{run}}']\njobs: {{{other}: {{command: 'true'}}}}\n"
    )
    recorded(tmp_path, 21, array="1-2")
    (tmp_path / "results/21").mkdir()
    for task in (1, 2):
        (tmp_path / f"results/21/{file.format(task)}.csv").write_text(f"x\n{task}\n")
    outcome = combined(tmp_path, capsys)
    assert (outcome["table"], outcome["missing"]) == ("run,task,x\n21,1,1\n21,2,2\n", [])
