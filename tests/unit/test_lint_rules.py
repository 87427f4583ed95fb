"""Each rule of lint: the line it finds, and how that reads mended. A correct script has no finding."""

from pathlib import Path

import pytest
from linting import check, codes, fix
from projects import known

from rookery.jobs import lint

HEC = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --time=00:05:00
source /etc/profile
module add R/4.3.1
Rscript work.R
"""
PENGUINS = HEC.replace("=parallel", "=PenguinPartition").replace("source /etc/profile\nmodule add R/4.3.1\n", "")


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "mended"),
    [
        ("#!/bin/bash\n", "", "RK101", 1, "#!/bin/bash"),
        ("#!/bin/bash", "\n#!/bin/bash", "RK101", 1, "#!/bin/bash"),
        ("Rscript work.R\n", "Rscript work.R\n#SBATCH --nodes=1\n", "RK201", 8, "#SBATCH --nodes=1"),
        ("#SBATCH --mem", " #SBATCH --mem", "RK202", 3, "#SBATCH --mem=1G"),
        ("#SBATCH --mem", "#SBTACH --mem", "RK202", 3, "#SBATCH --mem=1G"),
        ("#SBATCH --mem", "#Sbatch --mem", "RK202", 3, "#SBATCH --mem=1G"),
        ("#SBATCH --mem", "# SBATCH --mem", "RK202", 3, "#SBATCH --mem=1G"),
        ("--time", "--output=x_$SLURM_JOB_ID.out --time", "RK203", 4, "#SBATCH --output=x_%j.out --time=00:05:00"),
        ("--time", "--output=$HOME/x.out --time", "RK203", 4, None),
        ("--time", "--output=~/x.out --time", "RK203", 4, None),
        ("--time", "--chdir=${global_storage} --time", "RK203", 4, None),
        ("--time=00:05:00", "--job-name='not closed", "RK204", 4, None),
        ("--time", "--cpu-per-task=2 --time", "RK205", 4, "#SBATCH --cpus-per-task=2 --time=00:05:00"),
        ("--time", "--job_name=x --time", "RK205", 4, "#SBATCH --job-name=x --time=00:05:00"),
        ("--time=00:05:00", "--time = 00:05:00", "RK206", 4, "#SBATCH --time=00:05:00"),
        ("--time=00:05:00", "--job-name = \"my job\"", "RK206", 4, '#SBATCH --job-name="my job"'),
        ("--time=00:05:00", "--job-name ='a; b'", "RK206", 4, "#SBATCH --job-name='a; b'"),
        ("--time=00:05:00", "time=00:05:00", "RK206", 4, "#SBATCH --time=00:05:00"),
        ("--time=00:05:00", "--time=00:05:00 five minutes", "RK206", 4, "#SBATCH --time=00:05:00 # five minutes"),
        ("--time=00:05:00", "--time=2h", "RK207", 4, "#SBATCH --time=02:00:00"),
        ("--time=00:05:00", "--time=soon", "RK207", 4, None),
        ("--mem=1G", "--mem=1.5G", "RK207", 3, "#SBATCH --mem=1536M"),
        ("--mem=1G", "--mem=1500B", "RK207", 3, None),
        ("--time=00:05:00", "--time=00:05:00 --array=1..9", "RK207", 4, "#SBATCH --time=00:05:00 --array=1-9"),
        ("--time=00:05:00", "--time=", "RK207", 4, None),
        ("--time", "--mem-per-cpu=1G --time", "RK208", 4, None),
        ("=parallel", "=paralell", "RK301", 2, "#SBATCH --partition=parallel"),
        ("--partition=parallel", "-p Serial", "RK301", 2, "#SBATCH -p serial"),
        ("--partition=parallel", "-pSerial", "RK301", 2, "#SBATCH -pserial"),
        ("=parallel", "=test,nonesuch", "RK301", 2, "#SBATCH --partition=test,serial"),
        ("--time=00:05:00", "--time=01:00:00 -p test", "RK302", 4, "#SBATCH --time=00:05:00 -p test"),
        ("=parallel", "=serial --cpus-per-task=8", "RK303", 2, "#SBATCH --partition=parallel --cpus-per-task=8"),
        ("--mem=1G", "--mem=1G --cpus-per-task=513", "RK303", 3, None),
        ("--mem=1G", "--mem=1G --gres=gpu:1", "RK304", 3, "#SBATCH --partition=gpu-short"),
        ("=parallel", "=astro --gpus=l40:1", "RK305", 2, None),
        ("=parallel", "=gpu-long --gpus=3", "RK306", 2, None),
        ("=parallel", "=gpu-short --gres=gpu:nvidia_h200_nvl:3", "RK306", 2, None),
        ("#SBATCH --mem=1G\n", "", "RK309", 3, "#SBATCH --mem=1G"),
        ("--mem=1G", "--mem=1G -a 1-9 --mail-type=END", "RK401", 3, "#SBATCH --mem=1G -a 1-9"),
        ("--mem=1G", "--mail-type=END --mem=1G -a 1-9", "RK401", 3, "#SBATCH --mem=1G -a 1-9"),
        ("--mem=1G", "--mem=1G -a 1-9\n#SBATCH --mail-type END", "RK401", 4, "##SBATCH --mail-type END"),
        ("--mem=1G", "--mem=1G --array=1-5000", "RK403", 3, "#SBATCH --mem=1G --array=1-5000%50"),
        ("--mem=1G", "--mem=1G --array=1-9 -o log.txt", "RK404", 3, "#SBATCH --mem=1G --array=1-9 -o log_%A_%a.txt"),
        ("--mem=1G", "--mem=1G -a 1-9 -o %%a", "RK404", 3, "#SBATCH --mem=1G -a 1-9 -o %%a_%A_%a"),
        ("--mem=1G", "--mem=1G -a 1-9 -o 'a b'", "RK404", 3, "#SBATCH --mem=1G -a 1-9 -o 'a b_%A_%a'"),
        ("--mem=1G", "--mem=1G -a 1-9 '--output=a b'", "RK404", 3, "#SBATCH --mem=1G -a 1-9 --output='a b_%A_%a'"),
        ("--mem=1G", "--mem=1G -o logs/%j.txt", "RK501", 3, None),
        ("--mem=1G", "--mem=1G -o run_%j/log.txt", "RK501", 3, "#SBATCH --mem=1G -o run_%j_log.txt"),
        ("Rscript", "RScript", "RK601", 7, "Rscript work.R"),
        ("Rscript", "srun -n 1 /usr/bin/rscript", "RK601", 7, "srun -n 1 /usr/bin/Rscript work.R"),
        ("module add", "module activate", "RK602", 6, "module add R/4.3.1"),
        ("module add", "module laod", "RK602", 6, "module load R/4.3.1"),
        ("module add", "module", "RK602", 6, "module add R/4.3.1"),
        ("source /etc/profile\n", "", "RK604", 5, "source /etc/profile"),
        ("source /etc/profile\nmodule add R/4.3.1\n", "", "RK604", 5, "source /etc/profile"),
        ("Rscript", "conda activate mine; Rscript", "RK605", 7, "source activate mine; Rscript work.R"),
        ("--mem=1G", "--mem=1G --ntasks=4", "RK606", 7, "srun Rscript work.R"),
        ("Rscript work.R", "Rscript work.R &", "RK607", 7, "wait"),
    ],
)  # fmt: skip
def test_one_fault_is_one_finding(old: str, new: str, code: str, line: int, mended: str | None) -> None:
    assert check(HEC) == []
    assert old in HEC
    text = HEC.replace(old, new, 1)
    findings = check(text)
    assert [(finding.code, finding.line) for finding in findings] == [(code, line)]
    if mended is not None:
        assert findings[0].mended == mended
    fixed = fix(text)
    assert fix(fixed) == fixed
    assert [finding for finding in check(fixed) if finding.safe] == []
    if findings[0].safe:
        assert check(fixed) == []
    else:
        assert fixed == text


@pytest.mark.parametrize(
    ("old", "new", "code", "mended"),
    [
        ("=PenguinPartition", " Penguin", "RK301", "#SBATCH --partition PenguinPartition"),
        ("=PenguinPartition", "=parallel", "RK301", "#SBATCH --partition=PenguinPartition"),
        ("Rscript", "module add R; Rscript", "RK603", None),
        ("Rscript", "module add python\nRscript", "RK603", 'source "${HOME}/start-pyenv"'),
        ("--mem=1G", "--mem=1G --gres=gpu:1", "RK304", None),
    ],
)
def test_penguins(old: str, new: str, code: str, mended: str | None) -> None:
    assert check(PENGUINS, "penguins") == []
    findings = check(PENGUINS.replace(old, new, 1), "penguins")
    assert [(finding.code, finding.mended) for finding in findings] == [(code, mended)]


@pytest.mark.parametrize(
    ("line", "site", "message"),
    [
        ("#SBATCH -p gpu --gres=gpu:1", "stanage", "gpu rejects jobs without --qos=gpu."),
        ("#SBATCH -p gpu --qos=gpu", "stanage", "gpu rejects jobs without --gres=gpu:N."),
        (
            "#SBATCH -p icelake",
            "csd3",
            "csd3 rejects jobs without an account to charge (your group and service level, without -CPU or -GPU).",
        ),
    ],
)
def test_what_a_partition_needs(line: str, site: str, message: str) -> None:
    assert message in [finding.why for finding in check(f"#!/bin/bash\n{line}\nhostname\n", site)]


@pytest.mark.parametrize(
    ("options", "why", "mended"),
    [
        ("-p cpu-6h -t 12:00:00", "cpu-6h allows at most 6 hours", "#SBATCH -p cpu-48h -t 12:00:00"),
        ("-t 12:00:00", "The default partition, cpu-6h, allows at most 6 hours", "#SBATCH --partition=cpu-48h"),
        ("-t 300-0", "The default partition, cpu-6h, allows at most 6 hours", "#SBATCH -t 06:00:00"),
        ("-t 6:00:00", "", ""),
    ],
)
def test_more_time_than_the_partition_gives(options: str, why: str, mended: str) -> None:
    findings = check(f"#!/bin/bash\n#SBATCH --mem=1G\n#SBATCH {options}\nhostname\n", "hex")
    assert [finding.code for finding in findings] == ["RK302"] * bool(why)
    assert all(finding.why.startswith(why) and finding.mended == mended and not finding.safe for finding in findings)


@pytest.mark.parametrize(
    ("taken", "code", "mended"),
    [
        ("#SBATCH --account=bdlan09\n", "RK307", None),
        ("#SBATCH --gres=gpu:1\n", "RK308", "#SBATCH --gres=gpu:1"),
    ],
)
def test_what_a_site_requires(taken: str, code: str, mended: str | None) -> None:
    text = (Path(__file__).parents[1] / "data/jobscripts/good/bede-gpu.sh").read_text()
    assert taken in text
    findings = check(text.replace(taken, ""), "bede")
    assert [(finding.code, finding.mended, finding.safe) for finding in findings] == [(code, mended, False)]


@pytest.mark.parametrize(
    ("text", "code", "fixed"),
    [
        (HEC.replace("\n", "\r\n"), "RK102", HEC),
        (HEC.replace("Rscript work.R\n", "Rscript work.R\r\n"), "RK102", HEC),
        ("\ufeff" + HEC, "RK103", HEC),
        (HEC + "\0", "RK104", HEC + "\0"),
        ("", "RK105", ""),
        ("\n \r\n", "RK105", "\n \r\n"),
        (HEC + "#" * 5_000_000, "RK106", HEC + "#" * 5_000_000),
    ],
)
def test_the_file_itself(text: str, code: str, fixed: str) -> None:
    assert codes(text) == [code]
    assert fix(text) == fixed


def test_several_faults_behind_windows_line_ends_are_found_and_mended_together() -> None:
    text = "\ufeff" + PENGUINS.replace("Rscript", "RScript").replace("=PenguinPartition", "=Penguin").replace(
        "\n", "\r\n"
    )
    assert sorted(codes(text, "penguins")) == ["RK102", "RK103", "RK301", "RK601"]
    assert fix(text, "penguins") == PENGUINS


def test_a_line_below_the_first_command_is_moved_only_where_nothing_stands_against_it() -> None:
    text = HEC + "#SBATCH --mem=8G\n"
    assert [(finding.code, finding.safe) for finding in check(text)] == [("RK201", False)]
    assert fix(HEC + "#SBATCH --nodes=1") == HEC.replace("00:05:00\n", "00:05:00\n#SBATCH --nodes=1\n")


PROJECT = "name: x\nclusters: [hec]\n"
ARRAY = HEC.replace("--mem=1G", "--mem=1G --array=1-9 --output=slurm_logs/%A_%a.out")


@pytest.mark.parametrize(
    "outputs", ["", "outputs: [slurm_logs]\n", "outputs:\n  - a\n  - slurm_logs\n", "outputs: slurm_logs\n"]
)
def test_a_log_folder_among_the_outputs_is_there(outputs: str) -> None:
    assert check(ARRAY, files={"rookery.yml": PROJECT + outputs}) == []


@pytest.mark.parametrize(
    ("outputs", "mended"),
    [
        ("outputs: []\n", "outputs: [slurm_logs]"),
        ("outputs: [a, b] # mine\n", "outputs: [a, b, slurm_logs] # mine"),
        ("outputs: [a, b,]\n", "outputs: [a, b, slurm_logs]"),
        ("outputs:\n  - a # mine\n", "  - slurm_logs"),
        ("outputs:\n- a", "- slurm_logs"),
    ],
)
def test_a_log_folder_that_is_not_there_is_named_in_the_outputs(outputs: str, mended: str) -> None:
    findings = check(ARRAY, files={"rookery.yml": PROJECT + outputs})
    assert [(finding.code, finding.severity, finding.mended, finding.safe) for finding in findings] == [
        ("RK501", "error", mended, True)
    ]


def test_a_log_folder_where_no_outputs_are_named() -> None:
    findings = check(ARRAY.replace("slurm_logs", "logs"), files={"rookery.yml": PROJECT})
    assert [(finding.code, finding.mended) for finding in findings] == [("RK501", "outputs: [logs]")]


def test_a_mkdir_in_the_script_comes_too_late() -> None:
    text = ARRAY.replace("Rscript", "mkdir -p slurm_logs\nRscript")
    findings = check(text, files={"rookery.yml": f"{PROJECT}outputs: [results]\n"})
    assert [finding.code for finding in findings] == ["RK501"]
    assert "mkdir in line 7 runs too late" in findings[0].why


R_COUNTING = "library(parallel) # detectCores()\ncl <- makeCluster(parallel::detectCores() - 1)\ncat('detectCores()')\n"
PYTHON_COUNTING = (
    "import os as o\nfrom multiprocessing import cpu_count\nx = '''cpu_count()'''\nn = o.cpu_count() or cpu_count()\n"
)


def test_a_program_that_counts_the_machine_s_cores() -> None:
    findings = check(HEC, files={"work.R": R_COUNTING})
    assert [(finding.code, finding.path, finding.line) for finding in findings] == [("RK701", "work.R", 2)]
    assert findings[0].mended == 'cl <- makeCluster(as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", "1")) - 1)'
    text = HEC.replace("Rscript work.R", "srun -n 1 python3 -u code/work.py --x")
    findings = check(text, files={"code/work.py": "import helper\n", "code/helper.py": PYTHON_COUNTING})
    assert [(finding.code, finding.path, finding.line) for finding in findings] == [("RK702", "code/helper.py", 4)] * 2


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("Rscript work.R", {"work.R": 'n <- as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", detectCores()))'}),
        ("Rscript work.R", {"work.R": 'r"(detectCores())"; detectCoresToo(); x.detectCores()'}),
        ("Rscript work.R", {"other.R": "detectCores()"}),
        ("Rscript work.R", {"work.R": "# it's detectCores()\n"}),
        ("python a.py", {"a.py": "import os\nn = int(os.environ.get('SLURM_CPUS_PER_TASK', os.cpu_count()))\n"}),
        ("python a.py", {"a.py": "def cpu_count():\n    return 1\ncpu_count()\n"}),
        ("python a.py", {"a.py": "print 'Python 2', cpu_count()"}),
        ("python a.py", {"a.py": "import joblib\njoblib.cpu_count()\n"}),
        ("python a.py", {"a.py": "import os\nn = min(4, os.cpu_count())\n"}),
        ("Rscript work.R", {"work.R": "n <- min(4L, detectCores())"}),
    ],
)
def test_programs_that_do_well(command: str, files: dict[str, str]) -> None:
    assert check(HEC.replace("Rscript work.R", command), files=files) == []


def test_programs_within_the_script() -> None:
    text = HEC.replace("Rscript work.R", "R --no-save <<'R'\nx <- 1\nmakeCluster(detectCores())\nR")
    assert [(finding.code, finding.line) for finding in check(text)] == [("RK701", 9)]
    text = HEC.replace("Rscript work.R", "python -c 'import os; print(os.cpu_count())'")
    assert [(finding.code, finding.line) for finding in check(text)] == [("RK702", 7)]


@pytest.mark.parametrize(
    "command",
    [
        "srun ./a", "mpirun --bind-to none ./a", "time srun ./a", "for i in 1 2; do srun -n1 ./a & done; wait",
        "make -j $SLURM_NTASKS", "x=$(srun hostname)", "./start.sh", "parallel ./a ::: 1 2",
        "fluent 3ddp -g -t8 -i run.jou", "cfx5solve -batch -def a.def -par-dist $HOSTS", "bede-ddlrun python a.py",
        "matlab -batch run", "tar -xzf a.tar.gz", "x=$(./count a)", "for i in $(./list | sort -u); do cd $i; done",
    ],
)  # fmt: skip
def test_several_tasks_that_are_started(command: str) -> None:
    text = HEC.replace("--mem=1G", "--mem=1G --nodes=2").replace("Rscript work.R", command)
    assert check(text) == []


def test_several_tasks_that_nothing_starts() -> None:
    text = HEC.replace("--mem=1G", "--mem=1G --nodes=2").replace("Rscript work.R", "hostname")
    assert [(finding.code, finding.mended) for finding in check(text)] == [("RK606", "srun hostname")]
    assert codes(text.replace("hostname", "bash inner.sh"), files={"inner.sh": "hostname\n"}) == ["RK606"]
    assert codes(text.replace("hostname", "bash inner.sh"), files={"inner.sh": "srun hostname\n"}) == []


@pytest.mark.parametrize(
    "line",
    [
        "# SBATCH --mem=2G",
        "##SBATCH --mem=9X",
        "#SBATCH --open-mode append --tasks-per-node 1",
        "#SBATCH --nice -H",
        "#SBATCH -a 7 -o log.txt",
        "#SBATCH -a 1-9 -o log.txt --open-mode=append",
    ],
)
def test_lines_that_are_well(line: str) -> None:
    assert check(HEC.replace("#SBATCH --time", f"{line}\n#SBATCH --time")) == []


def test_a_script_without_options_of_its_own_is_asked_for_none() -> None:
    """They stand on the command line then."""
    assert check("#!/bin/bash\npython work.py\n") == []
    assert codes("#!/bin/bash\nRScript work.R\n") == ["RK601"]


@pytest.mark.parametrize(
    ("array", "code"),
    [("0-9999%50", []), ("1-10000%50", ["RK402"]), ("10000-10001%50", ["RK402"]), ("1-20000:2%50", ["RK402"])],
)
def test_an_array_that_is_larger_than_the_cluster_takes(array: str, code: list[str]) -> None:
    text = f"#!/bin/bash\n#SBATCH --array={array}\nhostname\n"
    found = lint.check(text, known("jasmin"), path="job.sh", files=lambda _: None)
    assert [finding.code for finding in found if finding.code.startswith("RK40")] == code
