"""Read the table of a profile that the job made, top.tsv, and show its first rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rookery.core import console, tables
from rookery.core.errors import RookeryError

SHOWN = 10
"""Rows that are shown."""

_MOST = 1000


@dataclass(frozen=True)
class HotSpot:
    """A function or a line, and the time that it took.

    Attributes:
        own: Seconds in it alone.
        total: Seconds with all that it called.
        calls: How often it was called; 0 for unknown.
        place: File and line.
        name: The function's name, or the line's code.
    """

    own: float
    total: float
    calls: int
    place: str
    name: str


def read(text: str) -> tuple[float, list[HotSpot]]:
    """Return the seconds of all, and the rows, the most expensive first.

    Raises:
        RookeryError: It is no such table.
    """
    try:
        first, *lines = text.splitlines()[:_MOST]
        whole = _seconds(first)
        spots = []
        for line in lines:
            own, total, calls, place, name = line.split("\t")
            spots.append(HotSpot(_seconds(own), _seconds(total), int(calls), console.clean(place), console.clean(name)))
    except ValueError:
        raise RookeryError(
            "Can't read the table of the profile: the job wrote something else into its folder."
        ) from None
    return whole, spots


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value


def show(whole: float, spots: list[HotSpot], unit: str, log: Sequence[str] = ()) -> None:
    """Print the most expensive rows, or what may be the reason that there are none.

    Args:
        whole: Seconds of all.
        spots: The rows, the most expensive first.
        unit: What a row is: function or line.
        log: The last lines of the job's log, printed where there are no rows.
    """
    shown = [spot for spot in spots[:SHOWN] if spot.own > 0]
    if not shown:
        console.say("The program computed for too short a time to be profiled (profile a longer task), or did not run.")
        if log:
            console.say("The end of the job's log:", *(f"    {line}" for line in log))
        return
    has_calls = any(spot.calls for spot in shown)
    headings = [">self", ">share", ">total", *([">calls"] * has_calls), "<where", f"<{unit}"]
    rows = []
    for spot in shown:
        calls = [f"{spot.calls:,}"] * has_calls
        share = f"{spot.own / whole:.0%}" if whole else tables.UNKNOWN
        rows.append((f"{spot.own:.2f} s", share, f"{spot.total:.2f} s", *calls, spot.place, spot.name))
    tables.show(headings, rows)
