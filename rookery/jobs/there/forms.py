"""Sent to a cluster with each program: how Slurm writes tables, tasks, times and memory."""

import re
from typing import Iterable, Iterator, List

from rookery.jobs.there.basics import END, FIELD

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


def split(text: str, fields: int) -> Iterator[List[str]]:
    """The lines of a table whose fields each end with FIELD; a line that has another number of them is left out."""
    for line in text.split(END):
        parts = line.split(FIELD)
        if len(parts) == fields:
            yield parts


def numbers(expression: str) -> List[int]:
    """The tasks that Slurm's expression names: "1-3,7-11:2%5" is 1 2 3 7 9 11."""
    found: List[int] = []
    for part in expression.strip("[]").partition("%")[0].split(","):
        match = re.match(r"^(\d+)(?:-(\d+))?(?::(\d+))?$", part.strip())
        if match:
            first = int(match.group(1))
            found.extend(range(first, int(match.group(2) or first) + 1, int(match.group(3) or 1)))
    return found


def expression(tasks: Iterable[int]) -> str:
    """The shortest of Slurm's expressions without steps: 1 2 3 7 is "1-3,7"."""
    parts: List[List[int]] = []
    for number in sorted(set(tasks)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join("%d" % low if low == high else "%d-%d" % (low, high) for low, high in parts)


def seconds(text: str) -> float:
    """Slurm's [days-][[hours:]minutes:]seconds[.thousandths], in seconds; 0 for anything else."""
    match = re.match(r"^(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$", text.strip())
    if not match:
        return 0.0
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest)


def kilobytes(text: str) -> int:
    """Slurm's 100M, 1.5G, 2900K (a bare number is megabytes), in kB; 0 for anything else."""
    match = re.match(r"^([\d.]+)([KMGTP]?)[nc]?$", text.strip())
    if not match or match.group(1).count(".") > 1:
        return 0
    return int(float(match.group(1)) * 1024 ** ("KMGTP".index(match.group(2) or "M")))


def asked_memory(text: str, cpus: int, nodes: int) -> int:
    """Memory asked for on each node, in kB: Slurm before 21.08 ends it with n (a node) or c (a core)."""
    if text.endswith("n"):
        return kilobytes(text)
    return kilobytes(text) * (cpus if text.endswith("c") else 1) // max(nodes, 1)


def moment(text: str) -> int:
    """A time that Slurm gives, as SLURM_TIME_FORMAT=%s has it; 0 where it is not known."""
    return int(text) if text.isdigit() else 0
