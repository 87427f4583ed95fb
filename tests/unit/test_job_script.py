"""Job scripts as they are rendered, printed and written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest
from projects import cluster, known, project
from user_home import at_home

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.jobs import options, render
from rookery.projects import config
from rookery.projects.scripts import job_script, sbatch_options, templates

SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path / "home", monkeypatch)


def rendered(folder: Path, job: str, site: str = "hec", head: str = "", **files: str) -> job_script.JobScript:
    """The script of job j on a cluster."""
    loaded = config.load(project(folder, f"j: {job}", f"name: x\nclusters: [{site}]\n{head}", **files))
    return job_script.script(loaded, config.job(loaded, "j", site), known(site))


def directives(made: job_script.JobScript) -> list[str]:
    """The options, without what is said of them."""
    lines = made.text.splitlines()
    return [line.removeprefix("#SBATCH ").partition("  # ")[0].strip() for line in lines if line.startswith("#SBATCH ")]


def commands(made: job_script.JobScript) -> list[str]:
    """What bash runs."""
    return [line for line in made.text.splitlines() if line and not line.startswith("#")]


def test_a_script_for_hec_line_by_line(tmp_path: Path) -> None:
    asked = "array: 1-200, max_running: 50, memory: 1G, time: 5"
    job = f"{{template: python-array, command: 'python a.py {{task}} {{task}}.dat', {asked}}}"
    made = rendered(tmp_path, job, "hec", "environment: {python: uv, r: none}\noutputs: [slurm_logs]\n")
    assert made.path == "slurm/j.sh"
    assert made.text.startswith("#!/bin/bash\n")
    assert made.text.endswith('"${task}".dat\n')
    assert directives(made) == [
        "--job-name=j",
        "--partition=serial",
        "--array=1-200%50",
        "--nodes=1",
        "--ntasks-per-node=1",
        "--cpus-per-task=1",
        "--mem=1G",
        "--time=00:05:00",
        "--output=slurm_logs/%x_%A_%a.out",
    ]
    assert commands(made) == [
        "unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE",
        "export PYTHONNOUSERSITE=1",
        "source /etc/profile",
        "source ~/.config/rookery/env.sh",
        "source .venv/bin/activate || exit 1",
        "[ ! -e .rookery/facts.sh ] || sh .rookery/facts.sh",
        "set -euo pipefail",
        'export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK}"',
        'export OPENBLAS_NUM_THREADS="${SLURM_CPUS_PER_TASK}"',
        'export MKL_NUM_THREADS="${SLURM_CPUS_PER_TASK}"',
        'task="${SLURM_ARRAY_TASK_ID}"',
        'python a.py "${task}" "${task}".dat',
    ]
    assert made.summary["array"] == "1-200"
    assert (made.summary["max_running"], made.summary["output"]) == (50, "slurm_logs/%x_%A_%a.out")


@pytest.mark.parametrize(
    ("site", "job", "head", "wanted"),
    [
        ("hec", "{command: x}", "environment: {python: conda}", ["module add miniforge/20240923", "source activate"]),
        ("hec", "{command: Rscript x.R}", "environment: {r: renv}", ["module add R/4.3.1", "R_LIBS=", "RENV_CONFIG"]),
        ("hec", "{template: r-array, command: x, array: 1-2}", "", ["module add R/4.3.1"]),
        ("hec", "{command: x, modules: [cuda, R/4.2.0]}", "", ["module add cuda/12.0", "module add R/4.2.0"]),
        ("hec", "{command: Rscript x, modules: [R/4.2.0]}", "", ["module add R/4.2.0"]),
        ("penguins", "{command: Rscript x.R, modules: r}", "", ["start-pyenv"]),
        (
            "csd3",
            "{command: x, modules: [R/4]}",
            "",
            [". /etc/profile.d/modules.sh", "module purge", "module load R/4"],
        ),
    ],
)
def test_modules_and_environments(tmp_path: Path, site: str, job: str, head: str, wanted: list[str]) -> None:
    head = f"{head}\n"
    if site == "csd3":
        job = job[:-1] + ", account: MYLAB}"
    made = rendered(tmp_path, job, site, head)
    before = made.text[: made.text.index("set -euo")]
    for words in wanted:
        assert words in before
    assert before.count("module add R/") <= 1
    assert ("module" in before) is (site != "penguins")


@pytest.mark.parametrize(
    ("site", "job", "wanted", "unwanted"),
    [
        ("hec", "{gpus: 1, gpu_type: nvidia_h200_nvl}", ["--gres=gpu:nvidia_h200_nvl:1", "--partition=gpu-short"], ""),
        ("bede", "{gpus: 1, cpus: 4, memory: 1G}", ["--gres=gpu:1", "--account=bdlan09"], "--mem"),
        ("bede", "{gpus: 1, gpu_type: t4}", ["--gres=gpu:1", "--partition=infer"], "--cpus-per-task"),
        ("bede", "{gpus: 4, nodes: 2}", ["--gres=gpu:2", "--nodes=2"], ""),
        ("stanage", "{gpus: 1}", ["--qos=gpu", "--gres=gpu:1"], ""),
        ("isambard-ai", "{gpus: 2}", ["--gpus=2", "--partition=workq"], "--qos"),
        (
            "archer2",
            "{nodes: 2, tasks: 8, account: t01}",
            ["--qos=standard", "--ntasks-per-node=4", "--account=t01"],
            "",
        ),
        ("baskerville", "{gpus: 4, account: x}", ["--account=x", "--gpus=4"], "--partition"),
        ("perlmutter", "{gpus: 4}", ["--qos=regular", "--constraint=gpu", "--gpus=4"], "--partition"),
        ("csd3", "{gpus: 1, account: mine}", ["--account=mine", "--partition=ampere"], "--qos"),
        ("hex", "{gpus: 1, gpu_type: nvidia_rtx_a5000}", ["--partition=a5000-6h", "--gres=gpu:1"], ""),
        ("hec", "{nodes: 2, tasks: 3}", ["--nodes=2", "--ntasks=3"], "--ntasks-per-node"),
        ("hec", "{nodes: 2}", ["--nodes=2", "--ntasks-per-node=1"], ""),
    ],
)
def test_what_is_asked_of_other_sites(tmp_path: Path, site: str, job: str, wanted: list[str], unwanted: str) -> None:
    if site == "bede":
        job = job[:-1] + ", account: bdlan09}"
    made = rendered(tmp_path, "{template: mpi, command: x, " + job[1:], site)
    assert set(wanted) <= set(directives(made))
    assert not unwanted or not any(line.startswith(unwanted) for line in directives(made))


@pytest.mark.parametrize(
    ("site", "file"),
    [
        ("hec", "~/.config/rookery/env.sh"),
        ("archer2", '"/work/t01/t01/$USER/rookery/home/.config/rookery/env.sh"'),  # its nodes do not see the home
    ],
)
def test_a_job_reads_its_environment_where_compute_nodes_see_it(tmp_path: Path, site: str, file: str) -> None:
    job = "{template: serial, command: x, account: t01}"
    assert [line for line in commands(rendered(tmp_path, job, site)) if "env.sh" in line] == [f"source {file}"]


@pytest.mark.parametrize(
    ("site", "command", "run"),
    [
        ("hec", "./hello x", "mpirun --bind-to none ./hello x"),
        ("hec", "srun ./hello", "srun ./hello"),
        ("penguins", "./hello", "srun ./hello"),
        ("bede", "./hello", "bede-mpirun --bede-par 1ppc ./hello"),
        (
            "hec",
            '|\n    cd sub\n    {launcher} ./hello "{cpus}"',
            'mpirun --bind-to none ./hello "${SLURM_CPUS_PER_TASK}"',
        ),
    ],
)
def test_mpi_is_started_the_way_of_the_site(tmp_path: Path, site: str, command: str, run: str) -> None:
    more = "gpus: 2, account: a," if site == "bede" else ""
    made = rendered(tmp_path, f"\n  template: mpi\n  command: {command}\n  <<: {{{more} nodes: 2, cpus: 2}}", site)
    assert commands(made)[-1] == run
    cores = "SLURM_CPUS_ON_NODE" if site == "bede" else "SLURM_CPUS_PER_TASK"
    assert f'export SRUN_CPUS_PER_TASK="${{{cores}}}"' in made.text


def test_an_array_mails_where_it_may_and_has_a_small_job_where_not(tmp_path: Path) -> None:
    job = "{command: x, array: 1-3, mail: a@b.c}"
    made = rendered(tmp_path, job, "penguins")
    assert {"--mail-type=END,FAIL", "--mail-user=a@b.c"} <= set(directives(made))
    assert (made.files, made.summary["mail_script"]) == ({}, "")
    made = rendered(tmp_path, job, "hec")
    assert "mail" not in made.text
    assert made.summary["mail_script"] == "slurm/j.mail.sh"
    small = made.files["slurm/j.mail.sh"]
    assert "#SBATCH --mail-user=a@b.c" in small
    assert "#SBATCH --job-name=j-has-ended" in small
    assert "--array" not in small


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "--output=plain"),
        ("a b", '--output="a b"'),
        ("a#b", '--output="a#b"'),
        ('a"b', '--output="a\\"b"'),
        ("it's", '--output="it\'s"'),
        ("a\\b", '--output="a\\\\b"'),
    ],
)
def test_an_option_is_quoted_as_sbatch_reads_it(value: str, written: str) -> None:
    assert sbatch_options.option("output", value) == written


@pytest.mark.parametrize(
    ("job", "site", "expected"),
    [
        ("{cpus: 1}", "hec", "rookery.yml:4: missing key `command` (what the job runs)"),
        ("{command: x, template: sequential}", "hec", "rookery.yml:4: `template`: unknown template sequential"),
        ("{command: x, template: seral}", "hec", "(did you mean serial?)"),
        ("{command: x, template: python-array}", "hec", "rookery.yml:4: template python-array needs an array"),
        ("{command: x, cpus: 9999}", "hec", "rookery.yml:4: job `j`: No partition of hec can run a job with 9999 core"),
        ("{command: x, modules: [R/4]}", "penguins", "Can't load the module R/4: penguins has no modules"),
        ("{command: x, modules: [python]}", "hec", "the profile of hec has no module for python"),
        ("{command: 'x {nope}'}", "hec", "unknown {nope} in the command. Known: {cpus}"),
        ("{command: x, gpus: 3, nodes: 2}", "hec", "Can't divide 3 GPUs evenly over 2 nodes"),
        ("{command: x, gpus: 1}", "bede", "Missing account: jobs on bede need one (the code of your project, such as"),
        ('{command: x, output: "a\\nb"}', "hec", "rookery.yml:4: `output` must be a path on one line"),
        ("{command: x, output: $HOME/log}", "hec", "rookery.yml:4: `output` must be a path on one line, without ~"),
        ('{command: "a\\nb", template: mpi, nodes: 2}', "hec", "write {launcher} before the program"),
        ("{command: x}", "hex-metal", "has no scheduler"),
    ],
)  # fmt: skip
def test_what_can_not_run_is_said_in_a_line(tmp_path: Path, job: str, site: str, expected: str) -> None:
    with pytest.raises(RookeryError) as caught:
        rendered(tmp_path, job, site)
    assert expected in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.usefixtures("home")
def test_where_to_put_an_account_is_said_and_one_put_there_is_used(tmp_path: Path) -> None:
    loaded = config.load(project(tmp_path, "j: {command: x, gpus: 1}", "name: x\nclusters: [bede]\n"))
    with pytest.raises(RookeryError) as caught:
        job_script.scripts(loaded, profile.load("bede"))
    assert str(caught.value.hint).startswith("invoke setup bede --account CODE")
    profile.remember("bede", profile.of_user("bede", "ada", "bdlan01"))
    (made,) = job_script.scripts(loaded, profile.load("bede"))
    assert "--account=bdlan01" in directives(made)


def test_values_of_a_persons_own_are_quoted(tmp_path: Path) -> None:
    value = 'it\'s "$HOME"\n`id` \\ #x'
    made = rendered(tmp_path, f"{{command: env, environment: {{A: {quoted(value)}, B: $x}}}}")
    assert 'export B="\\$x"' in made.text
    exports = made.text[made.text.index("export A=") : made.text.index("export B=")]
    completed = subprocess.run(["bash"], input=f'{exports}printf %s "$A"', capture_output=True, text=True, check=True)
    assert completed.stdout == value


def quoted(text: str) -> str:
    """A text in YAML's double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def test_a_template_is_compiled_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, compile_ = [], jinja2.Environment.compile

    def noted(self: jinja2.Environment, text: str, name: str, *rest: Any, **more: Any) -> Any:
        compiled.append(name)
        return compile_(self, text, name, *rest, **more)

    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    made = [rendered(tmp_path, "{template: mine.sh, command: x}", mine__sh=f"# {text}\n").text for text in "112"]
    assert made == ["# 1\n", "# 1\n", "# 2\n"]
    assert compiled == ["mine.sh", "mine.sh"]


def test_a_template_of_the_project_may_build_on_ours(tmp_path: Path) -> None:
    template = """{% extends "multicore.sh.j2" %}
{% block run %}
files=(*)
echo "${#files[@]} on {{ cluster.name }}"
{{ command }}
{% endblock %}
"""
    made = rendered(tmp_path, "{template: mine.sh, command: ./x, cpus: 4}", mine__sh=template)
    assert commands(made)[-3:] == ["files=(*)", 'echo "${#files[@]} on hec"', "./x"]
    assert "export OMP_NUM_THREADS=1" in made.text
    for text, expected in (("{{ nonsense }}", "'nonsense' is undefined"), ("{% if %}", "line 1: ")):
        with pytest.raises(RookeryError, match=r"rookery\.yml:4: `template`: mine\.sh: ") as caught:
            rendered(tmp_path / expected[:4], "{template: mine.sh, command: x}", mine__sh=text)
        assert expected in caught.value.message


@pytest.mark.parametrize("python", ["uv", "conda"])
def test_bash_and_shellcheck_read_every_template(tmp_path: Path, python: str) -> None:
    needs = {
        "python-array": "array: 1-3",
        "r-array": "array: 1-3",
        "sweep": "grid: {a: [1, x y]}, chunk: 2",
        "gpu": "gpus: 1",
    }
    jobs = "".join(
        f"{name}: {{template: {name}, command: 'python x.py', mail: a@b.c, {needs.get(name, 'cpus: 2')}}}\n"
        for name in templates.names()
        if name != "mail"
    )
    head = f"name: x\nclusters: [hec]\nenvironment: {{python: {python}, r: renv}}\n"
    made = job_script.scripts(config.load(project(tmp_path, jobs, head)), known("hec"))
    texts = {script.path: script.text for script in made} | {
        "mail": next(script for script in made if script.files).files["slurm/python-array.mail.sh"]
    }
    for number, text in enumerate(texts.values()):
        (tmp_path / f"{number}.sh").write_text(text)
        assert all(len(line) <= 120 for line in text.splitlines()), text
        assert "\n\n\n" not in text
    paths = [str(path) for path in tmp_path.glob("*.sh")]
    assert len(paths) == len(templates.names())
    # what they source is on the cluster alone (SC1090, SC1091)
    completed = subprocess.run(
        [str(SHELLCHECK), "--norc", "--exclude=SC1090,SC1091", *paths], capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout


@pytest.mark.parametrize(("compute", "is_set"), [("no", True), ("yes", False), ("http", False), ("unknown", False)])
def test_programs_do_not_wait_for_an_internet_that_nodes_lack(tmp_path: Path, compute: str, is_set: bool) -> None:
    """What the job sets itself comes later, and counts."""
    text = "j: {command: 'true', environment: {WANDB_MODE: online}}"
    loaded = config.load(project(tmp_path, text, "name: x\nclusters: [hec]\n"))
    site = cluster(internet={"login": "yes", "compute": compute})
    lines = commands(job_script.script(loaded, config.job(loaded, "j", "hec"), site))
    offline = [number for number, line in enumerate(lines) if line.startswith("export UV_OFFLINE=1 ")]
    assert bool(offline) == is_set
    assert not offline or offline[0] < lines.index("export WANDB_MODE=online")


def test_no_script_differs_by_the_clusters_name(tmp_path: Path) -> None:
    """All difference is in the profile: the same facts under another name give the same script."""
    loaded = config.load(project(tmp_path, "j: {command: x, array: 1-2, mail: a@b.c}", "name: x\nclusters: [hec]\n"))
    job, facts = config.job(loaded, "j", "hec"), known("hec").data
    same = cluster(**{key.removeprefix("cluster_"): value for key, value in facts.items()})
    assert job_script.script(loaded, job, same).text == job_script.script(loaded, job, known("hec")).text


def test_a_job_for_one_cluster_keeps_the_others_from_nothing(tmp_path: Path) -> None:
    jobs = "gpu: {command: x, gpus: 1, only: hec}\nother: {command: y}"
    loaded = config.load(project(tmp_path, jobs))
    assert [script.job.name for script in job_script.scripts(loaded, known("penguins"))] == ["other"]
    assert [script.job.name for script in job_script.scripts(loaded, known("hec"))] == ["gpu", "other"]


# --- render ---


def show(folder: Path, capsys: pytest.CaptureFixture[str], **request: Any) -> str:
    assert render.run(options.RenderOptions(project=str(folder), **request)) == 0
    return capsys.readouterr().out


def test_render_prints_one_or_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project(tmp_path / "p", "a: {command: x, array: 1-2, mail: a@b.c}\nb: {command: y}")
    alone = show(folder, capsys, job="b")
    assert alone.startswith("#!/bin/bash\n")
    every = show(folder, capsys, cluster="hec")
    assert [line for line in every.splitlines() if line.startswith("# slurm/")] == [
        "# slurm/a.sh",
        "# slurm/a.mail.sh",
        "# slurm/b.sh",
    ]
    with pytest.raises(RookeryError, match="has no jobs"):
        show(project(tmp_path / "q"), capsys)


def git(folder: Path, *arguments: str) -> None:
    identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **identity}, check=True, capture_output=True)


def test_render_writes_over_nothing_that_is_a_persons_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project(tmp_path / "p", "a: {command: x}\nb: {command: y, grid: {n: [1]}}")
    output = folder / "slurm"
    shown = show(folder, capsys, output=str(output))
    assert sorted(path.name for path in output.iterdir()) == ["a.sh", "b.params.csv", "b.rows.sh", "b.sh"]
    assert "is up to date" not in shown
    assert "is up to date" in show(folder, capsys, output=str(output))
    project(folder, "a: {command: z}\nb: {command: y, grid: {n: [1, 2]}}")
    show(folder, capsys, output=str(output))  # as rookery wrote them, so they may be written over
    assert (output / "a.sh").read_text().endswith("\nz\n")

    (output / "a.sh").write_text("#!/bin/bash\n# mine\n")
    project(folder, "a: {command: v}\nb: {command: y, grid: {n: [1, 2, 3]}}")
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    for _ in range(2):
        with pytest.raises(RookeryError, match=r"Nothing was written.*a\.sh\."):
            show(folder, capsys, output=str(output))
        assert {path.name: path.read_bytes() for path in output.iterdir()} == before
        git(folder, "init", "--quiet") if not (folder / ".git").exists() else git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "mine")
    show(folder, capsys, output=str(output))  # git holds it
    assert (output / "a.sh").read_text().endswith("\nv\n")
