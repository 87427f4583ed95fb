"""Which questions Slurm is asked for a user's jobs, and how often."""

from pathlib import Path
from typing import Any

import pytest
from test_accounting import squeue, step, task

from rookery.remote.slurm import accounting, basics, tables


class Slurm:
    """squeue and sacct, which answer with lines, and keep what they were asked."""

    def __init__(self) -> None:
        self.queue, self.tasks, self.steps = "", "", ""
        self.asked: list[list[str]] = []

    def __call__(self, argv: list[str], patience: float = 60) -> tuple[str, str]:  # noqa: ARG002
        self.asked.append(argv)
        if argv[0] == "squeue":
            return self.queue, ""
        numbers = argv[argv.index("-j") + 1].split(",") if "-j" in argv else [""]
        lines = self.tasks if "-X" in argv else self.tasks + self.steps
        rows = sorted(line + basics.END for line in lines.split(basics.END) if line)
        return "".join(row for row in rows if any(row.startswith(number) for number in numbers)), ""

    def look(self) -> tuple[dict[int, dict[str, Any]], list[str]]:
        """The jobs by number, and how sacct was asked this time: "all", "tasks", or the numbers."""
        self.asked.clear()
        document = accounting.look({})
        sacct = [argv for argv in self.asked if argv[0] == "sacct"]
        ways = ["tasks" if "-X" in argv else argv[argv.index("-j") + 1] if "-j" in argv else "all" for argv in sacct]
        return {job["id"]: job for job in document["jobs"]}, ways


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    made = Slurm()
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".local/state/rookery").mkdir(parents=True)
    monkeypatch.setattr(accounting, "slurm", made)
    return made


def test_all_is_asked_at_once_where_nothing_is_remembered_and_later_only_what_is_new(slurm: Slurm) -> None:
    slurm.tasks, slurm.steps = task("5_1", "COMPLETED"), step("5_1.batch", "COMPLETED", MaxRSS="7M")
    first, ways = slurm.look()
    assert (first[5]["memory_peak"], ways) == (7 * 1024, ["all"])
    assert slurm.look() == (first, ["tasks"])
    slurm.tasks += task("6", "COMPLETED")
    slurm.steps += step("6.batch", "COMPLETED", MaxRSS="9M")
    both, ways = slurm.look()
    assert ({number: job["memory_peak"] for number, job in both.items()}, ways) == (
        {5: 7 * 1024, 6: 9 * 1024},
        ["tasks", "6"],
    )
    assert slurm.look() == (both, ["tasks"])


def test_a_large_array_at_work_is_not_asked_step_by_step_each_time(slurm: Slurm) -> None:
    many = tables.LAG + accounting.FEW
    slurm.queue = "".join(squeue(F="5", K=str(number), T="RUNNING", S="200") for number in range(many))
    slurm.tasks = "".join(task(f"5_{number}", "RUNNING", End="Unknown") for number in range(many))
    asked = [slurm.look()[1] for _ in range(3)]
    assert asked == [["all"], ["tasks"], ["tasks"]]


def test_what_the_second_answer_lacks_is_kept_from_the_first(slurm: Slurm) -> None:
    slurm.look()
    slurm.tasks, slurm.queue = task("6", "COMPLETED"), squeue(F="7", i="7", T="RUNNING", S="200")
    jobs, ways = slurm.look()
    assert ({number: job["counts"] for number, job in jobs.items()}, ways) == (
        {6: {"COMPLETED": 1}, 7: {"RUNNING": 1}},
        ["tasks", "6,7"],
    )


def test_times_are_asked_for_and_given_alike_wherever_the_cluster_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert basics.slurm(["sh", "-c", "date -d 1970-01-01T00:00:10 +$SLURM_TIME_FORMAT"]) == ("10\n", "")
