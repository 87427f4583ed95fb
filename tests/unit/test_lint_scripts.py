"""The collection of job scripts: lint finds in each what is expected, and no more, and predicts what sbatch says."""

from functools import cache

import pytest
from lint_agreement import Answer, Comparison, as_user, findings_in
from lint_scripts import ALL, FAULTY, FOLDER, GOOD, Script
from linting import check
from projects import known

from rookery.jobs.lint import Finding


@cache
def findings_of(script: Script) -> list[Finding]:
    """What a user who has an account there sees."""
    return findings_in(script.path, as_user(known(script.cluster)))


def test_the_collection_is_whole() -> None:
    names = [script.name for script in ALL]
    assert len(set(names)) == len(names) >= 60
    listed = (FOLDER / "faulty/expected.yml").read_text().splitlines()[1:]
    assert [line.partition(":")[0] for line in listed] == [script.name for script in FAULTY]
    assert {script.cluster for script in GOOD} >= {"penguins", "hec", "bede", "hex"}


@pytest.mark.parametrize("script", ALL, ids=lambda script: script.name)
def test_lint_finds_what_is_wrong_and_no_more(script: Script) -> None:
    assert [f"{finding.code}:{finding.line}" for finding in findings_of(script)] == script.findings


@pytest.mark.parametrize("script", ALL, ids=lambda script: script.name)
def test_what_sbatch_says_is_predicted(script: Script) -> None:
    """What it says of each script is in the table; tests/clusters/test_lint_agreement.py asks the real one."""
    answer = Answer("Job 1 to start at noon" if script.accepted else "no")
    comparison = Comparison(script.name, answer, findings_of(script))
    assert comparison.outcome == ("silent" if script.accepted else "predicted"), str(comparison)


def test_an_unrelated_warning_predicts_nothing_and_a_false_error_is_an_alarm() -> None:
    def outcome(line: str, *, accepted: bool) -> str:
        text = f"#!/bin/bash\n#SBATCH -p serial --mem=1G\n#SBATCH {line}\nsource /etc/profile\nhostname\n"
        return Comparison("x", Answer("Job 1 to start at noon" if accepted else "no"), check(text)).outcome

    assert outcome("--time=48:00", accepted=False) == "missed"  # RK216, a warning
    assert outcome("--tiem=5", accepted=False) == "predicted"
    assert outcome("-n=1", accepted=True) == "false alarm"  # RK214, which is not always an error
