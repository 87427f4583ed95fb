"""What an old Slurm answers (19.05, as Bede's) is understood; it is recorded: tests/data/slurm/README.md."""

from typing import Any

import pytest
from slurm_versions import FOLDER, outputs

from rookery.jobs.monitor import queue
from rookery.jobs.monitor.accounting import SlurmSnapshot
from rookery.remote.slurm import following, host, live_use, tables, usage
from rookery.remote.slurm.jobs import SlurmJob

OLD = outputs(FOLDER / "old/19.05.txt")


def test_jobs_that_wait_and_run() -> None:
    jobs: dict[int, SlurmJob] = {}
    tables.read_queue(OLD["squeue"], jobs)
    entries = {job.name: job.entry() for job in jobs.values()}
    assert entries["many"]["counts"] == {"FAILED": 1, "PENDING": 2, "RUNNING": 1}
    assert entries["many"]["reasons"] == {"JobArrayTaskLimit": 2}
    assert entries["later"]["depends"] == "afterok:48"
    assert (entries["gpus"]["limit"], entries["gpus"]["memory_asked"]) == ("300", 300 * 1024)


def test_what_running_jobs_use() -> None:
    gpus, task = live_use.read_running(OLD["running-tasks"])
    assert (gpus.job, gpus.has_gpus, gpus.asked) == (48, True, 300 * 1024)
    assert (task.number, task.job, task.task, task.has_gpus) == ("52", 49, 2, False)
    uses = live_use.read_sstat(OLD["sstat"], {"48": 1, "52": 1})
    assert uses["48"].memory == uses["48"].peak == 219_444


def test_a_step_that_looks_inside_takes_no_option_that_srun_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def run(argv: list[str], *_: Any, **__: Any) -> tuple[int, str, str]:
        called.append(argv)
        return 0, OLD["srun-version"] if "--version" in argv else "memory 5\n", ""

    monkeypatch.setattr(host, "run", run)
    monkeypatch.setattr(live_use, "run", run)
    live_use.look_inside(live_use.RunningTask("48", 48, 0, 1, True, 60, 0))
    assert "--overlap" not in called[-1]
    assert "--immediate" in called[-1], "a step whose GPUs are in use would wait for them"


def test_partitions_and_free_gpus() -> None:
    (partition,) = queue.read(OLD["sinfo-busy"], {})
    assert (partition.name, partition.default, partition.max_minutes, partition.cores) == ("main", True, 60, 2)
    assert (partition.gpus, partition.free_gpus) == ({"v100": 4}, {"v100": 2})


def test_the_log_of_a_task_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "slurm", lambda *_: (OLD["running"], ""))
    task = following.LoggedTask("2", ["52", "RUNNING", "None", "many", "/tmp/ada", "1"])
    assert following.path_of("49", task, False) == ("/tmp/ada/log-49_0002.txt", "")


def test_a_job_that_is_forgotten_and_a_cluster_without_accounts() -> None:
    assert "Invalid job id" in OLD["unknown-squeue"]
    assert "Invalid job id" in OLD["unknown-scontrol"]
    assert SlurmSnapshot(0, 0, (), "", OLD["sacct-off"].strip()).keeps_none


def test_sacct_knows_every_field_that_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {*tables.ACCOUNTS.split(","), *usage.MORE}

    def slurm(argv: list[str], *_: object) -> tuple[str, str]:
        if argv[0] == "sacct":
            asked.update(argv[argv.index("--format") + 1].split(","))
        return "", ""

    monkeypatch.setattr(following, "slurm", slurm)
    following.tasks("1")
    assert "Reason" in asked
    assert asked <= set(OLD["accounts-fields"].split())
