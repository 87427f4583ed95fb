"""Parse values as sbatch does: times, memory, arrays, GPUs. From sbatch(1), and from trying them (22.05)."""

import math
import re

from rookery.projects.slurm_values import task_ranges

_TIME = re.compile(r"(?:([0-9]{1,9})-)?((?:[0-9]{1,9}(?::[0-9]{1,9}){0,2})?)")
_MEMORY = re.compile(r"([0-9]{1,15})(?:([KMGT])B?)?", re.IGNORECASE)
_BLANKS = re.compile(r"(?:(?<=[-:])|^)\s+(?=[0-9])")
_NUMBER = re.compile(r"[0-9]{1,9}(?![0-9])")
_UNITS = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024 * 1024}


def minutes(value: str) -> float | None:
    """Return a time limit in minutes; infinite where it is none, as 0 is; None where Slurm does not take it."""
    if value.upper() in {"UNLIMITED", "INFINITE", "-1"}:
        return math.inf
    match = _TIME.fullmatch(value)
    if not match or not value:
        return None
    numbers = [int(field) for field in match[2].split(":") if field]
    if match[1] is None and len(numbers) < 3:
        numbers.insert(0, 0)
    hours, mins, seconds = [*numbers, 0, 0, 0][:3]
    return int(match[1] or 0) * 1440 + hours * 60 + mins + seconds / 60 or math.inf


def clock(of_minutes: int) -> str:
    """Return a time limit as users write it: HH:MM:SS, or D-HH:MM:SS from two days on."""
    days, rest = divmod(of_minutes, 1440) if of_minutes > 1440 else (0, of_minutes)
    text = f"{rest // 60:02}:{rest % 60:02}:00"
    return f"{days}-{text}" if days else text


def megabytes(value: str) -> float | None:
    """Return an amount of memory in MiB; None where Slurm does not take it."""
    match = _MEMORY.fullmatch(value)
    return int(match.group(1)) * _UNITS[(match.group(2) or "").upper()] if match else None


def array(value: str) -> tuple[list[range], int | None] | None:
    """Return the numbers of an array's tasks, and how many may run at once; None where Slurm does not take it.

    As slurmctld reads it (src/common/slurm_protocol_defs.c): no number is 0, and what is no number behind % has no
    effect.
    """
    tasks = [piece.partition("%")[0].removeprefix("[").removesuffix("]") for piece in value.split(",") if piece]
    throttle = _NUMBER.match(value.partition("%")[2])
    if any(task != task.rstrip() for task in tasks):
        return None
    try:
        numbers = task_ranges(",".join(_BLANKS.sub("", task) or "0" for task in tasks))
    except ValueError:
        return None
    return numbers, int(throttle.group()) if throttle else None


def gpus(value: str) -> list[tuple[str, int]]:
    """Return the GPUs of a --gres (`gpu:TYPE:2,other:1`): the type of each, "" for any, and how many."""
    counts = []
    for piece in value.split(","):
        kind, *rest = re.split("[:=/]", piece.removeprefix("gres:").removeprefix("gres/").partition("(")[0])
        if kind == "gpu":
            counts.append(_gpu(rest))
    return counts


def typed(value: str) -> list[tuple[str, int]]:
    """Return the GPUs of a --gpus (`TYPE:2`, `2`)."""
    return [_gpu(piece.split(":")) for piece in value.split(",")]


def _gpu(words: list[str]) -> tuple[str, int]:
    count = int(words[-1]) if words and _NUMBER.fullmatch(words[-1]) else 1
    names = [word for word in words if not _NUMBER.fullmatch(word)]
    return (names[0] if names else ""), count


def count(value: str | None, otherwise: int = 1) -> int:
    """Return a number of nodes, tasks or cores: the least, of a range."""
    match = _NUMBER.match(value or "")
    return int(match.group()) if match else otherwise


def most(value: str | None) -> int:
    """Return the most nodes that a number or a range allows; 0 where it sets no limit."""
    match = re.fullmatch(r"[0-9]{1,9}(?:-([0-9]{1,9}))?", value or "")
    return int(match[1] or match[0]) if match else 0
