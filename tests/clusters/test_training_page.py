"""The training page's job scripts and programs, deployed as a project and run byte for byte on both clusters.

Slips of the page are found by `lint` and mended by `--fix` first. The scripts are those of sections 5.2 to 6.4; the tag
is that of 1.3.
"""

import csv
import io
import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import training_page as page
from laptops import Laptop, laptop
from live import Live

from rookery.clusters.config import profile
from rookery.jobs import lint

pytestmark = pytest.mark.cluster

FEW = 20
"""Tasks that are run of the array whose tasks each start Poetry, half a second of processor time, of the page's 200."""

SQUARES = [number * number for number in range(100)]
TASK = "import os\n\nprint(int(os.environ['SLURM_ARRAY_TASK_ID']) ** 2)\n"
"""What `python task.py` of section 5.6 stands for: the page leaves it to the reader."""
EXPECTED = """
one <- function(id, seed) {
  set.seed(seed + id)
  mu <- rnorm(1, mean = 0, sd = 1)
  drawn <- rnorm(1000, mean = mu, sd = 1)
  c(id, mean(drawn), sd(drawn), mu)
}
table <- do.call(rbind, lapply(1:200, one, seed = as.integer(commandArgs(TRUE))))
write.table(format(table, digits = 15), quote = FALSE, row.names = FALSE, col.names = FALSE)
"""
"""What the three simulations in R must come to, worked out one after another."""


@dataclass
class Project:
    """A student's project on a laptop, and on its cluster.

    Attributes:
        person: Whose it is.
        files: What it holds, by path, as the page has it.
        lint_codes: What lint said of each script before it was mended, and after.
        jobs: The job's number of each script.
    """

    person: Laptop
    files: Mapping[str, str]
    lint_codes: list[dict[str, list[str]]] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.person.home / "page"

    def begin(self, python: str = "none") -> None:
        self.root.mkdir()
        about = f"name: page\nclusters: [{self.person.cluster}]\nenvironment: {{python: {python}}}\n"
        about += "outputs: [slurm_results]\n"
        for name, text in {"rookery.yml": about, ".gitignore": "runs/\n", **self.files}.items():
            (self.root / name).write_text(text)
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> None:
        call = ["git", "-c", "user.name=A Student", "-c", "user.email=student@example.org", *arguments]
        subprocess.run(call, cwd=self.root, env=self.person.environment, check=True, capture_output=True)

    def json(self, *arguments: str) -> dict[str, object]:
        """What a command of rookery says in JSON; it must succeed, but for lint."""
        completed = self.person.rookery(*arguments, "--project", str(self.root), "--json")
        assert completed.returncode == 0 or arguments[0] == "lint", completed.stdout + completed.stderr
        answer: dict[str, object] = json.loads(completed.stdout)
        return answer

    def lint(self, *flags: str) -> None:
        answer = self.json("lint", str(self.root), *flags)
        files: list[dict[str, Any]] = answer["files"]  # type: ignore[assignment]
        codes_by_script = {Path(file["path"]).name: [finding["code"] for finding in file["findings"]] for file in files}
        self.lint_codes.append({name: codes for name, codes in codes_by_script.items() if codes})

    def edit(self, name: str, old: str, new: str) -> None:
        """Correct a script by hand."""
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def deploy(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "The training page")
        tag = re.search(r"`(git tag -a [^`]*)`", page.file().read_text())
        assert tag
        self.git(*shlex.split(tag[1])[1:])
        self.json("deploy")

    def submit(self, names: Sequence[str]) -> None:
        for name in names:
            self.jobs[name] = str(self.json("submit", name)["id"])

    def submit_few(self, name: str) -> None:
        """Submit the first tasks of an array, by a script that `submit` takes."""
        assert self.json("submit", name, "--check")
        self.jobs[name] = self.on_cluster(f"sbatch --parsable --array=1-{FEW} {name}")

    def wait(self, names: Sequence[str]) -> None:
        """Until these jobs have ended, well or not: a job that depends on them is waited for."""
        numbers = ":".join(self.jobs[name] for name in names)
        self.person.says(
            f"sbatch --wait --quiet --output=/dev/null --dependency=afterany:{numbers} --wrap=true", timeout=400
        )

    def on_cluster(self, command: str) -> str:
        return self.person.says(f"cd ~/projects/page/current && {command}")

    def log(self, name: str) -> str:
        return self.on_cluster(f"cat slurm-{self.jobs[name]}.out")

    def states(self, name: str) -> set[str]:
        lines = self.person.says(f"sacct --noheader --allocations --format=State,ExitCode --jobs={self.jobs[name]}")
        return {" ".join(line.split()) for line in lines.splitlines()}


def _scripts() -> tuple[dict[str, str], dict[str, str]]:
    """The page's scripts by the names they are given here: those for Penguins, those for HEC."""
    first, one_line, with_srun, penguin = (block.text for block in page.scripts("5.2"))
    (array,) = (block.text for block in page.scripts("5.6"))
    shebang, _, rest = first.partition("\n")
    mail = f"{shebang}\n{page.holding('--mail-type', 'my_job_%j')}{rest}"
    both = {"two_nodes.sh": one_line, "two_nodes_srun.sh": with_srun}
    penguins = {
        **both,
        "penguin.sh": penguin,
        "run_sim_array.sh": array,
        "pool.sh": page.script("6.1", "Penguins"),
        "python_array.sh": page.script("6.2", "Penguins"),
        "mclapply.sh": page.script("6.3", "Penguins"),
        "foreach.sh": page.script("6.3", "Penguins").replace("mclapply-test.R", "foreach-test.R"),
        "r_array.sh": page.script("6.4", "Penguins"),
    }
    hec = {
        **both,
        "one_node.sh": first,
        "mail.sh": mail,
        "pool.sh": page.script("6.1", "HEC"),
        "python_array.sh": page.script("6.2", "HEC"),
    }
    return penguins, hec


@pytest.fixture(scope="module")
def projects(penguins: Live, hec: Live) -> tuple[Project, Project]:
    """Both projects, set up, linted, mended, deployed, and each job run to its end; of one, the first tasks."""
    for_penguins, for_hec = _scripts()
    python = {
        "multiprocessing_test.py": page.called("multiprocessing_test.py"),
        "array_test.py": page.called("array_test.py"),
    }
    r = {
        name: page.called(name)
        for name in ("mclapply-test.R", "foreach-test.R", "single_simulation.R", "combine_results.R")
    }
    first = Project(laptop(penguins, "turing"), {**for_penguins, **python, **r, "task.py": TASK})
    second = Project(laptop(hec, "noether"), {**for_hec, **python})
    first.person.write(r_packages=["foreach", "doParallel"])
    first.person.setup("--tags", "shell,storage,python,python_tools,r")
    second.person.setup("--tags", "shell,storage")
    first.begin("poetry")
    second.begin()
    for name, text in _poetry(first.person).items():
        (first.root / name).write_text(text)
    for project in (second, first):
        project.lint()
        project.lint("--fix")
    for name in first.lint_codes[1]:
        first.edit(name, "=parallel ", "=PenguinPartition ")
    for project in (second, first):
        project.deploy()
    second.submit(list(for_hec))
    (with_poetry,) = (name for name, text in for_penguins.items() if "--array" in text and "poetry" in text)
    first.submit([name for name in for_penguins if name != with_poetry])
    first.submit_few(with_poetry)
    second.wait(list(for_hec))
    first.wait(list(for_penguins))
    return first, second


def _poetry(person: Laptop) -> dict[str, str]:
    """A poetry project as section 5.3 makes one, on the cluster, where poetry is."""
    mode = page.holding("package-mode")
    person.script(
        f"""
        source ~/start-pyenv
        mkdir -p ~/begin && cd ~/begin
        poetry init --no-interaction --name page
        cat >> pyproject.toml <<'MODE'
{mode}MODE
        poetry lock --quiet
    """.replace("\n        ", "\n")
    )
    return {name: person.says(f"cat ~/begin/{name}") + "\n" for name in ("pyproject.toml", "poetry.lock")}


@pytest.fixture(scope="module")
def on_penguins(projects: tuple[Project, Project]) -> Project:
    return projects[0]


@pytest.fixture(scope="module")
def on_hec(projects: tuple[Project, Project]) -> Project:
    return projects[1]


def test_lint_finds_the_page_s_slips_and_nothing_else(on_penguins: Project, on_hec: Project) -> None:
    assert on_penguins.lint_codes[0] == {
        "two_nodes.sh": ["RK301", "RK606"],  # written for HEC
        "two_nodes_srun.sh": ["RK301"],
        "penguin.sh": ["RK301"],  # Penguin
        "run_sim_array.sh": ["RK501"],  # slurm_logs
        "mclapply.sh": ["RK601"],  # RScript
        "foreach.sh": ["RK601"],
        "r_array.sh": ["RK501"],
    }
    assert on_hec.lint_codes[0] == {
        "two_nodes.sh": ["RK606"],  # as the page says: a single line
        "mail.sh": ["RK503", "RK501"],  # YOUR_EMAIL_ADDRESS_HERE, logs
        "pool.sh": ["RK602"],  # module activate
        "python_array.sh": ["RK602", "RK604"],
    }


def test_fix_mends_what_is_certain_and_changes_nothing_else(on_penguins: Project, on_hec: Project) -> None:
    assert on_penguins.lint_codes[1] == {
        "two_nodes.sh": ["RK301", "RK606"],  # another cluster's partition is for the user to replace
        "two_nodes_srun.sh": ["RK301"],
    }
    assert on_hec.lint_codes[1] == {"two_nodes.sh": ["RK606"], "mail.sh": ["RK503"]}
    slips = {
        "=parallel ": "=PenguinPartition ",  # by hand
        "--partition Penguin\n": "--partition PenguinPartition\n",
        "RScript": "Rscript",
    }
    for name, text in on_penguins.files.items():
        expected = text
        for slip, mended in slips.items() if name.endswith(".sh") else ():
            expected = expected.replace(slip, mended)
        assert (on_penguins.root / name).read_text() == expected
    for name, text in on_hec.files.items():
        mended = text.replace("module activate", "module add")
        if name == "python_array.sh":
            mended = mended.replace("# Load python module\n", "# Load python module\nsource /etc/profile\n")
        assert (on_hec.root / name).read_text() == mended
    assert "outputs: [slurm_results, slurm_logs]\n" in (on_penguins.root / "rookery.yml").read_text()
    assert "outputs: [slurm_results, logs]\n" in (on_hec.root / "rookery.yml").read_text()


def test_what_is_deployed_is_what_was_mended(on_penguins: Project) -> None:
    for name in on_penguins.files:
        assert on_penguins.on_cluster(f"md5sum < {name}") == _md5(on_penguins.root / name)
    stamp = json.loads(on_penguins.on_cluster("cat .rookery/release.json"))
    assert stamp["describe"] == "v1.0"
    assert stamp["dirty"] is False


def _md5(path: Path) -> str:
    import hashlib

    return f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  -"


def test_every_job_ended_well(on_penguins: Project, on_hec: Project) -> None:
    for project in (on_penguins, on_hec):
        states = {name: project.states(name) for name in project.jobs}
        assert states == {name: {"COMPLETED 0:0"} for name in project.jobs}


def test_hostname_without_srun_and_with(on_penguins: Project, on_hec: Project) -> None:
    assert re.fullmatch(r"wn\d+", on_hec.log("one_node.sh"))
    for project in (on_penguins, on_hec):
        assert re.fullmatch(r"wn\d+", project.log("two_nodes.sh"))
        lines = project.log("two_nodes_srun.sh").split()
        assert len(lines) == len(set(lines)) == 2


def test_the_lines_for_mail_and_logs(on_hec: Project) -> None:
    number = on_hec.jobs["mail.sh"]
    assert re.fullmatch(r"wn\d+", on_hec.on_cluster(f"cat logs/my_job_{number}.out"))
    assert on_hec.on_cluster(f"cat logs/my_job_{number}.err") == ""
    assert on_hec.on_cluster("readlink logs").endswith("/projects/page/logs")


def test_multiprocessing(on_penguins: Project, on_hec: Project) -> None:
    """The first line is the job's cores where Slurm binds it to them; a miniature does not: it is the machine's."""
    for project in (on_penguins, on_hec):
        cores = project.person.says("nproc")
        assert project.log("pool.sh").splitlines() == [cores, str(SQUARES)]


def test_python_s_array(on_penguins: Project, on_hec: Project) -> None:
    for project, tasks in ((on_penguins, FEW), (on_hec, 200)):
        output = project.on_cluster(f'for i in $(seq {tasks}); do echo "$i $(cat $i.dat)"; done')
        assert output.splitlines() == [f"{number} {number * number}" for number in range(1, tasks + 1)]
        number = project.jobs["python_array.sh"]
        assert project.on_cluster(f"cat array_error_{number}_*.err") == ""


def test_the_array_that_names_no_partition(on_penguins: Project) -> None:
    number = on_penguins.jobs["run_sim_array.sh"]
    output = on_penguins.on_cluster(f"cd slurm_logs && for i in $(seq 200); do cat sim_output_{number}_$i.out; done")
    assert [int(line) for line in output.split()] == [number * number for number in range(1, 201)]


def _expected(project: Project, seed: int) -> list[list[float]]:
    completed = project.person.ssh(f"Rscript - {seed}", stdin=EXPECTED)
    assert completed.returncode == 0, completed.stderr
    return [[float(value) for value in line.split()] for line in completed.stdout.splitlines()]


def _table(text: str, *columns: str) -> list[list[float]]:
    rows = [[float(row[column]) for column in columns] for row in csv.DictReader(io.StringIO(text))]
    return sorted(rows)


@pytest.mark.parametrize(("job", "seed"), [("mclapply", 1234), ("foreach", 1000)])
def test_simulations_over_cores(on_penguins: Project, job: str, seed: int) -> None:
    text = on_penguins.on_cluster(f"cat independent_sim_results_{job}.csv")
    rows = _table(text, "sim_id", "estimated_mu", "sample_sd", "true_mu")
    _same(rows, _expected(on_penguins, seed))


def _same(rows: list[list[float]], expected: list[list[float]]) -> None:
    assert len(rows) == len(expected) == 200
    for row, wanted in zip(rows, expected, strict=True):
        assert row == pytest.approx(wanted, rel=1e-12)


def test_r_s_array_and_its_combined_table(on_penguins: Project) -> None:
    expected = _expected(on_penguins, 2000)
    columns = ("task_id", "estimated_mu", "sample_sd", "true_mu")
    single = on_penguins.on_cluster("cd slurm_results && head -n 1 result_task_1.csv && tail -q -n 1 result_task_*.csv")
    _same(_table(single, *columns), expected)
    number = on_penguins.jobs["r_array.sh"]
    logs = on_penguins.on_cluster(f"cat slurm_logs/sim_output_{number}_*.out")
    assert logs.count("completed. Result saved to slurm_results/result_task_") == 200
    shown = on_penguins.on_cluster("Rscript combine_results.R")
    assert "task_id" in shown
    assert "Median" in shown
    _same(_table(on_penguins.on_cluster("cat combined_results.csv"), *columns), expected)


def _tested(miniature: Live, script: str) -> "subprocess.CompletedProcess[bytes]":
    """What sbatch says of a script, which it does not run."""
    call = [*miniature.ssh_command, "sbatch --test-only"]
    return subprocess.run(call, input=script.encode(), capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "lines",
    [
        "hostname",  # RK101
        "#!/bin/bash\r\nhostname",  # RK102
        "\ufeff#!/bin/bash\nhostname",  # RK103
        "",  # RK105
        "#!/bin/bash\n#SBATCH --job-name='a b\nhostname",  # RK204
        "#!/bin/bash\n#SBATCH --cpu-per-task=2\nhostname",  # RK205
        "#!/bin/bash\n#SBATCH --mem = 1G\nhostname",  # RK206
        "#!/bin/bash\n#SBATCH --mem=1G one\nhostname",  # RK206
        "#!/bin/bash\n#SBATCH --time=2h\nhostname",  # RK207
        "#!/bin/bash\n#SBATCH --mem=1.5G\nhostname",  # RK207
        "#!/bin/bash\n#SBATCH --array=1..9\nhostname",  # RK207
        "#!/bin/bash\n#SBATCH --mem=1G --mem-per-cpu=1G\nhostname",  # RK208
        "#!/bin/bash\n#SBATCH --partition=none\nhostname",  # RK301
        "#!/bin/bash\n#SBATCH --partition=parallel --gres=gpu:1\nhostname",  # RK304
        "#!/bin/bash\n#SBATCH --array=1-2 --mail-type=END\nhostname",  # RK401
    ],
)
def test_what_lint_calls_an_error_slurm_refuses(hec: Live, lines: str) -> None:
    findings = lint.check(lines, profile.load("hec"), path="job.sh", files=lambda _: None)
    assert "error" in {finding.severity for finding in findings}
    completed = _tested(hec, lines)
    assert completed.returncode != 0, completed.stderr
