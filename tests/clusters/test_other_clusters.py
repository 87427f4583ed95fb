"""Clusters that rookery has no profile of, each from an empty home to a combined result."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from home_contents import manifest
from laptop_projects import new_study, run_to_table
from laptops import NO_TOOLS, Laptop, laptop
from live import Live, alone
from undo_command import outside, undo
from waiting import wait_for

pytestmark = pytest.mark.cluster

GUIDE = Path(__file__).resolve().parents[2] / "docs/how-to/add-a-cluster.md"


def example() -> dict[str, Any]:
    """The profile that the page on adding a cluster has as its example."""
    blocks = re.findall(
        r"^```yaml\n# ~/\S+/host_vars/iceberg.yml\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE
    )
    profile: dict[str, Any] = yaml.safe_load(blocks[0])
    return profile


@contextmanager
def somebody(name: str, profile: dict[str, Any]) -> Iterator[tuple[Live, Laptop]]:
    """A miniature made from a profile, and a laptop of somebody who has an account there."""
    with alone(name, profile=profile) as live:
        person = laptop(live, "sven", profile=profile, settings=NO_TOOLS)
        yield live, person
        person.rookery("logout")


def result_of(person: Laptop) -> str:
    """Make a project, run its job array, and bring its results; where they are on the cluster."""
    person.setup()
    assert person.setup()["up_to_date"]
    study = new_study(person)
    study.run("deploy")
    run_to_table(study)
    return person.says("readlink -f projects/study/current/results")


def faults(person: Laptop) -> list[str]:
    """What `doctor` finds wrong."""
    completed = person.rookery("doctor", "--cluster", person.cluster, "--json")
    checks = json.loads(completed.stdout)["clusters"][person.cluster]["checks"]
    return [f"{check['name']}: {check['found']}" for check in checks if check["state"] in {"fault", "warning"}]


def test_the_example_of_the_docs() -> None:
    with somebody("iceberg", example()) as (_, person):
        assert result_of(person) == "/work/sven/projects/study/results"
        assert person.says("bash -lc 'echo $ROOKERY_STORAGE $global_storage'") == "/work/sven /work/sven"
        assert faults(person) == []


def test_every_storage_that_a_profile_names_is_there() -> None:
    profile = {
        "cluster_source_url": "https://example.ac.uk",
        "cluster_verified_on": "2026",
        "cluster_host": "login.floe.example.ac.uk",
        "cluster_scheduler": "slurm",
        "cluster_storage": [
            {"name": "home", "expression": "$HOME", "variable": "HOME"},
            {"name": "persistent", "expression": "/rds/user/$USER/hpc-work", "variable": "RDS"},
            {"name": "scratch", "expression": "/mnt/parscratch", "purge_days": 30},
            {"name": "project", "expression": "$CFS/{account}"},
            {
                "name": "tmp",
                "expression": "$LOCAL_SCRATCH",
                "variable": "LOCAL_SCRATCH",
                "scope": "node",
                "create": True,
            },
        ],
        "cluster_roomy_storage": "persistent",
    }
    with somebody("floe", profile) as (_, person):
        answer = person.setup("--tags", "shell,storage")
        assert answer["facts"]["storage"] == {
            "home": "/home/sven",
            "persistent": "/rds/user/sven/hpc-work",
            "scratch": "/mnt/parscratch",
            "project": "/cfs/project",
        }
        person.says("bash -lc 'test $RDS = $ROOKERY_STORAGE && touch $RDS/a /mnt/parscratch/a $CFS/project/a'")
        job = "#!/bin/sh\ntouch $LOCAL_SCRATCH/a && echo $SLURM_JOB_PARTITION >there\n"
        person.script(f"cd && printf '{job}' >job.sh && sbatch --wait --quiet job.sh".replace("\n", "\\n"))
        assert person.says("cat there") == "batch"


HIDDEN = {
    "cluster_source_url": "https://example.ac.uk",
    "cluster_verified_on": "2026",
    "cluster_host": "login.tundra.example.ac.uk",
    "cluster_scheduler": "slurm",
    "cluster_account": {"required": True, "example": "t01"},
    "cluster_partitions": [{"name": "standard", "for": "any"}],
    "cluster_storage": [
        {"name": "home", "expression": "$HOME", "variable": "HOME", "on_compute_nodes": False},
        {"name": "scratch", "expression": "/mnt/scratch/$USER", "purge_days": 28},
        {"name": "persistent", "expression": "/work/{account}/{account}/$USER"},
    ],
    "cluster_roomy_storage": "home",
    "cluster_moved_folders": ["~/.cache"],
    "cluster_python_provider": "pyenv",
}


def test_a_home_that_compute_nodes_do_not_see() -> None:
    """What jobs read is on the storage that lasts, and that they see, whatever the profile prefers."""
    with somebody("tundra", HIDDEN) as (live, person):
        before = manifest(live, "/home/sven")
        work = "/work/t01/t01/sven"
        assert person.setup()["facts"]["job_home"] == f"{work}/rookery/home"
        # a job of the user's own that begins in the home
        person.script("cd && sbatch --wait --quiet --account=t01 --wrap true || true")
        wait_for(lambda: "did not start" in person.rookery("jobs", "1", "--cluster", "tundra").stdout)
        assert result_of(person) == f"{work}/projects/study/results"
        assert person.says("cd -P projects && pwd") == f"{work}/rookery/home/projects"
        assert faults(person) == []
        job = f"--account=t01 --chdir={work} --wrap='. start-pyenv && python3 --version && command -v uv'"
        person.script(f"cd {work} && sbatch --wait --quiet --output=said {job}")
        assert person.says(f"cat {work}/said").startswith("Python 3.13")
        person.says("rm -rf ~/projects/study")
        assert undo(person, "--yes", "--purge")["left"] == 0
        assert outside(manifest(live, "/home/sven")) == outside(before)
