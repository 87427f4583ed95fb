"""Runs that a submission builds on: the one that a rerun completes."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from rookery.remote.slurm.earlier_runs import EarlierRuns


@pytest.mark.parametrize(
    ("failed_of", "completed"),
    [
        ({"41": ""}, "41"),
        ({"41": "", "45": "41"}, "41"),
        ({"41": "", "45": "41", "47": "45"}, "41"),
        ({"45": "41", "47": "45"}, "41"),  # the first record is gone
        ({"45": "47", "47": "45"}, "45"),  # no record is like that; it ends all the same
        ({"47": "x/../y"}, "47"),
        ({}, "47"),
    ],
)
def test_a_rerun_completes_the_first_run(tmp_path: Path, failed_of: Mapping[str, str], completed: str) -> None:
    (tmp_path / "runs").mkdir()
    for number, earlier in failed_of.items():
        (tmp_path / f"runs/{number}.json").write_text(json.dumps({"id": number, "failed_of": earlier}))
    named = list(failed_of)[-1] if failed_of else "47"
    assert EarlierRuns(str(tmp_path), []).completed_by(named) == completed
