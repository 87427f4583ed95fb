"""Requests that are twenty times what the last runs used, as this computer has noted it; never by a connection."""

import json
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from projects import known

from rookery.core import state_files
from rookery.jobs import lint, measured_runs, run_record
from rookery.jobs.lint import Finding
from rookery.jobs.measured_runs import MeasuredRun
from rookery.jobs.run_record import RunRecord

HEC = known("hec")
USED = MeasuredRun("7", 1_700_000_000, seconds=180, kilobytes=200_000, millicores=900)
"""A run of three minutes, with 195 MiB and nearly a core."""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def script(options: str) -> str:
    return f"#!/bin/bash\n#SBATCH -p parallel\n#SBATCH {options}\nsource /etc/profile\nsrun ./model\n"


def found(options: str, *past: MeasuredRun) -> list[Finding]:
    return lint.check(script(options), HEC, path="job.sh", files=lambda _: None, past=past or [USED, USED])


@pytest.mark.parametrize(
    ("options", "why", "mended"),
    [
        (
            "--mem=1G -t 2-0",
            "The last 2 runs took at most 3 minutes; this requests 2 days. Slurm starts shorter jobs sooner.",
            "--mem=1G -t 00:10:00",
        ),
        (
            "--mem=1G -t UNLIMITED",
            "The last 2 runs took at most 3 minutes; this has no time limit. Slurm starts shorter jobs sooner.",
            "--mem=1G -t 00:10:00",
        ),
        (
            "-t 10 --mem=64G",
            "The last 2 runs used at most 195M of memory; this requests 64.0G, which nobody else can use meanwhile.",
            "-t 10 --mem=500M",
        ),
        (
            "-t 10 --mem=1G -c 32",
            "The last 2 runs used 0.9 cores on average; this requests 32, which nobody else can use meanwhile.",
            None,
        ),
    ],
)
def test_twenty_times_what_the_last_runs_used(options: str, why: str, mended: str | None) -> None:
    findings = found(options)
    assert [(f.code, f.severity, f.line, f.why, f.mended, f.safe) for f in findings] == [
        ("RK321", "warning", 3, why, mended and f"#SBATCH {mended}", False)
    ]


@pytest.mark.parametrize(
    ("options", "past"),
    [
        ("-t 60 --mem=3G -c 16", [USED, USED]),
        ("-t 2-0 --mem=64G -c 32", [USED]),
        ("-t 2-0 --mem=1G", [USED, replace(USED, seconds=10_000)]),
        ("-t 10 --mem=64G", [USED, replace(USED, kilobytes=20_000_000)]),
        ("-t 10 --mem=64G", [replace(USED, seconds=90)] * 2),
        ("-t 10 --mem=64G", [replace(USED, kilobytes=0)] * 2),
        ("-t 10 --mem=1G -c 32", [USED, replace(USED, millicores=20_000)]),
        ("-t 10 --mem=1G -c 32", [replace(USED, seconds=30)] * 2),
        ("-t 10 --exclusive", [USED, USED]),
    ],
)
def test_what_fits_or_is_not_known(options: str, past: list[MeasuredRun]) -> None:
    assert found(options, *past) == []


def record(root: Path, number: str, path: str, when: str = "2023-11-14T22:13:30+00:00") -> None:
    run_record.keep(root, RunRecord("job", number, HEC.label, script_path=path, when=when))


def test_runs_are_those_of_the_script_and_of_the_cluster(tmp_path: Path) -> None:
    measured_runs.keep(HEC, [replace(USED, id=number) for number in ("7", "8", "9", "10")])
    record(tmp_path, "7", "slurm/a.sh")
    record(tmp_path, "8", "slurm/b.sh")
    record(tmp_path, "9", "slurm/a.sh", when="2024-11-14T22:13:30+00:00")  # another job of that number
    assert [run.id for run in measured_runs.of_script(tmp_path, HEC, "slurm/a.sh")] == ["7"]
    assert measured_runs.of_script(tmp_path, known("bede"), "slurm/a.sh") == []
    assert measured_runs.of_script(tmp_path, replace(HEC, sandbox=True), "slurm/a.sh") == []


def test_what_is_noted_is_kept_once_and_not_for_ever() -> None:
    runs = [replace(USED, id=str(number), submitted=number) for number in range(1, measured_runs.MOST + 11)]
    measured_runs.keep(HEC, runs)
    measured_runs.keep(HEC, runs[-3:])
    measured_runs.keep(HEC, [])
    path = state_files.place("used", "hec.json")
    assert [run["id"] for run in json.loads(path.read_text())["runs"]] == [run.id for run in runs[10:]]
    path.write_text('{"runs": 1}')
    assert measured_runs.of_script(Path(), HEC, "a.sh") == []


def test_two_commands_at_once_keep_the_runs_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    save = state_files.save

    def slow(path: Path, document: object) -> None:
        with suppress(threading.BrokenBarrierError):  # where the other waits for the lock, it never comes here
            both.wait(0.2)
        save(path, document)

    monkeypatch.setattr(state_files, "save", slow)
    each = [
        threading.Thread(target=measured_runs.keep, args=(HEC, [replace(USED, id=number)])) for number in ("7", "8")
    ]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    assert {run.id for run in measured_runs.of_cluster(HEC)} == {"7", "8"}


@pytest.mark.parametrize(
    ("counts", "tells"),
    [({"COMPLETED": 2, "TIMEOUT": 1}, True), ({"OUT_OF_MEMORY": 1}, True), ({"COMPLETED": 9, "FAILED": 1}, False)],
)
def test_a_run_tells_what_is_needed_where_no_task_ended_otherwise(counts: dict[str, int], tells: bool) -> None:
    assert replace(USED, use={"counts": counts}).tells == tells
    assert USED.tells
