"""Read the DESCRIPTION of an R package (Writing R Extensions, "The DESCRIPTION file")."""

import re
from collections.abc import Mapping
from typing import Final

NAME: Final = "DESCRIPTION"
"""The file."""

BASE: Final = frozenset((
    "R", "base", "compiler", "datasets", "graphics", "grDevices", "grid", "methods", "parallel", "splines", "stats",
    "stats4", "tcltk", "tools", "utils",
))  # fmt: skip
"""R itself, and the packages that are part of it."""

RECOMMENDED: Final = frozenset((
    "KernSmooth", "MASS", "Matrix", "boot", "class", "cluster", "codetools", "foreign", "lattice", "mgcv", "nlme",
    "nnet", "rpart", "spatial", "survival",
))  # fmt: skip
"""Packages that most installations of R have: a list of packages may leave them out."""

_NEEDS = ("Depends", "Imports", "LinkingTo")
_FIELD = re.compile(r"([A-Za-z][\w./@-]*):[ \t]*(.*)")
_ENTRY = re.compile(r"\s*([A-Za-z][\w.]*)\s*(?:\(\s*(>=|>|==|<=|<)\s*([\w.-]+)\s*\))?\s*")


def fields(text: str) -> dict[str, str]:
    """Return the fields of a DESCRIPTION, each on one line."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1].isspace() and name:
            found[name] += f" {line.strip()}"
        elif match := _FIELD.fullmatch(line):
            name = match[1]
            found[name] = match[2].strip()
    return found


def is_of_r(text: str) -> bool:
    """Return whether a file of this name is one of R's: fields alone, of which one names a package or what it needs."""
    plain = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    is_only_fields = all(_FIELD.fullmatch(line) or (number and line[0].isspace()) for number, line in enumerate(plain))
    return is_only_fields and not {"Package", *_NEEDS}.isdisjoint(fields(text))


def dependencies(text: str) -> dict[str, str]:
    """Return the packages that it needs and R does not have, with the oldest version of each; "" for any."""
    found: dict[str, str] = {}
    known = fields(text)
    for field in _NEEDS:
        for entry in known.get(field, "").split(","):
            match = _ENTRY.fullmatch(entry)
            if match and match[1] not in BASE:
                oldest = match[3] if match[2] == ">=" else ""
                found[match[1]] = max(found.get(match[1], ""), oldest, key=numbers)
    return found


def missing(text: str, versions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the packages that a DESCRIPTION needs and a list lacks, without those that most installations of R have.

    Args:
        text: The DESCRIPTION.
        versions: The list's packages, each with its version.
    """
    return tuple(name for name in dependencies(text) if name not in RECOMMENDED and name not in versions)


def outdated(text: str, versions: Mapping[str, str]) -> dict[str, str]:
    """Return the packages that a DESCRIPTION needs newer than a list has them, each with the oldest version.

    Args:
        text: The DESCRIPTION.
        versions: The list's packages, each with its version; "" for the newest there is.
    """
    needed = dependencies(text).items()
    return {
        name: oldest
        for name, oldest in needed
        if oldest and versions.get(name) and numbers(versions[name]) < numbers(oldest)
    }


def numbers(version: str) -> list[int]:
    """Return the numbers of a version, as R compares them."""
    return [int(number) for number in re.findall(r"\d+", version)]
