"""Hints that used to fail when pasted: what they are now, where the thing that they name is missing."""

import subprocess
from pathlib import Path

import pytest

from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection
from rookery.core.errors import RookeryError
from rookery.jobs import options as jobs
from rookery.jobs.lint import run as lint
from rookery.jobs.records import reproduction
from rookery.jobs.results import source_run
from rookery.jobs.submit import request, sbatch_errors
from rookery.projects import config
from rookery.projects.target import Target

JOBS = """
clusters: [penguins, hec]
jobs:
  simulate:
    command: python3 work.py
    memory: 1G
    time: 10 minutes
  elsewhere:
    command: python3 work.py
    memory: 1G
    time: 10 minutes
    only: [hec]
"""


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = tmp_path / "study"
    (root / "slurm").mkdir(parents=True)
    (root / "rookery.yml").write_text(f"name: study{JOBS}")
    (root / "work.py").write_text("print(1)\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    monkeypatch.chdir(root)
    return root


def target(path: str = "") -> Target:
    return Target(config.load(path), Connection(profile.load("penguins")), path)


@pytest.mark.parametrize("word", ["simulate", "slurm/simulate.sh", "./slurm/simulate.sh"])
def test_lint_checks_a_script_that_only_rookery_yml_gives(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    lint.run(jobs.LintOptions(files=(word,)))
    out = capsys.readouterr().out
    assert "1 script for penguins" in out
    assert "elsewhere" not in out


def test_lint_of_a_job_for_another_cluster_says_so() -> None:
    with pytest.raises(RookeryError, match="elsewhere is not for penguins"):
        lint.run(jobs.LintOptions(files=("elsewhere",)))


def test_lint_of_a_file_goes_before_a_job_of_that_name(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / "simulate").write_text("#!/bin/bash\n#SBATCH --mem=1G\nRScript a.R\n")
    assert lint.run(jobs.LintOptions(files=("simulate",))) == 1
    assert "simulate:3: error RK601" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "where", "hint"),
    [
        ("", "", "invoke jobs --all"),
        (" --project x", "", "--all --cluster penguins"),
        ("", "penguins-sandbox", "invoke jobs --all --cluster penguins --sandbox"),
    ],
)
def test_the_results_of_an_unknown_run(flags: str, where: str, hint: str) -> None:
    with pytest.raises(RookeryError, match="Run 9999 has no record") as caught:
        source_run.of_record(config.load(), "9999", flags=flags, where=where)
    assert str(caught.value.hint).partition("   #")[0].endswith(hint)


@pytest.mark.parametrize(("job", "hint"), [("9999", "invoke fetch --sandbox"), ("fit", "invoke jobs --sandbox")])
def test_reproduce_of_an_unknown_run_of_a_miniature(job: str, hint: str) -> None:
    with pytest.raises(RookeryError, match=job) as caught:
        reproduction.plan(config.load(), jobs.ReproduceOptions(job=job, sandbox=True))
    assert str(caught.value.hint).partition("   #")[0] == hint


def test_failed_tasks_of_an_unknown_run() -> None:
    with pytest.raises(RookeryError, match="it has no record") as caught:
        request.build_request(jobs.SubmitOptions(failed="9999"), target())
    assert str(caught.value.hint).startswith("invoke jobs --all   # ")


def test_a_check_does_not_wait() -> None:
    with pytest.raises(RookeryError, match="Use --check without --wait") as caught:
        request.build_request(jobs.SubmitOptions(job="simulate", check=True, wait=True), target())
    assert caught.value.hint == "run the same command without --wait and --tag"


def refused(state: str, job: str, **answer: str) -> RookeryError:
    asked = request.SubmitRequest(project="study", job="", path=job)
    return sbatch_errors.refused(target(), asked, {"state": state, **answer})


def test_a_script_that_is_not_committed_is_committed_first(study: Path) -> None:
    (study / "a b.sh").write_text("#!/bin/bash\n")
    assert refused("no-script", "a b.sh").hint == "git add 'a b.sh' && git commit -am 'Add a b.sh' && invoke deploy"
    (study / "inner").mkdir()
    subprocess.run(["git", "add", "."], cwd=study, check=True)
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *identity, "commit", "-qm", "x"], cwd=study, check=True)
    assert refused("no-script", "a b.sh").hint == "invoke deploy"


def test_after_a_job_that_is_none() -> None:
    error = refused("no-run", "a.sh", name="nosuch")
    assert error.message == "Unknown job 'nosuch' of --after."
    assert str(error.hint).startswith("invoke jobs --all   # ")
    assert refused("no-run", "a.sh", name="simulate").hint == "invoke submit simulate"


def test_of_a_file_in_a_folder_that_is_not_there_the_nearest_folder_is_listed() -> None:
    with pytest.raises(RookeryError, match=r"Can't find slurm/no/such\.sh") as caught:
        lint.run(jobs.LintOptions(files=("slurm/no/such.sh",)))
    assert caught.value.hint == "ls slurm"
