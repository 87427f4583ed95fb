"""Which script a proposal is for, what it asks for on a cluster, and the lines that ask for the proposal."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from projects import known
from user_home import at_home

from rookery.clusters.ssh.connection import Connection
from rookery.jobs.history import fit, requests
from rookery.jobs.history.requests import Requested
from rookery.jobs.history.run_use import RunUse
from rookery.jobs.records import reproduction
from rookery.jobs.run_record import RunRecord
from rookery.projects import config
from rookery.projects.target import Target

GIGABYTE = 1024 * 1024
RULES = """\
name: auks
clusters: [{clusters}]
environment: {{python: none}}
jobs:
  fly: {{command: ./fly, memory: 16G, cpus: 4, time: 1-0}}
  long: {{command: ./long, time: 60, total_time: 1-0, checkpoint: 5}}
  own: {{script: own.sh}}
"""
RUN = RunUse(
    id="5", submitted=1_800_000_000, seconds=((1800, 9),), kilobytes=((GIGABYTE, 9),), millicores=((900, 9),), cpus=4
)


def target_of(place: Path, clusters: str = "hec") -> Target:
    (place / "rookery.yml").write_text(RULES.format(clusters=clusters))
    (place / "own.sh").write_text("#!/bin/bash\n#SBATCH --mem-per-cpu=4G -c 4 -t 1-0\n./fly\n")
    return Target(config.load(), Connection(known("hec")))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(name: str, target: Target) -> list[str]:
    return list(fit.change(fit.fitted(name, [RUN], target), target))


def test_lines_go_where_a_job_says_what_it_asks_for(place: Path) -> None:
    target = target_of(place)
    assert lines("fly", target)[1:-1] == ["  memory: 2G", "  time: 01:00:00", "  cpus: 2"]
    said = lines("own", target)
    assert said[0] == "To request this from now on, write into own.sh:"
    assert said[1:-1] == ["  #SBATCH --mem-per-cpu=1G", "  #SBATCH --time=01:00:00", "  #SBATCH --cpus-per-task=2"]
    assert lines("removed", target) == []


def test_lines_are_for_one_cluster_where_the_project_has_several(place: Path) -> None:
    said = lines("fly", target_of(place, "hec, penguins"))
    assert said[1:4] == ["  clusters:", "    hec:", "      memory: 2G"]


def test_a_job_in_parts_keeps_its_time(place: Path) -> None:
    job = fit.fitted("long", [RunUse(id="5", submitted=1, late_at=((3600, 1),))], target_of(place))
    assert (job.proposal.time.wanted, job.options) == (0, ())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-p serial --mem=1G", {"kilobytes": GIGABYTE, "follows_cores": False, "per_core": False}),
        ("-p serial --mem-per-cpu=1G -c 4", {"kilobytes": 4 * GIGABYTE, "per_core": True, "cores": 4, "all_cores": 4}),
        ("-p serial -c 8", {"kilobytes": 0, "follows_cores": True, "least_kilobytes": 500 * 1024}),
        ("-p gpu-short", {"longest": 60 * 720}),
        ("-p nowhere", {"longest": 0, "most_kilobytes": 0}),
        ("-p serial,nowhere", {"longest": 0}),
    ],
)
def test_what_a_script_asks_for(options: str, expected: dict[str, Any]) -> None:
    asked = requests.read(f"#!/bin/bash\n#SBATCH {options}\n", known("hec"))
    assert {name: getattr(asked, name) for name in expected} == expected
    assert isinstance(asked, Requested)


def test_a_reproduction_requests_what_fit_gave_the_run_on_the_same_cluster() -> None:
    options = ("--chdir=/p", "--array=1-3", "--mem=500M", "--time=00:10:00", "--cpus-per-task=2", "--dependency=1")
    run = RunRecord("fly", "8", "hec", options=options)
    planned: Any = SimpleNamespace(cluster=known("hec"))
    assert reproduction.requests(planned, run) == ("--mem=500M", "--time=00:10:00", "--cpus-per-task=2")
    assert reproduction.requests(SimpleNamespace(cluster=known("bede")), run) == ()  # type: ignore[arg-type]
