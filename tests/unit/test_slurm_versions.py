"""What is read of Slurm's commands is the same, whichever version answers."""

import re
from typing import Any

import pytest
from slurm_versions import VERSIONS, recorded

from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection
from rookery.jobs.monitor import queue
from rookery.jobs.submit import sbatch_errors
from rookery.projects.target import Target
from rookery.remote.slurm import following, tables
from rookery.remote.slurm.jobs import SlurmJob


@pytest.fixture(params=VERSIONS)
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Everything that was recorded of a version."""
    return recorded(request.param)


def by_name(jobs: dict[int, SlurmJob]) -> dict[str, dict[str, Any]]:
    """The entries of jobs."""
    return {job.name: job.entry() for job in jobs.values()}


def test_both_versions_that_miniatures_have_are_recorded() -> None:
    assert VERSIONS == ["22.05", "24.11"]
    for version in VERSIONS:
        assert recorded(version)["sinfo-version"].startswith(f"slurm-wlm {version}.")


def test_jobs_that_wait_and_run(answers: dict[str, str]) -> None:
    jobs: dict[int, SlurmJob] = {}
    tables.read_queue(answers["squeue"], jobs)
    entries = by_name(jobs)
    assert {name: entry["counts"] for name, entry in entries.items()} == {
        "array": {"PENDING": 4, "RUNNING": 2},
        "failing": {"FAILED": 2},
        "held": {"PENDING": 1},
        "dependent": {"PENDING": 1},
        "gpus": {"RUNNING": 1},
        "wrap": {"FAILED": 1},
    }
    assert entries["array"]["reasons"] == {"JobArrayTaskLimit": 4}
    assert entries["held"]["reasons"] == {"JobHeldUser": 1}
    assert entries["dependent"]["depends"].startswith("afterok:")
    assert (entries["array"]["cpus"], entries["array"]["limit"]) == (2, "300")
    assert entries["array"]["memory_asked"] == 50 * 1024


def test_jobs_that_have_ended(answers: dict[str, str]) -> None:
    jobs: dict[int, SlurmJob] = {}
    tables.read_accounts(answers["sacct"], jobs)
    entries = by_name(jobs)
    assert {name: entry["counts"] for name, entry in entries.items()} == {
        "array": {"COMPLETED": 2, "CANCELLED": 4},
        "failing": {"FAILED": 2},
        "held": {"CANCELLED": 1},
        "dependent": {"CANCELLED": 1},
        "gpus": {"CANCELLED": 1},
    }
    array = jobs[entries["array"]["id"]]
    assert array.tasks[1].peak > 1000
    assert array.tasks[1].cpus == 2
    assert jobs[entries["failing"]["id"]].tasks[1].exit == "3:0"
    assert entries["held"]["end"] > 0


def test_partitions_and_free_gpus(answers: dict[str, str]) -> None:
    partitions = {partition.name: partition for partition in queue.read(answers["sinfo-busy"], {})}
    gpus = partitions["gpu-short"]
    assert gpus.gpus == {"tesla_v100-pcie-32gb": 6, "nvidia_h200_nvl": 4}
    assert gpus.free_gpus == {"tesla_v100-pcie-32gb": 6, "nvidia_h200_nvl": 2}
    assert (gpus.nodes, gpus.free_nodes, gpus.max_minutes) == (4, 3, 720)
    assert (partitions["parallel"].default, partitions["parallel"].max_minutes) == (True, None)
    assert partitions["parallel"].cores - partitions["parallel"].free_cores == 4


@pytest.mark.parametrize("error", [False, True])
def test_the_log_of_a_task_that_runs(answers: dict[str, str], error: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm 22.05 leaves `%4a` in it."""
    monkeypatch.setattr(following, "slurm", lambda *_: (answers["running"], ""))
    match = re.search(r"ArrayJobId=(\d+)", answers["running"])
    assert match
    task = following.LoggedTask("1", ["99", "RUNNING", "None", "array", "/tmp", "1"])
    path, bad = following.path_of(match[1], task, error)
    assert re.fullmatch(rf"/tmp/tmp\.\w+/log-{match[1]}_0001\.txt", path)
    assert bad == ""


def test_a_job_that_is_forgotten(answers: dict[str, str]) -> None:
    assert "Invalid job id" in answers["unknown-squeue"]
    assert "Invalid job id" in answers["unknown-scontrol"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("partition", "hec has no such partition"),
        ("constraint", "No node of hec has what the job's constraint names"),
        ("gpu", "No node of hec has what the job requests"),
        ("array", "The array is larger than hec accepts"),
        ("option", "does not accept an option of the script"),
        ("value", "does not accept an option of the script"),
        ("script", "does not accept the script"),
    ],
)
def test_what_sbatch_refuses(answers: dict[str, str], name: str, words: str) -> None:
    error = sbatch_errors.explain(answers[f"refused-{name}"], Target(None, Connection(profile.load("hec"))))
    assert words in error.message
