"""Parse the output of sites' quota commands: text in, storage areas out."""

import re
from dataclasses import dataclass

FILLING, FULL = 80, 90
"""Per cent of a limit from which a user is warned, and from which it is urgent."""

_MB = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3}
_SIZE = r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?"
_AREA_OF = {"storage": "persistent"}
"""What gpfsquota calls an area, where a profile calls it something else."""


@dataclass(frozen=True)
class Area:
    """A storage area, and how full it is.

    Attributes:
        name: As the profile or the quota command calls it; several with commas between them where they are one disk.
        used_mb: MiB used: by the user, or by everybody where `source` is df.
        limit_mb: MiB that may be used; None where there is no limit.
        files: How many files the user has there; None where unknown.
        files_limit: How many they may have; None where there is no limit.
        source: quota or df.
        path: Its path; "" where only the quota command knows it.
        note: What else there is to know.
    """

    name: str
    used_mb: float
    limit_mb: float | None = None
    files: int | None = None
    files_limit: int | None = None
    source: str = "quota"
    path: str = ""
    note: str = ""

    @property
    def percent(self) -> float:
        """How full it is: bytes or files, whichever is nearer its limit."""
        pairs = ((self.used_mb, self.limit_mb), (self.files or 0, self.files_limit))
        return max((100 * used / limit for used, limit in pairs if limit), default=0.0)

    @property
    def warning(self) -> str:
        """A word where it is nearly full: full or filling; else ""."""
        return "full" if self.percent >= FULL else "filling" if self.percent >= FILLING else ""


def areas(form: str, text: str) -> list[Area]:
    """Return the areas that a quota command tells of; none where its form is not known.

    Args:
        form: Its form (cluster_quota.format).
        text: What it said.
    """
    forms = {"gpfsquota": gpfsquota, "quota-s": quota_s}
    return forms[form](text) if form in forms else []


def gpfsquota(text: str) -> list[Area]:
    """Return the areas of HEC's `gpfsquota`: `NAME QUOTA USED AVAIL USE% FILES`; other lines are passed over.

    The form is that of the Lancaster HEC documentation (May 2026): `storage 200G 82.23G 117.77G 41.12 202781`.
    """
    pattern = re.compile(
        rf"\s*(\w+)\s+({_SIZE})([KMGTP])\s+({_SIZE})([KMGTP])\s+{_SIZE}[KMGTP]\s+{_SIZE}%?\s+([0-9]{{1,15}})\s*"
    )
    areas = []
    for line in text.splitlines():
        if match := pattern.fullmatch(line):
            name, limit, limit_unit, used, used_unit, count = match.groups()
            limit_mb = float(limit) * _MB[limit_unit]
            areas.append(
                Area(_AREA_OF.get(name, name), max(0.0, float(used) * _MB[used_unit]), limit_mb or None, int(count))
            )
    return areas


def quota_s(text: str) -> list[Area]:
    """Return the file systems of `quota -s` (quota-tools): space, quota, limit, [grace,] files, quota, limit[, grace].

    A long name of a file system has a line to itself; a `*` marks what is over its quota; a limit of 0 is none.
    A number of kilobytes may stand without its K.
    """
    number = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([KMGTPkmgtp]?)\*?")
    areas, waiting = [], ""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 1 and not number.fullmatch(words[0]):
            waiting = words[0]
            continue
        name, values = (waiting, words) if waiting else (words[0] if words else "", words[1:])
        waiting = ""
        # a grace ("6days", "12:30", "none") is no number
        numbers = [match for match in map(number.fullmatch, values) if match]
        if len(numbers) != 6 or len(values) > 8:
            continue
        space, soft, hard = (float(match[1]) * _MB[(match[2] or "K").upper()] for match in numbers[:3])
        count, few, most = (_count(match[1], match[2]) for match in numbers[3:])
        areas.append(Area(name, space, soft or hard or None, count, few or most or None))
    return areas


def _count(digits: str, unit: str) -> int:
    """Return a number of files, with quota's own k, m, g for thousands."""
    return int(float(digits) * {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}[unit.upper()])
