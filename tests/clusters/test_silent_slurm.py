"""Slurm's daemons do not answer: each command ends, says so where it matters, and no job is submitted twice for it.

Daemons that are gone are told sooner (test_jobs.py).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from laptops import laptop
from live import Live
from mishaps import as_root, until
from projects_here import Project, project

pytestmark = pytest.mark.cluster
FILES = {
    ".gitignore": "slurm_logs/\nresults/\n",
    "rookery.yml": """
        name: shags
        clusters: [penguins]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          one: {command: hostname >results/host.txt, time: "00:05:00", memory: 100M}
          two: {command: hostname >results/host.txt, time: "00:05:00", memory: 100M}
        """,
}
DAEMONS = ("slurmctld", "slurmdbd")
PATIENCE = 200
"""Seconds that a command may take: Slurm's own try for a minute."""


@pytest.fixture(scope="module")
def shags(penguins: Live) -> tuple[Project, str]:
    """A home that is set up, a project, and a run that has ended."""
    student = laptop(penguins, "shane")
    student.setup("--tags", "shell,storage,tmux")
    made = project(student, "shags", FILES)
    return made, made.submit("one", "--wait")


@contextmanager
def stopped(penguins: Live) -> Iterator[None]:
    """As a controller and a database that are far too busy."""
    for name in DAEMONS:
        as_root(penguins, f"kill -STOP $(cat /run/slurm/{name}.pid)")
    try:
        yield
    finally:
        for name in DAEMONS:
            as_root(penguins, f"kill -CONT $(cat /run/slurm/{name}.pid)")
        until(lambda: penguins.root_run(["scontrol", "ping"], check=False).returncode == 0, 60)
        until(lambda: penguins.root_run(["sacctmgr", "-n", "list", "cluster"], check=False).returncode == 0, 60)


def test_each_command_ends_with_something_to_go_by(shags: tuple[Project, str], penguins: Live) -> None:
    at, number = shags
    groups = (
        ["setup --tags shell,storage,tmux --force", "status", "undo --check"],
        ["deploy --yes", "fetch", f"fetch {number}"],
        ["submit one"],
        [f"submit two --after {number}"],
        [f"submit --failed {number}"],
        ["jobs", "queue", "quota"],
        [f"logs {number}"],
        [f"jobs {number} --watch"],
        [f"cancel {number} --yes"],
        ["doctor"],
        ["code --stop"],
    )
    with stopped(penguins), ThreadPoolExecutor(len(groups)) as pool:
        ended = [done for group in pool.map(lambda group: [run(at, one) for one in group], groups) for done in group]
    for done in ended:
        said = f"{' '.join(done.args)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode in {0, 1, 3}, said
        assert "Traceback" not in said, said
        assert "itself failed" not in said, said
        assert done.returncode != 1 or "  next: " in done.stderr, said
        if done.args[:2] == ["submit", "one"]:
            assert "does not answer, and so not whether one was submitted" in done.stderr
    # sbatch gave up; the controller may have taken the job all the same
    assert run(at, "submit one").returncode == run(at, f"submit two --after {number}").returncode == 0
    until(lambda: at.laptop.says("squeue --noheader --me") == "", 60)
    until(lambda: len(known(at)) >= 3, 120)  # the accounts come later
    assert sorted(known(at).values()) == ["one", "one", "two"]
    assert {path.stem for path in (at.root / "runs").glob("*.json")} == known(at).keys()


def known(at: Project) -> dict[str, str]:
    """The jobs that the accounts know, by number."""
    told = at.laptop.says("sacct --noheader --allocations --parsable2 --format=JobID,JobName").splitlines()
    return dict(line.split("|") for line in told)


def run(at: Project, command: str) -> subprocess.CompletedProcess[str]:
    process = at.start(*command.split())
    out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(command.split(), process.returncode, out, err)
