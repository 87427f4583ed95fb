"""A project from `new` to its combined table, in both languages, with each way to lock packages.

Each is made and run once, by whichever test is the first to ask for it. test_onboard.py makes both on HEC.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from laptop_projects import simulated
from laptops import Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def nora(penguins: Live) -> Laptop:
    """Somebody whose home is set up."""
    person = laptop(penguins, "nora")
    person.setup()
    (person.home / ".gitconfig").write_text("[user]\n\tname = Nell\n\temail = nell@example.ac.uk\n")
    return person


def begun(person: Laptop, name: str, *flags: str) -> Path:
    output = person.says_in(person.home, "new", name, "--cluster", person.cluster, *flags)
    assert "next     rookery deploy" in output
    return person.home / name


def from_simple_index(person: Laptop, folder: Path) -> None:
    """Poetry asks PyPI for pages that not every mirror has: the same packages, by the index that each has."""
    packed = subprocess.run(
        ["tar", "-c", "pyproject.toml", "poetry.lock"], cwd=folder, check=True, capture_output=True
    ).stdout
    config = str(person.home / ".config/rookery/ssh_config")
    remote = """
        mkdir -p lock && cd lock && tar x && poetry source add --quiet simple https://pypi.org/simple/ >&2 &&
        poetry lock --quiet --no-interaction >&2 && tar c pyproject.toml poetry.lock
    """
    completed = subprocess.run(
        ["ssh", "-F", config, person.cluster, " ".join(remote.split())],
        env=person.environment, input=packed, capture_output=True, timeout=200, check=True,
    )  # fmt: skip
    subprocess.run(["tar", "-x"], cwd=folder, input=completed.stdout, check=True)
    environment = {**os.environ, **person.environment}
    subprocess.run(["git", "commit", "-qam", "From the simple index"], cwd=folder, env=environment, check=True)


@dataclass(frozen=True)
class Study:
    """A new project that has run once.

    Attributes:
        person: Whose it is.
        folder: Its folder.
        number: The run.
        fetched: What `fetch` said.
    """

    person: Laptop
    folder: Path
    number: str
    fetched: str


PYTHON, R, POETRY = ("--language", "python"), ("--language", "r"), ("--lock", "poetry")
LISTED = """import importlib.metadata as m, json, re
print(json.dumps({re.sub("[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in m.distributions()}))"""


@pytest.fixture(scope="module")
def study(nora: Laptop) -> Callable[[tuple[str, ...]], Study]:
    """Make the project with these flags, deploy, run and fetch it, where that has not been done yet."""

    @cache
    def made(flags: tuple[str, ...]) -> Study:
        folder = begun(nora, "-".join(["study", *flags[1::2]]), *flags)
        if flags == POETRY:
            from_simple_index(nora, folder)
        nora.says_in(folder, "deploy")
        number = str(json.loads(nora.says_in(folder, "submit", "simulate", "--wait", "--json"))["id"])
        return Study(nora, folder, number, nora.says_in(folder, "fetch"))

    return made


@pytest.mark.parametrize("flags", [PYTHON, R, POETRY], ids=["uv", "library", "poetry"])
def test_from_nothing_to_a_combined_table(study: Callable[[tuple[str, ...]], Study], flags: tuple[str, ...]) -> None:
    made = study(flags)
    assert "40 new files" in made.fetched
    answer = json.loads(made.person.says_in(made.folder, "combine", made.number, "--json"))
    assert (answer["rows"], answer["files"], answer["missing"]) == (1000, 20, [])
    rows = simulated(made.folder / "combined.csv")
    assert len(list((made.folder / "results" / rows[0]["run"]).glob("*.csv"))) == 20
    command = ["git", "status", "--porcelain"]
    status = subprocess.run(command, cwd=made.folder, capture_output=True, text=True, check=True)
    assert status.stdout in {"", "?? runs/\n"}


@pytest.mark.parametrize(
    ("flags", "passed"),
    [(PYTHON, "7 passed"), (POETRY, "7 passed"), (R, "PASS 11")],
    ids=["uv", "poetry", "library"],
)
def test_its_own_tests_pass_before_a_long_run(
    study: Callable[[tuple[str, ...]], Study], flags: tuple[str, ...], passed: str
) -> None:
    """In the release's environment, with the packages that its lock file names."""
    made = study(flags)
    person, folder = made.person, made.folder
    text = (folder / "rookery.yml").read_text()
    (folder / "rookery.yml").write_text(text.replace("time: 00:10:00", "time: 00:30:00"))
    environment = {**os.environ, **person.environment}
    subprocess.run(["git", "commit", "-qam", "Longer"], cwd=folder, env=environment, check=True)
    output = person.says_in(folder, "submit", "simulate", "--deploy")
    match = re.search(r"tests of commit \w+ passed \(job (\d+)\)", output)
    assert match, output
    assert passed in person.says_in(folder, "logs", match[1])


@pytest.mark.parametrize(
    ("flags", "kind", "package"),
    [(PYTHON, "python", "numpy"), (POETRY, "python", "numpy"), (R, "r", "testthat|lintr|")],
    ids=["uv", "poetry", "library"],
)
def test_it_is_reproducible(
    study: Callable[[tuple[str, ...]], Study], flags: tuple[str, ...], kind: str, package: str
) -> None:
    """Its records know every package, and its runs give the same bytes again."""
    made = study(flags)
    person, folder = made.person, made.folder
    (run,) = json.loads(person.says_in(folder, "runs", made.number, "--json"))["runs"]
    packages, facts = run["record"]["packages"][kind], run["facts"]
    current = f"projects/{folder.name}/current"
    if kind == "python":
        listed = json.loads(person.says(f"cd {current} && .venv/bin/python -I -c '{LISTED}'"))
        assert packages == listed
        assert package in packages
    else:
        there = person.says(f"cd {current}/.rlibrary && ls -d */ | tr -d /").split()
        assert sorted(packages) == sorted(there)
        assert re.fullmatch(r"\d+\.\d+\.\d+", facts["r"])
    assert re.match(r"\d+\.\d+", facts["slurm"])
    assert facts["cpu"]
    assert facts["node"]
    answer = json.loads(person.says_in(folder, "reproduce", made.number, "--json"))
    assert {file["state"] for file in answer["files"]} == {"same"}
    assert (len(answer["files"]), answer["software"]) == (20, [])
