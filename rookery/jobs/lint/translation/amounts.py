"""Times and amounts of memory as other schedulers write them, and as Slurm does."""

import math
import re

from rookery.jobs.lint.script import values

_MEMORY = re.compile(r"([0-9]{1,15}(?:\.[0-9]+)?)\s*([kmgtKMGT]?)(i?[bB]|[wW])?")
_SCALE = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def number(text: str) -> int | None:
    """Return a whole number above 0; None where it is none."""
    return int(text) if re.fullmatch(r"0*[1-9][0-9]{0,8}", text) else None


def seconds(text: str) -> int | None:
    """Return a time in seconds: seconds alone, or with minutes, hours and days before them; None where it is none.

    PBS has `[[[d:]h:]m:]s[.ms]` (pbs_resources(7)), SGE `[h]:[m]:[s]` where each may be empty (sge_types(1)).
    """
    if not re.fullmatch(r"[0-9]{0,9}(:[0-9]{0,9}){0,3}(\.[0-9]+)?", text) or not re.search(r"[0-9]", text):
        return None
    fields = [int(field or 0) for field in text.partition(".")[0].split(":")]
    days, hours, minutes, rest = [0] * (4 - len(fields)) + fields
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def minutes(text: str) -> int | None:
    """Return a time of LSF (`[hours:]minutes[/host]`, bsub -W) in seconds; None where it is none."""
    match = re.fullmatch(r"(?:([0-9]{1,9}):)?([0-9]{1,9})(?:/\S+)?", text)
    return (int(match[1] or 0) * 60 + int(match[2])) * 60 if match else None


def clock(of_seconds: int) -> str:
    """Return a time as sbatch takes it."""
    return f"{values.clock(of_seconds // 60)[:-2]}{of_seconds % 60:02}"


def megabytes(text: str, unit: str = "") -> int | None:
    """Return an amount of memory in MiB, rounded up; None where it is none.

    Args:
        text: A number and its unit, such as 4gb, 500M or 1.5G; PBS also counts words of 8 bytes (mw).
        unit: The unit of a number without one: "" for bytes, k, m or g.
    """
    match = _MEMORY.fullmatch(text)
    if not match:
        return None
    number, scale, word = float(match[1]), match[2].lower(), (match[3] or "").lower()
    scale = scale or ("" if word else unit)
    size = number * math.pow(1024, _SCALE[scale]) * (8 if word == "w" else 1)
    return math.ceil(size / 1024**2)


def memory(of_megabytes: int) -> str:
    """Return an amount of memory as sbatch takes it."""
    return f"{of_megabytes // 1024}G" if of_megabytes and of_megabytes % 1024 == 0 else f"{of_megabytes}M"


def parts(text: str, separator: str = ",") -> list[str]:
    """Return the parts of a list, without those that are empty."""
    return [part for part in text.split(separator) if part]
