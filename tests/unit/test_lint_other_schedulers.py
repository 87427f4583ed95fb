"""Lines and variables of other schedulers: what sbatch makes of them, tried with sbatch 22.05, and what lint says."""

import re

import pytest
from linting import check, codes, fix

from rookery.jobs.lint.translation import sbatch_reading

SBATCH = "#SBATCH --time=02:00:00\n#SBATCH --mem=1G\n#SBATCH --partition=serial\n"
WORK = "source /etc/profile\nRscript work.R\n"


def script(lines: str, work: str = WORK) -> str:
    return f"#!/bin/bash\n{lines}\n{work}"


def other(text: str) -> list[str]:
    """The codes about other schedulers."""
    return [code for code in codes(text) if "RK107" <= code <= "RK119"]


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ("#$ -q long\n#$ -pe smp 8", "RK107", 2),
        ("# a comment\n#$ -cwd -V", "RK107", 3),
        ("#$-l h_rt=3:59:59", "RK107", 2),
        ("#PBS -N a\n#PBS -l walltime=1:00:00", "RK109", 2),
        ("#PBS -q workq", "RK108", 2),
        ("#PBS -N a\n#PBS -P proj", "RK108", 3),
        ("#PBS -l walltime=1:00:00:00", "RK108", 2),
        ("#PBS -l select=1:ncpus=4:mem=8gb:ngpus=1", "RK108", 2),
        ("#PBS -l nodes=1:ppn=4:haswell", "RK108", 2),
        ("#PBS -W depend=afterok:12.server", "RK108", 2),
        ("#PBS -m p", "RK108", 2),
        ("#PBS -a 1800", "RK108", 2),
        ("#PBS options", "RK108", 2),
        ("#PBS -N a\n#PBS -q", "RK108", 3),
        ("#BSUB -W 90\n#BSUB -n 4", "RK109", 2),
        ("#BSUB -W 1:30", "RK109", 2),
        ("#BSUB -P proj", "RK108", 2),
        ('#BSUB -n 4\n#BSUB -R "span[hosts=1]"', "RK108", 3),
        ("#BSUB -oo out.log", "RK108", 2),
        ('#BSUB -gpu "num=1"', "RK108", 2),
    ],
)
def test_a_script_of_another_scheduler_is_one_finding_that_names_the_translation(
    lines: str, code: str, line: int
) -> None:
    findings = [finding for finding in check(script(lines)) if finding.code.startswith("RK1")]
    assert [(finding.code, finding.line) for finding in findings] == [(code, line)]
    assert "`rookery lint --translate`" in findings[0].why
    assert findings[0].severity == ("error" if code == "RK108" else "warning")
    assert fix(script(lines)) == script(lines)


@pytest.mark.parametrize(
    "lines",
    [
        "#$HOME/bin/prog",
        "#$ ls -l",
        "#$",
        "##PBS -N a",
        "# PBS -N a",
        "##BSUB -P x",
        "#SBATCH --time=5\n#$ -q long",
        f"{SBATCH}#PBS -l walltime=2:00:00\n#PBS -N a\n#PBS -j oe",
        f"{SBATCH}#PBS -q serial\n#PBS -l mem=1gb",
        f"{SBATCH}#SBATCH --ignore-pbs\n#PBS -q workq -P x",
        f"{SBATCH}#SBATCH --ignore-pbs\n#BSUB -P x",
        f"{SBATCH}#BSUB -W 120\n#BSUB -n 4",
    ],
)
def test_comments_and_scripts_for_both_schedulers_have_no_finding(lines: str) -> None:
    assert other(script(lines)) == []


@pytest.mark.parametrize("line", ["#PBS -q workq", "#PBS -P proj", "#BSUB -P proj", "#PBS options"])
def test_a_line_that_sbatch_rejects_beside_those_of_slurm(line: str) -> None:
    text = script(f"{SBATCH}{line}")
    findings = [finding for finding in check(text) if finding.code == "RK108"]
    assert [(finding.line, finding.mended, finding.safe) for finding in findings] == [(5, "#SBATCH --ignore-pbs", True)]
    fixed = fix(text)
    assert f"{SBATCH}#SBATCH --ignore-pbs\n{line}\n" in fixed
    assert fix(fixed) == fixed
    assert other(fixed) == []


def test_a_line_is_not_given_up_where_only_the_other_scheduler_s_say_it() -> None:
    text = script("#SBATCH --mem=1G\n#PBS -q workq\n#PBS -l walltime=1:00:00\n#PBS -N a")
    assert [(finding.code, finding.safe) for finding in check(text) if finding.code == "RK108"] == [("RK108", False)]
    assert fix(text) == text


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("#PBS -l walltime=1:00:00", True),
        ("#PBS -l walltime=2:00:00", False),
        ("#PBS -l walltime=2", True),
        ("#PBS -l mem=2gb", True),
        ("#PBS -l mem=1024mb", False),
        ("#PBS -q parallel", True),
        ("#PBS -l nodes=2:ppn=1", False),
        ("#PBS -l nodes=4:ppn=1", True),
        ("#PBS -l select=4:ncpus=1", True),
        ("#BSUB -W 2:00", True),
        ("#BSUB -W 120", False),
    ],
)
def test_a_line_that_overrules_one_of_slurm(line: str, found: bool) -> None:
    """Sbatch reads the others last."""
    text = script(f"{SBATCH}#SBATCH --nodes=2\n{line}")
    findings = [finding for finding in check(text) if finding.code == "RK110"]
    assert len(findings) == found
    fixed = fix(text)
    assert fix(fixed) == fixed
    if found:  # ppn sets --ntasks, too, ncpus --mincpus, which no line of Slurm does: left to the user
        assert findings[0].safe == (not re.search("ppn|ncpus", line))
        assert other(fixed) == ([] if findings[0].safe else ["RK110"])


def test_lines_are_read_in_here_documents_too_and_up_to_the_hundredth_other_line() -> None:
    generator = f"#!/bin/bash\n{SBATCH}cat >job.pbs <<END\n#PBS -q workq\nEND\nsbatch job.pbs\n"
    assert other(generator) == ["RK108"]
    assert other(script(SBATCH, "ls\n" * 98 + "#PBS -q workq\n")) == ["RK108"]
    assert other(script(SBATCH, "ls\n" * 101 + "#PBS -q workq\n")) == []


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        ("#PBS -l walltime=3600", ["walltime=3600 (taken for minutes)"]),
        ("#PBS -j oe\n#PBS -S /bin/sh", ["-j oe", "-S /bin/sh"]),
        ("#PBS -l select=1:ncpus=4:ngpus=1:mem=8gb", ["ngpus=1"]),
        ("#PBS -l place=scatter,nodes=2:ppn=4,pmem=4gb", ["place=scatter", "pmem=4gb"]),
        ("#PBS -o login1:/home/me/out", ["-o login1:/home/me/out (taken for the name of a file)"]),
        ("#PBS -v A=1", ["-v A=1 (the job gets no other variable)"]),
        ('#BSUB -J "a[1-10]%2"', ["-J a[1-10]%2 (no array)"]),
        ("#BSUB -W 1:30", ["-W 1:30 (taken for minutes and seconds)"]),
        ("#BSUB -M 4000", ["-M 4000 (taken for KB)"]),
        ("#BSUB -n 4\n#BSUB -J a", []),
    ],
)
def test_what_sbatch_leaves_out_is_named(lines: str, lost: list[str]) -> None:
    reading = sbatch_reading.read(script(lines))
    assert reading is not None
    assert reading.refused is None
    assert reading.lost == lost


@pytest.mark.parametrize(
    ("command", "mended"),
    [
        ("cd $PBS_O_WORKDIR", "cd $SLURM_SUBMIT_DIR"),
        ("Rscript work.R ${SGE_TASK_ID}", "Rscript work.R ${SLURM_ARRAY_TASK_ID}"),
        (
            'Rscript work.R "$LSB_JOBINDEX" $((LSB_JOBINDEX - 1))',
            'Rscript work.R "$SLURM_ARRAY_TASK_ID" $((SLURM_ARRAY_TASK_ID - 1))',
        ),
        ("mpirun -np $PBS_NP ./model", None),
        ("sort $PBS_NODEFILE", None),
    ],
)  # fmt: skip
def test_a_variable_of_another_scheduler(command: str, mended: str | None) -> None:
    text = script(SBATCH.rstrip(), f"source /etc/profile\n{command}\n")
    findings = [finding for finding in check(text) if finding.code == "RK111"]
    assert [(finding.line, finding.mended, finding.safe) for finding in findings] == [(6, mended, bool(mended))]
    fixed = fix(text)
    assert fix(fixed) == fixed
    assert (f"\n{mended or command}\n") in fixed
    assert other(fixed) == ([] if mended else ["RK111"])


@pytest.mark.parametrize(
    ("lines", "work"),
    [
        (SBATCH, "cd ${SLURM_SUBMIT_DIR:-$PBS_O_WORKDIR}"),
        (SBATCH, "cd ${PBS_O_WORKDIR:-.}"),
        (SBATCH, 'if [ -n "$PBS_JOBID" ]; then cd $PBS_O_WORKDIR; fi; [[ $PBS_O_WORKDIR ]] && ls'),
        (SBATCH, "PBS_O_WORKDIR=$PWD\ncd $PBS_O_WORKDIR"),
        (SBATCH, "echo '$PBS_O_WORKDIR' # $SGE_TASK_ID"),
        (SBATCH, "echo $JOB_ID $NSLOTS $QUEUE $JOB_NAME"),
        ("#$ -cwd", "Rscript work.R $SGE_TASK_ID"),  # the finding on its lines names the way
    ],
)
def test_variables_that_a_script_sees_to(lines: str, work: str) -> None:
    assert "RK111" not in other(script(lines, f"{work}\n"))


def test_a_script_for_both_keeps_its_variables() -> None:
    """They are not rewritten, since the other scheduler needs them."""
    text = script(f"{SBATCH}#PBS -j oe", "cd $PBS_O_WORKDIR\n")
    assert other(text) == ["RK111"]
    assert fix(text).endswith("cd $PBS_O_WORKDIR\n")
