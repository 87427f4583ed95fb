"""What the rules on commands say, and where they are silent: here-strings, `&`, `||`, launchers, names of variables."""

from dataclasses import replace

import pytest
from linting import check, codes, fix, known_context
from projects import known

from rookery.jobs import lint

HEAD = "#!/bin/bash\n#SBATCH -p serial\n#SBATCH --mem=1G\n#SBATCH --time=1:00:00\n"
READY = f"{HEAD}source /etc/profile\n"
SEVERAL = READY.replace("serial", "parallel").replace("--mem", "-n 4 --mem")


def test_a_here_string_ends_with_its_word() -> None:
    assert codes(f'{READY}read a <<< "x"\nmodule activate R\n') == ["RK602"]
    assert codes(f'{READY}bc <<< "1+2" &\nwait\n') == []
    assert codes(f'{SEVERAL}./prep\nread a b <<<"$P"\nsrun ./model $a\n') == []
    assert codes(f"{READY}cat << x\nmodule activate R\nx\n") == []
    assert codes(f"{READY}cat <<- x\nmodule activate R\n\tx\n") == []


def test_the_option_of_time_is_no_command() -> None:
    assert [finding.mended for finding in check(f"{SEVERAL}time -p ./a\n")] == ["time -p srun ./a"]
    assert codes(f"{SEVERAL}time -p srun ./a\n") == []


@pytest.mark.parametrize(
    ("line", "tested"),
    [
        ("a", False),
        ("a && b", False),
        ("a; b || c", False),
        ("a || b", True),
        ("a && b || c", True),
        ("if a; then b; fi", True),
        ("while a && b; do c; done", True),
        ("! a", True),
        ("if b; then a; fi", False),
    ],
)
def test_whether_a_script_goes_on_where_a_command_fails(line: str, tested: bool) -> None:
    commands = known_context(f"#!/bin/bash\n{line}\n").shell.commands
    assert [command.tested for command in commands if command.name == "a"] == [tested]


CONDA = f"{READY}module add miniforge\n"


@pytest.mark.parametrize(
    "line",
    [
        "conda activate x || source activate x",
        "conda activate x 2> /dev/null || source activate x",
        "conda activate x && ./a || source activate x",
        "if ! conda activate x; then source activate x; fi",
        "if conda activate x; then ./a; fi",
    ],
)
def test_conda_with_something_else_where_it_fails(line: str) -> None:
    assert codes(f"{CONDA}{line}\n./a\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "conda activate x || exit 1",
        "conda activate x || { echo no; exit 1; }",
        "if ! conda activate x; then exit 1; fi",
        "conda activate x && ./a",
    ],
)
def test_conda_with_nothing_else_where_it_fails(line: str) -> None:
    assert fix(f"{CONDA}{line}\n./a\n") == f"{CONDA}{line}\n./a\n".replace("conda", "source", 1)


def test_a_command_over_two_lines_is_shown_on_one() -> None:
    (finding,) = check(f"{CONDA}conda \\\n  activate x\n")
    assert finding.why.startswith("`conda activate x` needs")
    assert finding.why.endswith("Use `source activate x`.")
    assert fix(f"{CONDA}conda \\\n  activate x\n") == f"{CONDA}source \\\n  activate x\n"


@pytest.mark.parametrize("line", ["module -w 80 avail", "module --width 80 list", "module -t avail"])
def test_a_value_of_module_s_options_is_no_subcommand(line: str) -> None:
    assert codes(f"{READY}{line}\n./a\n") == []


@pytest.mark.parametrize("lines", ["./a &\necho done", "./a &\nexit 0", "( ./a & )", "./a &\ndate; exit"])
def test_commands_that_end_with_the_job(lines: str) -> None:
    (finding,) = check(f"{READY}{lines}\n")
    assert (finding.code, finding.line, finding.safe, finding.mended) == ("RK607", 6, False, None)
    assert finding.why.endswith("Add `wait` directly after it.")


@pytest.mark.parametrize("lines", ["./a &\nwait\necho done", "( ./a & wait )", "./a &\n./b", "./a & sleep 60", "echo"])
def test_commands_that_something_waits_for(lines: str) -> None:
    assert "RK607" not in codes(f"{READY}{lines}\n")


@pytest.mark.parametrize(
    "lines",
    [
        "./a 1 & ./a 2 & ./a 3 & ./a 4 & wait",
        "for i in 1 2 3 4; do ./a $i & done; wait",
        "seq 4 | xargs -P 4 -n1 ./a",
        "make -j 4",
        "make -j4",
        "bash <<E\nmpirun ./a\nE",
        "for host in $(scontrol show hostnames); do ssh $host ./a; done",
    ],
)
def test_tasks_that_the_script_starts_itself(lines: str) -> None:
    assert codes(f"{SEVERAL}{lines}\n") == []


@pytest.mark.parametrize(
    "line", ["bowtie2 -p 4 x", "samtools sort -@4 x", "gmx mdrun -ntmpi 4", "OMP_NUM_THREADS=4 ./a", "python a.py"]
)
def test_a_program_that_uses_several_cores_gets_no_srun(line: str) -> None:
    pool = "from multiprocessing import Pool\nPool(4)\n"
    (finding,) = check(f"{SEVERAL}{line}\n", files={"a.py": pool})
    assert (finding.code, finding.mended) == ("RK606", None)
    assert "request --cpus-per-task instead. Only a command" in finding.why


@pytest.mark.parametrize("line", ["./a 4", "./a -k 3", "OMP_NUM_THREADS=1 ./a", "seq 4 | xargs -n1 ./a", "make all"])
def test_a_program_of_which_each_task_may_run_one(line: str) -> None:
    (finding,) = check(f"{SEVERAL}{line}\n")
    assert (finding.code, "srun" in (finding.mended or "")) == ("RK606", True)


def test_a_launcher_that_the_profile_leaves_empty() -> None:
    hec = known("hec")
    cluster = replace(hec, data={**hec.data, "cluster_mpi_launcher": ""})
    (finding,) = lint.check(f"{SEVERAL}./a\n", cluster, path="job.sh", files=lambda _: None)
    assert (finding.code, finding.mended) == ("RK606", "srun ./a")


@pytest.mark.parametrize(
    ("lines", "mended"),
    [
        ('D="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"', "D=$SLURM_SUBMIT_DIR"),
        ('D="$( cd "$( dirname "${BASH_SOURCE[0]}" )" >/dev/null 2>&1 && pwd -P )"', "D=$SLURM_SUBMIT_DIR"),
        ("cd $(dirname $0); ./run $(date)", 'cd "$SLURM_SUBMIT_DIR"; ./run $(date)'),
        ('cd -- "$(dirname -- "$0")" && out="$(date)"', 'cd -- "$SLURM_SUBMIT_DIR" && out="$(date)"'),
        ('export D="${0%/*}"; ./a', "export D=$SLURM_SUBMIT_DIR; ./a"),
        ("ROOT=$(dirname $0)/.. ; X=$(date)", None),
        ("N=$(dirname $0 | wc -c)", None),
        ('cd "$(dirname $0)/.."', None),
        ("D=$(cd $(dirname $0)/.. && pwd)", None),
        ("D=$(dirname $(dirname $0))", None),
        ("cd $(dirname $0); . $(dirname $0)/lib.sh", None),
    ],
)
def test_the_line_shown_for_the_script_s_folder_keeps_all_else(lines: str, mended: str | None) -> None:
    (finding,) = check(f"{READY}{lines}\n./b\n")
    assert (finding.code, finding.mended) == ("RK608", mended)


@pytest.mark.parametrize(
    ("lines", "cfg", "safe"),
    [
        ("./a $SLURM_ARRAY_TASKID", None, [True]),
        ("source venv/bin/activate\n./a $SLURM_ARRAY_TASKID", None, [True]),
        ("source cfg.sh\n./a $SLURM_ARRAY_TASKID", "A=1\n", [True]),
        ("source cfg.sh\n./a $SLURM_ARRAY_TASKID", None, [False]),
        ("source cfg.sh\n./a $SLURM_ARRAY_TASKID", "SLURM_ARRAY_TASKID=1\n", []),
        ("source cfg.sh\n./a $slurm_nodelist", None, []),
        ("./a ${SLURM_JOBNAME:-x}", None, [False]),
        ("./a ${slurm_jobname:-x}", None, []),
        ('[ -n "$slurm_gpus" ] && ./a $slurm_gpus', None, []),
    ],
)
def test_a_variable_that_another_file_may_set(lines: str, cfg: str | None, safe: list[bool]) -> None:
    findings = check(f"{READY}{lines}\n", files={"cfg.sh": cfg} if cfg else {})
    assert [finding.safe for finding in findings if finding.code == "RK407"] == safe


def test_a_variable_that_export_sets() -> None:
    text = READY.replace("--mem", "--export=ALL,SLURM_JOBNAME=x --mem")
    assert codes(f"{text}./a $SLURM_JOBNAME\n") == []


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        ("cd $global_storage", "error"),
        ("cd ${global_scratch:-/}\ncd $global_storage", "error"),
        ('cd "${global_storage:-$HOME}"', "warning"),
        ("cd ${global_storage?}", "warning"),
        ("global_storage=/x\ncd $global_storage", "warning"),
        ("read global_storage < x\ncd $global_storage", "warning"),
        ('if [ -n "$global_storage" ]; then cd $global_storage; fi', "warning"),
        ("[[ -d $global_storage ]] && cd $global_storage", "warning"),
        ("source cfg.sh\ncd $global_storage", "warning"),
    ],
)
def test_storage_that_may_be_unset_and_storage_that_is_seen_to(lines: str, severity: str) -> None:
    (finding,) = check(f"{HEAD}{lines}\n./a\n", files={"cfg.sh": "global_storage=/x\n"})
    assert (finding.code, finding.severity) == ("RK604", severity)


def test_the_profile_is_read_without_the_shebang_s_u() -> None:
    fixed = fix(f"{HEAD.replace('bash', 'bash -u')}module add R\n./a\n")
    assert "\nset +u\nsource /etc/profile\nset -u\nmodule add R\n" in fixed
    assert check(fixed) == []
    assert "set" not in fix(f"{HEAD}module add R\n./a\n")


def test_a_subshell_s_options_are_its_own() -> None:
    assert codes(f"{HEAD}(set -u; ./a)\nsource /etc/profile\n./a\n") == []
    assert codes(f"{HEAD}set -u\nsource /etc/profile\n./a\n") == ["RK609"]


def test_a_script_of_the_project_that_starts_processes_or_none() -> None:
    assert codes(f"{SEVERAL}bash ./inner.sh\n", files={"inner.sh": "srun ./a\n"}) == []
    assert codes(f"{SEVERAL}bash ./inner.sh\n", files={"inner.sh": "./a\n"}) == ["RK606"]
    assert codes(f"{SEVERAL}bash ./elsewhere.sh\n") == []
