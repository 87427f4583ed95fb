"""Parse values as sbatch does: times, memory, arrays, GPUs. From sbatch(1), and from trying them (22.05)."""

import math
import re

from rookery.projects.slurm_values import task_ranges

_MEMORY = re.compile(r"(\d+)(?:([KMGT])B?)?", re.IGNORECASE)
_UNITS = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024 * 1024}


def minutes(value: str) -> float | None:
    """Return a time limit in minutes; infinite where it is none; None where Slurm does not take it."""
    if value.upper() in {"UNLIMITED", "INFINITE", "-1"}:
        return math.inf
    days, dash, clock = value.rpartition("-")
    fields = clock.split(":")
    if not all(field.isdigit() for field in fields) or len(fields) > 3 or (dash and not days.isdigit()):
        return None
    numbers = [int(field) for field in fields]
    if dash:
        hours, mins, seconds = [*numbers, 0, 0][:3]
        return int(days) * 1440 + hours * 60 + mins + seconds / 60
    if len(numbers) == 3:
        return numbers[0] * 60 + numbers[1] + numbers[2] / 60
    return numbers[0] + (numbers[1] / 60 if len(numbers) == 2 else 0)


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
    """Return the numbers of an array's tasks, and how many may run at once; None where Slurm does not take it."""
    tasks, percent, throttle = value.partition("%")
    if re.search(r"\s", value) or (percent and not throttle.isdigit()):
        return None
    try:
        return task_ranges(tasks.strip("[]")), int(throttle) if percent else None
    except ValueError:
        return None


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
    count = int(words[-1]) if words and words[-1].isdigit() else 1
    names = [word for word in words if not word.isdigit()]
    return (names[0] if names else ""), count


def count(value: str | None, otherwise: int = 1) -> int:
    """Return a number of nodes, tasks or cores: the least, of a range."""
    match = re.match(r"\d+", value or "")
    return int(match.group()) if match else otherwise


def most(value: str | None) -> int:
    """Return the most nodes that a number or a range allows; 0 where it sets no limit."""
    match = re.fullmatch(r"\d+(?:-(\d+))?", value or "")
    return int(match[1] or match[0]) if match else 0
