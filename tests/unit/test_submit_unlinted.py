"""A script that lint finds errors in: refused, or submitted all the same, and what the record says of that."""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rookery.clusters.config import profile
from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.options import RunsOptions
from rookery.jobs.records import show
from rookery.jobs.run_record import RunRecord
from rookery.jobs.submit import request, sending
from rookery.jobs.submit.request import LintedScript, SubmitRequest

GOOD = "#!/bin/bash\n#SBATCH --partition=PenguinPartition\n#SBATCH --mem=1G\nRscript a.R\n"
BAD = GOOD.replace("Rscript a.R", "RScript a.R\nRScript b.R")
IGNORED = GOOD.replace("Rscript a.R", "RScript a.R  # rookery: ignore RK601 ours")
WANTED = SubmitRequest("seals", path="job.sh", token="0" * 32)
UNLINTED = replace(WANTED, unlinted=True)


@pytest.fixture
def target(tmp_path: Path) -> Any:
    cluster = profile.load("penguins", overrides={"cluster_user": "ada"})
    project = SimpleNamespace(root=tmp_path, jobs={}, linked=(), logs="logs")
    return SimpleNamespace(cluster=cluster, project=project, required_project=project, next=str, connection=None)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_errors_refuse_and_name_the_way_around(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RookeryError, match=r"job\.sh has 2 errors, the first in line 4 \(RK601\)") as caught:
        request.lint_and_digest(target, WANTED, BAD, final=True)
    assert "--unlinted" not in str(caught.value.hint)
    monkeypatch.setattr("sys.argv", ["rookery"])
    typed_command.note(["submit", "job.sh"], {"--unlinted": False}, {})
    try:
        with pytest.raises(RookeryError) as caught:
            request.lint_and_digest(target, WANTED, BAD, final=True)
    finally:
        typed_command.forget()
    assert str(caught.value.hint).endswith("; or overrule lint: rookery submit job.sh --unlinted")


def test_errors_that_are_overruled_are_still_printed(target: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert request.lint_and_digest(target, UNLINTED, BAD) == LintedScript(), "it is the release's that counts"
    assert capsys.readouterr().err == ""
    linted = request.lint_and_digest(target, UNLINTED, BAD, final=True)
    assert linted == LintedScript(digest(BAD), overruled=("RK601",))
    assert capsys.readouterr().err.count("error RK601") == 2


def test_what_comments_overrule_is_noted(target: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert request.lint_and_digest(target, WANTED, IGNORED) == LintedScript(digest(IGNORED), ignored=("RK601",))
    assert request.lint_and_digest(target, WANTED, GOOD) == LintedScript(digest(GOOD))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", [BAD, IGNORED, GOOD])
def test_the_cluster_is_told_for_the_record(target: Any, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Of the release's script, which the cluster sends where the one here has errors."""
    asked: list[dict[str, Any]] = []

    def call(*given: Any) -> dict[str, Any]:
        asked.append(given[2])
        if given[2]["digest"] == digest(text):
            return {"state": "tested"}
        return {"state": "look", "script": text, "path": "job.sh", "digest": digest(text)}

    monkeypatch.setattr(request, "local_text", lambda *_: text)
    monkeypatch.setattr(sending.remote_client, "call", call)
    sending._send(target, replace(UNLINTED, test=True))
    assert len(asked) == (2 if text == BAD else 1)
    expected = {BAD: (("RK601",), ()), IGNORED: ((), ("RK601",)), GOOD: ((), ())}[text]
    assert (asked[-1]["overruled"], asked[-1]["ignored"]) == expected


def test_runs_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rookery.yml").write_text("name: seals\nclusters: [penguins]\njobs: {fit: {command: ./fit.sh}}\n")
    record = RunRecord(job="fit", id="41", cluster="penguins", overruled=("RK301", "RK605"), ignored=("RK601",))
    run_record.keep(tmp_path, record)
    assert run_record.find(tmp_path, "41") == record
    show.run(RunsOptions("41", project=str(tmp_path)))
    lines = capsys.readouterr().out.splitlines()
    assert "  despite errors   RK301, RK605" in lines
    assert "  ignored by lint  RK601" in lines
    show.run(RunsOptions(project=str(tmp_path)))
    assert "despite RK301" in capsys.readouterr().out


def test_a_cluster_s_codes_are_codes() -> None:
    document = {"job": "fit", "id": "41", "cluster": "hec", "overruled": ["\x1b[2J"]}
    with pytest.raises(RookeryError, match="not a run record"):
        run_record.read(document)
    assert run_record.read({**document, "overruled": ["RK605"]}).overruled == ("RK605",)
    assert run_record.read({key: document[key] for key in ("job", "id", "cluster")}).overruled == ()
