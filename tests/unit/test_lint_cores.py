"""RK703 and RK704: programs that start more processes or threads than the job has cores, and those that do not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import check, codes

JOB = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G --cpus-per-task=4
source /etc/profile
module add R/4.3.1
{}
"""
PYTHON, R = JOB.format("python work.py"), JOB.format("Rscript work.R")
AFFINITY = "len(os.sched_getaffinity(0))"
IN_R = 'as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", "1"))'


def found(program: str, text: str = "", cluster: str = "hec") -> list[tuple[str, int, str | None]]:
    """The findings in a program: code, line and mended line."""
    name = "work.R" if text == R or (not text and "R:" in program) else "work.py"
    findings = check(text or PYTHON, cluster, {name: program})
    assert all(finding.path == name and finding.severity == "warning" and not finding.safe for finding in findings)
    return [(finding.code, finding.line, finding.mended) for finding in findings]


@pytest.mark.parametrize(
    ("line", "code", "mended"),
    [
        ("mp.Pool(16)", "RK704", f"mp.Pool({AFFINITY})"),
        ("mp.Pool(processes=16)", "RK704", f"mp.Pool(processes={AFFINITY})"),
        ("mp.get_context('fork').Pool(5)", "RK704", f"mp.get_context('fork').Pool({AFFINITY})"),
        ("ProcessPoolExecutor(max_workers=8)", "RK704", f"ProcessPoolExecutor(max_workers={AFFINITY})"),
        ("Parallel(n_jobs=16)(x)", "RK704", f"Parallel(n_jobs={AFFINITY})(x)"),
        ("RandomForestClassifier(n_jobs=16)", "RK704", f"RandomForestClassifier(n_jobs={AFFINITY})"),
        ("os.environ['OMP_NUM_THREADS'] = '16'", "RK704", f"os.environ['OMP_NUM_THREADS'] = str({AFFINITY})"),
        ("os.environ.setdefault('MKL_NUM_THREADS', '16')", "RK704", None),
        ("N = 16; mp.Pool(N)", "RK704", f"N = {AFFINITY}; mp.Pool(N)"),
        ("é = 'ö'; mp.Pool(16)", "RK704", f"é = 'ö'; mp.Pool({AFFINITY})"),
        ("mp.Pool()", "RK703", f"mp.Pool({AFFINITY})"),
        ("mp.Pool(None)", "RK703", f"mp.Pool({AFFINITY})"),
        ("mp.Pool(initializer=f)", "RK703", f"mp.Pool({AFFINITY}, initializer=f)"),
        ("with ProcessPoolExecutor() as pool: pass", "RK703", f"with ProcessPoolExecutor({AFFINITY}) as pool: pass"),
    ],
)
def test_python_starts_more_than_the_job_has(line: str, code: str, mended: str | None) -> None:
    findings = found(f"{IMPORTS}{line}\n")
    assert [finding[:2] for finding in findings] == [(code, 6)]
    assert mended is None or findings[0][2] == mended


IMPORTS = """\
import os
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from joblib import Parallel
from sklearn.ensemble import RandomForestClassifier
"""


@pytest.mark.parametrize(
    "line",
    [
        "mp.Pool(4)",
        "mp.Pool(processes=1)",
        "Parallel(n_jobs=-1)(x)",  # counts the job's cores
        "RandomForestClassifier(n_jobs=-1)",
        "Parallel(n_jobs=16, prefer='threads')(x)",
        "ThreadPoolExecutor(32)",  # threads may wait for files
        "ThreadPoolExecutor()",
        "N = 16\nN = 4\nmp.Pool(N)",
        "def run(N=16):\n    mp.Pool(N)",
        "N = 16\nfor N in sizes: pass\nmp.Pool(N)",
        "mp.Pool(len(os.sched_getaffinity(0)))",
        "mp.Pool(*args)",
        "mp.Pool(**options)",
        "mp.pool.ThreadPool(16)",
        "class Pool: pass\nPool(); Pool(16)",
        "os.environ['OMP_NUM_THREADS'] = '4'",
        "os.environ['PORT'] = '16'",
        "'''mp.Pool(16)'''  # mp.Pool(16)",
        "print 'mp.Pool(16)'",
    ],
)
def test_python_starts_no_more_than_the_job_has(line: str) -> None:
    assert found(f"{IMPORTS}{line}\n") == []


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[project]\nrequires-python = ">=3.13"\n'},
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.13"\n'},
        {".python-version": "3.14.0\n"},
    ],
)
def test_python_from_3_13_on_counts_the_cores_of_the_job(files: dict[str, str]) -> None:
    program = {"work.py": "from multiprocessing import Pool\nPool()\n"}
    assert check(PYTHON, files=program | files) == []
    assert codes(PYTHON, files=program | {name: text.replace("3.1", "3.") for name, text in files.items()}) == ["RK703"]


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("mclapply(x, f, mc.cores = 8)", f"mclapply(x, f, mc.cores = {IN_R})"),
        ("options(mc.cores=8L)", f"options(mc.cores={IN_R})"),
        ("mc.cores <- 8; mclapply(x, f, mc.cores=mc.cores)", f"mc.cores <- {IN_R}; mclapply(x, f, mc.cores=mc.cores)"),
        ("mc.cores = 8", f"mc.cores = {IN_R}"),
        ("n_cores <- 8\ncl <- makeCluster(n_cores)\nregisterDoParallel(cl)", f"n_cores <- {IN_R}"),
        ("cl <- parallel::makeCluster(spec = 8)", f"cl <- parallel::makeCluster(spec = {IN_R})"),
        ("registerDoParallel(8)", f"registerDoParallel({IN_R})"),
        ("registerDoParallel(cores = 8)", f"registerDoParallel(cores = {IN_R})"),
        ("plan(multisession, workers = 8)", f"plan(multisession, workers = {IN_R})"),
        ("future::plan('multicore', workers = 8)", f"future::plan('multicore', workers = {IN_R})"),
        ("brm(y ~ x, data = d, cores = 8)", f"brm(y ~ x, data = d, cores = {IN_R})"),
        ("Sys.setenv(OMP_NUM_THREADS = '16')", f"Sys.setenv(OMP_NUM_THREADS = {IN_R})"),
    ],
)  # fmt: skip
def test_r_starts_more_than_the_job_has(line: str, mended: str) -> None:
    assert found(f"library(parallel)\n{line}\n", R) == [("RK704", 2, mended)]


@pytest.mark.parametrize(
    "line",
    [
        "mclapply(x, f, mc.cores = 4)",
        "n <- 8\nn <- as.integer(args[1])\nmakeCluster(n)",
        "makeCluster(c('node1', 'node2'))",
        "makeCluster(32, type = 'MPI')",
        "plan(batchtools_slurm, workers = 100)",  # jobs of their own
        "plan(multisession)",  # counts the job's cores
        "run <- function(x, mc.cores = 8) mclapply(x, f, mc.cores = mc.cores)",
        "fit(model, cores = 8)",
        "# mc.cores = 8",
        "cat('mc.cores = 8')",
        "n <- 8\nmatrix(0, nrow = n)",
        "makeClusterOf(8)",
        "makeCluster <- function(n) n + 8",
    ],
)
def test_r_starts_no_more_than_the_job_has(line: str) -> None:
    assert found(f"library(parallel)\n{line}\n", R) == []


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ("", 1),
        ("-c 4", 4),
        ("-c4 --ntasks-per-node=2 --nodes=2 --open-mode=append", 8),
        ("-n 8 -c 2", 16),
        ("--ntasks=8", 8),
        ("--nodes=1", 1),
        ("--exclusive", None),
        ("--gres=gpu:1", None),
        ("--gres=gpu:1 -c 4", 4),
        ("--cpus-per-gpu=8", None),
        ("--mincpus=8", None),
        ("--mem=0", None),
        ("--hint=nomultithread", None),
        ("-c $CORES", None),
        ("--cpu=8", None),
        ("-N 1\n# SBATCH -c 8", None),
        ("-c 2\n# SBATCH -c 8", 2),
        ("-c 2\n#SBATCH hetjob\n#SBATCH -c 8", None),
    ],
)
def test_the_cores_of_a_job(options: str, most: int | None) -> None:
    text = f"#!/bin/bash\n#SBATCH --mem=1G {options}\nsource /etc/profile\npython work.py\n"
    for number in (1, 2, 4, 5, 8, 9, 16, 17, 999):
        program = f"from multiprocessing import Pool\nPool({number})\n"
        reported = "RK704" in codes(text, files={"work.py": program})
        assert reported == (most is not None and number > most), number


@pytest.mark.parametrize(
    ("text", "cluster"),
    [
        ("#!/bin/bash\npython work.py\n", "hec"),  # options come from the command line
        ("#!/bin/bash\n#SBATCH --account=bdlan09 -p gpu --gres=gpu:1 --time=1:0:0\npython work.py\n", "bede"),
        ("#!/bin/bash\n#SBATCH -p other -c 2 --mem=1G\nsource /etc/profile\npython work.py\n", "hec"),
    ],
)
def test_cores_that_nobody_knows(text: str, cluster: str) -> None:
    program = {"work.py": "from multiprocessing import Pool\nPool(999)\n"}
    assert "RK704" not in codes(text, cluster, program)


@pytest.mark.parametrize(
    ("command", "line", "mended"),
    [
        ("Rscript -e 'mclapply(x, f, mc.cores=8)'", 6, f"Rscript -e 'mclapply(x, f, mc.cores={IN_R})'"),
        ('Rscript -e "mclapply(x, f, mc.cores=8)"', 6, None),
        ("R <<'E'\nmclapply(x, f, mc.cores=8)\nE", 7, f"mclapply(x, f, mc.cores={IN_R})"),
    ],
)
def test_a_program_within_the_script(command: str, line: int, mended: str | None) -> None:
    findings = check(JOB.format(command))
    assert [(finding.code, finding.path, finding.line, finding.mended) for finding in findings] == [
        ("RK704", "job.sh", line, mended)
    ]


def test_the_message_says_what_to_request() -> None:
    program = {"work.py": "import os\nfrom multiprocessing import Pool\nPool(16)\n"}
    assert [finding.why for finding in check(PYTHON, files=program)] == [
        "Pool(16) starts 16 processes, but the job requests 4 cores: they slow each other down. Start only as many as "
        "it requests, or request --cpus-per-task=16."
    ]
    one = check(PYTHON.replace(" --cpus-per-task=4", ""), files={"work.py": program["work.py"].partition("\n")[2]})
    assert "the job requests 1 core:" in one[0].why
    assert one[0].why.endswith("(This needs `import os`.)")


def _pieces(text: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*text.split(), " ", "\n", "8"]), max_size=30).map("".join)


@given(
    program=_pieces(
        "mc.cores = <- 8L ( ) { } , makeCluster plan( multisession workers function ' \" # ` n Sys.setenv("
    ),
    other=_pieces(
        "Pool ( ) = import multiprocessing.Pool() n_jobs= : os.environ['OMP_NUM_THREADS'] ' # é \f \r * , None"
    ),
)
@settings(max_examples=100)
def test_any_program_can_be_read(program: str, other: str) -> None:
    text = PYTHON + "Rscript work.R\n"
    findings = check(text, files={"work.R": program, "work.py": f"from multiprocessing import Pool\n{other}"})
    assert all(finding.line >= 1 for finding in findings)
