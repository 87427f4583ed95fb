"""Which storage things are on: what jobs read is where compute nodes see it."""

from typing import Any

import pytest

from rookery.clusters import cluster

HOME = {"name": "home", "expression": "$HOME", "on_compute_nodes": False}
SCRATCH = {"name": "scratch", "expression": "/scratch/$USER", "purge_days": 28}
WORK = {"name": "persistent", "expression": "/work/{account}/$USER"}
UNSEEN = {"name": "project", "expression": "/backed-up/{account}", "on_compute_nodes": False}
TMP = {"name": "tmp", "expression": "$TMPDIR", "scope": "node"}


def of(*storage: dict[str, Any], roomy: str = "home") -> dict[str, Any]:
    return {
        "cluster_storage": list(storage),
        "cluster_roomy_storage": roomy,
        "cluster_account": {"name": "t01"},
    }


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        (of({**HOME, "on_compute_nodes": True}, WORK), "home"),
        (of(HOME, WORK, roomy="persistent"), "persistent"),
        (of(HOME, TMP, SCRATCH, UNSEEN, WORK), "persistent"),
        (of(HOME, TMP, SCRATCH, UNSEEN, roomy="project"), "scratch"),
        (of(HOME, TMP), "home"),
    ],
)
def test_the_large_storage_is_one_that_jobs_see(profile: dict[str, Any], name: str) -> None:
    assert cluster.roomy(profile) == name


def test_jobs_read_the_home_where_they_see_it() -> None:
    profile, places = of({**HOME, "on_compute_nodes": True}, WORK), {"home": "/h/a", "persistent": "/w/a"}
    assert cluster.job_home(profile, places, "/h/a") == "/h/a"
    assert cluster.job_folders(profile) == []


def test_else_jobs_read_a_folder_of_that_storage() -> None:
    profile, places = of(HOME, WORK), {"home": "/h/a", "persistent": "/w/a"}
    assert cluster.job_home(profile, places, "/h/a") == "/w/a/rookery/home"
    assert "~/projects" in cluster.job_folders(profile)
