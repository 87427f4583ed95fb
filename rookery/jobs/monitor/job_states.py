"""The states of jobs and their tasks: in words, in colours, and as one character in a grid of tasks."""

from typing import TYPE_CHECKING

from rookery.core import palette
from rookery.core.drawing import StateMark
from rookery.jobs.monitor.accounting import ACTIVE, WAITING, JobRun
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rich.text import Text

_WORDS = {
    "COMPLETED": "done",
    "FAILED": "failed",
    "OUT_OF_MEMORY": "killed for memory",
    "TIMEOUT": "out of time",
    "CANCELLED": "cancelled",
    "NODE_FAIL": "node failed",
    "PREEMPTED": "preempted",
    "DEADLINE": "past its deadline",
    "BOOT_FAIL": "node failed",
    "RUNNING": "running",
    "COMPLETING": "ending",
    "CONFIGURING": "starting",
    "SUSPENDED": "suspended",
    "PENDING": "waiting",
}


_FAILED = ("✗", "x", palette.VERMILION)
_DRAWN = {
    "COMPLETED": ("■", "#", palette.GREEN),
    "RUNNING": ("▶", ">", palette.SKY),
    "PENDING": ("·", ".", palette.GREY),
    "FAILED": _FAILED,
    "OUT_OF_MEMORY": ("M", "M", palette.PURPLE),
    "TIMEOUT": ("T", "T", palette.ORANGE),
    "CANCELLED": ("-", "-", palette.GREY),
    "NODE_FAIL": ("N", "N", palette.BLUE),
}
"""How the states are drawn that a grid tells apart: characters differ, so that nobody has to see the colours."""


KINDS = tuple(sorted(_DRAWN, key=[*_WORDS].index))
"""The states that a grid tells apart, by Slurm's words, in the order of a legend."""


def mark(code: str) -> StateMark:
    """Return how a task is drawn, by Slurm's word for its state; states that are much alike are drawn alike."""
    kind = {"BOOT_FAIL": "NODE_FAIL"}.get(code, code)
    if kind not in _DRAWN:
        kind = "PENDING" if code in WAITING else "RUNNING" if code in ACTIVE else "FAILED"
    character, plain, fill = _DRAWN[kind]
    return StateMark(word(kind), character, plain, colour(kind), fill, is_hollow=kind == "PENDING")


def state(run: JobRun) -> str:
    """Return the state of a job in a few words: "running", or "163 done, 37 waiting" of an array."""
    return ", ".join(text for text, _ in _parts(run))


def coloured(run: JobRun) -> "Text":
    """Return the state of a job, each part of it in its colour."""
    from rich.text import Text

    return Text(", ").join(Text(text, style=colour(code)) for text, code in _parts(run))


def word(code: str) -> str:
    """Return the usual word for a state of Slurm's."""
    return _WORDS.get(code, code.lower().replace("_", " "))


def colour(code: str) -> str:
    """Return the colour of a state of Slurm's; "" where it is neither good nor bad."""
    if code in WAITING:
        return "yellow"
    if code in ACTIVE:
        return "cyan"
    return {"COMPLETED": "green", "CANCELLED": ""}.get(code, "red")


def _parts(run: JobRun) -> list[tuple[str, str]]:
    """Return what the state of a job consists of: words, and Slurm's code."""
    counts = _counts(run)
    if not run.array or (run.total == 1 and len(counts) == 1):
        code = next(iter(counts))
        return [(word(code), code)]
    order = [*_WORDS, *counts]
    return [(f"{counts[code]} {word(code)}", code) for code in sorted(counts, key=order.index)]


def _counts(run: JobRun) -> dict[str, int]:
    """Return how many tasks are in each state; those killed for memory have one of their own."""
    counts = dict(run.counts)
    if run.killed_for_memory:
        killed = len(numbers(run.killed_for_memory)) if run.array else 1
        for code in ("FAILED", "CANCELLED"):
            moved = min(counts.get(code, 0), killed)
            counts |= {code: counts.get(code, 0) - moved, "OUT_OF_MEMORY": counts.get("OUT_OF_MEMORY", 0) + moved}
            killed -= moved
    return {code: count for code, count in counts.items() if count}
