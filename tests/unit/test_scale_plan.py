"""What `scale` measures: sizes that the cluster has, one task with its own parameters, jobs that use their cores."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from projects import known, project

from rookery.core.errors import RookeryError
from rookery.jobs.options import ScaleOptions
from rookery.jobs.scaling import measurement, plan, report
from rookery.jobs.scaling.measurement import Measurement, ScaleRun
from rookery.projects import config

HEAD = "name: s\nclusters: [penguins]\nenvironment: {python: none}\noutputs: [results]\n"
SWEEP = """
fit:
  command: python fit.py --workers {cpus} --n {n}
  grid: {n: [100, 2000], method: [ols, lasso]}
  cpus: 4
  time: 1h
  after: [prepare]
  environment: {SEED: 7}
prepare: {command: sh p.sh}
"""


def made(folder: Path, jobs: str = SWEEP, files: dict[str, str] | None = None, **flags: Any) -> plan.ScalingPlan:
    root = project(folder, jobs, HEAD, **(files or {}))
    return plan.make(config.load(root), known("penguins"), ScaleOptions(**{"job": "fit", **flags}))


def test_one_task_runs_with_its_own_row(tmp_path: Path) -> None:
    found = made(tmp_path, cpus="8,1,4", repeat=2, task=3, time="2h")
    assert found.runs == [(1, 1), (4, 1), (8, 1), (1, 2), (4, 2), (8, 2)]
    assert found.task.what == "fit, task 3 of 4 (n=2000, method=ols)"
    (values,) = found.changes(8, 2).values()
    assert values == {
        "cpus": 8, "after": None, "mail": None, "max_running": None, "params": None, "grid": None, "array": None,
        "rows": [{"n": "2000", "method": "ols"}], "time": "02:00:00",
        "environment": {"SEED": "7", "ROOKERY_SCALE": "8.2"},
    }  # fmt: skip


def test_a_task_of_a_plain_array_keeps_its_number(tmp_path: Path) -> None:
    jobs = "fit: {command: 'python fit.py {task} {cpus}', array: '3-9:3'}"
    found = made(tmp_path, jobs, task=6)
    (values,) = found.changes(2, 1).values()
    assert (values["array"], found.task.tasks) == ("6", 3)
    assert "rows" not in values
    with pytest.raises(RookeryError, match="fit has no task 7: its tasks are 3 to 9"):
        made(tmp_path, jobs, task=7)


def test_processes_of_an_mpi_job_are_its_cores(tmp_path: Path) -> None:
    found = made(tmp_path, "fit: {template: mpi, command: ./solve, tasks: 16}")
    (values,) = found.changes(8, 1).values()
    assert (values["tasks"], values["cpus"]) == (8, 1)
    with pytest.raises(RookeryError, match="only where each has one core on one node"):
        made(tmp_path, "fit: {template: mpi, command: ./solve, tasks: 16, cpus: 2}")


@pytest.mark.parametrize(
    ("jobs", "weak", "key", "value"),
    [
        (SWEEP, "n", "rows", [{"n": "400", "method": "ols"}]),
        ("fit: {command: 'x {cpus}', environment: {SIZE: 0.50}}", "SIZE", "environment",
         {"SIZE": "2.00", "ROOKERY_SCALE": "4.1"}),
    ],
)  # fmt: skip
def test_work_that_grows_with_the_cores(tmp_path: Path, jobs: str, weak: str, key: str, value: object) -> None:
    (values,) = made(tmp_path, jobs, weak=weak).changes(4, 1).values()
    assert values[key] == value


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"cpus": "4"}, "--cpus 4 must be two or more numbers of cores"),
        ({"cpus": "1,two"}, "--cpus 1,two must be two or more numbers"),
        ({"cpus": "0,1"}, "--cpus 0,1 must be two or more"),
        ({"repeat": 0}, "4 sizes with --repeat 0 must be 1 to 60 runs"),
        ({"repeat": 30}, "4 sizes with --repeat 30"),
        ({"time": "soon"}, "--time soon is not a time limit"),
        ({"weak": "m"}, "fit has no parameter 'm'"),
        ({"weak": "method"}, "--weak needs a number that can grow with the cores, not 'ols'."),
        ({"cpus": "1,100,200"}, "100 cores: "),
        ({"job": "fitt"}, "Unknown job 'fitt'"),
    ],
)
def test_what_can_t_be_measured_is_refused(tmp_path: Path, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(RookeryError) as caught:
        made(tmp_path, **flags)
    assert message in caught.value.message
    assert caught.value.hint
    if "200" in flags.get("cpus", ""):
        assert "\n200 cores: " in caught.value.message


@pytest.mark.parametrize(
    ("job", "files"),
    [
        ("command: './fit.py {cpus}'", {}),
        ("command: ./fit, template: multicore", {}),
        ("command: Rscript fit.R, template: r-foreach", {}),
        ("command: 'OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK ./fit'", {}),
        ("command: python fit.py", {"fit__py": "import os\nos.sched_getaffinity(0)\n"}),
        ("command: 'Rscript code/fit.R {task}', array: 1-3", {"fit__R": "", "code": ""}),
    ],
)
def test_jobs_that_use_their_cores(tmp_path: Path, job: str, files: dict[str, str]) -> None:
    if "code" in files:
        (tmp_path / "code").mkdir()
        (tmp_path / "code/fit.R").write_text("n <- as.integer(Sys.getenv('SLURM_CPUS_PER_TASK'))\n")
        files = {}
    assert made(tmp_path, f"fit: {{{job}}}", files)


@pytest.mark.parametrize("command", ["python fit.py", "python fit.py {task}", "./fit"])
def test_a_job_that_ignores_its_cores_is_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(RookeryError) as caught:
        made(tmp_path, f"fit: {{command: '{command}', array: 1-3}}", {"fit__py": "print(1)\n"})
    assert "rookery.yml:6: `command`: the job ignores how many cores it gets" in caught.value.message
    assert "--workers {cpus}" in str(caught.value)


def test_a_job_script_of_the_user_s_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm/fit.sh").write_text("#!/bin/bash\n")
    with pytest.raises(RookeryError, match=r"its script is slurm/fit\.sh, which scale can't change"):
        made(tmp_path)
    (tmp_path / "run.sh").write_text("#!/bin/bash\n#SBATCH --cpus-per-task=8\n")
    with pytest.raises(RookeryError, match=r"its script is run\.sh, which scale can't change"):
        made(tmp_path, "fit: {script: run.sh}")


def measured(*runs: ScaleRun) -> Measurement:
    return Measurement("a" * 40, "fit", "b" * 64, "2026-01-01T00:00:00Z", runs=runs)


def test_what_is_measured_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.json"
    kept = measured(
        ScaleRun(1, 1, "c" * 40, "41", "COMPLETED", "done", 40, 1.5, 40.0, 8000), ScaleRun(2, 1, tried=("7",))
    )
    measurement.save(file, kept)
    assert measurement.load(file) == kept
    file.write_text(file.read_text().replace('"cores": 1', '"cores": -1'))
    assert measurement.load(file) is None
    assert f"Skipped {file}" in capsys.readouterr().err


def test_the_result_is_of_the_sizes_that_are_asked_for(tmp_path: Path) -> None:
    asked = made(tmp_path, cpus="1,2,4")
    runs = [
        ScaleRun(cores, 1, id=str(cores), state="COMPLETED", seconds=seconds, given_seconds=seconds * cores)
        for cores, seconds in ((1, 1000), (2, 600), (4, 400), (8, 300))
    ]
    found = report.result(asked, measured(*runs))
    assert [size.cores for size in found.results] == [1, 2, 4]
    assert found.fit
    assert found.fit.fraction == pytest.approx(0.2, abs=1e-6)
    assert found.core_hours == pytest.approx((1000 + 1200 + 1600 + 2400) / 3600)
    failed = replace(runs[1], state="TIMEOUT", word="out of time")
    found = report.result(asked, measured(runs[0], failed))
    assert (found.fit, found.failed) == (None, [failed])
    document = report.document(asked, measured(runs[0], failed), found, "")
    assert document["failed"] == [{"cores": 2, "id": "2", "state": "TIMEOUT"}]
