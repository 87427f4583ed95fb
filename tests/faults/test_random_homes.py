"""Random homes, set up and taken back by runs that are killed or have no room: nothing is lost, undo is exact."""

from __future__ import annotations

import pytest
from fault_runner import Budget, Kept, repeat, search


def test_nothing_is_lost_and_undo_is_exact(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    option = request.config.getoption
    seed, number = option("--seed"), option("--case")
    if number >= 0:
        failure = repeat(seed, number, Kept(_numbers(option("--parts")), _numbers(option("--actions"))))
        assert not failure, failure
        return
    budget = Budget(seed, option("--minutes"), option("--homes"))
    with capsys.disabled():
        print(f"\nseed {seed}", flush=True)
        result = search(budget, workers=option("--workers"))
        count = result.count
        print(f"{count.homes} homes, {count.runs} runs, {count.kills} killed, {count.full} without room")
    assert not result.failures, "\n\n".join(result.failures)
    assert count.kills > 0


def _numbers(text: str) -> tuple[int, ...] | None:
    return None if not text else () if text == "none" else tuple(int(number) for number in text.split(","))
