"""Read the DESCRIPTION of an R package (Writing R Extensions, "The DESCRIPTION file")."""

import re

NAME = "DESCRIPTION"
"""The file."""


def fields(text: str) -> dict[str, str]:
    """Return the fields of a DESCRIPTION, each on one line."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1].isspace() and name:
            found[name] += f" {line.strip()}"
        elif match := re.fullmatch(r"([A-Za-z][\w./@-]*):[ \t]*(.*)", line):
            name = match[1]
            found[name] = match[2].strip()
    return found


def dependencies(text: str) -> dict[str, str]:
    """Return the packages that it needs to be installed, and the oldest version of each; "" for any. R is left out."""
    found: dict[str, str] = {}
    known = fields(text)
    for field in ("Depends", "Imports", "LinkingTo"):
        for entry in known.get(field, "").split(","):
            match = re.fullmatch(r"\s*([A-Za-z][\w.]*)\s*(?:\(\s*(>=|>|==|<=|<)\s*([\w.-]+)\s*\))?\s*", entry)
            if match and match[1] != "R":
                found[match[1]] = match[3] if match[2] == ">=" else found.get(match[1], "")
    return found


def numbers(version: str) -> list[int]:
    """Return the numbers of a version, as R compares them."""
    return [int(number) for number in re.findall(r"\d+", version)]
