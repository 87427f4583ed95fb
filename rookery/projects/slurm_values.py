"""Convert times, memory and task numbers between Slurm's notation and numbers."""

import re

_TIME = re.compile(
    r"(?:(?P<days>[0-9]{1,9})-)?(?P<first>[0-9]{1,9})(?::(?P<second>[0-9]{1,9}))?(?::(?P<third>[0-9]{1,9}))?"
)
LAST_TASK = 4_000_000
"""The largest number that a task can have (slurm.conf's manual, MaxArraySize)."""

_MEBIBYTES = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024 * 1024}
_SPAN = re.compile(r"([0-9]{1,9}) ?(m|min|mins|minutes?|h|hr|hrs|hours?|d|days?)", re.IGNORECASE)
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


def minutes(text: str | int) -> int:
    """Return a time limit in minutes, a begun one counted whole.

    Args:
        text: As sbatch's --time takes it: M, M:S, H:M:S, D-H, D-H:M or D-H:M:S (sbatch(1)); or as 90m, 2h or 1d.

    Raises:
        ValueError: It is none of these.
    """
    if span := _SPAN.fullmatch(str(text).strip()):
        return int(span[1]) * _MINUTES[span[2][0].lower()]
    match = _TIME.fullmatch(str(text).strip())
    if not match:
        raise ValueError(text)
    days, first, second, third = (int(match[name] or 0) for name in ("days", "first", "second", "third"))
    if match["days"] is not None:
        seconds = days * 86400 + first * 3600 + second * 60 + third
    elif match["third"] is not None:
        seconds = first * 3600 + second * 60 + third
    else:
        seconds = first * 60 + second
    return -(-seconds // 60)


def time_limit(minutes: int) -> str:
    """Return minutes as sbatch's --time takes them and squeue shows them: HH:MM:SS, with D- before it from a day on."""
    days, rest = divmod(minutes, 24 * 60)
    clock = f"{rest // 60:02}:{rest % 60:02}:00"
    return f"{days}-{clock}" if days else clock


def mebibytes(text: str | int) -> int:
    """Return an amount of memory in MiB, rounded up: as sbatch's --mem takes it (a number alone is MiB), or as 1 GB.

    Raises:
        ValueError: It is no such amount.
    """
    match = re.fullmatch(r"([0-9]{1,15}) ?(?:([KMGT])(?:I?B)?)?", str(text).strip().upper())
    if not match:
        raise ValueError(text)
    return -(-int(int(match[1]) * _MEBIBYTES[match[2] or ""] * 1024) // 1024)


def memory(text: str | int) -> str:
    """Return an amount of memory as sbatch's --mem takes it: `1 GB` and `1GiB` as 1G.

    Raises:
        ValueError: It is no such amount.
    """
    mebibytes(text)
    return re.sub(r"\s|I?B$", "", str(text).strip().upper())


def task_ranges(array: str) -> list[range]:
    """Return the numbers of an array's tasks, as sbatch's --array takes them (1-200, 0-90:10, 1,5,9), without %N.

    Raises:
        ValueError: They are not so written, run backwards, or are larger than any that Slurm takes.
    """
    ranges = []
    for part in array.partition("%")[0].split(","):
        match = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9})(?::([0-9]{1,9}))?)?", part.strip())
        if not match:
            raise ValueError(array)
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first or step < 1 or last > LAST_TASK:
            raise ValueError(array)
        ranges.append(range(first, last + 1, step))
    return ranges


def task_count(array: str) -> int:
    """Return how many tasks an array has; 0 for none."""
    return sum(len(numbers) for numbers in task_ranges(array)) if array else 0
