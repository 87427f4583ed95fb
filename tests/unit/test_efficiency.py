"""What a run teaches for the next one."""

import pytest

from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.monitor.efficiency import advice, ask_for, clock, memory

G = 1024 * 1024
LONG = {"elapsed": 600, "longest": 600, "limit": "3600"}


def advice_lines(**fields: object) -> list[str]:
    return list(advice(JobRun(id=7, **{"counts": {"COMPLETED": 1}, **fields})))  # type: ignore[arg-type]


def test_cores_that_were_not_used() -> None:
    lines = advice_lines(cpus=8, cpu_used=600, cpu_given=4800, **LONG)
    assert lines == ["used 1.0 of 8 cores: request 1"]


@pytest.mark.parametrize("used", [4700, 3500])
def test_cores_that_were_used_teach_nothing(used: float) -> None:
    assert advice_lines(cpus=8, cpu_used=used, cpu_given=4800, **LONG) == []


def test_a_task_of_a_moment_teaches_nothing() -> None:
    assert advice_lines(cpus=8, cpu_used=0.1, cpu_given=24, longest=3, memory_asked=4 * G, memory_peak=2000) == []


def test_killed_for_memory() -> None:
    lines = advice_lines(
        counts={"FAILED": 1}, exits={"0:9": ""}, killed_for_memory="yes", memory_asked=G, memory_peak=1.02 * G
    )
    assert lines == ["killed for memory at 1.0G: request 2G"]
    lines = advice_lines(
        array=True, total=9, counts={"OUT_OF_MEMORY": 3}, killed_for_memory="1,4-5", memory_asked=100 * 1024,
        memory_peak=201 * 1024,
    )  # fmt: skip
    assert lines == ["killed for memory at 100M (tasks 1,4-5): request 500M"]


def test_memory_that_was_not_needed_or_barely_enough() -> None:
    assert advice_lines(memory_asked=16 * G, memory_peak=G, **LONG) == [
        "used at most 1.0G of 16.0G memory: 2G is enough"
    ]
    assert (
        list(
            advice(
                JobRun(id=7, counts={"COMPLETED": 1}, memory_asked=16 * G, memory_peak=G, **LONG), asked_memory=False
            )
        )
        == []
    )  # type: ignore[arg-type]
    assert advice_lines(memory_asked=4 * G, memory_peak=int(3.9 * G), **LONG) == [
        "used 3.9G of 4.0G memory, close to the limit: request 6G"
    ]
    assert advice_lines(memory_asked=4 * G, memory_peak=int(3.1 * G), **LONG) == []


def test_out_of_time_and_exit_statuses() -> None:
    assert (
        "reached its time limit of 5:00: request 10:00"
        in advice_lines(counts={"TIMEOUT": 1}, limit="300", exits={"0:15": ""})[0]
    )
    lines = advice_lines(array=True, total=9, counts={"FAILED": 2}, exits={"1:0": "3,8", "127:0": "4"})
    assert lines[0] == "failed with exit status 1 (tasks 3,8): invoke logs 7_3 --error"
    assert "not found (task 4)" in lines[1]
    assert "did not start: its node could not open" in advice_lines(counts={"FAILED": 1}, exits={"0:53": ""})[0]
    assert "segmentation fault" in advice_lines(counts={"FAILED": 1}, exits={"0:11": ""})[0]


def test_short_tasks_are_better_bunched() -> None:
    lines = advice_lines(array=True, total=1000, counts={"COMPLETED": 1000}, longest=3)
    assert "chunk: 100" in lines[0]
    assert advice_lines(array=True, total=20, counts={"COMPLETED": 20}, longest=3) == []


@pytest.mark.parametrize(
    ("kilobytes", "shown"), [(900, "900K"), (2900, "2.8M"), (512000, "500M"), (G, "1.0G"), (512 * G, "512G")]
)
def test_memory_as_shown(kilobytes: int, shown: str) -> None:
    assert memory(kilobytes) == shown


def test_rounding_and_clocks() -> None:
    assert [ask_for(mb * 1024) for mb in (60, 150, 501, 2048, 2049, 40000)] == ["100M", "200M", "1G", "2G", "3G", "40G"]
    assert [clock(seconds) for seconds in (3, 300, 3900, 183600)] == ["0:03", "5:00", "1:05:00", "2-03:00:00"]
