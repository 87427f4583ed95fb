"""More cores, memory or nodes than there are. What the first table finds, sbatch --test-only refused (22.05)."""

from dataclasses import replace

import pytest
from linting import check
from projects import known

from rookery.jobs import lint
from rookery.projects.scripts import node_sizes


def lines(*options: str) -> str:
    return "\n".join(
        ["#!/bin/bash", *(f"#SBATCH {option}" for option in options), "source /etc/profile", "srun ./a", ""]
    )


@pytest.mark.parametrize(
    ("options", "code", "line", "why"),
    [
        (
            ["-p parallel", "--mem=4000G"],
            "RK311",
            3,
            "Nodes of parallel have at most 512 GB of memory; this requests 4000 GB on one node.",
        ),
        (["-p serial", "--mem=4000G"], "RK311", 3, "Nodes of serial have at most 512 GB"),
        (["-p test", "--mem=100G"], "RK311", 3, "Nodes of test have at most 64 GB"),
        (["--mem=600G"], "RK311", 2, "Nodes of the default partition, parallel, have at most 512 GB"),
        (["-p parallel", "-N 2", "--mem=520G"], "RK311", 4, "at most 512 GB of memory; this requests 520 GB"),
        (
            ["-p parallel", "--mem=1G", "-c 200"],
            "RK310",
            4,
            "Nodes of parallel have at most 128 cores; this requests 200",
        ),
        (["--mem=1G", "-c 200"], "RK310", 3, "Nodes of the default partition, parallel, have at most 128 cores"),
        (["-p parallel", "--mem=1G", "--mincpus=200"], "RK310", 4, "at most 128 cores; this requests 200 on one node"),
        (
            ["-p parallel", "-c 64", "--mem-per-cpu=64G"],
            "RK311",
            4,
            "this requests 4096 GB on one node (64 cores with 64 GB each).",
        ),
        (
            ["-p parallel", "-N 2 -n 100 --mem-per-cpu=16G"],
            "RK311",
            3,
            "this requests 800 GB on one node (50 cores with",
        ),
        (["-p parallel", "--mem-per-cpu=600G"], "RK311", 3, "at most 512 GB of memory; this requests 600 GB"),
        (
            ["-p parallel", "--mem=1G", "--ntasks-per-node=20", "-c 8"],
            "RK310",
            5,
            "at most 128 cores; this requests 160 on one node (20 tasks of 8 cores).",
        ),
        (["-p parallel", "--mem=1G", "-n 2 --ntasks-per-node=20 -c 8"], "RK310", 4, "this requests 160 on one node"),
        (["-p parallel", "--mem=1G", "-n 300 -N 2"], "RK310", 4, "this requests 150 on one node."),
        (
            ["-p parallel", "-C node_type=40core192G", "--mem=200G"],
            "RK311",
            4,
            "Nodes with --constraint=node_type=40core",
        ),
        (
            ["-p parallel", "-C node_type=40core192G", "--mem=1G", "-c 41"],
            "RK310",
            5,
            "at most 40 cores; this requests 41",
        ),
        (["-p gpu-short", "--gres=gpu:1", "--mem=1G", "-c 64"], "RK310", 5, "at most 48 cores; this requests 64"),
        (
            ["-p gpu-short", "--gres=gpu:tesla_v100-pcie-32gb:1", "--mem=256G"],
            "RK311",
            4,
            "Nodes of gpu-short with tesla_v100-pcie-32gb have at most 192 GB",
        ),
        (["-p gpu-short", "--gres=gpu:2", "--mem-per-gpu=300G"], "RK311", 4, "(2 GPUs with 300 GB each)"),
        (
            ["-p gpu-short", "--gres=gpu:1", "--mem=1G", "-N 11"],
            "RK312",
            5,
            "gpu-short has 10 nodes; this requests 11.",
        ),
    ],
)
def test_more_than_any_node_has(options: list[str], code: str, line: int, why: str) -> None:
    found = check(lines(*options))
    assert [(finding.code, finding.line, finding.severity) for finding in found] == [(code, line, "error")]
    assert why in found[0].why


@pytest.mark.parametrize(
    "options",
    [
        ["-p parallel", "--mem=512G"],
        ["-p gpu-short", "--gres=gpu:nvidia_h200_nvl:1", "--mem=300G"],
        ["-p parallel", "--mem=0"],
        ["-p parallel", "--mem=1G", "-c 128"],
        ["-p parallel", "-c 128", "--mem-per-cpu=4G"],
        ["-p parallel", "-c 4", "--mem-per-cpu=64G"],
        # sbatch spreads tasks over nodes
        ["-p parallel", "--mem=1G", "-n 300"],
        ["-p parallel", "--mem=1G", "-n 16 --ntasks-per-node=16 -c 8"],
        ["-p parallel", "--mem=1G", "-n 300", "-N 1-4"],
        ["-p parallel", "--mem=1G", "-n 600 -N 2 --overcommit"],
        ["-p parallel", "-n 100", "--mem-per-cpu=6G"],
        ["-p parallel", "--mem=1G", "-N 4 --ntasks-per-node=32 -c 4"],
        ["-p parallel", "-C node_type=10Geth64G|node_type=40core192G", "--mem=100G"],
        ["-p parallel", "-C [node_type=10Geth64G*2&node_type=40core192G*2]", "--mem=100G", "-N 4"],
        ["-p parallel", "-C node_type=40core192G", "--mem=192G", "-c 40"],
        ["-p gpu-short", "--gres=gpu:nvidia_h200_nvl:1", "--mem=256G", "-c 48"],
        ["-p gpu-short", "-G 10", "-N 10", "--mem=1G"],
        ["-p unheard-of,$PARTITION", "--mem=4000M", "-c 200"],
    ],
)
def test_what_fits(options: list[str]) -> None:
    assert {"RK310", "RK311", "RK312"}.isdisjoint(finding.code for finding in check(lines(*options)))


@pytest.mark.parametrize(
    ("cluster", "options", "codes"),
    [
        ("penguins", ["-c 200"], ["RK310"]),
        ("penguins", ["--mem=4000G"], ["RK311"]),
        ("penguins", ["-N 6"], ["RK312"]),
        ("penguins", ["-N 2 -n 100 --mem-per-cpu=16G"], []),
        ("penguins", ["-c 50 --mem-per-cpu=16G"], ["RK311"]),
        ("penguins", ["--ntasks-per-node=50 --mem-per-cpu=16G"], ["RK311"]),
        ("penguins", ["-N 6 -n 1"], []),
        ("penguins", ["-n 130 -c 72"], ["RK312"]),
        ("penguins", ["-n 5 -c 72"], []),
        ("penguins", ["-n 40 --ntasks-per-node=1"], ["RK312"]),
        ("penguins", ["-n 360"], []),
        ("penguins", ["-n 361"], ["RK312"]),
        ("penguins", ["-n 16 -c 20"], []),
        ("penguins", ["-n 361 -O"], []),
        ("penguins", ["--ntasks-per-node=200 -O"], ["RK310"]),
        ("penguins", ["-c 72", "--mem=512G", "-N 5"], []),
        # memory and cores follow from GPUs there, or the profile does not know the nodes
        ("bede", ["-A bdlan09", "--gres=gpu:1", "--mem=4000G", "-c 200"], []),
        ("csd3", ["-A MYLAB-SL3-CPU", "-p icelake", "--mem=4000G", "-c 200"], []),
        ("hex", ["-p cpu-6h", "-c 200", "--mem=4000G"], ["RK310", "RK311"]),
        ("hex", ["-p cpu-6h", "--mem=300G", "-c 70"], []),
        ("csd3", ["-A MYLAB-SL3-CPU", "-p icelake-himem", "--mem=4000G"], []),
        # some nodes are larger than the usual ones
        ("lumi", ["-A project_1", "-p small", "--mem=1000G", "-c 256"], []),
        ("lumi", ["-A project_1", "-p small", "--mem=1100G"], ["RK311"]),
        ("lumi", ["-A project_1", "-p largemem", "--mem=3000G"], []),
        ("lumi", ["-A project_1", "-p small", "--mem=1G", "-c 257"], ["RK310"]),
        ("archer2", ["-A t01", "-p highmem", "--qos=highmem", "--mem=500G"], []),
        ("stanage", ["-n 1", "--mem=1500G"], []),
    ],
)
def test_other_clusters(cluster: str, options: list[str], codes: list[str]) -> None:
    text = lines(*options)
    found = lint.check(text, known(cluster), path="job.sh", files=lambda _: None)
    assert [finding.code for finding in found if finding.code in {"RK310", "RK311", "RK312"}] == codes


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ("-N 2 -n 5 --ntasks-per-node=2", ["RK322"]),
        ("-N 2 -n 4 --ntasks-per-node=2", []),
        ("-N 2-3 -n 5 --ntasks-per-node=2", []),
        ("-n 5 --ntasks-per-node=2", []),
        ("-N 2 -n 5", []),
    ],
)
def test_more_tasks_than_the_nodes_take(options: str, codes: list[str]) -> None:
    assert [finding.code for finding in check(lines(f"-p parallel --mem=1G {options}"))] == codes


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ("-N 1 -G 4", ["RK306"]),
        ("-N 2 -G 7 -n 2", ["RK306"]),
        ("-N 1 -n 4 --gpus-per-task=1", ["RK306"]),
        ("-n 2 --ntasks-per-node=8 --gpus-per-task=1", ["RK306"]),
        ("-N 1 -G 3", []),
        ("-N 2 -G 6 -n 2", []),
        ("-n 4 --gpus-per-task=1", []),
        ("-G 8", []),
    ],
)
def test_more_gpus_than_a_node_has(options: str, codes: list[str]) -> None:
    assert [finding.code for finding in check(lines(f"-p gpu-short --mem=1G {options}"))] == codes


def test_more_memory_than_a_user_may_have() -> None:
    found = check(lines("-p parallel -N 5 --mem=500G"))
    assert [(finding.code, finding.line) for finding in found] == [("RK303", 2)]
    assert found[0].why == "hec allows each user at most 2048 GB of memory at a time; this requests 2500 GB."
    assert check(lines("-p parallel -N 4 --mem=500G")) == []


def test_a_default_partition_that_wants_gpus() -> None:
    text = lines("-A bdlan09")
    found = check(text, "bede")
    assert [(finding.code, finding.mended, finding.safe) for finding in found] == [
        ("RK308", "#SBATCH --gres=gpu:1", False)
    ]
    assert found[0].why == "The default partition, gpu, rejects jobs without --gres=gpu:N."
    assert check(text.replace("bdlan09", "bdlan09 --gres=gpu:1"), "bede") == []


def test_each_component_of_a_job_has_its_own_nodes() -> None:
    text = lines("-p parallel --mem=1G", "hetjob", "-p gpu-short --gres=gpu:1 --mem=1G -c 100")
    assert [(finding.code, finding.line) for finding in check(text)] == [("RK310", 4)]
    assert check(text.replace("-c 100", "-c 10")) == []


def test_a_partition_of_which_the_profile_knows_some_nodes_alone() -> None:
    data = {
        "cluster_constraints": [{"name": "fat", "cores": 96}, {"name": "old"}],
        "cluster_nodes": {"count": 4, "max_cores": 64, "max_memory_mb": 1000},
    }
    partial = replace(known("hec"), data=data)
    assert node_sizes.largest({"name": "p"}, partial) == (0, 0)
    assert node_sizes.largest({"name": "p"}, partial, constraint="fat") == (96, 0)
    assert node_sizes.largest({"name": "p"}, partial, constraint="fat|old") == (0, 0)
    assert node_sizes.count({"name": "p"}, partial) == 4
