"""A line that sbatch has not read is only corrected where sbatch still takes the script."""

from collections import Counter
from dataclasses import replace

import pytest
from linting import check, fix

from rookery.jobs.lint import Finding
from rookery.jobs.lint.harmful_fixes import left_out

SCRIPT = "#!/bin/bash\n#SBATCH --mem=1G\n{line}\nsource /etc/profile\n./simulate\n"
BELOW = "#!/bin/bash\n#SBATCH --mem=1G\nsource /etc/profile\n{line}\n./simulate\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#SBACTH -p batch", "hec has no partition batch"),
        ("#SBACTH --gres=gpu:1", "has no GPUs"),
        ("#SBACTH --mem-per-cpu=2G", "not both"),
        ("#SBACTH --time=soon", "Invalid value 'soon'"),
    ],
)
def test_what_would_be_refused_is_left_to_the_user(line: str, reason: str) -> None:
    for text in (SCRIPT.format(line=line), BELOW.format(line=line.replace("SBACTH", "SBATCH"))):
        (finding,) = check(text)
        assert (finding.code in {"RK201", "RK202"}, finding.safe) == (True, False)
        assert "--fix leaves it to you: " in finding.why
        assert reason in finding.why
        assert finding.mended == line.replace("SBACTH", "SBATCH")
        assert fix(text) == text


@pytest.mark.parametrize("line", ["#SBACTH -p serial", "#SBACTH --time=2h", "#SBACTH --array=1..9"])
def test_what_is_accepted_or_fixed_next_is_corrected(line: str) -> None:
    fixed = fix(SCRIPT.format(line=line))
    assert "#SBACTH" not in fixed
    assert [finding for finding in check(fixed) if finding.severity == "error"] == []


def test_two_lines_of_which_sbatch_takes_one() -> None:
    text = SCRIPT.replace("#SBATCH --mem=1G\n", "").format(line="#SBACTH --mem=1G\n#SBACTH --mem-per-cpu=2G")
    fixed = fix(text)
    assert fixed == text.replace("#SBACTH --mem=", "#SBATCH --mem=")
    assert fix(fixed) == fixed


def test_a_script_that_is_refused_already_is_corrected_step_by_step() -> None:
    text = SCRIPT.format(line="#SBATCH --partitoin=batch")
    assert [finding.code for finding in check(text)] == ["RK205"]
    assert [finding.code for finding in check(fix(text))] == ["RK301"]


def test_a_line_whose_partition_is_left_to_the_user_is_left_too() -> None:
    """By itself, the GPU would be asked of the default partition."""
    text = "#!/bin/bash\n#SBACTH --partition=gpu\n#SBACTH --gres=gpu:1\n#SBATCH --mem=1G\nsource /etc/profile\n./x\n"
    first, second = check(text)
    assert (first.safe, second.safe) == (False, False)
    assert second.why.endswith("--fix leaves it to you: line 2 must be corrected first.")
    assert fix(text) == text


@pytest.mark.parametrize("above", [True, False])
def test_many_fixes_are_tried_together(above: bool) -> None:
    mark = "#SBACTH" if above else "#SBATCH"
    good = [f"{mark} --comment={number}" for number in range(30)]
    script = SCRIPT if above else BELOW
    text = script.format(line="\n".join(good))
    calls = Counter[str]()

    def tried(findings: list[Finding], checked: str) -> list[Finding]:
        def count(other: str) -> list[Finding]:
            calls[other] += 1
            return check(other)

        return left_out(findings, checked, count)

    found = [replace(finding, safe=bool(finding.edits)) for finding in check(text)]
    assert {finding.safe for finding in tried(found, text)} == {True}
    assert calls.total() == 1
    harmful = script.format(line="\n".join([*good, f"{mark} -p nosuch"]))
    assert {finding.safe for finding in check(harmful)} == {False}
    assert fix(harmful) == harmful
