"""Which jobs go to nodes of another architecture, and how."""

from typing import Any

import pytest

from rookery.clusters import architectures
from rookery.clusters.config import profile

PARTITIONS: list[dict[str, Any]] = [
    {"name": "batch"},
    {"name": "arm", "architecture": "aarch64", "min_gpus": 2, "max_minutes": 2880},
    {"name": "armtest", "architecture": "aarch64", "for": "test", "max_minutes": 30, "options": ["--exclusive"]},
]
TWO: dict[str, Any] = {
    "cluster_scheduler": "slurm",
    "cluster_partitions": PARTITIONS,
    "cluster_architectures": [{"name": "x86_64"}, {"name": "aarch64", "submit": "armbatch -q"}],
}


def test_the_partition_that_needs_least_is_taken_unless_the_profile_names_one() -> None:
    (other,) = architectures.others(TWO)
    assert (other.name, other.submit) == ("aarch64", ("armbatch", "-q"))
    assert other.options == ("--partition=armtest", "--time=30", "--exclusive")
    named = [{"name": "x86_64"}, {"name": "aarch64", "partition": "arm"}]
    (other,) = architectures.others({**TWO, "cluster_architectures": named, "cluster_gpu_request": "gpus"})
    assert other.submit == ("sbatch",)
    assert other.options == ("--partition=arm", "--time=60", "--gpus=2")


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"cluster_account": {"name": "a1"}}, "--account=a1"),
        ({"cluster_qos": [{"name": "q", "partitions": ["armtest"]}]}, "--qos=q"),
        ({"cluster_default_qos": "normal"}, "--qos=normal"),
        ({"cluster_qos": [{"name": "long"}, {"name": "normal"}], "cluster_default_qos": "normal"}, "--qos=normal"),
        ({"cluster_sbatch": ["--licenses=home"]}, "--licenses=home"),
    ],
)
def test_what_every_job_there_needs_is_asked_for(more: dict[str, Any], option: str) -> None:
    assert option in architectures.others({**TWO, **more})[0].options


@pytest.mark.parametrize(
    "less",
    [{"cluster_partitions": PARTITIONS[:1]}, {"cluster_architectures": []}, {"cluster_scheduler": "none"}],
)
def test_there_is_none_where_no_job_can_get_to_it(less: dict[str, Any]) -> None:
    assert architectures.others({**TWO, **less}) == []


def test_the_command_that_submits_is_the_architecture_s_own() -> None:
    assert architectures.submit_commands(TWO) == {"arm": ["armbatch", "-q"], "armtest": ["armbatch", "-q"]}
    assert architectures.submit_commands({}) == {}


def test_bede() -> None:
    data = profile.load("bede").data
    (other,) = architectures.others({**data, "cluster_account": {"required": True, "name": "bdlan09"}})
    assert (other.name, other.submit) == ("aarch64", ("ghbatch",))
    assert other.options == ("--partition=ghtest", "--account=bdlan09", "--time=30", "--gres=gpu:1")
    assert set(architectures.submit_commands(data)) == {"gh", "ghtest", "ghlogin"}
