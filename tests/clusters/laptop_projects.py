"""A research project on a laptop, for the tests of jobs: a git repository with a rookery.yml, deployed."""

import csv
import json
import re
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laptops import ROOKERY, Laptop


@dataclass(frozen=True)
class Project:
    """A project in somebody's home, and their account on a cluster.

    Attributes:
        laptop: Whose it is.
        root: Its folder.
    """

    laptop: Laptop
    root: Path

    def git(self, *arguments: str) -> str:
        completed = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self.laptop.environment, capture_output=True, text=True, check=True
        )
        return completed.stdout.strip()

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command in the project's folder."""
        return subprocess.Popen(
            [str(ROOKERY), *arguments, "--cluster", self.laptop.cluster],
            env=self.laptop.environment, cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0, timeout: float = 300) -> str:
        """What a command says on both streams; its exit code must be this one."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out}{err}"
        return out + err

    def run_here(self, *arguments: str) -> str:
        """The output of a command that needs no cluster, which must succeed."""
        completed = subprocess.run(
            [str(ROOKERY), *arguments],
            env=self.laptop.environment, cwd=self.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The JSON that a command prints on standard output."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out}{err}"
        return json.loads(out)

    def submit(self, *arguments: str) -> str:
        """The number of a job that is submitted."""
        return str(self.json("submit", *arguments)["id"])

    def job(self, number: str) -> dict[str, Any]:
        """What `jobs` says of a job."""
        [job] = self.json("jobs", number)["jobs"]
        return dict(job)

    def read_there(self, path: str) -> str:
        """A file of the project's folder on the cluster."""
        return self.laptop.says(f"cat projects/{self.root.name}/{path}")

    def commit(self, files: Mapping[str, str], message: str = "more") -> str:
        """Write files and commit them; the commit."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")


def submitted(output: str) -> str:
    """The number of the job that `submit` printed."""
    match = re.search(r"^Submitted job (\d+) ", output, re.MULTILINE)
    assert match, output
    return match[1]


def project(laptop: Laptop, name: str, files: Mapping[str, str]) -> Project:
    """A new project, deployed."""
    made = Project(laptop, laptop.home / name)
    made.root.mkdir()
    made.git("init", "-q")
    made.git("config", "user.name", "Ada")
    made.git("config", "user.email", "ada@example.org")
    made.commit(files, "first")
    made.run("deploy", "--yes")
    return made


def new_study(laptop: Laptop) -> Project:
    """A project in Python that `new` made, with two tasks in place of twenty; not deployed."""
    completed = laptop.rookery("new", "study", "--cluster", laptop.cluster, "--language", "python")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    study = Project(laptop, laptop.home / "study")
    rules = study.root / "rookery.yml"
    rules.write_text(rules.read_text().replace("array: 1-20\n", "array: 1-2\n"))
    study.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qam", "Fewer tasks")
    return study


def run_to_table(study: Project) -> None:
    """Run the job of a study that is deployed, and bring its results."""
    number = submitted(study.run("submit", "simulate", "--wait"))
    study.run("logs", f"{number}_1")
    study.run("fetch")
    study.run_here("combine")
    assert (study.root / "combined.csv").read_text().count("\n") == 1 + 2 * 50


def simulated(table: Path) -> list[dict[str, str]]:
    """The rows of a new project's table, which must be whole, of one run, and as expected."""
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["task"]) for row in rows] == [task for task in range(1, 21) for _ in range(50)]
    assert len({(row["run"], row["commit"]) for row in rows}) == 1
    assert len({row["estimate"] for row in rows}) == 1000  # no two tasks share their random numbers
    mean = sum(float(row["estimate"]) for row in rows) / 1000
    coverage = sum(int(row["covered"]) for row in rows) / 1000
    assert abs(mean - 2) < 4 * 0.0709 / 1000**0.5  # the slope's standard error is 1/sqrt(n - 1)
    assert 0.92 < coverage < 0.98
    return rows
