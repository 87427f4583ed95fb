"""What clusters.add writes of an unknown cluster, held against the profile of its miniature, and used.

Where they differ, profile_agreement.py has the reason. ROOKERY_LIBRARY says which clusters (library_sample.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import library_profiles
import profile_agreement
import pytest
from added_clusters import NAME, Newcomer, newcomer
from laptop_projects import project, submitted
from library_sample import SHIPPED, chosen
from live import Live, alone

from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster

SAMPLE = ("penguins", "hec", "jasmin")
"""JASMIN's jobs need an account, and one of its partitions another one; its limits are those of QOSes."""


@contextmanager
def running(cluster: str, request: pytest.FixtureRequest) -> Iterator[Live]:
    """A miniature, which is the session's where that has it."""
    if cluster in {"penguins", "hec"}:
        yield request.getfixturevalue(cluster)
        return
    profile = None if cluster in SHIPPED else library_profiles.data(cluster)
    with alone(cluster, Entrance("key"), profile=profile) as live:
        yield live


def options(cluster: str) -> list[str]:
    """What the user says of a cluster: their account, where they need it, and whether jobs are to tell more."""
    said = profile_agreement.own(cluster)
    account, storage = said.get("cluster_account", {}), said["cluster_storage"]
    wants_account = account.get("required") or any("{account}" in entry["expression"] for entry in storage)
    wants_job = any(entry.get("scope") == "node" or not entry.get("on_compute_nodes", True) for entry in storage)
    code = account.get("name") or account.get("example")
    return [*([f"--account={code}"] if wants_account else []), *(["--job"] if wants_job else [])]


def files(needs_gpu: bool) -> dict[str, str]:
    """A project whose job is an array of three tasks."""
    return {
        ".gitignore": "slurm_logs/\nresults/\n",
        "rookery.yml": f"""
            name: floe
            clusters: [{NAME}]
            environment: {{python: none}}
            outputs: [slurm_logs, results]
            jobs:
              count:
                template: python-array
                command: bash count.sh {{task}}
                array: 1-3
                time: 00:05:00
                gpus: {int(needs_gpu)}
            """,
        "count.sh": "echo counted $1 >results/$1.txt\n",
    }


@pytest.mark.parametrize("cluster", chosen(SAMPLE, tuple(profile_agreement.DIFFERENT)))
def test_it_agrees_with_the_profile_of_the_miniature_and_works(cluster: str, request: pytest.FixtureRequest) -> None:
    with running(cluster, request) as live:
        person = newcomer(live, "auk")
        output = person.add("--yes", *options(cluster))
        assert f"next: rookery setup {NAME}" in output
        assert profile_agreement.undeclared(person.profile, cluster) == set()
        assert profile_agreement.needless(person.profile, cluster) == set()
        assert "cluster_logins" in person.profile["cluster_unverified"]
        walk(person, cluster)
        checked = person.rookery("clusters.check", NAME)  # rookery's own variables are none of the cluster's
        assert checked.returncode == 0, checked.stdout + checked.stderr
        person.rookery("logout")


def walk(person: Newcomer, cluster: str) -> None:
    """setup, deploy, a job array and fetch."""
    person.uses_mirrors()
    person.setup("--tags", "shell,storage")
    made = project(person, "floe", files(needs_gpu=cluster == "bede"))  # where every job needs one
    made.run("fetch", submitted(made.run("submit", "count", "--wait")))
    results = sorted((made.root / "results").rglob("*.txt"))
    assert [path.read_text() for path in results] == [f"counted {task}\n" for task in (1, 2, 3)]
