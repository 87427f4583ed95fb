"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float = 120) -> T:
    """The first true answer of a function, asked again and again; it fails where there is none in time.

    The time is long, for machines that are slow or busy: only what does not come at all takes it.
    """
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"it did not come to this in {seconds} s"
        time.sleep(0.02)
    return answer
