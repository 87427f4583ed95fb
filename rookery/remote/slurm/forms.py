"""Sent to a cluster with each program: parse Slurm's tables, tasks, times and memory."""

import functools
import re
from typing import Iterable, Iterator, List

from rookery.remote.slurm.basics import END, FIELD

WAITING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD")
"""States of a task that has not begun."""

ACTIVE = (
    *WAITING,
    "RUNNING",
    "COMPLETING",
    "CONFIGURING",
    "SUSPENDED",
    "STOPPED",
    "SIGNALING",
    "STAGE_OUT",
    "RESIZING",
)
"""States of a task that has not ended."""


INTERACTIVE = ("rookery-code", "rookery-serve-")
"""What the names of jobs begin with that last until they are stopped: that for editors, and those with a service."""

NO_ACCOUNTS = "accounting storage is disabled"
"""What sacct says where Slurm keeps no accounts."""

LAST_TASK = 4000000
"""The largest number that a task can have (slurm.conf's manual, MaxArraySize)."""

NUMBER = re.compile(r"^[1-9][0-9]{0,11}\Z")
"""A job's number."""

# tens of thousands of lines are read: compiled once, a pattern takes half the time
_MEMORY = re.compile(r"^([0-9]{1,15}(?:\.[0-9]{0,9})?)([KMGTP]?)[nc]?\Z")
_SPAN = re.compile(r"^(?:([0-9]{1,6})-)?(?:(?:([0-9]{1,9}):)?([0-9]{1,9}):)?([0-9]{1,11}(?:\.[0-9]{1,9})?)\Z")
_PART = re.compile(r"^([0-9]{1,7})(?:-([0-9]{1,7}))?(?::([0-9]{1,7}))?\Z")


def whole(text: str, otherwise: int = 0) -> int:
    """Return a whole number of at most 15 digits; another value for anything else."""
    return int(text) if len(text) <= 15 and text.isdecimal() else otherwise


def split(text: str, fields: int) -> Iterator[List[str]]:
    """Yield the lines of a table whose fields each end with FIELD.

    A line that has another number of them is left out.
    """
    for line in text.split(END):
        parts = line.split(FIELD)
        if len(parts) == fields:
            yield parts


def numbers(expression: str) -> List[int]:
    """Return the tasks that Slurm's expression names: "1-3,7-11:2%5" is 1 2 3 7 9 11.

    A part that no array has is left out.
    """
    if count(expression) > LAST_TASK + 1:  # no array has as many: the expression is not one of Slurm's
        return []
    return [number for part in _ranges(expression) for number in part]


def count(expression: str) -> int:
    """Return how many tasks an expression names, without going through them."""
    return sum(map(len, _ranges(expression)))


def _ranges(expression: str) -> Iterator[range]:
    for part in expression.strip("[]").partition("%")[0].split(","):
        match = _PART.match(part.strip())
        if match:
            first, last, step = int(match.group(1)), int(match.group(2) or match.group(1)), int(match.group(3) or 1)
            if last <= LAST_TASK and step:
                yield range(first, last + 1, step)


def expression(tasks: Iterable[int]) -> str:
    """Return the shortest of Slurm's expressions without steps: 1 2 3 7 is "1-3,7"."""
    parts: List[List[int]] = []
    for number in sorted(set(tasks)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join("%d" % low if low == high else "%d-%d" % (low, high) for low, high in parts)


def seconds(text: str) -> float:
    """Return Slurm's [days-][[hours:]minutes:]seconds[.thousandths] in seconds; 0 for anything else."""
    match = _SPAN.match(text.strip())
    if not match:
        return 0.0
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest)


def kilobytes(text: str) -> int:
    """Return Slurm's 100M, 1.5G, 2900K (a bare number is megabytes) in kB; 0 for anything else."""
    match = _MEMORY.match(text.strip())
    if not match:
        return 0
    return min(int(float(match.group(1)) * 1024 ** ("KMGTP".index(match.group(2) or "M"))), 10**15)


@functools.lru_cache(maxsize=1000)
def asked_memory(text: str, cpus: int, nodes: int) -> int:
    """Return the memory asked for on each node, in kB: Slurm before 21.08 ends it with n (a node) or c (a core)."""
    if text.endswith("n"):
        return kilobytes(text)
    return min(kilobytes(text) * (cpus if text.endswith("c") else 1) // max(nodes, 1), 10**15)


def moment(text: str) -> int:
    """Return a time that Slurm gives, as SLURM_TIME_FORMAT=%s has it; 0 where it is not known."""
    return int(text) if len(text) <= 11 and text.isdecimal() else 0
