"""Sort the modules of a cluster by purpose. Text in, names out."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

_PURPOSES: Final[Mapping[str, str]] = {
    "r": r"R|r|R-base|rstats|cray-R",
    "python": r"python3?|Python|python-base|cray-python",
    "conda": r"miniforge3?|mambaforge|miniconda3?|anaconda3?|conda|mamba|micromamba",
    "cuda": r"cuda|CUDA|cudatoolkit|nvhpc",
    "mpi": r"openmpi|ompi|mpich|mvapich2?|impi|intel-?mpi|cray-mpich",
    "gcc": r"gcc|GCC|gcc-native|gnu",
    "intel": r"intel|intel-?compilers?|intel-oneapi(-compilers)?|oneapi|iimpi",
    "ml": r"pytorch|tensorflow|opence|open-ce|jax|nemo",
}
"""What a part of a module's name before its version is called by purpose, in any case of letters but for R."""

MOST: Final = 3
"""How many modules of a purpose a profile gets: the site's default or the newest first."""

_MODULE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,199}")


def by_purpose(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return modules by purpose, as cluster_modules has them.

    Args:
        lines: What `module --terse avail` printed: a module a line, folders with a colon behind, and defaults marked.
    """
    patterns = {purpose: re.compile(pattern) for purpose, pattern in _PURPOSES.items()}
    found: dict[str, dict[str, bool]] = {purpose: {} for purpose in patterns}
    for line in lines:
        name, marks = split(line)
        if not _MODULE.fullmatch(name) or name.endswith("/"):
            continue
        if purpose := _purpose(name, patterns):
            is_default = bool(re.match(r"(?:default|D)\b", marks))
            found[purpose][name] = found[purpose].get(name, False) or is_default
    return {purpose: _best(names) for purpose, names in found.items() if names}


def split(line: str) -> tuple[str, str]:
    """Return the name in a line of `module --terse avail`, and the marks behind it: "(default)" without the bracket."""
    name, *marks = re.split(r"[\s(<]", line.strip(), maxsplit=1)
    return name, "".join(marks)


def _purpose(name: str, patterns: Mapping[str, re.Pattern[str]]) -> str:
    """Return what a module is for, by the last part of its name that says so, before its version; "" for none."""
    for part in reversed(name.split("/")[:-1] or [name]):
        for purpose, pattern in patterns.items():
            if pattern.fullmatch(part) or (purpose != "r" and pattern.fullmatch(part.lower())):
                return purpose
    return ""


def _best(names: Mapping[str, bool]) -> list[str]:
    """Return the modules to use, the default of the site first, then the newest."""
    return sorted(names, key=lambda name: (names[name], _version(name)), reverse=True)[:MOST]


def _version(name: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key by the numbers in a name: 4.10 is newer than 4.9."""
    return tuple((int(number or 0), text) for text, number in re.findall(r"([^0-9]*)([0-9]{0,12})", name))
