"""`export`: what each tool is told of a cluster, in a form that it can read; and that no file of the user's is lost."""

import ast
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from user_home import at_home

from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError
from rookery.jobs.export import command, laptop, settings
from rookery.jobs.export.rendering import FILES, render
from rookery.jobs.export.settings import ToolSettings
from rookery.jobs.options import ExportOptions
from rookery.projects import config
from rookery.projects.target import Target

RULES = """\
name: owls
clusters: [hec, bede, penguins]
environment: {python: uv}
jobs:
  fit:
    command: python fit.py
    memory: 2G
    cpus: 2
    time: 01:30:00
    max_running: 7
    array: 1-20
    sbatch: [--nice=100, --requeue]
  unsized: {command: ./a, time: 00:05:00}
  wide: {command: ./a, memory: 1G, time: 00:05:00, nodes: 2}
  own: {script: own.sh}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rookery.yml").write_text(RULES)
    (tmp_path / "own.sh").write_text("#!/bin/bash\n#SBATCH --time=1\n./a\n")
    monkeypatch.chdir(tmp_path)
    at_home(tmp_path, monkeypatch)
    return tmp_path


def fit(cluster: str = "hec") -> ToolSettings:
    """The settings of a job, with an account that has to be quoted."""
    return replace(settings.of_job(config.load(), "fit", profile.load(cluster)), account='it\'s "ours"')


def rendered(tool: str, task: ToolSettings) -> str:
    """The one file of a tool."""
    [text] = render(tool, task).values()
    return text


def variables(text: str) -> dict[str, Any]:
    """The literal values in a program, by name: of assignments and of keyword arguments."""
    values: dict[str, Any] = {}
    for node in ast.walk(ast.parse(text)):
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            pairs = [(node.targets[0].id, node.value)]
        elif isinstance(node, ast.keyword) and node.arg:
            pairs = [(node.arg, node.value)]
        for name, value in pairs:
            try:
                values[name] = ast.literal_eval(value)
            except ValueError:
                continue
    return values


def test_the_environment_is_that_of_the_deployed_release() -> None:
    setup = fit().setup
    assert setup[-1] == "source ~/projects/owls/current/.venv/bin/activate"
    assert "source ~/.config/rookery/env.sh" in setup
    assert all(len(shlex.split(line)) > 1 for line in setup)


def test_snakemake() -> None:
    text = rendered("snakemake", fit())
    document = yaml.safe_load(text)
    resources = document["default-resources"]
    assert (document["executor"], document["jobs"]) == ("slurm", 7)
    assert (resources["runtime"], resources["mem_mb"], resources["cpus_per_task"]) == (90, 2048, 2)
    assert (resources["slurm_account"], resources["slurm_partition"]) == ('it\'s "ours"', fit().partition)
    assert ast.literal_eval(resources["slurm_extra"]) == "--nice=100 --requeue"
    assert "#   source ~/projects/owls/current/.venv/bin/activate\n" in text


def test_dask() -> None:
    slurm = yaml.safe_load(rendered("dask", fit()))["jobqueue"]["slurm"]
    assert (slurm["cores"], slurm["memory"], slurm["walltime"]) == (2, "2048MiB", "01:30:00")
    assert (slurm["queue"], slurm["account"]) == (fit().partition, 'it\'s "ours"')
    assert slurm["job-script-prologue"] == list(fit().setup)
    assert slurm["job-extra-directives"] == ["--nice=100", "--requeue", "--nodes=1"]


def test_submitit() -> None:
    values = variables(rendered("submitit", fit()))
    assert (values["timeout_min"], values["cpus_per_task"], values["slurm_mem"]) == (90, 2, "2048M")
    assert (values["slurm_partition"], values["slurm_account"]) == (fit().partition, 'it\'s "ours"')
    assert values["slurm_additional_parameters"] == {"nice": "100", "requeue": True}
    assert values["SETUP"] == list(fit().setup)


def test_parsl() -> None:
    values = variables(rendered("parsl", fit()))
    assert (values["walltime"], values["cores_per_node"], values["max_blocks"]) == ("01:30:00", 2, 7)
    assert (values["partition"], values["account"]) == (fit().partition, 'it\'s "ours"')
    assert values["OPTIONS"] == ["--mem=2048M", "--nice=100", "--requeue"]


def test_batchtools() -> None:
    """Template and configuration; a line with brew's own marks is no code of R's."""
    task = replace(fit(), named={"nice": "100", "comment": "<% 1 %>"})
    files = render("batchtools", task)
    assert re.findall(r"(\w+) = (\d+)L", files["batchtools.conf.R"]) == [
        ("ncpus", "2"), ("memory", "2048"), ("walltime", "5400")
    ]  # fmt: skip
    assert 'makeClusterFunctionsSlurm("slurm")' in files["batchtools.conf.R"]
    template = files["batchtools.slurm.tmpl"]
    assert '#SBATCH --account="it\'s \\"ours\\""\n#SBATCH --nice=100\n' in template
    assert r'#SBATCH <%= "--comment=\"<\x25 1 \x25>\"" %>' in template
    assert "\n".join(task.setup) in template
    assert 'paste0("#SBATCH --array=1-", nrow(jobs), "%", 7L)' in template


def test_aiida() -> None:
    task = replace(fit(), ssh="my-hec", storage="/storage/ada")
    setup, configure, code, options = (yaml.safe_load(text) for text in render("aiida", task).values())
    assert (setup["label"], setup["scheduler"], setup["work_dir"]) == ("hec", "core.slurm", "/storage/ada/aiida")
    assert configure == {"host": "my-hec", "backend": "openssh"}
    assert (code["label"], code["computer"], code["filepath_executable"]) == ("owls", "hec", "python")
    assert code["prepend_text"] == "\n".join(task.setup)
    resources = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": 2}
    assert options == {
        "resources": resources,
        "max_memory_kb": 2048 * 1024,
        "max_wallclock_seconds": 5400,
        "queue_name": task.partition,
        "account": 'it\'s "ours"',
        "custom_scheduler_commands": "#SBATCH --nice=100\n#SBATCH --requeue",
        "import_sys_environment": False,
    }


@pytest.mark.parametrize("tool", FILES)
def test_every_tool_has_a_form_of_its_own_for_little(tool: str) -> None:
    """No account, no partition, no size, as on clusters where these follow from something else."""
    little = replace(fit(), partition="", account="", sized=False, named={}, ssh="hec", storage="/storage")
    for name, text in render(tool, little).items():
        if name.endswith(".yaml"):
            assert yaml.safe_load(text)
            assert {"mem_mb", "max_memory_kb", "num_cores_per_mpiproc"}.isdisjoint(re.split(r"\W+", text))
        elif name.endswith(".py"):
            assert {"account", "slurm_account", "slurm_mem", "cores_per_node"}.isdisjoint(variables(text))
        else:
            assert {"ncpus", "mem", "account"}.isdisjoint(re.split(r"\W+", text))


@pytest.mark.parametrize("tool", FILES)
def test_a_title_stays_in_its_comment(tool: str) -> None:
    task = fit()
    data = {**task.cluster.data, "cluster_title": 'A "\\U"""\nB'}
    for name, text in render(tool, replace(task, cluster=replace(task.cluster, data=data))).items():
        assert not re.search("^B", text, re.MULTILINE)
        assert not name.endswith(".py") or ast.parse(text)


def test_a_tool_makes_its_own_arrays(home: Path) -> None:
    """What a cluster takes of arrays is no limit of theirs; what it does not take at all is not the array's fault."""
    path = home / "rookery.yml"
    path.write_text(RULES.replace("array: 1-20", "array: 1-2000000"))
    assert settings.of_job(config.load(), "fit", profile.load("hec")).minutes == 90
    path.write_text(RULES.replace("array: 1-20", "grid: {n: [1, 2]}").replace("fit.py", "fit.py {n}"))
    assert settings.of_job(config.load(), "fit", profile.load("hec")).minutes == 90
    path.write_text(RULES)
    with pytest.raises(RookeryError, match="only with GPUs") as caught:
        settings.of_job(config.load(), "fit", profile.load("bede"))
    assert "chunk" not in str(caught.value)


def test_options_as_users_write_them(home: Path) -> None:
    """Short ones, quoted ones, those of the size; no signal of a job in parts, which would end a worker early."""
    more = (
        "total_time: 20:00:00\n    checkpoint: 00:05:00\n    sbatch: [-J mine, -t 3, --exclusive, '--comment=\"a b\"']"
    )
    text = RULES.replace("sbatch: [--nice=100, --requeue]", more)
    (home / "rookery.yml").write_text(text)
    task = settings.of_job(config.load(), "fit", profile.load("hec"))
    assert task.named == {"exclusive": True, "comment": "a b"}
    assert task.further == ("--exclusive", '--comment="a b"')
    assert variables(rendered("submitit", task))["slurm_additional_parameters"] == task.named
    assert task.minutes == 90


def test_a_tool_on_this_computer_logs_in_by_ssh() -> None:
    with pytest.raises(RookeryError, match="`ssh penguins`, which does not lead to penguins yet") as caught:
        command.run(ExportOptions("aiida", cluster="penguins"))
    assert caught.value.hint == "invoke ssh.config penguins"
    target = Target(config.load(), Connection(replace(profile.load("hec"), sandbox=True)))
    with pytest.raises(RookeryError, match="never its miniature"):
        laptop.reached(fit(), target)


@pytest.mark.parametrize(
    ("job", "says"),
    [("unsized", "has no `memory`"), ("wide", "several processes"), ("own", "script of your own"), ("fitt", "fitt")],
)
def test_jobs_that_no_tool_can_have(job: str, says: str) -> None:
    with pytest.raises(RookeryError, match=says):
        command.run(ExportOptions("dask", job))


def test_a_file_of_the_users_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ExportOptions("dask", output="jobqueue.yaml")
    command.run(replace(options, check=True))
    assert capsys.readouterr().out == "jobqueue.yaml would be written\n"
    assert not (home / "jobqueue.yaml").exists()
    command.run(options)
    command.run(options)
    assert capsys.readouterr().out == "jobqueue.yaml\njobqueue.yaml is up to date\n"
    (home / "jobqueue.yaml").write_text("mine")
    with pytest.raises(RookeryError, match="already exists"):
        command.run(options)
    assert (home / "jobqueue.yaml").read_text() == "mine"


def test_several_files_of_which_one_is_the_users(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ExportOptions("batchtools", output="hec")
    command.run(ExportOptions("batchtools"))
    assert re.findall(r"^==> (.+) <==$", capsys.readouterr().out, re.MULTILINE) == [
        "batchtools.conf.R", "batchtools.slurm.tmpl"
    ]  # fmt: skip
    (home / "hec").mkdir()
    (home / "hec/batchtools.slurm.tmpl").write_text("mine")
    with pytest.raises(RookeryError, match=r"batchtools\.slurm\.tmpl already exists"):
        command.run(options)
    assert [path.name for path in (home / "hec").iterdir()] == ["batchtools.slurm.tmpl"]
    with pytest.raises(RookeryError, match="hec is a folder: name the file"):
        command.run(ExportOptions("dask", output="hec"))
    with pytest.raises(RookeryError, match="are 2 files: name a folder"):
        command.run(replace(options, output="rookery.yml"))


def test_unknown_tools_and_check_alone() -> None:
    with pytest.raises(RookeryError, match=r"Unknown tool 'dusk' \(did you mean `dask`"):
        command.run(ExportOptions("dusk"))
    with pytest.raises(RookeryError, match="Use --check with --output"):
        command.run(ExportOptions("dask", check=True))
