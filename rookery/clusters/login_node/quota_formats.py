"""Parse the output of sites' quota commands: text in, storage areas out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rookery.remote import strict_json

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
    forms = {"gpfsquota": gpfsquota, "quota-s": quota_s, "lfs": lfs, "df": df, "json": json_list}
    return forms[form](text) if form in forms else []


def of_storage(areas: Iterable[Area], names: Iterable[str], path: str) -> Area | None:
    """Return the area of a quota command that a storage is in: one of its name, else the innermost folder around it.

    Args:
        areas: All of them.
        names: What the storage and its device are called.
        path: The storage's path; "" where not known.
    """
    listed = list(areas)
    named = next((area for area in listed if area.name in names), None)
    around = [area for area in listed if area.name.startswith("/") and _is_in(path, area.name)]
    return named or max(around, key=lambda area: len(area.name.rstrip("/")), default=None)


def _is_in(path: str, folder: str) -> bool:
    return bool(path) and f"{path}/".startswith(f"{folder.rstrip('/')}/")


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


def lfs(text: str) -> list[Area]:
    """Return the file systems of Lustre's `lfs quota`, of each the quota that is nearest its limit.

    It prints one table each for the user, their groups and their project, in the form of `quota`, in KiB or with -h in
    units; numbers in brackets are inexact, since a server does not answer (lfs-quota(1)).
    """
    fullest: dict[str, Area] = {}
    for area in quota_s(re.sub(r"[\[\]]", "", text)):
        known = fullest.get(area.name)
        fullest[area.name] = max(known, area, key=lambda area: area.percent) if known else area
    return list(fullest.values())


def df(text: str) -> list[Area]:
    """Return the file systems of `df`, in KiB or with -h in units, by the folder where each is mounted.

    Its size is the limit: so it is where a site shows quotas by df (CephFS, GPFS filesets).
    """
    size = rf"({_SIZE})([KMGTP]?)i?B?"
    pattern = re.compile(rf"\S.*?\s+{size}\s+{size}\s+{size}\s+\d{{1,3}}%\s+(/.*)")
    areas = []
    for line in text.splitlines():
        if match := pattern.fullmatch(line.strip()):
            _, _, used, used_unit, free, free_unit, folder = match.groups()
            used_mb = max(0.0, float(used) * _MB[used_unit or "K"])
            limit_mb = used_mb + max(0.0, float(free) * _MB[free_unit or "K"])
            areas.append(Area(folder, used_mb, limit_mb or None))
    return areas


_KEYS = {
    "name": ("name", "fs", "filesystem", "path"),
    "used": ("used", "space_used"),
    "limit": ("limit", "quota", "space_quota"),
    "files": ("files", "inode_used"),
    "files_limit": ("files_limit", "files_quota", "inode_quota"),
}
"""For each fact of an area: the keys that it may have in JSON, rookery's own and those of NERSC's showquota."""


def json_list(text: str) -> list[Area]:
    """Return the areas of a JSON list of objects: name, used, limit, files, files_limit.

    Numbers are bytes, or text with a unit (`"11.17GiB"`, `"30.6K"`); without a limit there is none.
    """
    try:
        document = strict_json.loads(text)
    except ValueError:
        return []
    entries = document if isinstance(document, list) else []
    found = [_of_object(entry) for entry in entries if isinstance(entry, dict)]
    return [area for area in found if area]


def _of_object(entry: Mapping[str, Any]) -> Area | None:
    values = {fact: next((entry[key] for key in keys if key in entry), None) for fact, keys in _KEYS.items()}
    used = _number(values["used"], 1024)
    if not isinstance(values["name"], str) or not values["name"] or used is None:
        return None
    limit = _number(values["limit"], 1024)
    files, files_limit = _number(values["files"], 1000), _number(values["files_limit"], 1000)
    return Area(
        name=values["name"],
        used_mb=used / 1024**2,
        limit_mb=limit / 1024**2 if limit else None,
        files=None if files is None else int(files),
        files_limit=int(files_limit) if files_limit else None,
    )


def _number(value: Any, base: int) -> float | None:
    """Return a number that may be text with a unit, such as 11.17GiB or 1.00M; None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if 0 <= value < 10**18 else None
    match = (
        re.fullmatch(rf"\s*({_SIZE})\s*([KMGTP]?)(?:i?B)?\s*", value, re.IGNORECASE) if isinstance(value, str) else None
    )
    return max(0.0, float(match[1]) * base ** " KMGTP".index(match[2].upper() or " ")) if match else None


def _count(digits: str, unit: str) -> int:
    """Return a number of files, with quota's own k, m, g for thousands."""
    return int(float(digits) * {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}[unit.upper()])
