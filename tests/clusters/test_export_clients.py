"""`export` tried with the real client: batchtools of Debian's R on the login node, AiiDA of PyPI on the laptop."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from laptop_projects import Project, project
from laptops import Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: owls
        clusters: [hec]
        environment: {python: none}
        jobs:
          fit:
            command: Rscript fit.R
            modules: [r]
            cpus: 2
            memory: 600M
            time: 00:05:00
            array: 1-20
            sbatch: [--nice=3]
        """,
    ".gitignore": "settings/\n",
}

BATCHTOOLS = """
library(batchtools)
makeRegistry("registry", seed = 1)
ids <- batchMap(function(x) x^2, x = 1:3)
submitJobs(ids[1])
submitJobs(ids[2:3][, chunk := 1], resources = list(chunks.as.arrayjobs = TRUE, walltime = 120L))
stopifnot(waitForJobs(sleep = 1))
cat("results:", unlist(reduceResultsList()), "\\n")
cat("jobs:", getJobTable()$batch.id, "\\n")
"""

AIIDA = """
import yaml
from aiida import engine, load_profile, orm
from aiida.plugins import CalculationFactory

load_profile()
builder = CalculationFactory("core.arithmetic.add").get_builder()
builder.code, builder.x, builder.y = orm.load_code("owls@hec"), orm.Int(2), orm.Int(3)
with open("settings/options.yaml") as stream:
    builder.metadata.options = yaml.safe_load(stream)
builder.metadata.dry_run, builder.metadata.store_provenance = True, False
results, node = engine.run_get_node(builder)
print(node.dry_run_info["folder"])
"""

AIIDA_CORE = "aiida-core==2.9.4"


@pytest.fixture(scope="module")
def owls(hec: Live) -> Project:
    made = laptop(hec, "owen")
    made.setup("--tags", "shell,storage")
    return project(made, "owls", FILES)


def size(laptop: Laptop, job: str) -> str:
    """What a job of the last minutes asked for: squeue knows it at once, sacct only a little later."""
    return laptop.says(f"squeue -h -t all -j {job} -o '%l|%C|%m|%P'")


def test_batchtools(hec: Live, owls: Project) -> None:
    """A registry with a job and an array: submitted, waited for, its results loaded; sizes as in rookery.yml."""
    for arguments in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "r-cran-batchtools"]):
        hec.root_run(["apt-get", *arguments])
    owls.run("export", "batchtools", "--output", "settings/bt")
    folder = owls.root / "settings/bt"
    owls.laptop.says("mkdir -p bt")
    for name, text in {"run.R": BATCHTOOLS, **{path.name: path.read_text() for path in folder.iterdir()}}.items():
        owls.laptop.ssh(f"cat >bt/{name}", stdin=text)
    before = [line.strip("# ") for line in (folder / "batchtools.conf.R").read_text().splitlines() if "#   " in line]
    said = owls.laptop.script("\n".join([*before, "cd bt", "Rscript run.R"]))
    assert "results: 1 4 9 \n" in said
    [numbers] = re.findall(r"^jobs: ([\d_ ]+)", said, re.MULTILINE)
    sizes = [size(owls.laptop, number) for number in numbers.split()]
    assert sizes == ["5:00|2|600M|parallel", "2:00|2|600M|parallel", "2:00|2|600M|parallel"]


def verdi(laptop: Laptop, folder: Path, *command: str) -> str:
    """The output of a program of AiiDA's, which must succeed; its ssh reads the configuration of the laptop's home."""
    programs = laptop.home / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("ssh", "scp"):  # both ask the password database for the home, not $HOME
        (programs / name).write_text(f'#!/bin/sh\nexec /usr/bin/{name} -F "$HOME/.ssh/config" "$@"\n')
        (programs / name).chmod(0o755)
    environment = laptop.environment | {"AIIDA_PATH": str(laptop.home / "aiida"), "PYTHONWARNINGS": "ignore"}
    environment |= {"PATH": f"{programs}:{environment['PATH']}"}
    completed = subprocess.run(
        [laptop.home / "aiida-environment/bin" / command[0], *command[1:]],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert completed.returncode == 0, f"{command}\n{completed.stdout}{completed.stderr}"
    return completed.stdout


def test_aiida(owls: Project) -> None:
    """A computer and a code as exported, tried through the connection that is open, and the job that AiiDA writes.

    It is submitted here: AiiDA itself asks for it every ten seconds, and takes half a minute to its end.
    """
    there = owls.laptop
    environment = there.home / "aiida-environment"
    for words in (["venv", "-q", environment], ["pip", "install", "-q", "--python", environment, AIIDA_CORE]):
        subprocess.run(["uv", *words], check=True, env=os.environ, timeout=300)
    owls.laptop.rookery("ssh.config", "hec")
    owls.run("export", "aiida", "--output", "settings")
    (owls.root / "add.py").write_text(AIIDA)
    verdi(there, owls.root, "verdi", "presto", "--no-broker")
    for path, command in {
        "computer-setup": ["computer", "setup"],
        "computer-configure": ["computer", "configure", "core.ssh_async", "hec", "--safe-interval", "0.1"],
        "code": ["code", "create", "core.code.installed"],
    }.items():
        verdi(there, owls.root, "verdi", *command, "--non-interactive", "--config", f"settings/{path}.yaml")
    assert "all 6 tests succeeded" in verdi(there, owls.root, "verdi", "computer", "test", "hec")
    calculation = Path(verdi(there, owls.root, "python", "add.py").splitlines()[-1])
    there.says("mkdir -p calculation")
    for name in ("_aiidasubmit.sh", "aiida.in"):
        there.ssh(f"cat >calculation/{name}", stdin=(calculation / name).read_text())
    job = there.says("cd calculation && sbatch --parsable --wait _aiidasubmit.sh")
    assert there.says("cat calculation/aiida.out") == "5"
    assert size(there, job) == "5:00|2|600M|parallel"
