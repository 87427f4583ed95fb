"""Measure how soon `rookery top` answers a key, with 10,000 tasks and with 10,000 jobs on the screen.

.venv/bin/python benchmarks/top.py [--json FILE]

In a terminal of 80x24: from a key to the last byte of what it changes on the screen.
"""

import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import harness

from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.options import TopOptions
from rookery.jobs.top.feeds import Feed
from rookery.jobs.top.screen.app import TopApp
from rookery.jobs.top.state import ClusterState
from rookery.projects.target import Target

TASKS, LIMIT, TURNS, QUIET = 10_000, 0.1, 20, 0.15
ARRAY = JobRun(
    1,
    array=True,
    name="many",
    submitted=1_790_000_000,
    total=TASKS,
    counts={"COMPLETED": 6000, "FAILED": 500, "RUNNING": 500, "PENDING": 3000},
    tasks={"COMPLETED": "1-6000", "FAILED": "6001-6500", "RUNNING": "6501-7000", "PENDING": "7001-10000"},
)


class NoFeed:
    """A cluster that says nothing by itself."""

    def start(self) -> None:
        """Do nothing."""

    stop = refresh = start

    def join(self, seconds: float) -> None:
        """Do nothing."""


class Bench(TopApp):
    """The screen over jobs that are made here."""

    def feed(self, target: Target) -> Feed:
        """Return none that asks."""
        del target
        return cast("Feed", NoFeed())


class NoConnection:
    """The connection to a cluster that is none."""

    class cluster:  # noqa: N801 an attribute of a connection
        """The cluster."""

        name = label = "hec"
        scheduler = "slurm"
        sandbox = False

    class processes:  # noqa: N801 an attribute of a connection
        """Its processes."""

        @staticmethod
        def kill() -> None:
            """Do nothing."""


def snapshot(*runs: JobRun) -> ClusterState:
    """Return the state of a cluster with these jobs."""
    return ClusterState("hec").answer(SlurmSnapshot(1_790_000_100, 1000, runs), time.time())


def _show(case: str) -> None:
    """Run the screen in this terminal."""
    state, _, _ = CASES[case]
    app = Bench([Target(None, cast("Any", NoConnection()))], TopOptions(cluster="hec"))
    app.clusters["hec"] = state()
    app.run()


def _measure(case: str) -> dict[str, float]:
    """Run the screen in a terminal of its own; return how many seconds keys take, in the median and at most.

    A key is answered when the last byte of what it changes has come: nothing follows for QUIET seconds.
    """
    _, before, keys = CASES[case]
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        os.execve(sys.executable, [sys.executable, __file__, "--show", case], environment)  # noqa: S606
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        while not _read(terminal, 2):
            pass
        for key in before:
            _press(terminal, key)
        spent: dict[str, list[float]] = {key: [] for key in keys}
        for _ in range(TURNS):
            for key in keys:
                spent[key].append(_press(terminal, key))
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return {
        "median": max(statistics.median(times) for times in spent.values()),
        "slowest": max(max(times) for times in spent.values()),
    }


def _press(terminal: int, key: str) -> float:
    """Press a key; return the seconds until all that it changes has been drawn."""
    _read(terminal, QUIET)
    began = time.perf_counter()
    os.write(terminal, KEYS.get(key, key).encode())
    return _read(terminal, QUIET, at_least=True) - began


def _read(terminal: int, quiet: float, *, at_least: bool = False) -> float:
    """Read until nothing comes for a while; return when the last byte came, 0 for none."""
    last = 0.0
    while select.select([terminal], [], [], 2 if at_least and not last else quiet)[0]:
        os.read(terminal, 1 << 16)
        last = time.perf_counter()
    return last


def _jobs() -> ClusterState:
    """Return a cluster with many jobs that are no arrays."""
    one = replace(ARRAY, array=False, total=1, counts={"RUNNING": 1}, tasks={})
    return snapshot(*(replace(one, id=number, submitted=number) for number in range(1, TASKS + 1)))


KEYS = {
    "enter": "\r",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "pagedown": "\x1b[6~",
    "end": "\x1b[F",
    "home": "\x1b[H",
}
CASES: dict[str, tuple[Callable[[], ClusterState], list[str], list[str]]] = {
    f"an array of {TASKS:,} tasks": (
        lambda: snapshot(ARRAY),
        ["enter"],
        ["down", "right", "pagedown", "end", "home"],
    ),
    "its failed tasks (f)": (lambda: snapshot(ARRAY), ["enter"], ["f"]),
    f"{TASKS:,} jobs": (_jobs, [], ["down", "pagedown", "end", "home"]),
    f"{TASKS:,} jobs, sorted (s)": (_jobs, [], ["s"]),
}


def main() -> None:
    """Measure, print a table, and fail where a key takes longer than the limit."""
    if sys.argv[1:2] == ["--show"]:
        return _show(sys.argv[2])
    print("| on the screen | slowest key, median | slowest of all |\n| --- | --- | --- |")
    found = {}
    for case in CASES:
        found[case] = _measure(case)
        print(f"| {case} | {found[case]['median'] * 1000:.0f} ms | {found[case]['slowest'] * 1000:.0f} ms |")
    harness.save(found, sys.argv)
    if max(times["median"] for times in found.values()) > LIMIT:
        sys.exit(f"A key takes longer than {LIMIT} s.")
    return None


if __name__ == "__main__":
    main()
