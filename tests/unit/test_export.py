"""`export`: what each tool is told of a cluster, in a form that it can read; and that no file of the user's is lost."""

import ast
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from user_home import at_home

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.jobs.export import command, settings
from rookery.jobs.export.settings import ToolSettings
from rookery.jobs.options import ExportOptions
from rookery.projects import config

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
    text = command.render("snakemake", fit())
    document = yaml.safe_load(text)
    resources = document["default-resources"]
    assert (document["executor"], document["jobs"]) == ("slurm", 7)
    assert (resources["runtime"], resources["mem_mb"], resources["cpus_per_task"]) == (90, 2048, 2)
    assert (resources["slurm_account"], resources["slurm_partition"]) == ('it\'s "ours"', fit().partition)
    assert ast.literal_eval(resources["slurm_extra"]) == "--nice=100 --requeue"
    assert "#   source ~/projects/owls/current/.venv/bin/activate\n" in text


def test_dask() -> None:
    slurm = yaml.safe_load(command.render("dask", fit()))["jobqueue"]["slurm"]
    assert (slurm["cores"], slurm["memory"], slurm["walltime"]) == (2, "2048MiB", "01:30:00")
    assert (slurm["queue"], slurm["account"]) == (fit().partition, 'it\'s "ours"')
    assert slurm["job-script-prologue"] == list(fit().setup)
    assert slurm["job-extra-directives"] == ["--nice=100", "--requeue", "--nodes=1"]


def test_submitit() -> None:
    values = variables(command.render("submitit", fit()))
    assert (values["timeout_min"], values["cpus_per_task"], values["slurm_mem"]) == (90, 2, "2048M")
    assert (values["slurm_partition"], values["slurm_account"]) == (fit().partition, 'it\'s "ours"')
    assert values["slurm_additional_parameters"] == {"nice": "100", "requeue": True}
    assert values["SETUP"] == list(fit().setup)


def test_parsl() -> None:
    values = variables(command.render("parsl", fit()))
    assert (values["walltime"], values["cores_per_node"], values["max_blocks"]) == ("01:30:00", 2, 7)
    assert (values["partition"], values["account"]) == (fit().partition, 'it\'s "ours"')
    assert values["OPTIONS"] == ["--mem=2048M", "--nice=100", "--requeue"]


@pytest.mark.parametrize("tool", command.TEMPLATES)
def test_every_tool_has_a_form_of_its_own_for_little(tool: str) -> None:
    """No account, no partition, no size, as on clusters where these follow from something else."""
    text = command.render(tool, replace(fit(), partition="", account="", sized=False, further=()))
    if command.TEMPLATES[tool].endswith(".yaml"):
        assert yaml.safe_load(text)
        assert "mem_mb" not in text
    else:
        assert {"account", "slurm_account", "slurm_mem", "cores_per_node"}.isdisjoint(variables(text))


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


def test_unknown_tools_and_check_alone() -> None:
    with pytest.raises(RookeryError, match=r"Unknown tool 'dusk' \(did you mean `dask`"):
        command.run(ExportOptions("dusk"))
    with pytest.raises(RookeryError, match="Use --check with --output"):
        command.run(ExportOptions("dask", check=True))
