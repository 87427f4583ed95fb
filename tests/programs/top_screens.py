"""The screen of `top` over clusters that answer what a test says, by Textual's own test driver."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from textual.pilot import Pilot

from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.options import TopOptions
from rookery.jobs.top.feeds import Feed
from rookery.jobs.top.screen.app import TopApp
from rookery.projects.target import Target

NOW = 1_794_492_000
ONE = JobRun(7, name="one", submitted=NOW - 60, counts={"RUNNING": 1}, elapsed=50)
ARRAY = JobRun(
    9,
    array=True,
    name="many",
    submitted=NOW,
    total=10_000,
    counts={"COMPLETED": 9000, "FAILED": 10, "RUNNING": 90, "PENDING": 900},
    tasks={"COMPLETED": "1-9000", "FAILED": "9001-9010", "RUNNING": "9011-9100", "PENDING": "9101-10000"},
)


class FakeFeed:
    """The feed of a cluster: it answers once, or fails, and counts how often it is asked again."""

    def __init__(self, app: "FakeTop", name: str) -> None:
        self.app, self.name, self.asked = app, name, 0

    def start(self) -> None:
        self.app.answers(self.name, self.app.script[self.name])

    def refresh(self) -> None:
        self.asked += 1

    def stop(self) -> None:
        pass

    def join(self, seconds: float) -> None:
        pass


class FakeTop(TopApp):
    """The screen over such feeds."""

    def __init__(self, script: Mapping[str, Sequence[JobRun] | RookeryError], options: TopOptions) -> None:
        self.script, self.fakes = script, {name: FakeFeed(self, name) for name in script}
        super().__init__([Target(None, cast("Any", _connection(name))) for name in script], options)

    def feed(self, target: Target) -> Feed:
        return cast("Feed", self.fakes[target.cluster.name])

    def opens(self, name: str) -> None:
        """Let the cluster be reached from now on."""
        self.targets[name].connection.is_open = lambda: True  # type: ignore[method-assign]

    def answers(self, name: str, answer: Sequence[JobRun] | RookeryError) -> None:
        state = self.clusters[name]
        if isinstance(answer, RookeryError):
            self._told(state.failure(answer))
        else:
            self._told(state.answer(SlurmSnapshot(NOW, 1000, tuple(answer)), time.time()))

    @property
    def text(self) -> str:
        """What is on the screen."""
        lines = self.screen._compositor.render_strips()
        return "\n".join(line.text.rstrip() for line in lines)


def _connection(name: str) -> Any:
    def refuse(*_: object, **__: object) -> None:
        raise SshError("refused", f"{name}: no ssh server is running.")

    cluster = SimpleNamespace(
        name=name, label=name, scheduler="slurm", sandbox=False, argument=name, data={}, identity_file="/nowhere"
    )
    processes = SimpleNamespace(kill=lambda: None)
    return SimpleNamespace(cluster=cluster, open=refuse, is_open=lambda: False, processes=processes)


async def shows(app: FakeTop, pilot: Pilot[int], text: str) -> None:
    """Wait until the screen shows a text."""
    end = time.monotonic() + 20
    while text not in app.text:
        assert time.monotonic() < end, f"waited for {text!r}:\n{app.text}"
        await pilot.pause(0.05)


def play(
    act: Callable[[FakeTop, Pilot[int]], Awaitable[None]],
    script: Mapping[str, Sequence[JobRun] | RookeryError] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    failed: bool = False,
) -> FakeTop:
    """Run the screen, and do something with it; an error of the program itself is raised."""
    app = FakeTop(script or {"hec": [ONE, ARRAY]}, TopOptions(cluster="hec", failed=failed))

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(run())
    return app
