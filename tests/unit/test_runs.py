"""`runs --diff`: the files that differ between the commits of two runs."""

import json
from pathlib import Path

import pytest
from repositories import Git

from rookery.jobs import run_record
from rookery.jobs.options import RunsOptions
from rookery.jobs.records import show
from rookery.jobs.run_record import RunRecord


def test_records_are_no_change_of_the_code(git: Git, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "rookery.yml").write_text("name: study\nclusters: [hec]\njobs: {fit: {command: ./fit.sh}}\n")
    for number in ("41", "42"):
        (root / "fit.sh").write_text(f"echo {number}\n")
        git("add", "--all")  # the record of the run before, too
        git("commit", "--quiet", "--message", number)
        commit = git("rev-parse", "HEAD")
        run_record.keep(root, RunRecord(job="fit", id=number, cluster="hec", commit=commit, base=commit))
    assert show.run(RunsOptions("41,42", diff=True, json=True, project=str(root))) == 1
    assert json.loads(capsys.readouterr().out)["files"] == ["fit.sh"]
