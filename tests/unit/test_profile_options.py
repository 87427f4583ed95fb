"""What a profile adds to each job: options of sbatch, the account by partition, the lines that a script begins with."""

from typing import Any

import pytest
from projects import cluster

from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.scripts import partition, placement, sbatch_options

MIXED = {
    "account": {"required": True, "name": "lab"},
    "sbatch": ["--hint=nomultithread", "--constraint=cpu"],
    "qos": [{"name": "fast", "partitions": ["gpu"], "options": ["--distribution=block"]}],
    "partitions": [
        {"name": "cpu", "account": "{account}-CPU"},
        {
            "name": "gpu",
            "for": "gpu",
            "options": ["--constraint=gpu"],
            "preamble": ["module load gpu"],
            "account": "shared",
        },
        {"name": "plain", "for": "test", "preamble": []},
    ],
    "job_preamble": ["module load cpu"],
}


@pytest.mark.parametrize(
    ("asked", "expected", "preamble"),
    [
        ({}, ["--account=lab-CPU", "--hint=nomultithread", "--constraint=cpu"], ["module load cpu"]),
        (
            {"gpus": 1},
            ["--account=shared", "--qos=fast", "--hint=nomultithread", "--constraint=gpu", "--distribution=block"],
            ["module load gpu"],
        ),
        (
            {"account": "own", "sbatch": ("--constraint=big", "--constraint=big", "--nice")},
            ["--account=own", "--hint=nomultithread", "--constraint=big", "--constraint=big", "--nice"],
            ["module load cpu"],
        ),
        ({"partition": "plain"}, ["--account=lab", "--hint=nomultithread", "--constraint=cpu"], []),
    ],
)
def test_what_the_profile_adds(asked: dict[str, Any], expected: list[str], preamble: list[str]) -> None:
    site = cluster(**MIXED)
    job = partition.placed(Job("j", output="x", **asked), site)
    made = sbatch_options.options(job, site)
    usual = ("--job-name", "--partition", "--nodes", "--ntasks", "--cpus", "--gres", "--output")
    assert [option.text for option in made if not option.text.startswith(usual)] == expected
    assert placement.preamble(job, site) == preamble


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "--constraint=cpu"),
        ({"gpus": 1}, "--constraint=gpu"),
        ({"gpus": 1, "gpu_type": "a100-80"}, "--constraint=gpu&hbm80g"),
        ({"sbatch": ("--constraint=big",)}, "--constraint=big"),
    ],
)
def test_where_the_site_chooses_the_partition_a_constraint_says_the_kind_of_node(
    asked: dict[str, Any], expected: str
) -> None:
    gpus = [{"type": "a100", "constraint": "gpu"}, {"type": "a100-80", "constraint": "gpu&hbm80g"}]
    qos = [{"name": "shared"}, {"name": "regular", "exclusive": True}]
    site = cluster(nodes={"cores": 128, "constraint": "cpu"}, gpus=gpus, qos=qos, gpu_request="gpus")
    job = partition.placed(Job("j", output="x", **asked), site)
    assert (job.partition, job.qos) == ("", "shared")
    texts = [option.text for option in sbatch_options.options(job, site) if "constraint" in option.text]
    assert texts == [expected]


def test_an_option_that_another_replaces_is_named() -> None:
    site = cluster(**MIXED)
    job = partition.placed(Job("j", output="x", gpus=1, sbatch=("--constraint=big",)), site)
    why = {option.text: option.why for option in sbatch_options.options(job, site)}
    assert why["--constraint=big"] == "in place of --constraint=cpu, --constraint=gpu"
    assert why["--hint=nomultithread"] == "every job on here needs it"


def test_an_account_by_partition_is_asked_for() -> None:
    site = cluster(**{**MIXED, "account": {"required": True, "example": "lab"}})
    with pytest.raises(RookeryError, match="Missing account: jobs on here need one"):
        sbatch_options.options(partition.placed(Job("j", output="x"), site), site)
