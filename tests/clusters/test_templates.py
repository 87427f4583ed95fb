"""Every template on both clusters: read by bash and shellcheck, taken by sbatch, and run by Slurm itself."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from laptops import Laptop, laptop
from live import Live

from rookery.projects.scripts import sbatch_options

pytestmark = pytest.mark.cluster

PROGRAMS = Path(__file__).parents[1] / "data/programs"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
AWKWARD = ["", "-x", "two words", "it's", '"$HOME" `id`', "a\nb", "pingüin", "\\n"]

PROJECT = f"""
name: templates
clusters: [penguins, hec]
outputs: [slurm_logs, "results/{{run}}"]
jobs:
  serial:
    command: python3 threads.py
    cpus: 3
    environment: {{GREETING: "it's $HOME"}}
  python-array:
    template: python-array
    command: python3 square.py {{task}} results/{{run}}/{{task}}.dat
    array: 1-4
    max_running: 2
    time: 00:05:00
    memory: 1G
  multicore: {{template: multicore, command: "python3 workers.py {{cpus}}", cpus: 4}}
  r-multicore: {{template: r-multicore, command: Rscript forked.R, cpus: 3}}
  r-foreach: {{template: r-foreach, command: Rscript cluster.R, cpus: 3}}
  r-array: {{template: r-array, command: "Rscript one.R {{task}}", array: "1,3"}}
  mpi:
    template: mpi
    command: hostname
    nodes: 2
    tasks: 4
    clusters: {{hec: {{command: srun hostname}}}}
  mpi-as-the-site-says: {{template: mpi, command: hostname, nodes: 2, cpus: 2}}
  several: {{command: hostname, tasks: 2}}
  gpu: {{template: gpu, command: python3 device.py, gpus: 2, cpus: 2, time: 01:00:00, only: hec}}
  typed-gpu: {{template: gpu, command: "true", gpus: 1, gpu_type: nvidia_l40s, only: hec}}
  sweep:
    template: sweep
    command: python3 argv.py {{row}} "n={{n}}"
    grid: {{n: [1, 2], value: {json.dumps(AWKWARD)}}}
    mail: someone@example.org
    output: "slurm logs/%x # %a.out"
  chunked: {{template: sweep, command: python3 argv.py, rows: [{{a: 1}}, {{a: 2}}, {{a: 3}}], chunk: 2}}
"""

SUBMIT = r"""
cd templates
mkdir -p slurm_logs results 'slurm logs'
for name in "$@"; do
    sbatch --parsable --wait "slurm/$name.sh" >"$name.id" 2>"$name.refused" || echo "$name: exit $?" >&2 &
done
wait
"""


@dataclass(frozen=True)
class Runs:
    """What came of every job on one cluster."""

    laptop: Laptop
    scripts: Path
    jobs: list[str]
    output: str

    def log(self, name: str, task: int | None = None) -> str:
        """What a job, or a task of one, wrote."""
        number = self.laptop.says(f"cat templates/{name}.id")
        return self.laptop.says(f"cat templates/slurm_logs/{name}_{number}{f'_{task}' if task else ''}.out")


@pytest.fixture(scope="module", params=["penguins", "hec"])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """All jobs rendered on a laptop, sent to a home that is set up, and run to their ends."""
    live: Live = request.getfixturevalue(request.param)
    student = laptop(live, "linus")
    student.setup("--tags", "shell,python")
    project = tmp_path_factory.mktemp(request.param) / "templates"
    shutil.copytree(PROGRAMS, project)
    (project / "rookery.yml").write_text(PROJECT)
    output = str(project / "slurm")
    completed = student.rookery("render", "--project", str(project), "--cluster", request.param, "--output", output)
    assert completed.returncode == 0, completed.stderr
    packed = subprocess.run(["tar", "-C", str(project.parent), "-c", "templates"], capture_output=True, check=True)
    config = str(student.home / ".config/rookery/ssh_config")
    subprocess.run(
        ["ssh", "-F", config, student.cluster, "tar x"], input=packed.stdout, env=student.environment, check=True
    )
    jobs = [path.name.removesuffix(".sh") for path in sorted(project.glob("slurm/*.sh")) if _is_script(path)]
    submitted = [name for name in jobs if name != "mpi-as-the-site-says" and not name.endswith(".mail")]
    ran = student.ssh(f"bash -s {' '.join(submitted)}", stdin=SUBMIT, timeout=120)
    return Runs(student, project / "slurm", jobs, ran.stderr)


def _is_script(path: Path) -> bool:
    return path.read_text().startswith("#!/bin/bash\n")


def test_bash_and_shellcheck_read_them(runs: Runs) -> None:
    paths = [str(runs.scripts / f"{name}.sh") for name in runs.jobs]
    for path in paths:
        subprocess.run(["bash", "-n", path], check=True)
    # what they source is on the cluster alone (SC1090, SC1091)
    checked = subprocess.run(
        [str(SHELLCHECK), "--norc", "--exclude=SC1090,SC1091", "--enable=quote-safe-variables", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_sbatch_takes_every_one(runs: Runs) -> None:
    tests = 'cd templates; for name in "$@"; do sbatch --test-only slurm/$name.sh 2>&1 || echo refused: $name; done'
    output = runs.laptop.ssh(f"bash -s {' '.join(runs.jobs)}", stdin=tests).stdout
    assert "refused" not in output, output
    assert output.count("to start at") == len(runs.jobs), output


def test_sbatch_reads_an_option_as_it_was_meant(runs: Runs) -> None:
    values = ["a b", "a#b", "it's", 'say "hi"', "back\\slash", "end\\", "pingüin", "$HOME %x"]
    lines = [f"#SBATCH {sbatch_options.option('comment', value)}  # why 'not'" for value in values]
    stdin = "\n".join(
        f"sbatch --parsable -o /dev/null <<'END' | xargs scontrol show job | grep Comment=\n#!/bin/sh\n{line}\nEND"
        for line in lines
    )
    output = runs.laptop.ssh("bash -s", stdin=stdin).stdout
    assert [line.strip() for line in output.splitlines()] == [f"Comment={value}" for value in values]


def test_they_end_well(runs: Runs) -> None:
    assert "exit" not in runs.output, runs.output


def test_threads_follow_the_cores(runs: Runs) -> None:
    variables = json.loads(runs.log("serial"))
    assert {variables[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} == {"3"}
    assert variables["GREETING"] == "it's $HOME"
    assert json.loads(runs.log("multicore")) == {"sum": 328350, "threads": ["1"]}


def test_each_task_of_an_array_has_its_number(runs: Runs) -> None:
    assert runs.laptop.says(
        "cd templates/results/$(cat templates/python-array.id); cat 1.dat 2.dat 3.dat 4.dat"
    ).split() == ["1", "4", "9", "16"]


def test_processes_are_started_on_every_node(runs: Runs) -> None:
    names = runs.log("mpi").split()
    assert len(names) == 4
    assert len(set(names)) == 2
    assert len(runs.log("several").split()) == 2


def test_a_sweep_tells_each_task_its_row_exactly(runs: Runs) -> None:
    rows = [(n, value) for n in ("1", "2") for value in AWKWARD]
    output = runs.laptop.says("cd 'templates/slurm logs'; for n in $(seq 16); do cat \"sweep # $n.out\"; done")
    assert [json.loads(line) for line in output.splitlines()] == [
        ["--n", n, "--value", value, f"n={n}"] for n, value in rows
    ]
    assert [json.loads(line) for task in (1, 2) for line in runs.log("chunked", task).splitlines()] == [
        ["--a", "1"],
        ["--a", "2"],
        ["--a", "3"],
    ]


def test_an_array_mails_itself_where_it_may_and_a_small_job_does_where_not(runs: Runs) -> None:
    mails = "--mail-user=someone@example.org" in (runs.scripts / "sweep.sh").read_text()
    small = runs.scripts / "sweep.mail.sh"
    assert mails is (runs.laptop.cluster == "penguins")
    assert small.exists() is not mails
    if not mails:
        assert "--mail-type=END" in small.read_text()


def test_r_takes_the_cores_it_was_given(runs: Runs) -> None:
    assert runs.log("r-multicore").split() == ["3", "338350", "1"]
    assert runs.log("r-foreach").split() == ["3", "338350"]
    assert runs.laptop.says("ls templates/results/*.csv").split() == [
        "templates/results/1.csv",
        "templates/results/3.csv",
    ]


def test_a_gpu_job_sees_its_gpus(runs: Runs) -> None:
    if runs.laptop.cluster != "hec":  # no GPUs there, so it was left out
        assert "gpu" not in runs.laptop.says("ls templates/slurm")
        return
    assert json.loads(runs.log("gpu")) == {"own": 2, "there": [True, True]}
