"""Input data that git does not ignore is no uncommitted change, neither for `deploy` nor for what comes after it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from projects import known
from repositories import Git
from user_home import at_home

from rookery.core import prompts
from rookery.jobs.copies import copy_runs
from rookery.jobs.options import SubmitOptions
from rookery.jobs.run_job import command
from rookery.jobs.submit import checks, deploy_first
from rookery.jobs.submit.request import SubmitRequest
from rookery.projects import config, deploy_cache

PROJECT = """name: x
clusters: [penguins]
inputs: [data]
check: {command: 'true', where: laptop}
jobs:
  fit: {command: 'python fit.py {cpus}', time: 5m}
"""


@pytest.fixture
def demo(root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in git, with data in it that is neither in git nor ignored."""
    at_home(tmp_path / "home", monkeypatch)
    (root / "rookery.yml").write_text(PROJECT)
    git("commit", "-qam", "project")
    (root / "data").mkdir()
    (root / "data/large.csv").write_text("1\n")
    return root


def test_it_is_no_change_for_run_nor_for_scale_and_profile(demo: Path, git: Git) -> None:
    project, head = config.load(demo), git("rev-parse", "HEAD").strip()
    assert command._current(project) == head
    target: Any = SimpleNamespace(cluster=known("penguins"), required_project=project)
    assert copy_runs.commit_to_copy(target) == head


def test_neither_a_deploy_is_proposed_nor_tests_refused(demo: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    project, head = config.load(demo), git("rev-parse", "HEAD").strip()
    target: Any = SimpleNamespace(cluster=known("penguins"), required_project=project)
    deployed = SimpleNamespace(release=SimpleNamespace(order=SimpleNamespace(commit=head)))
    monkeypatch.setattr(deploy_cache, "load", lambda _: deployed)
    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    asked: list[str] = []
    monkeypatch.setattr(deploy_first, "_confirmed", asked.append)
    deploy_first.deploy_first(target, SubmitRequest("x", job="fit"), SubmitOptions(job="fit"))
    assert asked == []
    assert project.check
    assert checks._run_here(target, project.check, head) == "on this computer"
    git("commit", "-q", "--allow-empty", "-m", "later")
    deploy_first.deploy_first(target, SubmitRequest("x", job="fit"), SubmitOptions(job="fit"))
    assert len(asked) == 1
