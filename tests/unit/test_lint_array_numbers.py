"""RK405 to RK409: the number of an array's task, and the variables that Slurm sets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import check, codes, fix

JOB = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G {options}
source /etc/profile
module add R/4.3.1
{body}
"""
ARRAY = "--array=1-10"
ID = "TASK_ID=${SLURM_ARRAY_TASK_ID}\n"
PLAIN = "print(sum(range(10)))\n"


def job(body: str, options: str = ARRAY) -> str:
    return JOB.format(body=body, options=options)


def found(body: str, options: str = ARRAY, files: dict[str, str] | None = None) -> list[tuple[str, int, str | None]]:
    """The findings: code, line and mended line."""
    text = job(body, options)
    findings = check(text, files=files)
    assert all(finding.severity == "warning" for finding in findings)
    fixed = fix(text, files=files)
    assert fix(fixed, files=files) == fixed
    assert (fixed != text) == any(finding.safe and finding.path == "job.sh" for finding in findings)
    assert not any(finding.safe for finding in check(fixed, files=files))
    return [(finding.code, finding.line, finding.mended) for finding in findings]


@pytest.mark.parametrize(
    ("body", "line", "mended"),
    [
        (f"{ID}python task.py", 7, 'python task.py "$TASK_ID"'),
        (f"{ID}echo $SLURM_ARRAY_TASK_ID\nsrun python task.py --x", 8, 'srun python task.py --x "$TASK_ID"'),
        ("TASK_ID=$SLURM_ARRAY_TASK_ID # TASK_ID is 1 to 10\n./simulate", 7, './simulate "$TASK_ID"'),
        ("A=$SLURM_ARRAY_TASK_ID\nB=$((A + 1))\nC=$(sed -n ${B}p rows.txt)\n./run", 9, './run "$C"'),
        (f"{ID}source ~/start-pyenv\neval $(poetry env activate)\npython task.py", 9, 'python task.py "$TASK_ID"'),
        (f"{ID}./prepare\n./simulate", 6, None),
        (f"{ID}python <<'E'\nprint(1)\nE", 7, None),
        (f"{ID}python -m simulate", 7, 'python -m simulate "$TASK_ID"'),
        (f'{ID}bash -c "python task.py"', 7, None),  # the shell would take it for its own name
        (f'{ID}matlab -batch "task"', 7, None),
        (f"{ID}make all", 7, None),  # a target
        (f"{ID}parallel ./simulate ::: 1 2", 7, None),  # one more input
        (f"{ID}mpirun ./simulate : ./other", 7, None),  # of the second program alone
        (f"{ID}R CMD BATCH task.R", 7, None),  # the name of its log
        (f"{ID}Rscript task.R", 7, 'Rscript task.R "$TASK_ID"'),
    ],
)
def test_a_variable_that_nothing_reads(body: str, line: int, mended: str | None) -> None:
    assert found(body) == [("RK405", line, mended)]


def test_a_program_that_reads_a_variable_which_is_not_exported() -> None:
    program = {"task.py": "import os\nprint(os.environ['TASK_ID'])\n"}
    assert found(f"{ID}python task.py", files=program) == [("RK405", 6, f"export {ID.strip()}")]
    assert found(f"export {ID}python task.py", files=program) == []


@pytest.mark.parametrize(
    "body",
    [
        f"{ID}python task.py $TASK_ID",
        f"{ID}export TASK_ID\npython task.py",
        f"export {ID}python task.py",
        f"declare -x {ID}python task.py",
        f"{ID.strip()} python task.py",
        f"A=1 {ID.strip()} python task.py",
        f"set -a\n{ID}./simulate",
        f"set -o allexport\n{ID}./simulate",
        f"{ID}cd run_$TASK_ID\n./simulate",
        f"{ID}source run.sh",
        f"{ID}./simulate > out_$TASK_ID",
        f"{ID}./simulate <<E\n$TASK_ID\nE",
        f"{ID}echo $TASK_ID > input\n./simulate",
        f"{ID}echo $TASK_ID | ./simulate",
        f"{ID}python x.py $(echo $TASK_ID)",
        f"{ID}if [ $TASK_ID = 1 ]; then ./simulate; fi",
        f"{ID}case $TASK_ID in 1) ./simulate;; esac",
        f"{ID}if (( TASK_ID > 5 )); then ./simulate; fi",
        f"{ID}eval ./simulate",
        f"{ID}run() {{ ./simulate $TASK_ID; }}\nrun",
        "X=$(python gen.py $SLURM_ARRAY_TASK_ID)\n./simulate",
        "FILES=(a b c)\nF=${FILES[$SLURM_ARRAY_TASK_ID]}\n./simulate $F",
        "./simulate",
        f"{ID}echo $TASK_ID",
    ],
)
def test_a_number_that_is_read_or_may_be(body: str) -> None:
    assert "RK405" not in codes(job(body))


@pytest.mark.parametrize("text", ["os.environ['SLURM_ARRAY_TASK_ID']", "os.getenv('SLURM_JOB_ID')"])
def test_a_program_that_reads_the_number_itself(text: str) -> None:
    program = {"task.py": f"import os\nimport helper\n{PLAIN}", "helper.py": f"import os\nx = {text}\n"}
    assert found(f"{ID}python task.py", files=program) == []
    assert found("python task.py", files=program) == []


@pytest.mark.parametrize("command", ["./run.sh", "bash run.sh", "julia run.jl"])
def test_another_script_that_reads_the_number_itself(command: str) -> None:
    path = command.rpartition(" ")[2].removeprefix("./")
    assert found(f"{ID}{command}", files={path: "./simulate $SLURM_ARRAY_TASK_ID\n"}) == []
    assert found(f"{ID}{command}", files={path: "./simulate\n"}) == [("RK405", 7, f'{command} "$TASK_ID"')]


@pytest.mark.parametrize(
    ("body", "files"),
    [
        ("python task.py", {"task.py": PLAIN}),
        ("echo $SLURM_ARRAY_TASK_ID\nmkdir -p out\npython task.py", {"task.py": PLAIN}),
        ("python task.py", {"task.py": f"import numpy as np\nimport random\nrandom.seed(1)\n{PLAIN}"}),
        ("srun python task.py", {"task.py": "import helper\n", "helper.py": PLAIN}),
        ("Rscript task.R", {"task.R": "library(dplyr)\nset.seed(1)\nprint(rnorm(3))\n"}),
    ],
)
def test_an_array_whose_tasks_do_the_same(body: str, files: dict[str, str]) -> None:
    assert found(body, files=files) == [("RK405", 3, None)]


@pytest.mark.parametrize(
    ("body", "options", "files"),
    [
        ("python task.py", ARRAY, {}),
        ("python task.py", "--array=1-9%1", {"task.py": PLAIN}),  # one after another, on purpose
        ("python task.py", "--array=5", {"task.py": PLAIN}),
        ("python task.py", "", {"task.py": PLAIN}),
        ("python task.py", ARRAY, {"task.py": f"import unknown_package\n{PLAIN}"}),
        ("python task.py", ARRAY, {"task.py": f"from . import helper\n{PLAIN}"}),
        ("python task.py", ARRAY, {"task.py": "import random\nprint(random.random())\n"}),
        ("python task.py", ARRAY, {"task.py": "import uuid\nopen(str(uuid.uuid4()), 'w')\n"}),
        ("python task.py", ARRAY, {"task.py": "import os\nos.rename('todo/1', 'claimed/1')\n"}),
        ("python task.py", ARRAY, {"task.py": "import random, subprocess\nrandom.seed(1)\nsubprocess.run(['./a'])\n"}),
        ("python task.py", ARRAY, {"task.py": "print 'Python 2'\n"}),
        ("Rscript task.R", ARRAY, {"task.R": "print(rnorm(3))\n"}),
        ("Rscript task.R", ARRAY, {"task.R": "library(unknown)\nprint(1)\n"}),
        ("python task.py $SLURM_ARRAY_TASK_ID", ARRAY, {"task.py": PLAIN}),
        ("python task.py $SLURM_JOB_ID", ARRAY, {"task.py": PLAIN}),
        ("python task.py $RANDOM", ARRAY, {"task.py": PLAIN}),
        ("python task.py out_$(date +%s)", ARRAY, {"task.py": PLAIN}),
        ("python task.py\n./other", ARRAY, {"task.py": PLAIN}),
        ("hostname", ARRAY, {}),
    ],
)
def test_arrays_that_may_be_meant_so(body: str, options: str, files: dict[str, str]) -> None:
    assert found(body, options, files) == []


@pytest.mark.parametrize(
    ("body", "line", "mended"),
    [
        ("ID=SLURM_ARRAY_TASK_ID\n./simulate $ID", 6, "ID=$SLURM_ARRAY_TASK_ID"),
        ('ID="SLURM_ARRAY_TASK_ID"\n./simulate $ID', 6, 'ID="$SLURM_ARRAY_TASK_ID"'),
        ("ID='SLURM_ARRAY_TASK_ID'\n./simulate $ID", 6, "ID=$SLURM_ARRAY_TASK_ID"),
        ("export ID=SLURM_JOB_ID\n./simulate $ID", 6, "export ID=$SLURM_JOB_ID"),
    ],
)
def test_a_missing_dollar(body: str, line: int, mended: str) -> None:
    assert found(body) == [("RK406", line, mended)]


@pytest.mark.parametrize(
    "body",
    [
        "ID=SLURM_ARRAY_TASK_ID\n./simulate ${!ID}",
        "ID=SLURM_ARRAY_TASK_ID\n./simulate $((ID + 1))",
        "ID=SLURM_ARRAY_TASK_ID\n./simulate ${FILES[ID]} ${FILES[$ID]}",
        "declare -n ID=SLURM_ARRAY_TASK_ID\n./simulate $ID",
        "declare -i ID=SLURM_ARRAY_TASK_ID\n./simulate $ID",
        "VARIABLE=SLURM_ARRAY_TASK_ID\n./simulate --from $VARIABLE",
        "ID=$SLURM_ARRAY_TASK_ID\n./simulate $ID",
        "# ID=SLURM_ARRAY_TASK_ID\n./simulate",
        "cat <<E\nID=SLURM_ARRAY_TASK_ID\nE",
    ],
)
def test_a_name_that_is_meant(body: str) -> None:
    assert found(body) == []


@pytest.mark.parametrize(
    ("wrong", "right", "safe"),
    [
        ("SLURM_ARRAY_TASKID", "SLURM_ARRAY_TASK_ID", True),
        ("slurm_array_task_id", "SLURM_ARRAY_TASK_ID", False),
        ("SLURM_ARAY_TASK_ID", "SLURM_ARRAY_TASK_ID", True),
        ("SLURM_CPU_PER_TASK", "SLURM_CPUS_PER_TASK", True),
        ("SLURM_CPUS_PER_TASKS", "SLURM_CPUS_PER_TASK", True),
        ("SLURM_JOBNAME", "SLURM_JOB_NAME", True),
        ("SLURM_ARRAY_ID", "SLURM_ARRAY_TASK_ID", False),
        ("SLURM_ARRAYID", "SLURM_ARRAY_TASK_ID", False),
        ("SLURM_TASK_ID", "SLURM_ARRAY_TASK_ID", False),
        ("SLURM_NCPUS", "SLURM_CPUS_PER_TASK", False),
    ],
)
def test_a_misspelt_variable(wrong: str, right: str, safe: bool) -> None:
    for form in (f"${wrong}", f"${{{wrong}}}", f'"x_${wrong}"', f"$({{ echo ${wrong}; }})"):
        findings = check(job(f"./simulate {form}"))
        assert [(finding.code, finding.line, finding.safe) for finding in findings] == [("RK407", 6, safe)]
        assert findings[0].mended == f"./simulate {form.replace(wrong, right)}"
        assert wrong in findings[0].why
        assert right in findings[0].why
        assert found(f"./simulate {form}")


@pytest.mark.parametrize(
    "body",
    [
        "./simulate $SLURM_TMPDIR $SLURM_JOBID $SLURM_NNODES $SLURM_ACCOUNT $SLURM_OUR_OWN $SLURMD_NODENAME",
        "./simulate $SLURM_JOB_ID_HET_GROUP_0 $SLURM_STEP_GPUS $SLURM_TASK_PID",
        "SLURM_TASK_ID=$SLURM_ARRAY_TASK_ID\n./simulate $SLURM_TASK_ID",
        "read SLURM_TASK_ID < file\n./simulate $SLURM_TASK_ID",
        "for SLURM_TASK_ID in 1 2; do ./simulate $SLURM_TASK_ID; done",
        "./simulate ${SLURM_TASK_ID:-$PBS_ARRAYID}",
        "echo '$SLURM_ARRAY_TASKID'",
        "# $SLURM_ARRAY_TASKID",
        "cat <<'E'\n$SLURM_ARRAY_TASKID\nE",
        "cat <<E\n\\$SLURM_ARRAY_TASKID\nE",
    ],
)
def test_variables_that_are_right_or_not_slurm_s(body: str) -> None:
    assert "RK407" not in codes(job(body))


@pytest.mark.parametrize(
    ("body", "safe"),
    [
        ("./simulate $SLURM_JOBNAME", True),
        ("source run.sh\n./simulate $SLURM_JOBNAME", True),  # a file of the project that does not name it
        ("source settings.sh\n./simulate $SLURM_JOBNAME", False),  # may set it
        ("./simulate ${SLURM_JOBNAME:-x}", False),
        ('if [ -n "$SLURM_JOBNAME" ]; then ./simulate; fi', False),
    ],
)
def test_a_variable_that_may_be_set_elsewhere_is_left_to_the_user(body: str, safe: bool) -> None:
    findings = check(job(body), files={"run.sh": "CASE=3\n"})
    assert [(finding.code, finding.safe) for finding in findings] == [("RK407", safe)]


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ("source settings.sh\n./simulate $slurm_nodelist", ARRAY),
        ("source run.sh\n./simulate $SLURM_JOBNAME", ARRAY),
        ("./simulate $SLURM_JOBNAME", f"{ARRAY} --export=SLURM_JOBNAME=x"),
        ("./simulate ${slurm_nodelist:-x}", ARRAY),
    ],
)
def test_a_variable_that_another_file_sets(body: str, options: str) -> None:
    assert "RK407" not in codes(job(body, options), files={"run.sh": "SLURM_JOBNAME=x\n"})


def test_another_script_may_set_a_variable_for_one_without_options() -> None:
    assert codes("#!/bin/bash\n./simulate $SLURM_TASK_ID\n") == []
    assert codes("#!/bin/bash\n./simulate $SLURM_ARRAY_TASKID\n") == ["RK407"]


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("python task.py", "import os\ni = os.environ['SLURM_ARRAY_TASKID']\n"),
        ("python task.py", "import os\ni = os.getenv('SLURM_ARRAY_TASKID')\n"),
        ("Rscript task.R", "x <- 1\ni <- Sys.getenv('SLURM_ARRAY_TASKID')\n"),
    ],
)
def test_a_misspelt_variable_in_a_program(program: str, text: str) -> None:
    path = program.split()[1]
    findings = check(job(program), files={path: text})
    mended = text.splitlines()[1].replace("TASKID", "TASK_ID")
    assert [(finding.code, finding.path, finding.line, finding.mended, finding.safe) for finding in findings] == [
        ("RK407", path, 2, mended, False)
    ]
    assert check(job(program), files={path: text.replace("TASKID", "TASK_ID")}) == []


@pytest.mark.parametrize(
    ("body", "options", "line", "mended"),
    [
        ("./simulate $SLURM_ARRAY_TASK_ID", "", 6, None),
        ("A=$SLURM_ARRAY_TASK_ID\n./simulate $A", "", 6, None),
        ("./simulate", "-o log_%A_%a.txt", 3, "#SBATCH --mem=1G -o log_%A.txt"),
        ("./simulate", "--error=log_%a.txt", 3, "#SBATCH --mem=1G --error=log_%j.txt"),
        ("./simulate $SLURM_ARRAY_TASK_ID", "-o log_%a.txt", 3, "#SBATCH --mem=1G -o log_%j.txt"),
        ("./simulate", "-o 'my log_%a'", 3, "#SBATCH --mem=1G -o 'my log_%j'"),
        ("./simulate", "-o %%%4a", 3, "#SBATCH --mem=1G -o %%%4j"),
    ],
)
def test_a_number_without_an_array(body: str, options: str, line: int, mended: str | None) -> None:
    assert found(body, options) == [("RK408", line, mended)]


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ("./simulate ${SLURM_ARRAY_TASK_ID:-1}", ""),
        ("./simulate ${SLURM_ARRAY_TASK_ID:?}", ""),
        ('[ -z "$SLURM_ARRAY_TASK_ID" ] && exit 1\n./simulate $SLURM_ARRAY_TASK_ID', ""),
        ("if [[ -v SLURM_ARRAY_TASK_ID ]]; then ./simulate $SLURM_ARRAY_TASK_ID; fi", ""),
        ("SLURM_ARRAY_TASK_ID=1\n./simulate $SLURM_ARRAY_TASK_ID", ""),
        ("# sbatch --array=1-9 job.sh\n./simulate $SLURM_ARRAY_TASK_ID", ""),
        ("# sbatch -a 1-9 job.sh\n./simulate $SLURM_ARRAY_TASK_ID", ""),
        ("case $SLURM_ARRAY_TASK_ID in 1) ./a;; *) ./b;; esac", ""),
        ("./simulate", "-o log_%A.txt"),
        ("./simulate", "-o log_%%a.txt"),  # a per cent sign
        ("echo '$SLURM_ARRAY_TASK_ID'", ""),
        ("cat <<E\n\\$SLURM_ARRAY_TASK_ID\nE", ""),
        ("./simulate $SLURM_ARRAY_TASK_ID", ARRAY),
    ],
)
def test_a_number_that_may_come_from_the_command_line(body: str, options: str) -> None:
    assert found(body, options) == []


def test_options_of_the_command_line_and_misspelt_ones_are_no_missing_array() -> None:
    assert codes("#!/bin/bash\n./simulate $SLURM_ARRAY_TASK_ID\n") == []
    assert codes(job("./simulate $SLURM_ARRAY_TASK_ID", "--aray=1-9")) == ["RK205"]
    assert codes(job("./simulate $SLURM_ARRAY_TASK_ID", "\n# SBATCH --array=1-9")) == ["RK202"]


@pytest.mark.parametrize(
    ("body", "line", "mended"),
    [
        ("TASK=$SLURM_ARRAY_JOB_ID\n./simulate $TASK", 6, "TASK=$SLURM_ARRAY_TASK_ID"),
        ('x=$(sed -n "${SLURM_ARRAY_JOB_ID}p" rows)\n./s $x', 6, 'x=$(sed -n "${SLURM_ARRAY_TASK_ID}p" rows)'),
        ("f=(a b)\n./simulate ${f[$SLURM_ARRAY_JOB_ID]}", 7, "./simulate ${f[$SLURM_ARRAY_TASK_ID]}"),
    ],
)
def test_the_number_of_the_array_for_that_of_the_task(body: str, line: int, mended: str) -> None:
    assert found(body) == [("RK409", line, mended)]


@pytest.mark.parametrize(
    "body",
    [
        "TASK=$SLURM_ARRAY_JOB_ID\n./simulate $TASK $SLURM_ARRAY_TASK_ID",
        "mkdir -p $SLURM_ARRAY_JOB_ID\n./simulate",
        "JOB=$SLURM_ARRAY_JOB_ID\n./simulate $JOB",
    ],
)
def test_the_number_of_the_array_as_such(body: str) -> None:
    assert found(body) == []


PIECES = """
    ID= TASK_ID= SLURM_ARRAY_TASK_ID $SLURM_ARRAY_TASK_ID ${SLURM_ARRAY_TASKID} $ID $TASK_ID export echo ./x $( ) ( {
    } " ' ` | > < << E ; & # && if fi $(( )) [[ ]] python set -a eval . -j 16 make
"""


@given(
    pieces=st.lists(st.sampled_from([*PIECES.split(), " ", "\n"]), max_size=25),
    blank=st.sampled_from(["", " "]),
    options=st.sampled_from([ARRAY, "", "-o x_%a.txt", "--array=1-9%1"]),
)
@settings(max_examples=100)
def test_any_script_can_be_read_and_mending_it_comes_to_rest(pieces: list[str], blank: str, options: str) -> None:
    text = job(blank.join(pieces), options)
    fixed = fix(text)
    assert fix(fixed) == fixed
    assert [finding for finding in check(fixed) if finding.safe and finding.edits] == []
