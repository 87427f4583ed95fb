"""What running jobs use on a real Slurm: sstat, a look inside where it is forbidden, warnings; a stand-in for a GPU."""

from collections.abc import Iterator
from typing import Any

import pytest
from laptop_projects import Project, project
from laptops import laptop
from live import Live, as_root
from waiting import wait_for

pytestmark = pytest.mark.cluster

HOLD = "python3 -c 'import time; x = bytearray(b\"a\" * {megabytes} * 10**6); time.sleep(300)'"
FILES = {
    "rookery.yml": f"""
        name: gauge
        clusters: [hec]
        environment: {{python: none}}
        outputs: [slurm_logs]
        jobs:
          short:
            command: sleep 300
            memory: 50M
            time: 00:01:00
          spin:
            command: |
              python3 -c 'x = bytearray(b"a" * 200 * 10**6)
              while True: pass'
            cpus: 2
            memory: 300M
            time: 00:05:00
          full:
            command: {HOLD.format(megabytes=95)}
            memory: 105M
            time: 00:05:00
          many:
            template: python-array
            command: sh -c 'echo task {{task}}; sleep 300'
            array: 1-3
            memory: 50M
            time: 00:05:00
          gpu:
            command: {HOLD.format(megabytes=20)}
            gpus: 2
            memory: 100M
            time: 00:05:00
        """
}
SMI = """#!/bin/sh
printf '%s\\n' '0, GPU-0a, 40, 1024, 143771' '1, GPU-1b, 60, 71886, 143771' '2, GPU-2c, 100, 143000, 143771'
"""


@pytest.fixture(scope="module")
def gauge(hec: Live) -> Project:
    student = laptop(hec, "gauge")
    student.setup("--tags", "shell,storage")
    return project(student, "gauge", FILES)


@pytest.fixture(scope="module")
def jobs(gauge: Project) -> Iterator[dict[str, str]]:
    """The number of each job of the project; all of them run."""
    numbers = {name: gauge.submit(name) for name in ("short", "spin", "full", "many", "gpu")}
    wait_for(lambda: all(job["counts"].keys() == {"RUNNING"} for job in gauge.json("jobs")["jobs"]))
    yield numbers
    gauge.laptop.says(f"scancel {' '.join(numbers.values())}")


def measured(gauge: Project, number: str, memory: int) -> dict[str, Any]:
    """A job, once so much memory in MB was seen of it: Slurm looks every two seconds there."""
    seen: dict[str, Any] = {}

    def has_come() -> bool:
        seen.update(gauge.job(number))
        return bool(seen["memory_now"] > memory * 1000)

    wait_for(has_come)
    return seen


def test_memory_and_cores_are_held_against_what_was_asked_for(gauge: Project, jobs: dict[str, str]) -> None:
    job = measured(gauge, jobs["spin"], 190)
    assert 190_000 < job["memory_now"] <= job["memory_peak"] < 240_000
    assert (job["memory_asked"], job["cpus"], job["warnings"]) == (300 * 1024, 2, [])
    wait_for(lambda: gauge.job(jobs["spin"])["cores_now"] > 0)
    assert gauge.job(jobs["spin"])["cores_now"] <= 1.2
    output = gauge.run("jobs", jobs["spin"])
    assert f"Job {jobs['spin']} uses 20" in output
    assert "M of 300M memory" in output
    assert "of 2 cores on average" in output
    assert "M/300M" in gauge.run("jobs")


def test_a_job_is_warned_of_before_it_is_killed_for_memory(gauge: Project, jobs: dict[str, str]) -> None:
    [warning] = measured(gauge, jobs["full"], 96)["warnings"]
    assert "of its 105M memory. It is killed when it needs more" in warning
    assert f"Job {jobs['full']} {warning}" in " ".join(gauge.run("jobs").split())


def test_each_running_task_of_an_array_is_measured(gauge: Project, jobs: dict[str, str]) -> None:
    wait_for(lambda: gauge.job(jobs["many"])["measured_now"] == 3)
    job = gauge.job(jobs["many"])
    assert 0 < job["memory_now"] < 50_000
    assert job["memory_now_task"] in {1, 2, 3}
    assert f"by task {job['memory_now_task']}, the largest of 3" in " ".join(gauge.run("jobs", jobs["many"]).split())


@pytest.fixture
def forbidden(hec: Live) -> Iterator[None]:
    """Sstat for root alone."""
    hec.root_run(["chmod", "700", "/usr/bin/sstat"])
    yield
    hec.root_run(["chmod", "755", "/usr/bin/sstat"])


@pytest.mark.usefixtures("forbidden")
def test_where_sstat_is_forbidden_a_named_job_is_looked_into(gauge: Project, jobs: dict[str, str]) -> None:
    job = measured(gauge, jobs["spin"], 190)
    assert job["memory_now"] < 240_000
    assert 0 < job["cores_now"] <= 1.2
    steps = gauge.laptop.says(f"sacct -n -P -o JobID -j {jobs['spin']}").splitlines()
    output = gauge.run("jobs")
    assert "hec does not tell what running jobs use (sstat: permission denied)" in output
    assert "jobs NUMBER` looks inside a job" in " ".join(output.split())
    assert gauge.laptop.says(f"sacct -n -P -o JobID -j {jobs['spin']}").splitlines() == steps


@pytest.fixture
def smi(hec: Live) -> Iterator[None]:
    """A stand-in for nvidia-smi, which says what NVIDIA documents: the miniature has no GPU."""
    as_root(hec, f"cat >/usr/local/bin/nvidia-smi <<'END'\n{SMI}END\nchmod 755 /usr/local/bin/nvidia-smi")
    yield
    hec.root_run(["rm", "/usr/local/bin/nvidia-smi"])


@pytest.mark.usefixtures("smi")
def test_the_gpus_of_a_job_are_looked_at_and_no_others(gauge: Project, jobs: dict[str, str]) -> None:
    measured(gauge, jobs["gpu"], 15)
    job = gauge.job(jobs["gpu"])
    assert (job["gpus_now"], job["gpu_now"]) == (2, 50)
    assert (job["gpu_memory_now"], job["gpu_memory_given"]) == (71886 * 1024, 143771 * 1024)
    assert "2 GPUs 50 % busy, 70.2G of 140G GPU memory" in " ".join(gauge.run("jobs", jobs["gpu"]).split())


def test_a_job_is_warned_of_before_its_time_is_up(gauge: Project, jobs: dict[str, str]) -> None:
    """It was submitted first: the other tests take most of its minute."""
    wait_for(lambda: gauge.job(jobs["short"])["running_longest"] >= 54)
    job = gauge.job(jobs["short"])
    [warning] = job["warnings"]
    assert "Slurm ends it at its limit of 1:00, in 0:0" in warning
