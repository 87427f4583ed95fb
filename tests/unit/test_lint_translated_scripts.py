"""Whole scripts of other schedulers in Slurm's terms: commands, variables, what stays as it is; and any header."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import check
from translating import HEC, translated

from rookery.jobs.lint.translation import translator

SGE = """\
#!/bin/bash
# my job
#$ -N blast -cwd -V
#$ -j y
#$ -o logs/$JOB_NAME.$JOB_ID.$TASK_ID.log   # where
#$ -pe smp 8
#$ -t 1-100
export OMP_NUM_THREADS=$NSLOTS
python run.py "${SGE_TASK_ID}" '$JOB_ID' # $SGE_TASK_ID
echo $((SGE_TASK_ID - 1)) ${JOB_NAME%.*} $JOB_ID
cat <<END
$SGE_TASK_ID \\$SGE_TASK_ID
END
"""
SLURM = """\
#!/bin/bash
# my job
#SBATCH --job-name=blast
#SBATCH --output=logs/%x.%A.%a.log   # where
#SBATCH --cpus-per-task=8
#SBATCH --array=1-100
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
python run.py "${SLURM_ARRAY_TASK_ID}" '$JOB_ID' # $SGE_TASK_ID
echo $((SLURM_ARRAY_TASK_ID - 1)) ${SLURM_JOB_NAME%.*} $SLURM_ARRAY_JOB_ID
cat <<END
$SLURM_ARRAY_TASK_ID \\$SGE_TASK_ID
END
"""


def command(line: str, lines: str = "#PBS -N a") -> str:
    """What a command becomes."""
    return translated(f"#!/bin/bash\n{lines}\ncd work\n{line}\n").text.partition("cd work\n")[2].removesuffix("\n")


def test_a_script_in_slurm_s_terms() -> None:
    translation = translated(SGE)
    assert translation.text == SLURM
    assert translation.scheduler == "SGE"
    assert [note.text for note in translation.notes] == ["SGE_TASK_ID"]  # the one that is escaped
    assert translator.translate(translation.text, HEC) is None


def test_other_line_ends_and_bytes_stay() -> None:
    text = SGE.replace("# my job", "# caf\udce9").replace("\n", "\r\n")
    assert translated(text).text == SLURM.replace("# my job", "# caf\udce9").replace("\n", "\r\n")
    assert translated(f"\ufeff{text}").text.startswith("\ufeff#!/bin/bash\r\n# caf\udce9\r\n#SBATCH")
    assert translated("#PBS -N a\ncd x").text.endswith("cd x")


def test_a_first_line_is_added_and_is_the_shell_that_was_asked_for() -> None:
    assert translated("#PBS -N a\ncd x\n").text.startswith("#!/bin/bash\n#SBATCH --job-name=a\n")
    assert translated("#$ -S /bin/zsh\n#$ -N a\ncd x\n").text.startswith("#!/bin/zsh\n#SBATCH --job-name=a\n")
    other = translated("#!/bin/bash\n#$ -S /bin/tcsh\ncd x\n")
    assert other.text.startswith("#!/bin/bash\n")
    assert other.notes[0].why == "SGE runs it by tcsh, Slurm by what the first line names: bash."


def test_lines_below_the_first_command() -> None:
    """SGE and LSF read them; PBS does not, and sbatch would."""
    assert "#SBATCH --job-name=a\n#SBATCH --time=" in translated("#!/bin/sh\n#$ -N a\ncd x\n#$ -l h_rt=60\nls\n").text
    assert translated("#!/bin/sh\ncd x\n#BSUB -J a\nls\n").text == "#!/bin/sh\n#SBATCH --job-name=a\ncd x\nls\n"
    pbs = translated("#!/bin/sh\n#PBS -j oe\ncd x\n#PBS -N a\nls\n")
    assert pbs.text == "#!/bin/sh\n#SBATCH --output=%x.o%j\ncd x\n##PBS -N a\nls\n"
    assert [note.text for note in pbs.notes] == ["-N a"]


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/bash\necho hello\n",
        "#!/bin/bash\n#SBATCH --time=5\n#PBS -N a\necho $PBS_JOBID\n",
        "#!/bin/bash\n#$HOME/bin/prog\n#$ ls\necho\n",
        "#!/bin/bash\ncat <<E\n#PBS -N a\n#$ -N a\nE\n",
        "#!/bin/bash\n##PBS -N a\n# PBS -N a\n",
        "#!/bin/bash\necho $JOB_ID $NSLOTS $QUEUE\n",  # anybody's names
    ],
)
def test_scripts_with_nothing_to_translate(text: str) -> None:
    assert translator.translate(text, HEC) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cd $PBS_O_WORKDIR", "cd $SLURM_SUBMIT_DIR"),
        ('cd "${PBS_O_WORKDIR:-.}"', 'cd "${SLURM_SUBMIT_DIR:-.}"'),
        ("id=${PBS_JOBID%%.*}", "id=${SLURM_JOB_ID%%.*}"),
        ("echo ${a[PBS_ARRAYID-1]} ${a[$PBS_NP]}", "echo ${a[SLURM_ARRAY_TASK_ID-1]} ${a[$SLURM_CPUS_PER_TASK]}"),
        ("echo '$PBS_JOBID' # $PBS_JOBID", "echo '$PBS_JOBID' # $PBS_JOBID"),
        ("qsub next.pbs", "sbatch --parsable next.pbs"),
        ("id=$(qsub -N next -l walltime=60 next.pbs a b)", None),
        ("/opt/bin/qsub -W depend=afterok:$PBS_JOBID n", "sbatch --parsable --dependency=afterok:$SLURM_JOB_ID n"),
        ("qsub -v A=$PBS_JOBID next.pbs", "sbatch --parsable --export=ALL,A=$SLURM_JOB_ID next.pbs"),
        ("echo ./model | qsub", "echo ./model | qsub"),
        ("qsub -q workq next.pbs", "qsub -q workq next.pbs"),
        ("qdel $PBS_JOBID", "scancel $SLURM_JOB_ID"),
        ("qstat -f $PBS_JOBID", "qstat -f $SLURM_JOB_ID"),
        ("mpirun -np 8 -machinefile $PBS_NODEFILE ./m", "mpirun -np 8 ./m"),
        ('mpiexec -hostfile "$PBS_NODEFILE" ./m', "mpiexec ./m"),
        ("n=$(wc -l < $PBS_NODEFILE)", "n=$(wc -l < $PBS_NODEFILE)"),
    ],
)  # fmt: skip
def test_commands_of_pbs(line: str, expected: str | None) -> None:
    if expected is None:
        expected = "id=$(sbatch --parsable --job-name=next --time=00:01:00 next.pbs a b)"
    assert command(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("qsub -hold_jid $JOB_ID next.sh", "sbatch --dependency=afterany:$SLURM_JOB_ID next.sh"),
        ("id=`qsub -terse next.sh`", "id=`sbatch --parsable next.sh`"),
        ("mpirun -np $NSLOTS ./m", "mpirun -np $SLURM_NTASKS ./m"),
    ],
)
def test_commands_of_sge(line: str, expected: str) -> None:
    assert command(line, "#$ -pe mpi 4") == expected


def test_commands_of_lsf() -> None:
    assert command("bsub < next.lsf", "#BSUB -J a") == "sbatch < next.lsf"
    assert command("bkill $LSB_JOBID", "#BSUB -J a") == "scancel $SLURM_JOB_ID"
    assert command("bkill $LSB_JOBID", '#BSUB -J "a[1-2]"') == "scancel $SLURM_ARRAY_JOB_ID"


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ("sort $PBS_NODEFILE", "$PBS_NODEFILE"),
        ("qstat -u me", "qstat -u me"),
        ("bash -c 'echo $PBS_JOBID'", "PBS_JOBID"),
        ("python <<'E'\nimport os; os.environ['PBS_ARRAYID']\nE", "PBS_ARRAYID"),
        ("PBS_JOBID=${PBS_JOBID:-1}", "$PBS_JOBID"),
        ("qsub -q workq next.pbs", "qsub -q workq next.pbs"),
        ("pbsdsh ./m", "pbsdsh ./m"),
    ],
)
def test_commands_and_variables_that_are_listed(line: str, noted: str) -> None:
    assert [note.text for note in translated(f"#!/bin/bash\n#PBS -N a\ncd work\n{line}\n").notes] == [noted]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("qsub -o out.log -N next job2.pbs", "sbatch --parsable --job-name=next --output=out.log job2.pbs"),
        ("qsub -o out.log -j oe job2.pbs", "sbatch --parsable --output=out.log --error=out.log job2.pbs"),
        (
            'qsub -o "$PWD/a.log" -e err.txt job2.pbs',
            'sbatch --parsable --output="$PWD/a.log" --error=err.txt job2.pbs',
        ),
        ("qsub -j oe job2.pbs", None),
        ("qsub -j eo -e a.log job2.pbs", None),
        ("qsub -o logs/ job2.pbs", None),
        ("qsub -o ~/a.log job2.pbs", None),
        ("qsub -o login1:/a.log job2.pbs", None),
        ("qsub $OPTS job.sh", None),
        ('qsub "$@"', None),
        ('qsub "${OPTS[@]}" job.sh', None),
        ("qsub -W depend=afterok:$ID job.sh", "sbatch --parsable --dependency=afterok:$ID job.sh"),
        ("qsub -v A=$HOME job.sh", "sbatch --parsable --export=ALL,A=$HOME job.sh"),
        ("qsub -l nodes=0 job.sh", None),
        ("qsub .", "sbatch --parsable ."),
    ],
)
def test_no_option_of_a_command_is_lost(line: str, expected: str | None) -> None:
    assert command(line) == (expected or line)
    if not expected:
        assert line in [note.text for note in translated(f"#!/bin/bash\n#PBS -N a\ncd work\n{line}\n").notes]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bsub -J b ./m", "sbatch --job-name=b --wrap=./m"),
        ("bsub python x.py", "sbatch --wrap='python x.py'"),
        ('bsub -K "python x.py"', 'sbatch --wait --wrap="python x.py"'),
        ("bsub -oo a.log < next.lsf", "sbatch --output=a.log < next.lsf"),
        ("bsub -o a.log < next.lsf", "sbatch --output=a.log --open-mode=append < next.lsf"),
        ("bsub -o a.%J < next.lsf", "bsub -o a.%J < next.lsf"),
        ("bsub python '$x' $y", "bsub python '$x' $y"),
        ("bsub", "bsub"),
    ],
)
def test_lsf_submits_commands(line: str, expected: str) -> None:
    assert command(line, "#BSUB -J a") == expected


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ("qsub job2.pbs", ("job2.pbs", "Translate it, too, and submit job2.slurm.")),
        ("qsub $next", ("$next", "Translate it, too, and submit the translation.")),
    ],
)
def test_a_script_that_is_submitted_has_to_be_translated_too(line: str, noted: tuple[str, str]) -> None:
    notes = translated(f"#!/bin/bash\n#PBS -N a\ncd work\n{line}\n").notes
    assert [(note.text, note.why) for note in notes] == [noted]
    assert translated("#!/bin/bash\n#PBS -N a\ncd work\nqsub $0\n").notes == ()


def test_a_job_that_may_be_an_array_keeps_its_own_number() -> None:
    """Without -t it is none: SLURM_ARRAY_JOB_ID would be empty, and all jobs would share a folder."""
    text = '#!/bin/bash\n#$ -cwd{}\nif [ -n "$SGE_TASK_ID" ]; then ls; fi\nmkdir out.$JOB_ID\n'
    alone, array = translated(text.format("")), translated(text.format(" -t 1-3"))
    assert alone.text.endswith("mkdir out.$SLURM_JOB_ID\n")
    assert [(note.line, note.text) for note in alone.notes] == [(4, "$JOB_ID")]
    assert array.text.endswith("mkdir out.$SLURM_ARRAY_JOB_ID\n")
    assert array.notes == ()
    assert translated("#!/bin/bash\n#$ -cwd\nmkdir out.$JOB_ID\n").notes == ()


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ("cd $TMPDIR; cp ~/in .", ["$TMPDIR"]),
        ("cd $TMPDIR", ["$TMPDIR"]),
        ("cd ${TMPDIR:-/tmp}", []),
        ("export TMPDIR=/scratch\ncd $TMPDIR", []),
        ('[ "$SGE_TASK_ID" = undefined ] && ls', ["$SGE_TASK_ID"]),
        ('[ -z "$SGE_TASK_ID" ] && ls', []),
    ],
)
def test_what_the_other_scheduler_sets_for_each_job(line: str, noted: list[str]) -> None:
    assert [note.text for note in translated(f"#!/bin/bash\n#$ -cwd\n{line}").notes] == noted


def test_a_long_script_takes_no_longer_for_each_of_its_lines() -> None:
    text = "#!/bin/bash\n#PBS -N a\n" + "echo $PBS_JOBID ${PBS_O_WORKDIR}\n" * 4000
    started = time.process_time()
    assert translated(text).text.count("SLURM_JOB_ID") == 4000
    assert time.process_time() - started < 10  # half a second; it was 40, and four times that for twice the lines


def test_a_number_of_cores_that_commands_ask_for_is_given() -> None:
    """SLURM_CPUS_PER_TASK is there only where --cpus-per-task is."""
    text = translated("#!/bin/bash\n#$ -N a -cwd\n./model -t $NSLOTS\n").text
    assert "#SBATCH --cpus-per-task=1\n" in text
    assert "./model -t $SLURM_CPUS_PER_TASK\n" in text


def test_a_program_in_another_language() -> None:
    """Its lines are translated, and where it reads variables is listed."""
    text = "#!/usr/bin/env python3\n#$ -N a\n#$ -cwd\nimport os\nos.environ['SGE_TASK_ID']\n'#$ -N b'\n"
    translation = translated(text)
    assert translation.text.startswith("#!/usr/bin/env python3\n#SBATCH --job-name=a\n")
    assert translation.text.endswith("import os\nos.environ['SGE_TASK_ID']\n'#$ -N b'\n")
    assert [(note.line, note.text) for note in translation.notes] == [(5, "SGE_TASK_ID")]


@pytest.mark.parametrize(
    "first", ["#!/usr/bin/env -S bash -e", "#!/usr/bin/env bash", "#!/usr/bin/ksh93", "#! /bin/sh"]
)
def test_a_first_line_that_names_a_shell_in_any_way(first: str) -> None:
    translation = translated(f"{first}\n#PBS -j oe\ncd $PBS_O_WORKDIR\nqsub $0\n#PBS -N a\n")
    assert translation.text.endswith("cd $SLURM_SUBMIT_DIR\nsbatch --parsable $0\n##PBS -N a\n")


def test_a_script_of_csh() -> None:
    text = "#!/bin/csh -f\n#PBS -l nodes=2:ppn=4\n#PBS -j oe\ncd $PBS_O_WORKDIR\nsetenv ID ${PBS_JOBID}  # $PBS_JOBID\n"
    text += "echo '$PBS_JOBID' \"$PBS_JOBID:r it's\" $PBS_NP\nmpirun -machinefile $PBS_NODEFILE ./m\nqsub next\n"
    quotes = "#!/bin/tcsh\n#PBS -j oe\ncd x\necho \"it's $PBS_JOBID\" # don't $PBS_JOBID\n"
    assert translated(quotes).text.endswith("echo \"it's $SLURM_JOB_ID\" # don't $PBS_JOBID\n")
    assert "$PBS_NP" in [note.text for note in translated(text + "setenv PBS_NP 8\n").notes]
    assert translated(text).text.partition("\ncd ")[2] == (
        "$SLURM_SUBMIT_DIR\nsetenv ID ${SLURM_JOB_ID}  # $PBS_JOBID\n"
        "echo '$PBS_JOBID' \"$SLURM_JOB_ID:r it's\" $SLURM_NTASKS\nmpirun ./m\nsbatch --parsable next\n"
    )


def test_variables_alone() -> None:
    """The options come from a command line."""
    translation = translated('#!/bin/bash\ncd "$PBS_O_WORKDIR"\n./model $PBS_NP\n')
    assert translation.text == '#!/bin/bash\ncd "$SLURM_SUBMIT_DIR"\n./model $PBS_NP\n'
    assert [note.text for note in translation.notes] == ["$PBS_NP"]


def test_lines_of_a_third_scheduler_are_listed() -> None:
    translation = translated("#!/bin/bash\n#$ -cwd\n#$ -N a\n#PBS -N b\n./model\n")
    assert translation.scheduler == "SGE"
    assert [note.text for note in translation.notes] == ["#PBS -N b"]


NAME = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
CLOCK = st.builds("{}:{:02}:{:02}".format, st.integers(0, 200), st.integers(0, 59), st.integers(1, 59))
SMALL = st.integers(1, 40)
PBS_LINES = st.one_of(
    NAME.map("-N {}".format),
    CLOCK.map("-l walltime={}".format),
    st.builds("-l nodes={}:ppn={}".format, SMALL, SMALL),
    st.builds("-l select={}:ncpus={}:mpiprocs={}:mem={}gb".format, SMALL, SMALL, SMALL, SMALL),
    st.builds("-l {}={}{}".format, st.sampled_from(["mem", "vmem", "pmem"]), SMALL, st.sampled_from(["gb", "MB", "b"])),
    st.builds("-{} 1-{}".format, st.sampled_from("Jt"), SMALL),
    st.sampled_from(["-j oe -V", "-m abe", "-M a@b.c", "-q workq", "-A p", "-r n", "-W depend=afterok:1", "x"]),
    st.builds("-o {}/$PBS_JOBID.log".format, NAME),
)  # fmt: skip
SGE_LINES = st.one_of(
    NAME.map("-N {}".format),
    CLOCK.map("-l h_rt={}".format),
    st.builds("-pe {} {}".format, st.sampled_from(["smp", "mpi", "other"]), SMALL),
    st.builds("-l {}={}{}".format, st.sampled_from(["h_vmem", "mem_free"]), SMALL, st.sampled_from(["G", "M", ""])),
    st.builds("-t 1-{} -tc {}".format, SMALL, SMALL),
    st.sampled_from(["-cwd -V", "-j y", "-m bea", "-M a@b.c", "-q all.q", "-P p", "-hold_jid 1", "-l gpu=1", "x"]),
    st.builds("-o {}.$JOB_ID.$TASK_ID".format, NAME),
)  # fmt: skip
LSF_LINES = st.one_of(
    st.builds('-J "{}[1-{}]%{}"'.format, NAME, SMALL, SMALL),
    st.builds("-W {}:{:02}".format, st.integers(0, 99), st.integers(1, 59)),
    SMALL.map("-n {}".format),
    st.builds('-R "span[{}] rusage[mem={}]"'.format, st.sampled_from(["hosts=1", "ptile=4"]), SMALL),
    st.builds("-M {}".format, st.integers(1, 9_000_000)),
    st.sampled_from(["-x -N", "-u a@b.c", "-q normal", "-P p", '-w "done(1)"', '-gpu "num=1"', "-R 'select[a]'", "x"]),
    st.builds("-o {}.%J.%I".format, NAME),
)  # fmt: skip
HEADERS = st.one_of(
    *(
        st.lists(lines, min_size=1, max_size=8).map(lambda lines, mark=mark: [f"{mark} {line}" for line in lines])
        for mark, lines in (("#PBS", PBS_LINES), ("#$", SGE_LINES), ("#BSUB", LSF_LINES))
    )
)
COMMANDS = {
    "#PBS": [
        "cd $PBS_O_WORKDIR\n./m $PBS_ARRAYID\n",
        'echo "$(qsub next)" $((PBS_NP * 2))\n',
        "mpirun ./m '$PBS_NP'\n",
    ],
    "#$": ["mpirun -np $NSLOTS ./m\n", "./m $JOB_ID '$SGE_TASK_ID'\n", "for i in $SGE_TASK_ID; do qsub -N a b; done\n"],
    "#BSUB": ["./m $LSB_JOBINDEX $LSB_DJOB_NUMPROC # $LSB_JOBID\n", "bsub < next\n", "mpirun ./m\n"],
}


@given(header=HEADERS, number=st.integers(0, 2), ends=st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=150)
def test_any_header_becomes_one_that_slurm_reads(header: list[str], number: int, ends: str) -> None:
    commands = COMMANDS[header[0].split()[0]][number]
    text = "\n".join(["#!/bin/bash", *header, "source /etc/profile", commands]).replace("\n", ends)
    translation = translator.translate(text, HEC)
    if translation is None:  # `#$ x` is a comment like any other
        assert set(header) == {"#$ x"}
        return
    findings = [finding for finding in check(translation.text) if finding.code.startswith(("RK1", "RK2"))]
    assert [finding for finding in findings if finding.code not in {"RK102", "RK111"}] == []
    again = translator.translate(translation.text, HEC)
    assert again is None or again.text == translation.text
    assert translation.text.count("\r\n") == (translation.text.count("\n") if ends == "\r\n" else 0)
