"""Show on the terminal how far a transfer is, by bytes, once it takes more than a moment."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rookery.core import console

LATER = 2.0
"""Seconds after which it is shown."""

_OFTEN = 0.1
"""Seconds between two states that are shown."""


def follower(prefix: str, advance: Callable[[int], object]) -> Callable[[str], None]:
    """Return a function that takes lines of a program on the cluster, and counts the bytes that they tell of.

    Args:
        prefix: What such a line begins with.
        advance: Called with the bytes.
    """

    def hear(line: str) -> None:
        count = line.removeprefix(prefix)
        if count != line and count.isdecimal() and len(count) < 20:
            advance(int(count))

    return hear


@contextmanager
def shown(what: str, total: int | None) -> Iterator[Callable[[int], object]]:
    """Yield a function that is called with bytes that were transferred; nothing is shown without a terminal.

    Args:
        what: What is transferred.
        total: Bytes in all; None where not known.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    bar = Progress(
        *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console.writer(sys.stderr), transient=True
    )
    task = bar.add_task(console.clean(what), total=total)
    began = updated = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, updated
        done, now = done + count, time.monotonic()
        if now - began > LATER and now - updated > _OFTEN:
            if not bar.live.is_started:
                bar.start()
            bar.update(task, completed=done)
            updated = now

    try:
        yield advance
    finally:
        bar.stop()
