"""Names that a cluster does not have: mended where one name is certainly meant and takes the job, otherwise shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import check, fix

from rookery.jobs.lint.script import similar_names

HEC = ["serial", "parallel", "test", "gpu-short", "gpu-medium", "gpu-long", "astro"]
BEDE = ["gpu", "infer", "test", "gh", "ghtest", "ghlogin"]
HEX = ["cpu-5m", "cpu-6h", "cpu-48h", "a2000-6h", "a5000-6h"]
LUMI = ["small", "standard", "debug", "small-g", "standard-g"]
TYPES = ["tesla_v100-pcie-32gb", "nvidia_h200_nvl", "nvidia_l40", "nvidia_l40s"]


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("Serial", HEC, "serial"),
        ("gpu_short", HEC, "gpu-short"),
        ("gpushort", HEC, "gpu-short"),
        ("paralel", HEC, "parallel"),
        ("parallell", HEC, "parallel"),
        ("paralell", HEC, "parallel"),
        ("psrallel", HEC, "parallel"),
        ("tests", HEC, "test"),
        ("A2000-6h", HEX, "a2000-6h"),
        ("nvida_l40", TYPES, "nvidia_l40"),
        ("tesla_v100_pcie_32gb", TYPES, "tesla_v100-pcie-32gb"),
        ("smallg", LUMI, "small-g"),
        # near in letters, far in meaning
        ("long", HEC, ""),
        ("short", HEC, ""),
        ("gpu", HEC, ""),
        ("gpu_test", HEC, ""),
        ("serial_requeue", HEC, ""),
        ("latest", HEC, ""),
        ("contest", HEC, ""),
        ("cpu-short", HEC, ""),
        ("parallel2", HEC, ""),
        ("testq", HEC, ""),
        ("standardg", ["standard", "highmem"], ""),
        ("gpu-test", BEDE, ""),
        ("cpu", BEDE, ""),
        ("gp", BEDE, ""),
        ("gpu-6h", HEX, ""),
        ("cpu-5h", HEX, ""),
        ("a3000-6h", HEX, ""),
        ("l40", TYPES, ""),
        ("v100", TYPES, ""),
        ("nvidia_l4", TYPES, ""),
        ("nvidia_h100_nvl", TYPES, ""),
    ],
)
def test_the_name_that_is_meant(name: str, known: list[str], meant: str) -> None:
    assert similar_names.meant(name, known) == meant


@given(name=st.text("abcelprst-_15GP", max_size=9), known=st.lists(st.sampled_from([*HEC, *HEX, *LUMI]), unique=True))
@settings(max_examples=200)
def test_a_name_that_is_meant_is_one_of_those_known(name: str, known: list[str]) -> None:
    assert similar_names.meant(name, known) in {"", *known}
    assert similar_names.nearest(name, known) in {"", *known}


def lines(*options: str) -> str:
    return "\n".join(["#!/bin/bash", "#SBATCH --mem=1G", *(f"#SBATCH {option}" for option in options), "hostname", ""])


@pytest.mark.parametrize(
    ("cluster", "options", "mended"),
    [
        ("hec", ["-p Parallel"], "-p parallel"),
        ("hec", ["-p gpu_short", "--gres=gpu:1"], "-p gpu-short"),
        ("hec", ["-p paralell,serial"], "-p parallel,serial"),
        ("penguins", ["-p Penguin"], "-p PenguinPartition"),
        ("penguins", ["-p penguinpartition"], "-p PenguinPartition"),
        ("bede", ["-p tset", "--gres=gpu:1", "-A bdlan09"], "-p test"),
    ],
)
def test_a_slip_is_mended(cluster: str, options: list[str], mended: str) -> None:
    text = lines(*options)
    found = [finding for finding in check(text, cluster) if finding.code == "RK301"]
    assert [(finding.safe, finding.mended) for finding in found] == [(True, f"#SBATCH {mended}")]
    assert fix(text, cluster) == text.replace(options[0], mended)


@pytest.mark.parametrize(
    ("cluster", "options", "mended"),
    [
        ("hec", ["-p long"], "-p serial"),
        ("hec", ["-p long", "--gres=gpu:1"], "-p gpu-long"),
        ("hec", ["-p gpu_test", "--gres=gpu:1"], "-p gpu-short"),
        ("hec", ["-p serial_requeue", "-c 4"], "-p parallel"),
        ("hec", ["-p latest"], "-p serial"),
        ("hec", ["-p contest"], "-p serial"),
        ("hec", ["-p gpu"], "-p serial"),
        ("hec", ["-p gpu", "--gres=gpu:1"], "-p gpu-short"),
        # a slip, and the job does not fit there
        ("hec", ["-p Serial", "-c 8"], "-p parallel"),
        ("hec", ["-p Test", "-t 60"], "-p serial"),
        ("hec", ["-p gpu_long"], "-p serial"),
        ("hec", ["-p Parallel", "--gres=gpu:1"], "-p gpu-short"),
        ("hec", ["-p gpu_long", "--gres=gpu:3"], "-p gpu-short"),
        ("hec", ["-p Parallel", "-n 600"], None),
        ("bede", ["-p gh-test", "--gres=gpu:1", "-A x"], "-p gpu"),
        ("bede", ["-p gpu-test", "--gres=gpu:1", "-A x"], "-p gpu"),
        ("hex", ["-p a5000", "--gres=gpu:1", "-t 60"], "-p a5000-6h"),
        # of another cluster
        ("penguins", ["-p gpu"], "-p PenguinPartition"),
        ("penguins", ["-p gpu", "--gres=gpu:1"], None),
        ("penguins", ["-p serial"], "-p PenguinPartition"),
    ],
)
def test_what_is_no_slip_is_for_the_user_to_choose(cluster: str, options: list[str], mended: str | None) -> None:
    text = lines(*options)
    found = [finding for finding in check(text, cluster) if finding.code == "RK301"]
    assert [(finding.safe, finding.mended) for finding in found] == [(False, mended and f"#SBATCH {mended}")]
    assert options[0] in fix(text, cluster)


@pytest.mark.parametrize(
    ("cluster", "options", "why"),
    [
        ("hec", ["-p Serial"], "hec has no partition Serial (did you mean serial?)."),
        (
            "hec",
            ["-p Serial", "-c 2"],
            "hec has no partition Serial, and serial does not take such a job (at most 1 core).",
        ),
        (
            "hec",
            ["-p paralel", "--gres=gpu:1"],
            "hec has no partition paralel, and parallel does not take such a job (no GPUs).",
        ),
        ("penguins", ["-p gpu"], "penguins has no partition gpu. Its only partition is PenguinPartition."),
        (
            "hec",
            ["-p long", "--gres=gpu:1", "-t 7-0"],
            "hec has no partition long. For this job: gpu-long (GPUs for a week). The others: serial, parallel, test, "
            "gpu-short, gpu-medium, astro.",
        ),
        (
            "bede",
            ["-p devel", "-A x"],
            "bede has no partition devel. Its partitions: gpu (GPUs for up to two days), infer (smaller GPUs, for what "
            "has been trained), test (trying a job for half an hour), gh (Grace Hopper nodes), ghtest (trying a job on "
            "Grace Hopper for half an hour), ghlogin (building for Grace Hopper).",
        ),
    ],
)
def test_the_partitions_are_shown_with_what_they_are_for(cluster: str, options: list[str], why: str) -> None:
    assert why in [finding.why for finding in check(lines(*options), cluster)]


@pytest.mark.parametrize("names", ["parallel,", ",parallel", "parallel,,serial"])
def test_slurm_passes_over_a_comma_too_many(names: str) -> None:
    assert check(lines(f"-p {names}", "--nodes=1")) == []
    found = check(lines(f"-p {names.replace('parallel', 'paralell')}", "--nodes=1"))
    assert [(finding.code, finding.safe) for finding in found] == [("RK301", True)]


@pytest.mark.parametrize("name", ["astro-tier1", "prod-serial", "parallel,prod-parallel"])
def test_a_partition_for_some_users_only(name: str) -> None:
    gpu = "--gres=gpu:1" if name == "astro-tier1" else "--nodes=1"
    assert check(lines(f"-p {name}", gpu)) == []


@pytest.mark.parametrize(
    ("option", "mended", "safe"),
    [
        ("--gres=gpu:nvida_l40:1", "--gres=gpu:nvidia_l40:1", True),
        ("--gres=gpu:NVIDIA-L40S:1", "--gres=gpu:nvidia_l40s:1", True),
        ("--gres=gpu:l40s:1", "--gres=gpu:nvidia_l40s:1", False),
        ("--gres=gpu:l4:1", None, False),
        ("--gres=gpu:a100:1", None, False),
    ],
)
def test_a_type_of_gpu(option: str, mended: str | None, safe: bool) -> None:
    found = check(lines("-p astro", option))
    assert [(finding.code, finding.mended, finding.safe) for finding in found] == [
        ("RK305", mended and f"#SBATCH {mended}", safe)
    ]


def test_a_type_of_gpu_beside_one_that_begins_so() -> None:
    text = lines("-p astro", "--gres=gpu:nvida_l40:1,gpu:nvida_l40s:1")
    assert fix(text) == text.replace("nvida", "nvidia")


@pytest.mark.parametrize(
    ("cluster", "option", "mended"),
    [
        ("hec", "--tres-per-task=gres/gpu:1", "--partition=gpu-short"),
        ("hec", "--gres=gpu:1", "--partition=gpu-short"),
        ("hec", "-t 2-0 -G 1", "--partition=gpu-medium"),
        ("hec", "--gres=gpu:nvidia_l40:1", "--partition=astro"),
        ("hex", "--gres=gpu:nvidia_rtx_a5000:1", "--partition=a5000-6h"),
    ],
)
def test_gpus_in_a_default_partition_that_has_none(cluster: str, option: str, mended: str) -> None:
    found = check(lines(option), cluster)
    assert [(finding.code, finding.mended, finding.safe) for finding in found] == [
        ("RK304", f"#SBATCH {mended}", False)
    ]
    assert found[0].why.startswith("The default partition, ")
    assert check(lines(option, mended), cluster) == []


@pytest.mark.parametrize(("cluster", "option"), [("bede", "--gres=gpu:1 -A bdlan09"), ("hec", "--mem=2G")])
def test_no_gpus_or_a_default_partition_that_has_them(cluster: str, option: str) -> None:
    assert check(lines(option), cluster) == []
