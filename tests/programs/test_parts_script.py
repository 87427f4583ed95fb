"""A job in parts on its node: what it finds in the notes of the parts before, with Slurm's commands replaced."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "rookery/remote/scripts/release/parts.sh"
RUN = """set -euo pipefail
. "$1"
work() { echo worked; }
in_parts 10 100 no notes/5 work $2
"""


def part(place: Path, job: str, *, chain: str = "", slurm: str = "", task: str = "") -> tuple[int, str]:
    """Run a part; return its exit status, and what it prints."""
    commands = place / "bin"
    commands.mkdir()
    for name in ("squeue", "sacct", "scancel", "scontrol"):
        (commands / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >>asked\n' + f"[ {name} != squeue ] || echo {slurm}\n"
        )
        (commands / name).chmod(0o755)
    environment = {
        "PATH": f"{commands}:/usr/bin:/bin",
        "SLURM_JOB_ID": job,
        "ROOKERY_CHECKPOINT": "checkpoints",
        "ROOKERY_STOP": "stop",
    }
    if task:
        environment |= {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": task}
    completed = subprocess.run(
        ["bash", "-c", RUN, "bash", SCRIPT, chain],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return completed.returncode, completed.stdout


def test_after_all_of_the_time_is_used_another_begins(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/5").write_text("total 100\nstart 1000\nend 0 92\nused 100\n")
    assert part(tmp_path, "5") == (0, "worked\n")
    assert (tmp_path / "notes/5").read_text().count("start") == 1
    assert [path.read_text().splitlines()[-1] for path in (tmp_path / "notes").glob("5.*")] == ["used 100"]


@pytest.mark.parametrize(
    ("slurm", "task", "asked", "outcome"),
    [
        ("CANCELLED", "", "5", (143, "")),
        ("CANCELLED", "3", "5_3", (143, "")),
        ("NODE_FAIL", "", "5", (0, "worked\n")),
    ],
)
def test_a_first_part_that_was_cancelled_before_it_began_ends_the_chain(
    tmp_path: Path, slurm: str, task: str, asked: str, outcome: tuple[int, str]
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/5.jobs").write_text("5\n6\n7\n")
    assert part(tmp_path, "6", chain="5", slurm=slurm, task=task) == outcome
    commands = (tmp_path / "asked").read_text()
    assert f"--jobs={asked} " in commands
    assert f"scancel 7{task and '_' + task}" in commands


def test_a_task_whose_node_failed_is_not_taken_for_a_cancelled_neighbour(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/5").write_text("total 100\nstart 1000 5 5\n")
    assert part(tmp_path, "6", chain="5", slurm="NODE_FAIL", task="2") == (0, "worked\n")
    assert "--jobs=5_2 " in (tmp_path / "asked").read_text()
