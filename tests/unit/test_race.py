"""`submit --race` continued, on clusters that answer what each test says."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from projects import project

from rookery.core.errors import RookeryError
from rookery.jobs import race_state
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.options import SubmitOptions
from rookery.jobs.race_state import Entrant, Race
from rookery.jobs.run_record import RunRecord
from rookery.jobs.submit import first, race
from rookery.jobs.submit import request as submit_request
from rookery.jobs.submit.request import SubmitRequest

Look = race._Look


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder; submissions break off in the middle."""
    (tmp_path / "runs").mkdir()

    def lost(target: Any, request: SubmitRequest) -> None:
        submit_request.save_token(submit_request.token_file(target, request), request.token, "")
        raise RookeryError("The connection broke off.")

    monkeypatch.setattr(race.sending, "carry_out", lost)
    return tmp_path


def continued(root: Path, monkeypatch: pytest.MonkeyPatch, known: Race, answers: Sequence[dict[str, Any]]) -> int:
    """Continue a race; the clusters answer this, one after another."""
    race_state.save(root, known)
    left = list(answers)
    monkeypatch.setattr(race.fabric_group, "outcomes", lambda *_: left.pop(0))
    named = {
        each.cluster: SimpleNamespace(
            cluster=SimpleNamespace(label=each.cluster, name=each.cluster),
            connection=None,
            required_project=SimpleNamespace(root=root),
            next=str,
        )
        for each in known.entrants
    }
    found: Any = first.Candidates(named, {name: SubmitRequest("p", job="j") for name in named}, {})  # type: ignore[arg-type]
    monkeypatch.setattr(race.first, "candidates", lambda _: found)
    code = race.run(SubmitOptions(job="j", race=True))
    assert left == []
    return code


def test_a_winner_that_slurm_has_forgotten_meanwhile_stays_the_winner(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = Race("j", False, (Entrant("a", "0" * 32, "1"), Entrant("b", "1" * 32, "2")), winner="a")
    cancelled = Look(run=JobRun(2, counts={"CANCELLED": 1}))
    assert continued(root, monkeypatch, known, [{"a": Look(), "b": cancelled}, {"b": cancelled}]) == 0
    assert "Job 1 (j) started first, on a.\n  job 2 on b: cancelled\n" in capsys.readouterr().out
    assert not list(root.glob("runs/.race-*"))


def test_a_submission_without_an_answer_is_looked_for_though_no_other_job_waits(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = Race("j", False, (Entrant("a", "0" * 32),))
    there = Look(RunRecord("j", "7", "a", token="0" * 32), JobRun(7, counts={"RUNNING": 1}, elapsed=1))
    assert continued(root, monkeypatch, known, [{"a": Look()}, {"a": there}, {}]) == 0
    assert "Job 7 (j) started first, on a (running)" in capsys.readouterr().out
    assert not list(root.glob("runs/.*"))


def test_a_cluster_without_a_queue_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = tmp_path / "config/rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text("all: {hosts: {hec: }}\n")
    (inventory / "host_vars/hec.yml").write_text("cluster_scheduler: none\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = project(tmp_path / "p", "j: {command: ./x}", "name: p\nclusters: [penguins, hec]\n")
    found = first.candidates(SubmitOptions(job="j", project=str(folder), cluster="first"))
    assert list(found.named) == list(found.requests) == ["penguins"]
    assert found.out["hec"].reason.startswith("hec has no queue")
    assert not found.out["hec"].is_missing
