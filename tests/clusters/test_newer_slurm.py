"""A sample of all that is asked of Slurm, on Slurm 24.11: the other tests have miniatures with 22.05."""

import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from added_clusters import newcomer
from laptop_projects import Project, project, submitted
from laptops import ROOKERY, laptop
from live import Live, alone
from profile_agreement import undeclared
from waiting import wait_for

from rookery.core.errors import RookeryError
from rookery.sandbox import lifecycle

pytestmark = pytest.mark.cluster

VERSION = "24.11"

FILES = {
    ".gitignore": "slurm_logs/\nresults/\n",
    "rookery.yml": """
        name: floe
        clusters: [hec]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          count:
            template: python-array
            command: python3 count.py {task}
            array: 1-4
            cpus: 2
            time: 00:05:00
          fail:
            template: python-array
            command: sh -c 'echo trying {task}; exit $(({task} - 1))'
            array: 1-3
            time: 00:05:00
          nap:
            command: sleep 300
            memory: 50M
            time: 00:05:00
          device:
            command: sh -c 'echo on $CUDA_VISIBLE_DEVICES'
            gpus: 2
            gpu_type: nvidia_h200_nvl
            time: 00:05:00
          steps:
            command: srun sh -c 'nproc; echo cores $SLURM_CPUS_PER_TASK'
            tasks: 2
            cpus: 3
            time: 00:05:00
        """,
    "count.py": """
        import sys
        task = sys.argv[1]
        print("counting", task)
        with open(f"results/{task}.csv", "w") as file:
            file.write(f"task,square\\n{task},{int(task) ** 2}\\n")
        """,
}


REFUSED = {
    "memory": ("--mem=9000G", "No node of hec has what the job requests"),
    "constraint": ("--constraint=nix", "No node of hec has what the job's constraint names"),
    "array": ("--array=1-900000", "The array is larger than hec accepts"),
    "dependency": ("--dependency=afterok:99999", "Slurm no longer knows the job that this one depends on"),
}
"""Scripts that sbatch refuses: their option, and what is said of it. Slurm 22.05 accepts the last one."""

SCRIPTS = {
    f"{name}.sh": f"#!/bin/bash\n#SBATCH {option}\n#SBATCH --time=00:02:00\nhostname\n"
    for name, (option, _) in REFUSED.items()
}


@pytest.fixture(scope="module")
def newer() -> Iterator[Live]:
    with alone("hec", slurm=VERSION) as live:
        yield live


@pytest.fixture(scope="module")
def floe(newer: Live) -> Project:
    """A project of a student whose home is set up."""
    student = laptop(newer, "tern")
    student.setup("--tags", "shell,storage")
    return project(student, "floe", {**FILES, **SCRIPTS})


def test_it_runs_the_asked_version_and_the_list_shows_it(newer: Live) -> None:
    assert newer.run("sinfo --version").split()[-1] == newer.miniature.slurm
    assert newer.miniature.slurm.startswith(f"{VERSION}.")
    shown = subprocess.run(
        [str(ROOKERY), "sandbox.list"],
        env={**os.environ, **newer.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(rf"^hec .* Slurm {re.escape(newer.miniature.slurm)} +running$", shown, re.MULTILINE)


def test_another_version_is_not_put_in_its_place(newer: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in newer.environment.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(RookeryError, match=r"running already, with Slurm 24\.11\.\d") as refused:
        lifecycle.ensure("hec", slurm="22.05")
    assert "invoke sandbox.down hec" in (refused.value.hint or "")
    assert [miniature.pid for miniature in lifecycle.ensure("hec", slurm=VERSION)] == [newer.miniature.pid]


def test_doctor_finds_nothing_wrong_with_it(floe: Project) -> None:
    report = json.loads(floe.laptop.rookery("doctor", "hec", "--json").stdout)["clusters"]["hec"]["checks"]
    found = {check["name"]: (check["state"], check["found"]) for check in report}
    assert found["slurm"] == ("ok", "running")
    assert found["partition"][0] == "ok"
    assert found["job"][0] == "ok", found


def test_partitions_nodes_and_gpus_are_read(floe: Project) -> None:
    partitions = {partition["name"]: partition for partition in floe.json("queue")["partitions"]}
    assert {partition["state"] for partition in partitions.values()} == {"open"}
    assert partitions["parallel"]["default"] is True
    assert partitions["parallel"]["free_nodes"] > 0
    assert partitions["test"]["max_minutes"] == 5
    assert partitions["gpu-short"]["gpus"] == {"tesla_v100-pcie-32gb": 6, "nvidia_h200_nvl": 4}
    assert partitions["gpu-short"]["free_gpus"]["tesla_v100-pcie-32gb"] == 6


def test_an_array_runs_and_its_results_are_fetched_and_combined(floe: Project) -> None:
    number = submitted(floe.run("submit", "count", "--wait"))
    job = floe.job(number)
    assert (job["counts"], job["cpus"], job["limit"]) == ({"COMPLETED": 4}, 2, "300")
    assert floe.run("logs", f"{number}_3").endswith("counting 3\n")
    floe.run("fetch", number)
    answer = json.loads(floe.run_here("combine", number, "--json"))
    assert (answer["rows"], answer["files"], answer["missing"]) == (4, 4, [])


def test_tasks_that_fail_are_told_apart_and_submitted_again(floe: Project) -> None:
    output = floe.run("submit", "fail", "--wait", code=1)
    number = submitted(output)
    assert floe.job(number)["counts"] == {"COMPLETED": 1, "FAILED": 2}
    log = floe.run("logs", number)
    assert "trying 2" in log
    assert f"Task {number}_2: the first failed of 3" in log
    again = floe.json("submit", "--failed", number)
    wait_for(lambda: floe.job(str(again["id"]))["counts"] == {"FAILED": 2})


def test_jobs_that_run_or_wait_are_measured_and_cancelled(floe: Project) -> None:
    running = floe.submit("nap")
    waiting = floe.submit("nap", "--after", running)
    wait_for(lambda: floe.job(running)["state"] == "running")
    wait_for(lambda: 0 < floe.job(running)["memory_now"] < 50_000)
    wait_for(lambda: floe.job(waiting)["counts"] == {"PENDING": 1})
    assert f"Cancelled job {waiting} (nap)" in floe.run("cancel", waiting)
    floe.run("cancel", running)
    for number in (running, waiting):
        wait_for(lambda number=number: floe.job(number)["counts"] == {"CANCELLED": 1})  # type: ignore[misc]


def test_gpus_and_steps_get_what_the_job_asked_for(floe: Project) -> None:
    device, steps = floe.submit("device"), floe.submit("steps")
    for number in (device, steps):
        wait_for(lambda number=number: floe.job(number)["counts"] == {"COMPLETED": 1})  # type: ignore[misc]
    assert re.search(r"on \d,\d$", floe.run("logs", device))
    assert floe.run("logs", steps).count("cores 3") == 2


@pytest.mark.parametrize("script", REFUSED)
def test_what_sbatch_refuses_is_explained(floe: Project, script: str) -> None:
    output = floe.run("submit", f"{script}.sh", "--unlinted", code=1)
    assert REFUSED[script][1] in output
    assert "sbatch says: " in output


def test_a_profile_is_made_from_its_answers(newer: Live) -> None:
    """Its version is in it, so that a miniature of that cluster has the same Slurm."""
    person = newcomer(newer, "skua")
    person.add("--job")
    written = person.profile
    assert written["cluster_slurm"] == VERSION
    assert undeclared(written, "hec") == set()
    checked = person.rookery("clusters.check", person.cluster, "--json")
    assert (checked.returncode, json.loads(checked.stdout) is not None) == (0, True), checked.stdout + checked.stderr
