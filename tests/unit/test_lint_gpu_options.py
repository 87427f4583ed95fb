"""Options for each GPU: what sbatch --test-only refused, and took (22.05 and 24.11)."""

import pytest
from linting import check


def script(options: str) -> str:
    return f"#!/bin/bash\n#SBATCH -p gpu-short --mem=1G\n#SBATCH {options}\nsrun hostname\n"


@pytest.mark.parametrize(
    ("options", "severity", "mended"),
    [
        ("--cpus-per-gpu=4", "warning", None),
        ("--gpus-per-task=1", "error", "#SBATCH --ntasks=1"),
        ("--ntasks-per-gpu=2", "error", None),
        ("--gpus-per-socket=1", "error", None),
        ("-c 8 --cpus-per-gpu=4 --gres=gpu:1", "error", None),
        ("-N 2 -G 1 -n 2", "error", None),
        ("--ntasks-per-node=1 --ntasks-per-gpu=1 --gres=gpu:1", "error", None),
        ("--gres=gpu:tesla_v100-pcie-32gb:1,gpu:1", "error", None),
    ],
)
def test_an_option_without_what_it_needs(options: str, severity: str, mended: str | None) -> None:
    found = check(script(options))
    assert [(finding.code, finding.line, finding.severity, finding.mended, finding.safe) for finding in found] == [
        ("RK320", 3, severity, mended, False)
    ]


def test_memory_for_each_gpu_without_a_gpu() -> None:
    found = check(script("--mem-per-gpu=8G").replace(" --mem=1G", ""))
    assert [(finding.code, finding.severity) for finding in found] == [("RK320", "error")]
    assert found[0].why == "--mem-per-gpu in a job that requests no GPU: sbatch rejects it."


@pytest.mark.parametrize(
    "options",
    [
        "--cpus-per-gpu=4 --gres=gpu:1",
        "--gpus-per-task=1 -n 1",
        "--gpus-per-task=0",
        "--gpus-per-task=1 -N 1 --ntasks-per-node=1",
        "--gpus-per-task=1 -G 2",
        "--ntasks-per-gpu=1 --gres=gpu:1",
        "--gpus-per-socket=1 --sockets-per-node=1",
        "--gpu-bind=closest",
        "--gres=gpu:1,gpu:1",
        "-N 1-2 -G 1",
        "-N 2 -G 2 -n 2",
        "-c 8 --gres=gpu:1",
    ],
)
def test_an_option_with_what_it_needs(options: str) -> None:
    assert check(script(options)) == []


def test_each_component_of_a_job_by_itself() -> None:
    text = script("--gres=gpu:1\n#SBATCH hetjob\n#SBATCH -p gpu-short --mem=1G --gpus-per-task=1")
    assert [(finding.code, finding.line) for finding in check(text)] == [("RK320", 5)]


def test_a_line_that_was_meant_counts() -> None:
    text = script("--cpus-per-gpu=4\n#SBTACH --gres=gpu:1")
    assert "RK320" not in [finding.code for finding in check(text)]


@pytest.mark.parametrize(("option", "missing"), [("gres/gpu:1", False), ("cpu=2,gres/gpu=1", False), ("cpu=4", True)])
def test_gpus_for_each_task(option: str, missing: bool) -> None:
    text = f"#!/bin/bash\n#SBATCH -p gpu -A bdlan09 -n 1\n#SBATCH --tres-per-task={option}\nsrun hostname\n"
    assert ("RK308" in [finding.code for finding in check(text, "bede")]) == missing
