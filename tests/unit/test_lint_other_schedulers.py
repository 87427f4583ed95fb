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


@pytest.mark.parametrize(
    ("lines", "safe"),
    [
        ("#PBS -q parallel", True),
        ("#PBS -q parallel -j oe -V -k oe -r n -W group_list=a", True),  # sbatch passes these over
        ("#PBS -q parallel -h", False),
        ("#PBS -q parallel -W depend=afterok:12", False),
        ("#PBS -q parallel -m abe", False),
        ("#PBS -q parallel -M me@x.org", False),
        ("#PBS -q parallel -v A=1", False),
        ("#PBS -q parallel -p 100", False),
        ("#PBS -q parallel -l file=10gb", False),
        ("#BSUB -q parallel", True),
        ("#BSUB -q parallel\n#BSUB -n 8", False),
        ("#BSUB -q parallel -x", False),
        ("#BSUB -q parallel -M 4000", False),
    ],
)
def test_a_line_stays_where_it_sets_what_no_line_of_slurm_does(lines: str, safe: bool) -> None:
    text = script(f"{SBATCH}{lines}")
    assert [finding.safe for finding in check(text) if finding.code == "RK110"] == [safe]
    assert ("--ignore-pbs" in fix(text)) is safe


@pytest.mark.parametrize("lines", ["#PBS -l walltime=20", "#PBS foo"])
def test_all_parts_of_a_job_may_say_that_the_others_lines_are_not_read(lines: str) -> None:
    parts = f"{SBATCH}#SBATCH hetjob\n{SBATCH}"
    assert other(script(f"{parts}#SBATCH --ignore-pbs\n{lines}")) == []
    assert other(script(f"{SBATCH}#SBATCH --ignore-pbs\n#SBATCH hetjob\n{SBATCH}{lines}")) == []
    assert len(other(script(f"{parts}{lines}"))) == 1
    assert fix(script(f"{parts}{lines}")).count("--ignore-pbs") <= 1


def test_a_line_for_sbatch_is_added_above_a_command_that_is_added_in_the_same_place() -> None:
    fixed = fix("#!/bin/bash\n#PBS -q workq\n#SBATCH -p serial\nmodule load R\n")
    added = "#SBATCH --ignore-pbs\nsource /etc/profile\n"
    assert fixed == f"#!/bin/bash\n#PBS -q workq\n#SBATCH -p serial\n{added}module load R\n"


def test_lines_that_say_the_same_to_both_are_said_to_be_read_by_leave_of_the_site() -> None:
    why = next(finding.why for finding in check(script("#PBS -l nodes=1:ppn=4")) if finding.code == "RK109")
    assert why.startswith("A script for PBS: sbatch reads its #PBS lines only where its site has not turned that off.")


@pytest.mark.parametrize(
    "lines", ["#PBS -l nodes=²", "#PBS -l nodes=1:ppn=²", "#PBS -l ncpus=²", "#BSUB -W 1\n#BSUB -n ²", "#BSUB -M ²"]
)
def test_digits_that_are_no_numbers(lines: str) -> None:
    assert sbatch_reading.read(script(lines)) is not None


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
        ("cd $PBS_O_WORKDIR || exit\nexport OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK", "cd $SLURM_SUBMIT_DIR || exit"),
        ("cd $PBS_O_WORKDIR  # SLURM_x", "cd $SLURM_SUBMIT_DIR  # SLURM_x"),
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
        (SBATCH, 'if [ "$IN" = pbs ]; then cd $PBS_O_WORKDIR; else cd $SLURM_SUBMIT_DIR; fi'),
        (SBATCH, '[ -n "$SLURM_JOB_ID" ] && cd $SLURM_SUBMIT_DIR || cd $PBS_O_WORKDIR'),
        (SBATCH, "in_pbs() {\ncd $PBS_O_WORKDIR\n}\necho $SLURM_JOB_ID"),
        (SBATCH, "cd $SLURM_SUBMIT_DIR$PBS_O_WORKDIR"),
        (SBATCH, "id=${SLURM_JOB_ID:-$PBS_JOBID}\necho $PBS_JOBID"),
        (SBATCH, 'if [ -n "$PBS_JOBID" ]; then cd $PBS_O_WORKDIR; fi; [[ $PBS_O_WORKDIR ]] && ls'),
        (SBATCH, "PBS_O_WORKDIR=$PWD\ncd $PBS_O_WORKDIR"),
        (SBATCH, "echo '$PBS_O_WORKDIR' # $SGE_TASK_ID"),
        (SBATCH, "echo $JOB_ID $NSLOTS $QUEUE $JOB_NAME"),
        ("#$ -cwd", "Rscript work.R $SGE_TASK_ID"),  # the finding on its lines names the way
    ],
)
def test_variables_that_a_script_sees_to(lines: str, work: str) -> None:
    assert "RK111" not in other(script(lines, f"{work}\n"))


def test_names_that_others_use_are_a_scheduler_s_beside_its_lines() -> None:
    text = script(f"{SBATCH}#$ -N x", "source /etc/profile\necho $SGE_TASK_ID $NSLOTS $JOB_NAME $TMPDIR\n")
    findings = [finding for finding in check(text) if finding.code == "RK111"]
    assert [finding.why.partition(".")[0] for finding in findings] == [
        "$SGE_TASK_ID is a variable of SGE, and empty in Slurm ($JOB_NAME and $NSLOTS, too)"
    ]
    assert findings[0].mended == "echo $SLURM_ARRAY_TASK_ID $NSLOTS $SLURM_JOB_NAME $TMPDIR"
    assert not findings[0].safe


def test_a_script_for_both_keeps_its_variables() -> None:
    """They are not rewritten, since the other scheduler needs them."""
    text = script(f"{SBATCH}#PBS -j oe", "cd $PBS_O_WORKDIR\n")
    assert other(text) == ["RK111"]
    assert fix(text).endswith("cd $PBS_O_WORKDIR\n")
