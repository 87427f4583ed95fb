"""A project from `new` to its combined table, in both languages on both clusters, with each way to lock packages."""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from laptops import Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def people(penguins: Live, hec: Live) -> dict[str, Laptop]:
    """One person on each cluster, set up."""
    laptops = {"penguins": laptop(penguins, "nora"), "hec": laptop(hec, "noor")}
    for person in laptops.values():
        person.setup()
        (person.home / ".gitconfig").write_text("[user]\n\tname = Nell\n\temail = nell@example.ac.uk\n")
    return laptops


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


@pytest.mark.parametrize(
    ("cluster", "flags"),
    [
        ("penguins", ("--language", "python")),
        ("penguins", ("--language", "r")),
        ("hec", ("--language", "python")),
        ("hec", ("--language", "r")),
        ("penguins", ("--language", "python", "--lock", "poetry")),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value[1::2]),
)
def test_from_nothing_to_a_combined_table(people: dict[str, Laptop], cluster: str, flags: tuple[str, ...]) -> None:
    person = people[cluster]
    folder = begun(person, "study-" + "-".join(flags[1::2]), *flags)
    if "poetry" in flags:
        from_simple_index(person, folder)
    person.says_in(folder, "deploy")
    person.says_in(folder, "submit", "simulate", "--wait")
    assert "40 new files" in person.says_in(folder, "fetch")
    answer = json.loads(person.says_in(folder, "combine", "--json"))
    assert (answer["rows"], answer["files"], answer["missing"]) == (1000, 20, [])
    with (folder / "combined.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({(row["run"], row["commit"]) for row in rows}) == 1
    assert len(list((folder / "results" / rows[0]["run"]).glob("*.csv"))) == 20
    assert [int(row["task"]) for row in rows] == [task for task in range(1, 21) for _ in range(50)]
    assert len({row["estimate"] for row in rows}) == 1000  # no two tasks share their random numbers
    mean = sum(float(row["estimate"]) for row in rows) / 1000
    coverage = sum(int(row["covered"]) for row in rows) / 1000
    assert abs(mean - 2) < 4 * 0.0709 / 1000**0.5  # the slope's standard error is 1/sqrt(n - 1)
    assert 0.92 < coverage < 0.98
    status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True)
    assert status.stdout in {"", "?? runs/\n"}


@pytest.mark.parametrize(
    ("name", "passed"), [("study-python", "7 passed"), ("study-python-poetry", "7 passed"), ("study-r", "PASS 11")]
)
def test_its_own_tests_pass_before_a_long_run(people: dict[str, Laptop], name: str, passed: str) -> None:
    """In the release's environment, with the packages that its lock file names."""
    person = people["penguins"]
    folder = person.home / name
    text = (folder / "rookery.yml").read_text()
    (folder / "rookery.yml").write_text(text.replace("time: 00:10:00", "time: 00:30:00"))
    environment = {**os.environ, **person.environment}
    subprocess.run(["git", "commit", "-qam", "Longer"], cwd=folder, env=environment, check=True)
    output = person.says_in(folder, "submit", "simulate", "--deploy")
    match = re.search(r"tests of commit \w+ passed \(job (\d+)\)", output)
    assert match, output
    assert passed in person.says_in(folder, "logs", match[1])
