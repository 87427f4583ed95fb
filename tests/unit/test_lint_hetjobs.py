"""Jobs of several components: each line goes to the component that lacks it, and once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from linting import check, fix
from projects import known

from rookery.jobs import lint
from rookery.jobs.lint import Finding, checker
from rookery.jobs.lint.script.context import Context

NAMED = replace(
    known("csd3"),
    data={**known("csd3").data, "cluster_account": {**known("csd3").data["cluster_account"], "name": "LAB"}},
)


def job(*components: str) -> str:
    lines = "\n#SBATCH hetjob\n".join(f"#SBATCH {options}" for options in components)
    return f"#!/bin/bash\n{lines}\n. /etc/profile.d/modules.sh\nsrun ./a : ./b\n"


def test_an_account_for_all_components() -> None:
    text = job("-p icelake", "-p icelake")
    fixed = lint.fix(text, NAMED, path="job.sh", files=lambda _: None)
    assert fixed == text.replace("#SBATCH hetjob", "#SBATCH --account=LAB-CPU\n#SBATCH hetjob")
    assert lint.fix(fixed, NAMED, path="job.sh", files=lambda _: None) == fixed


@pytest.mark.parametrize(
    ("options", "account"), [("-p ampere --gres=gpu:1", "LAB-GPU"), ("-p icelake,ampere", None), ("-t 10", "LAB-CPU")]
)
def test_an_account_whose_form_depends_on_the_partition(options: str, account: str | None) -> None:
    found = lint.check(job(options), NAMED, path="job.sh", files=lambda _: None)
    missing = [finding for finding in found if finding.code == "RK307"]
    assert [(f.mended, f.safe) for f in missing] == [(account and f"#SBATCH --account={account}", account is not None)]


@pytest.mark.parametrize(
    ("components", "fixed"),
    [
        (
            ["-p gpu --gres=gpu:1 --mem=8G", "-p gpu-h100 --gres=gpu:1 --mem=8G --qos=gpu"],
            ["-p gpu --gres=gpu:1 --mem=8G\n#SBATCH --qos=gpu", "-p gpu-h100 --gres=gpu:1 --mem=8G --qos=gpu"],
        ),
        # the first component's --qos, --account, --time and --mem are for all
        (["-p gpu --gres=gpu:1 --mem=8G --qos=gpu", "-p gpu --gres=gpu:1"], None),
    ],
)
def test_a_qos_where_it_is_missing(components: list[str], fixed: list[str] | None) -> None:
    text = job(*components)
    assert fix(text, "stanage") == (job(*fixed) if fixed else text)
    assert check(job(*(fixed or components)), "stanage") == []


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("-p serial --mem=1G --mail-user=a@b.c", "-p serial", "RK502"),
        ("-p serial", "-p serial --mem=1G", "RK309"),
        ("-p gpu-short --mem=1G --gpus-per-task=1", "-p serial", "RK320"),
        ("--mem=1G --gres=gpu:1", "-p serial", "RK304"),
    ],
)
def test_a_line_is_shown_for_the_component_that_lacks_it(first: str, second: str, code: str) -> None:
    text = job(first, second)
    found = [finding for finding in check(text) if finding.code == code]
    assert [[edit.start for edit in finding.edits] for finding in found] == [[text.index("#SBATCH hetjob")]]


def test_a_line_that_does_not_help_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def useless(script: Context) -> Iterator[Finding]:
        yield script.finding("RK308", 1, "", edits=[script.new_line("#SBATCH --qos=x")], safe=True)

    monkeypatch.setattr(checker, "_RULES", (useless, *checker._RULES))
    text = job("-p Serial --mem=1G")
    assert fix(text) == text.replace("Serial", "serial")


def test_memory_of_the_first_component_is_for_all() -> None:
    assert "RK309" not in [finding.code for finding in check(job("-p serial --mem=1G", "-p serial"))]
    assert "RK309" in [finding.code for finding in check(job("-p serial --mem-per-cpu=1G", "-p serial"))]
