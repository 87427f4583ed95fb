"""What a cluster's answers mean for storage, modules, and what jobs on compute nodes add."""

from dataclasses import replace
from typing import Any

import pytest
from surveys import FACTS, GIVEN, NODE, findings, survey, value

from rookery.clusters.survey import node_answers
from rookery.clusters.survey.finding import GivenAnswers

JOB = [
    "1 partition main",
    "1 type ",
    "1 architecture x86_64",
    "1 internet no",
    "1 lacks /home/ada",
    "1 sees /lus/work/ada",
    "1 own TMPDIR",
    "1 complete yes",
    "2 partition gh",
    "2 type gh200",
    "2 architecture aarch64",
    "2 glibc 2.34",
    "2 python 3.9",
    "2 internet yes",
    "2 gpu NVIDIA GH200 120GB",
    "2 complete yes",
    "3 partition dead",
    "3 internet yes",
    "3 failed srun: error: x",
]
"""What jobs on two kinds of node say, and one that does not run."""


def test_what_jobs_say_of_compute_nodes() -> None:
    arm = "2 Arch=aarch64 CPUTot=72 RealMemory=400000 Gres=gpu:gh200:1 AvailableFeatures=(null) Partitions=gh"
    found = findings(
        nodes=[NODE.format("(null)"), arm],
        place=["HOME nfs4 100 s:/home /home/ada", "WORK lustre 100 x /lus/work/ada"],
        job=JOB,
    )
    assert found["cluster_internet"].value == {"login": "yes", "compute": "no"}
    assert found["cluster_architectures"].value == [
        {"name": "x86_64", "glibc": "2.28", "system_python": "3.6"},
        {"name": "aarch64", "glibc": "2.34", "system_python": "3.9"},
    ]
    assert found["cluster_gpus"].value[0]["title"] == "NVIDIA GH200 120GB"
    seen = {entry["name"]: entry.get("on_compute_nodes") for entry in found["cluster_storage"].value}
    assert seen == {"home": False, "persistent": None, "scratch": None, "tmp": None}
    assert [node.one("partition") for node in node_answers.failures(survey(job=JOB))] == ["dead"]


def test_a_home_that_jobs_do_not_see_has_no_storage_in_it_that_they_see() -> None:
    places = ["HOME nfs4 100 s:/home /home/ada", "SCRATCH lustre 100 x /lus/scratch/ada"]
    entries = value("cluster_storage", place=places, job=JOB)
    unseen = [entry["name"] for entry in entries if entry.get("on_compute_nodes") is False]
    assert unseen == ["home", "persistent"]


def test_where_jobs_see_none_of_the_folders_the_profile_says_of_none_that_they_do_not() -> None:
    """A profile that says so of all can't be loaded, and jobs do run there."""
    found = findings(job=JOB)["cluster_storage"]
    assert [entry for entry in found.value if entry.get("on_compute_nodes") is False] == []
    assert "a job saw none of these" in found.source


def storage(*places: str, given: GivenAnswers = GIVEN, **facts: list[str]) -> dict[str, Any]:
    entries = value("cluster_storage", given, place=["HOME nfs4 100 s:/home /home/ada", *places], **facts)
    return {entry["name"]: entry["expression"] for entry in entries}


def test_storage_is_what_the_site_s_variables_name() -> None:
    assert storage("SCRATCH lustre 100 x /lus/scratch/ada", "WORK lustre 100 x /lus/work/ada") == {
        "home": "$HOME",
        "persistent": "$WORK",
        "scratch": "$SCRATCH",
    }


def test_storage_without_a_variable_is_the_user_s_folder_there() -> None:
    assert storage("- lustre 100 x /work/ada", "- nfs 100 x /scratch/users/ada") == {
        "home": "$HOME",
        "persistent": "/work/$USER",
        "scratch": "/scratch/users/$USER",
    }


def test_storage_of_a_project_has_the_account_in_its_path() -> None:
    given = replace(GIVEN, account="p01")
    assert storage("- lustre 1 x /projects/p01", "- lustre 1 x /nobackup/projects/p01", given=given) == {
        "home": "$HOME",
        "project": "/projects/{account}",
        "persistent": "/nobackup/projects/{account}/$USER",
        "scratch": "/nobackup/projects/{account}/$USER/scratch",
    }


def test_without_other_storage_rookery_makes_two_folders_in_the_home() -> None:
    assert storage() == {"home": "$HOME", "persistent": "$HOME/storage", "scratch": "$HOME/scratch"}
    assert value("cluster_moved_folders") == []


def test_quotas_by_the_command_that_says_something() -> None:
    found = findings(
        place=["HOME gpfs 1 x /home/ada", "global_storage gpfs 1 x /storage/ada"],
        **{"quota:gpfsquota": ["home 10G 5.50G 4.50G 55.00 24840", "storage 200G 82.23G 117.77G 41.12 202781"]},
    )
    assert {entry["name"]: entry.get("quota_mb") for entry in found["cluster_storage"].value} == {
        "home": 10240,
        "persistent": 204800,
        "scratch": None,
    }
    assert found["cluster_quota"].value == {"command": "gpfsquota", "format": "gpfsquota"}
    assert "~/.cache" in found["cluster_moved_folders"].value


def test_modules_by_purpose_the_default_or_the_newest_first() -> None:
    modules = value(
        "cluster_modules",
        modules=["environment-modules"],
        module=[
            "/opt/modulefiles:",
            "R/",
            "R/4.9.0",
            "R/4.10.1",
            "R/4.2.0(default)",
            "R/3.6.0",
            "apps/python/conda",
            "libs/CUDA/11.8.0/gcc-7",
            "CUDA/12.4.0",
            "GCC/13.2.0",
            "openmpi/4.1.4 <L>",
            "Rust/1.70",
            "cudnn/8",
        ],
    )
    assert modules == {
        "r": ["R/4.2.0", "R/4.10.1", "R/4.9.0"],
        "python": ["apps/python/conda"],
        "cuda": ["CUDA/12.4.0", "libs/CUDA/11.8.0/gcc-7"],
        "mpi": ["openmpi/4.1.4"],
        "gcc": ["GCC/13.2.0"],
    }


def test_thousands_of_modules_are_sorted_in_no_time() -> None:
    lines = [f"Software{number}/{number}.0-GCC-12.3.0" for number in range(20_000)]
    assert value("cluster_modules", modules=["lmod"], module=[*lines, "R/4.4.1-gfbf-2023b"]) == {
        "r": ["R/4.4.1-gfbf-2023b"]
    }


def expressions(*places: str, account: str = "proj", **facts: list[str]) -> dict[str, str]:
    """The storage that is written of folders, by name."""
    lines = [*FACTS["place"], *(f"{place.split()[0]} lustre 1 x {place.split()[1]}" for place in places)]
    storage = value("cluster_storage", replace(GIVEN, account=account), place=lines, **facts)
    return {entry["name"]: entry["expression"] for entry in storage if entry["name"] != "home"}


def test_folders_of_a_project_are_named_by_its_account() -> None:
    assert expressions("- /work/proj/proj/ada", "- /scratch/proj") == {
        "persistent": "/work/{account}/{account}/$USER",
        "scratch": "/scratch/{account}/$USER",
    }


@pytest.mark.parametrize(
    ("accounts", "project"), [(["proj"], "/work/{account}/$USER"), (["proj", "other"], "/work/proj/$USER")]
)
def test_the_only_account_of_the_user_is_theirs(accounts: list[str], project: str) -> None:
    found = expressions("- /work/proj", account="", assoc=[f"{name}|||||" for name in accounts])
    assert found["persistent"] == project


def test_a_folder_below_a_variable_of_the_site_is_named_by_it() -> None:
    found = expressions("- /global/cfs/proj", "SCRATCH /scratch/ada", above=["CFS /global/cfs", "TOP /global"])
    assert found == {"project": "$CFS/{account}", "persistent": "$CFS/{account}/$USER", "scratch": "$SCRATCH"}


def test_where_everybody_may_make_a_folder_rookery_makes_one() -> None:
    [scratch] = [
        entry
        for entry in value("cluster_storage", place=[*FACTS["place"], "- lustre 1 x /mnt/scratch/users"])
        if entry["name"] == "scratch"
    ]
    assert (scratch["expression"], scratch["create"]) == ("/mnt/scratch/users/$USER", True)


def test_a_job_s_own_folder_by_the_site_s_name_for_it() -> None:
    job = ["1 partition main", "1 own LOCAL_SCRATCH", "1 own TMPDIR", "1 complete yes"]
    assert expressions(job=job)["tmp"] == "$LOCAL_SCRATCH"
