"""The parts of a job that goes back into the queue before its time limit, as remote/scripts/release/parts.sh notes."""

import os
from typing import Dict, List

MOST_BYTES = 100000
"""Bytes of a note that are read: a line or two a part."""


def of_job(folder: str, number: str) -> Dict[str, int]:
    """Return how far a job is that runs in parts: `count` parts, `seconds` so far, `total` seconds.

    Of an array, the task that is furthest. Empty where it does not run in parts.

    Args:
        folder: Where the job runs, its release.
        number: The number of its run.
    """
    notes = os.path.join(os.path.dirname(os.path.dirname(folder)), "state", "parts")
    try:
        names = [name for name in os.listdir(notes) if name == number or name.startswith(number + "_")]
    except OSError:
        return {}
    found: List[Dict[str, int]] = []
    for name in names:
        try:
            with open(os.path.join(notes, name), encoding="ascii", errors="replace") as stream:
                found.append(read(stream.read(MOST_BYTES)))
        except OSError:
            continue
    return {key: max(each[key] for each in found) for key in ("count", "seconds", "total")} if found else {}


def read(text: str) -> Dict[str, int]:
    """Return what a note says; a part that has not ended has no seconds yet."""
    lines = [line.split() for line in text.splitlines()]
    whole = [(line[0], int(line[-1])) for line in lines if len(line) > 1 and line[-1].isdigit()]
    return {
        "count": sum(word == "start" for word, _ in whole),
        "seconds": sum(number for word, number in whole if word == "end"),
        "total": max([number for word, number in whole if word == "total"] or [0]),
    }
