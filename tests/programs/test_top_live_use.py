"""What running jobs use, on the screen of `rookery top`."""

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from top_screens import ARRAY, NOW, ONE, FakeTop, play, shows

from rookery.core.errors import RookeryError
from rookery.jobs.monitor import accounting
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot

BUSY = replace(ONE, measured_now=1, memory_now=2 << 20, memory_asked=8 << 20)
DONE = JobRun(3, name="done", submitted=NOW - 90, counts={"COMPLETED": 1}, total=1)
SEEN = replace(BUSY, gpus_now=1, gpu_now=85.0, gpu_memory_now=1 << 20, gpu_memory_given=2 << 20)


def test_a_key_looks_inside_the_job_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def ask(_: object, **options: Any) -> SlurmSnapshot:
        asked.append(options)
        if len(asked) > 1:
            raise RookeryError("hec: no ssh server is running.")
        return SlurmSnapshot(NOW, 1000, (SEEN,))

    monkeypatch.setattr(accounting, "ask", ask)

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        app.opens("hec")
        await shows(app, pilot, "Job 7 uses 2.0G of 8.0G memory")
        assert "$ rookery jobs 7 --cluster hec" in app.text, "the command that does the same"
        await pilot.press("u")
        await shows(app, pilot, "GPU 85 % busy, 1.0G of 2.0G")
        assert asked == [{"ids": ["7"], "live": True}]
        app.answers("hec", [replace(BUSY, elapsed=55), DONE])  # the job's row is another object then
        await shows(app, pilot, "0:55")
        await pilot.pause(0.5)
        assert "GPU 85 % busy" in app.text
        await pilot.press("u")
        await shows(app, pilot, "hec: no ssh server is running.")
        await pilot.press("down", "u")
        await shows(app, pilot, "Job 3 is not running.")
        assert len(asked) == 2

    play(act, {"hec": [BUSY, DONE]})


def test_an_answer_leaves_what_is_said_of_a_job_where_it_is() -> None:
    """Else the list would jump with each answer."""

    async def act(app: FakeTop, pilot: Pilot[int]) -> None:
        await shows(app, pilot, "Job 9 is waiting")
        for elapsed in range(60, 70):
            app.answers("hec", [replace(ARRAY, elapsed=elapsed)])
            await pilot.pause()
            assert "Job 9 is waiting" in app.text

    play(act, {"hec": [replace(ARRAY, reasons={"Priority": 900})]})
