"""What a script's shell begins with: conda, modules, the site's profile, its folder, `set -u`, processes."""

import pytest
from linting import check, codes, fix

HEC = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --time=00:05:00
source /etc/profile
module add miniforge/20240923
python work.py
"""
HEX = """\
#!/bin/bash
#SBATCH --partition=cpu-6h
#SBATCH --mem=1G
#SBATCH --time=00:05:00
python work.py
"""


def conda(*lines: str, cluster: str = "hex", shell: str = "#!/bin/bash", **files: str) -> list[tuple[str, bool]]:
    """The severity of the finding about conda in a script with these lines, and whether it is corrected."""
    heads = {"hex": HEX, "hec": HEC, "penguins": HEX.replace("cpu-6h", "PenguinPartition")}
    head = heads.get(cluster, "#!/bin/bash\npython work.py\n")
    text = head.replace("#!/bin/bash", shell).replace("python work.py", "\n".join(lines))
    findings = check(text, cluster, {name.replace("__", "."): files[name] for name in files})
    assert {finding.code for finding in findings} <= {"RK605"}, findings
    return [(finding.severity, finding.safe) for finding in findings]


@pytest.mark.parametrize(
    "ready",
    [
        'source "$CONDA_SH"',
        'source "${CONDA_SH:-/opt/conda/etc/profile.d/conda.sh}"',
        'eval "$($HOME/miniforge3/bin/conda shell.bash hook)"',
        "eval \"$('/opt/miniconda3/bin/conda' 'shell.bash' 'hook')\"",
        '__conda_setup="$(\'/opt/conda/bin/conda\' \'shell.bash\' \'hook\' 2> /dev/null)"\neval "$__conda_setup"',
        'eval "$(conda shell.bash hook)"',
        'eval "$(conda shell.posix hook)"',
        'eval "$(mamba shell hook --shell bash)"',
        'source <(conda shell.bash hook)',
        'eval "`conda shell.bash hook`"',
        "init=$HOME/.bashrc; . $init",
        "source ~/.bashrc",
        ". $HOME/.bash_profile",
        ". ~/miniconda3/etc/profile.d/conda.sh",
        'source "$(conda info --base)/etc/profile.d/conda.sh"',
        "source /opt/mambaforge/etc/profile.d/mamba.sh",
        "[ -f ~/c/etc/profile.d/conda.sh ] && . ~/c/etc/profile.d/conda.sh",
        "source activate base",
        "source ~/miniconda3/bin/activate",
        "source /shared/software/setup_conda_env",
        "conda() { micromamba \"$@\"; }",
        "function conda { micromamba \"$@\"; }",
        "shopt -s expand_aliases\nalias conda=micromamba",
        "source tools/env.sh",
        'eval "$MY_SETUP"',
        "prepare() { source ~/.bashrc; }\nprepare",
    ],
)  # fmt: skip
def test_conda_that_is_ready_or_may_be_is_no_finding(ready: str) -> None:
    assert conda(*ready.split("\n"), "conda activate mine", "python work.py") == []


@pytest.mark.parametrize(
    "before",
    [
        "conda init",
        "conda init bash",
        "export PATH=~/miniconda3/bin:$PATH",
        "which python",
        "unset CONDA_SHLVL",
        "echo conda.sh",
        "cat ~/.bashrc",
        "# source ~/.bashrc",
        "cd ~/miniconda3/bin",
        'source "${HOME}/start-pyenv"',
        "eval 'echo x'",
    ],
)
def test_conda_that_nothing_makes_ready_is_an_error(before: str) -> None:
    assert conda(before, "conda activate mine") == [("error", False)]
    assert conda(before, "mamba activate mine") == [("error", False)]


def test_conda_that_is_made_ready_too_late() -> None:
    assert conda("conda activate mine", "source ~/.bashrc") == [("error", False)]
    assert conda("work() { conda activate mine; }", "source ~/.bashrc", "work") == []


def test_conda_in_shells_that_read_start_up_files() -> None:
    assert conda("conda activate mine", shell="#!/bin/bash -l") == []
    assert conda("conda activate mine", shell="#!/bin/bash -i") == []
    assert conda("conda activate mine", shell="#!/usr/bin/env -S bash -l") == []
    assert conda("conda activate mine", shell="#!/usr/bin/env -S A=1 /bin/bash --login") == []
    assert conda("conda activate mine", shell="#!/usr/bin/env bash") == [("error", False)]
    assert conda("conda activate mine", shell="#!/bin/zsh") == [("error", False)]
    assert conda("source ~/.zshrc", "conda activate mine", shell="#!/bin/zsh") == []


def test_a_sourced_file_of_the_project_is_looked_into() -> None:
    lines = ("source env.sh", "conda activate mine")
    assert conda(*lines, env__sh="export A=1\n") == [("error", False)]
    assert conda(*lines, env__sh="export A=1\n. ~/conda/etc/profile.d/conda.sh\n") == []
    assert conda(*lines, env__sh="source inner.sh\n", inner__sh='eval "$(conda shell.bash hook)"\n') == []
    assert conda(*lines, env__sh="source inner.sh\n", inner__sh="export A=1\n") == [("error", False)]
    assert conda(*lines, env__sh="source env.sh\n") == []
    assert conda(*lines) == []


def test_conda_where_a_check_comes_first() -> None:
    assert conda("if command -v conda > /dev/null; then", "  conda activate mine", "fi") == []


def test_conda_after_modules_that_may_define_it() -> None:
    """What a module or a profile of the site does is known only where the profile of the cluster says so."""
    for module in ("anaconda3", "python/3.11", "$MODULE"):
        assert conda(f"module load {module}", "conda activate mine", cluster="csd3") == []
        assert conda(f"ml {module}", "conda activate mine", cluster="csd3") == []
    assert conda("module load cuda/11.8 gcc", "conda activate mine", cluster="csd3") == [("error", False)]
    assert conda("module unload anaconda3", "conda activate mine", cluster="csd3") == [("error", False)]
    assert conda("source /etc/profile", "conda activate mine", cluster="csd3") == []
    assert conda("module load Anaconda3/2022.10", "conda activate mine", cluster="stanage") == []
    assert conda("module add ownconda", "conda activate mine", cluster="hec") == []
    assert conda("module restore mine", "conda activate mine", cluster="csd3") == []


def test_conda_after_the_module_whose_activation_is_known() -> None:
    assert conda("conda activate mine", cluster="hec") == [("error", True)]
    text = HEC.replace("python", "conda activate mine\npython")
    assert fix(text) == HEC.replace("python", "source activate mine\npython")
    assert fix(text.replace("conda activate mine\n", "conda activate mine || exit 1\n")) == HEC.replace(
        "python", "source activate mine || exit 1\npython"
    )
    (finding,) = check(text)
    assert finding.why == (
        "`conda activate mine` needs a function of the shell. `conda init` puts it into start-up files, which a job "
        "does not read, and miniforge on hec does not define it. Use `source activate mine`."
    )
    (finding,) = check(text.replace("module add miniforge/20240923\n", ""))
    assert (finding.severity, finding.safe, finding.mended) == ("error", False, "source activate mine")
    assert finding.why.endswith("On hec, load conda (`module add miniforge/20240923`), then `source activate mine`.")


def test_conda_where_the_cluster_has_no_module_of_it() -> None:
    (finding,) = check(HEX.replace("python", "conda activate mine\npython"), "hex")
    assert finding.mended is None
    assert finding.why.endswith(
        "nothing above defines it. The profile of hex names no module of conda: put "
        '`eval "$(FOLDER/bin/conda shell.bash hook)"` above this line, with the folder of your conda.'
    )


def why(text: str, cluster: str = "hec") -> str:
    """What the one finding in a script says."""
    (finding,) = check(text, cluster)
    return finding.why


WITHOUT = HEC.replace("source /etc/profile\n", "")


def test_the_finding_about_the_profile_names_the_command_that_needs_it() -> None:
    assert why(WITHOUT) == (
        "`module add miniforge/20240923` needs the command `module`. On hec, `source /etc/profile` defines it, and a "
        "job's shell does not read that file by itself."
    )
    plain = WITHOUT.replace("module add miniforge/20240923\n", "")
    assert why(plain.replace("python work.py", "mkdir a\npython work.py > $global_scratch/x")) == (
        "$global_scratch may be empty. On hec, `source /etc/profile` sets it, and a job's shell does not read that "
        "file by itself."
    )
    (finding,) = check(plain.replace("python work.py", "mkdir a\npython work.py > $global_scratch/x"))
    assert (finding.line, finding.severity) == (6, "error")
    assert why(plain) == (
        "Job scripts on hec begin with `source /etc/profile`: it defines the command `module` and sets $global_storage "
        "and $global_scratch, which `python` starts without."
    )


@pytest.mark.parametrize(
    "line",
    [
        ". /etc/profile",
        "source ~/.bashrc",
        "source /usr/share/lmod/lmod/init/bash",
        ". /opt/site/our-settings",
        "source $SETTINGS",
        "source env.sh",
    ],
)
def test_a_file_that_may_read_the_profile(line: str) -> None:
    assert codes(HEC.replace("source /etc/profile", line), files={"env.sh": ". /etc/profile\n"}) == []


def test_a_file_that_does_not_read_the_profile() -> None:
    assert codes(HEC.replace("source /etc/profile", "source env.sh"), files={"env.sh": "A=1\n"}) == ["RK604"]
    assert codes(HEC.replace("source /etc/profile", "source venv/bin/activate")) == ["RK604"]


@pytest.mark.parametrize(
    ("lines", "number", "mended"),
    [
        ('cd "$(dirname "$0")"', 7, 'cd "$SLURM_SUBMIT_DIR"'),
        ("cd $(dirname $0) || exit 1", 7, 'cd "$SLURM_SUBMIT_DIR" || exit 1'),
        ("cd `dirname $0`", 7, 'cd "$SLURM_SUBMIT_DIR"'),
        ('cd "$(dirname "$(readlink -f "$0")")"', 7, 'cd "$SLURM_SUBMIT_DIR"'),
        ('cd "${0%/*}"', 7, 'cd "$SLURM_SUBMIT_DIR"'),
        ('cd "${BASH_SOURCE[0]%/*}"', 7, 'cd "$SLURM_SUBMIT_DIR"'),
        ('a=1\nSCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"', 8, "SCRIPT_DIR=$SLURM_SUBMIT_DIR"),
        ("  HERE=$(dirname $(realpath $0))", 7, "  HERE=$SLURM_SUBMIT_DIR"),
        ('export HERE=$(dirname "$BASH_SOURCE")', 7, "export HERE=$SLURM_SUBMIT_DIR"),
        ('source "$(dirname "$0")/lib.sh"', 7, None),
        ('SCRIPT=$(readlink -f "$0")\ncd "$(dirname "$SCRIPT")"', 7, None),
        ('python "${0%/*}/x.py"', 7, None),
    ],
)  # fmt: skip
def test_the_folder_of_a_script_in_a_job_is_not_its_own(lines: str, number: int, mended: str | None) -> None:
    text = HEC.replace("python", f"{lines}\npython")
    (finding,) = check(text)
    assert (finding.code, finding.line, finding.severity, finding.safe) == ("RK608", number, "warning", False)
    assert finding.mended == mended
    assert fix(text) == text


@pytest.mark.parametrize(
    "lines",
    [
        'echo "running $0"',
        'echo "$(basename "$0") on $(hostname)"',
        "cp $0 results/",
        "sbatch $0",
        'echo "script: $(realpath $0)"',
        'cd "$(dirname "$1")"',
        'cd "$(dirname "$CONFIG")"',
        "# cd $(dirname $0)",
        "echo 'cd $(dirname $0)'",
        'cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")}"',
        'if [ -z "$SLURM_JOB_ID" ]; then\n  cd "$(dirname "$0")"\nfi',
        'if [ -z "$SLURM_JOB_ID" ]; then cd "${0%/*}"; fi',
        "SCRIPT=$(scontrol show job $SLURM_JOB_ID | awk -F= '/Command=/{print $2}')\ncd $(dirname ${SCRIPT:-$0})",
        'usage() {\n  echo "$(dirname "$0")"\n}',
        '[[ "${BASH_SOURCE[0]}" == "$0" ]] && echo',
        'cat > run.sh <<\'END\'\ncd "$(dirname "$0")"\nEND',
    ],
)
def test_other_uses_of_a_script_s_name(lines: str) -> None:
    assert codes(HEC.replace("python", f"{lines}\npython")) == []


def test_the_folder_of_a_script_whose_job_starts_elsewhere() -> None:
    text = HEC.replace("--mem=1G", "--mem=1G --chdir=/data").replace("python", 'cd "$(dirname "$0")"\npython')
    (finding,) = check(text)
    assert (finding.code, finding.mended) == ("RK608", None)
    assert finding.why.endswith("This job starts in /data (--chdir): use that, or paths from there.")


def test_the_folder_of_a_script_that_is_no_job_s() -> None:
    assert codes('#!/bin/bash\ncd "$(dirname "$0")"\nsbatch job.sh\n') == []


@pytest.mark.parametrize(
    ("shell", "lines", "number"),
    [
        ("#!/bin/bash", "set -u\nsource /etc/profile", 5),
        ("#!/bin/bash", "set -eu\n. /etc/profile", 5),
        ("#!/bin/bash", "set -euo pipefail\nsource /etc/profile", 5),
        ("#!/bin/bash", "set -o errexit -o nounset\nsource /etc/profile", 5),
        ("#!/bin/bash", "set -eo pipefail\nset -u\nsource /etc/profile", 6),
        ("#!/bin/bash", "set +e\nset -u\n[ -r /etc/profile ] && . /etc/profile", 6),
        ("#!/bin/bash -u", "source /etc/profile", 1),
        ("#!/bin/bash -eu", "source /etc/profile", 1),
        ("#!/bin/bash", "set -u\nsource ~/.bashrc", 5),
        ("#!/bin/bash", "source /etc/profile\nset -u\nsource ~/.bashrc", 6),
    ],
)
def test_set_u_before_the_profile(shell: str, lines: str, number: int) -> None:
    text = HEC.replace("#!/bin/bash", shell).replace("source /etc/profile", lines)
    (finding,) = check(text)
    assert (finding.code, finding.line, finding.severity, finding.safe) == ("RK609", number, "warning", False)


@pytest.mark.parametrize(
    "lines",
    [
        "source /etc/profile\nset -u",
        "source /etc/profile\nset -euo pipefail",
        "set -e\nsource /etc/profile",
        "set -eo pipefail\nsource /etc/profile",
        "set -u\nset +u\nsource /etc/profile\nset -u",
        "set -euo pipefail\nset +o nounset\nsource /etc/profile",
        "set -- -u\nsource /etc/profile",
        "source /etc/profile\nset -u\nsource venv/bin/activate",
    ],
)
def test_set_u_after_the_profile(lines: str) -> None:
    assert codes(HEC.replace("source /etc/profile", lines)) == []


def test_the_profile_is_added_above_set_u() -> None:
    text = HEC.replace("source /etc/profile", "set -euo pipefail")
    assert fix(text) == HEC.replace("source /etc/profile", "source /etc/profile\nset -euo pipefail")


def test_set_u_where_the_profile_expands_nothing_that_is_unset() -> None:
    """Debian's and Ubuntu's, and where the profile does not name the system."""
    assert codes(HEX.replace("python", "set -u\nsource /etc/profile\npython"), "hex") == []


SEVERAL = HEC.replace("--mem=1G", "--mem=1G --ntasks=4")


def test_the_finding_about_processes_names_the_command() -> None:
    assert why(SEVERAL) == (
        "The job requests 4 processes (tasks), but `python` starts once, on the first node: without srun or mpirun, "
        "nothing starts in the other tasks. On hec, put `srun` before the command that each task should run "
        "(`mpirun --bind-to none` before a program with MPI). For one program on several cores, request "
        "--cpus-per-task instead."
    )
    assert codes(SEVERAL, files={"work.py": "import os\nn = os.environ['SLURM_NTASKS']\n"}) == []
    assert codes(SEVERAL, files={"work.py": "import subprocess\nsubprocess.run(['srun', './a'])\n"}) == []
    assert codes(SEVERAL, files={"work.py": "import mpi4py\n"}) == ["RK606"]


@pytest.mark.parametrize(
    "command",
    [
        "/opt/orca/orca a.inp",
        "python -m torch.distributed.run --nproc_per_node 2 x.py",
        "mpirun.openmpi ./a",
        "$MPIRUN ./a",
        "snakemake -j 4",
        "bash -c 'srun ./a'",
    ],
)
def test_processes_that_something_else_starts(command: str) -> None:
    assert codes(SEVERAL.replace("python work.py", command)) == []
