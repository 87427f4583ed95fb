"""`./test faults --real MINUTES`: rookery's commands on a miniature, killed at both ends and run again."""

from __future__ import annotations

import random
import time

import pytest
from laptops import laptop
from live import alone
from real_commands import kill_one, student

pytestmark = pytest.mark.cluster


def test_killed_commands_finish_when_they_are_run_again(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    minutes, seed = request.config.getoption("--real"), request.config.getoption("--seed")
    if not minutes:
        pytest.skip("by hand: --real MINUTES")
    with alone("penguins") as live, capsys.disabled():
        killed = student(live, laptop(live, "moth"))
        number, deadline = 0, time.monotonic() + 60 * minutes
        while time.monotonic() < deadline:
            print(f"seed {seed}, {number}: {kill_one(killed, random.Random(f'{seed}/{number}'))}", flush=True)
            number += 1
        print(f"killed: {dict(killed.kills)}; {len(killed.runs)} jobs, each submitted once")
