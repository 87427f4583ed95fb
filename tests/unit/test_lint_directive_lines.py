"""Lines that sbatch reads otherwise than they look: their mark, dashes, backslashes and components (tried on 22.05)."""

from dataclasses import replace

import pytest
from linting import check, codes, fix
from projects import known

from rookery.jobs import lint
from rookery.projects.scripts import directives

SCRIPT = "#!/bin/bash\n#SBATCH {}\n#SBATCH --partition=parallel --mem=1G\nsource /etc/profile\nhostname\n"


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("\u2013output_file=x.log", "--output_file=x.log"),
        ("\u2013Job-name=x", "--job-name=x"),
        ("\u2013partion=serial", "--partion=serial"),
        ("\u2013comments=x", "--comment=x"),
        ("\u2013cpus_per_task=1", "--cpus-per-task=1"),
    ],
)
def test_an_option_that_is_misspelt_too_does_not_become_letters(line: str, mended: str) -> None:
    """`-output_file=x.log` would be accepted, and its log called `utput_file=x.log`."""
    fixed = fix(SCRIPT.format(line))
    assert fixed == SCRIPT.format(mended)


def test_an_option_with_one_dash_and_no_value_takes_no_other_line() -> None:
    text = "#!/bin/bash\n#SBATCH -p serial\n#SBATCH {}\n#SBATCH --mem=1G\nsource /etc/profile\nhostname\n"
    for name, severity in (("-output", "warning"), ("-error", "warning"), ("-time", "error")):
        (finding,) = check(text.format(name))
        assert (finding.code, finding.severity, finding.mended) == ("RK213", severity, None)
        assert fix(text.format(name)) == text.format(name)
    assert fix(text.format("-output x.log")) == text.format("--output x.log")


def test_lines_that_begin_as_in_old_slurm() -> None:
    text = "#!/bin/bash\n#SLURM -p nosuch\n#SLURM --mem=1G\nsource /etc/profile\nhostname\n"
    assert [(finding.code, finding.line) for finding in check(text)] == [("RK220", 2), ("RK301", 2), ("RK220", 3)]
    assert fix(text) == text.replace("#SLURM", "#SBATCH")
    assert check(text.replace("#SLURM -p nosuch", "# SLURM").replace("#SLURM", "#SBATCH")) == []


def test_a_colon_behind_the_mark() -> None:
    text = "#!/bin/bash\n#SBATCH: -p serial\n#SBATCH --mem=1G\nsource /etc/profile\nhostname\n"
    assert codes(text) == ["RK206"]
    assert fix(text) == text.replace(":", "")


def test_components_begin_only_with_a_line() -> None:
    text = "#!/bin/bash\n#SBATCH -p serial --mem=1G\n#SBATCH {}\n#SBATCH --mem=2G\nsource /etc/profile\nhostname\n"
    parts = {"hetjob": 2, "HetJob --mem=4G": 2, "-n 1 hetjob": 1, '"hetjob"': 1, "hetjobs": 1}
    for line, count in parts.items():
        assert directives.read(text.format(line)).parts == count
    assert codes(text.format('"hetjob"')) == ["RK206"]
    assert codes(text.format("-J\n#SBATCH hetjob")) == ["RK207"]
    below = "#!/bin/bash\n#SBATCH -p serial --mem=1G\nsource /etc/profile\n#SBATCH hetjob\nhostname\n"
    assert [(finding.code, finding.safe) for finding in check(below)] == [("RK201", False)]


@pytest.mark.parametrize(("slurm", "expected"), [("22.05", ["RK206"]), ("24.05", []), ("", [])])
def test_a_backslash_keeps_a_blank_in_newer_versions(slurm: str, expected: list[str]) -> None:
    hec = known("hec")
    cluster = replace(hec, data={**hec.data, "cluster_slurm": slurm})
    for line, wrong in ((r"--output=/tmp/My\ Dir/x.out", expected), (r'--output="/tmp/My\ Dir/x.out"', [])):
        found = lint.check(SCRIPT.format(line), cluster, path="job.sh", files=lambda _: None)
        assert [finding.code for finding in found if finding.code[:3] == "RK2"] == wrong


def test_a_file_with_the_line_ends_of_old_macs() -> None:
    text = "#!/bin/bash\n#SBATCH -p serial --mem=1G\nsource /etc/profile\nhostname\n"
    for old in (text.replace("\n", "\r"), text.rstrip().replace("\n", "\r"), text.rstrip().replace("\n", "\r") + "\n"):
        assert [(finding.code, finding.line, finding.mended) for finding in check(old)] == [("RK102", 1, "#!/bin/bash")]
        assert fix(old) == text
    assert check(text.replace("hostname", "printf 'a\rb'")) == []


@pytest.mark.parametrize(
    ("version", "options", "why"),
    [
        ("22.05", "--segment=1", "--segment needs Slurm 24.05, and hec has 22.05: sbatch rejects the script."),
        (
            "24.11.5",
            "--power=x",
            "--power was removed from Slurm after version 23.11, and hec has 24.11.5: sbatch rejects the script.",
        ),
        ("22.05", "--pre=x", ""),
        ("19.05", "--checkpoint=10", ""),
        ("24.11", "--segment=1", ""),
        ("22.05", "--power=x", ""),
        ("", "--segment=1 --power=x --resources=x", ""),
        ("22.05", "--seg=1", "Slurm has no option --seg: unless hec has added it, sbatch rejects the script."),
        ("23.02", "--ext=1", "--ext is ambiguous, and sbatch rejects the script: --extra, --extra-node-info."),
        ("22.05", "--ext=1:1", ""),
    ],
)
def test_the_version_that_a_profile_names_counts(version: str, options: str, why: str) -> None:
    hec = known("hec")
    cluster = replace(hec, data={**hec.data, "cluster_slurm": version})
    found = lint.check(SCRIPT.format(options), cluster, path="job.sh", files=lambda _: None)
    assert [finding.why for finding in found if finding.code[:3] == "RK2"] == ([why] if why else [])
