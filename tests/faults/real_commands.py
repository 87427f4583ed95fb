"""Rookery's real commands against a miniature, killed on either side at random moments and then run again."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from failures import APPLY_PROGRAM, ended, kill_all
from laptop_projects import Project, project
from laptops import Laptop
from live import Live
from waiting import wait_for

COMMANDS = ("setup", "deploy", "submit", "fetch", "combine", "onboard", "undo")
TASKS = 3
MARKS = (".rookery-version", ".rookery-ready")
"""Files that stay: what a program or an environment is."""

_FILES = {
    ".gitignore": "slurm_logs/\nresults/\ncombined.csv\n",
    "rookery.yml": f"""
        name: moths
        clusters: [penguins]
        environment: {{python: none}}
        outputs: [slurm_logs, results]
        jobs:
          count:
            template: python-array
            command: sh count.sh {{task}}
            array: 1-{TASKS}
            time: 00:05:00
        """,
    "count.sh": """
        printf 'task,value\\n%s,%s\\n' "$1" "$1" >"results/count_$1.csv"
        head -c 300000 /dev/zero | tr '\\0' x >"results/big_$1.txt"
        """,
}


@dataclass
class Student:
    """Somebody whose commands are killed.

    Attributes:
        live: The miniature.
        project: Their project, deployed.
        seconds: How long each command took when nothing last happened to it.
        runs: The numbers of the jobs that were submitted.
        kills: How many commands were killed, by name.
        studies: How many first projects were begun by `onboard`.
    """

    live: Live
    project: Project
    seconds: dict[str, float] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    studies: int = 0

    @property
    def study(self) -> Path:
        """The last of them."""
        return self.laptop.home / f"study{self.studies}"

    @property
    def laptop(self) -> Laptop:
        return self.project.laptop


def student(live: Live, person: Laptop) -> Student:
    """A home that is set up, with a project, a run of it, and all of its results here."""
    person.setup("--tags", "shell,storage,tmux")
    made = Student(live, project(person, "moths", _FILES))
    for command in COMMANDS:
        _prepare(made, command)
        _finish(made, command)
        see_that_all_holds(made, command)
    return made


def kill_one(student: Student, rng: random.Random) -> str:
    """Kill a command somewhere, run it again, and look at what came of it; what was done, for who repeats it."""
    command, side = rng.choice(COMMANDS), rng.choice(("laptop", "laptop", "cluster", "connection"))
    moments = [rng.random() for _ in range(rng.choice((1, 1, 2)))]
    _prepare(student, command)
    for moment in moments:
        process = student.laptop.start(*_arguments(student, command))
        time.sleep(moment * student.seconds[command])
        _kill(student, process, side)
        done = ended(process, timeout=400)
        student.kills[command] += done.returncode != 0
        assert "Traceback" not in done.stderr, done.stderr
        assert "rookery itself failed" not in done.stderr, done.stderr
        if command == "submit":
            _note_run(student, done.stdout)  # it had come to its end
    _finish(student, command)
    see_that_all_holds(student, command)
    return f"{command}, killed on the {side}'s side at {', '.join(f'{moment:.3f}' for moment in moments)}"


def _arguments(student: Student, command: str) -> list[str]:
    cluster, project = ["--cluster", student.laptop.cluster], ["--project", str(student.project.root)]
    return {
        "setup": ["setup", "--tags", "shell,storage,tmux", "--force", *cluster],
        "deploy": ["deploy", "--yes", *cluster, *project],
        "submit": ["submit", "count", *cluster, *project],
        "fetch": ["fetch", *cluster, *project],
        "combine": ["combine", "--files", "results/count_*.csv", *project],
        "onboard": ["onboard", *cluster, "--project", student.study.name, "--yes"],
        "undo": ["undo", "--yes", *cluster],
    }[command]


def _run(student: Student, command: str) -> str:
    """Run a command, which must succeed; what it says on both streams."""
    began = time.monotonic()
    done = student.laptop.rookery(*_arguments(student, command), timeout=400)
    student.seconds[command] = time.monotonic() - began
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def _prepare(student: Student, command: str) -> None:
    """Let there be something to do."""
    if command == "setup":
        _run(student, "undo")
    elif command == "deploy":
        student.project.commit({"note.txt": f"{time.monotonic_ns()}\n"})
    elif command == "onboard":
        student.studies += 1
    elif command in ("fetch", "combine"):
        for path in (student.project.root / "results").glob("*"):
            path.unlink()
        if command == "combine":
            _run(student, "fetch")
            (student.project.root / "combined.csv").unlink(missing_ok=True)


def _kill(student: Student, process: subprocess.Popen[str], side: str) -> None:
    if side == "laptop":
        kill_all(process)
        return
    pattern = APPLY_PROGRAM if side == "cluster" else "^sshd"
    student.live.root_run(["pkill", f"-{signal.SIGKILL}", "-u", student.laptop.user, "-f", pattern], check=False)


def _finish(student: Student, command: str) -> None:
    """Run the same command again: it must come to its end."""
    output = _run(student, command)
    if command == "submit":
        assert _note_run(student, output), output
    elif command == "onboard":
        [record] = (student.study / "runs").glob("*.json")
        student.runs.append(record.stem)
    elif command == "undo":
        _run(student, "setup")


def _note_run(student: Student, output: str) -> bool:
    """Note the number of the job that was submitted, if one is told."""
    match = re.search(r"submitted as (\d+) on|^(\d+) is count", output, re.MULTILINE)
    student.runs += [match[1] or match[2]] if match else []
    return bool(match)


def see_that_all_holds(student: Student, command: str) -> None:
    """Jobs were submitted once each, results are whole, and nothing half-written is left.

    Raises:
        AssertionError: It is otherwise.
    """
    if command in ("submit", "onboard"):
        known = student.laptop.says(
            "sacct --noheader --allocations --parsable2 --format=JobIDRaw,JobID --starttime=now-1day"
        )
        numbers = {line.split("|")[1].partition("_")[0] for line in known.splitlines()}
        wait_for(lambda: command == "onboard" or student.runs[-1] in _ended(student), 120)
        assert len(student.runs) == len(set(student.runs)), f"one job for two submissions: {student.runs}"
        assert numbers <= set(student.runs), f"submitted more than once: {sorted(numbers - set(student.runs))}"
    if command == "onboard":
        assert len((student.study / "combined.csv").read_text().splitlines()) == 1 + 20 * 50
    if command in ("fetch", "combine"):
        for task in range(1, TASKS + 1):
            results = student.project.root / "results"
            assert (results / f"count_{task}.csv").read_text() == f"task,value\n{task},{task}\n"
            assert (results / f"big_{task}.txt").read_bytes() == b"x" * 300_000
    if command == "combine":
        table = (student.project.root / "combined.csv").read_text().splitlines()
        assert len(table) == 1 + TASKS, table
    if command == "deploy":
        assert student.project.there("current/note.txt") == (student.project.root / "note.txt").read_text().strip()
    finished = " ".join(f"! -name {name}" for name in MARKS)
    left = student.laptop.says(f"find . -name '.rookery-*' {finished} ! -path './projects/*'")
    assert left == "", left


def _ended(student: Student) -> set[str]:
    jobs = student.project.json("jobs")["jobs"]
    return {str(job["id"]) for job in jobs if job["state"] not in ("pending", "running", "waiting")}
