"""A student of a cohort, and the name of their folder."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 50
"""Characters of a folder's name."""

# letters that Unicode does not take apart into a plain one and an accent
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})  # noqa: RUF001 that letter is meant
# names that Windows gives to devices, whose disk a user under WSL may well use
_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")


@dataclass(frozen=True)
class Student:
    """A student of the cohort file."""

    name: str
    """Their full name."""
    email: str
    """Their mail address."""
    clusters: tuple[str, ...]
    """Where they will work, the first one first."""
    project: str
    """Name of their first project."""
    language: str
    """What it is written in: python or r."""
    user: str = ""
    """Their username on the clusters; "" where it is not known."""
    account: str = ""
    """What their jobs are charged to, where a cluster asks for it; "" where it is not known."""
    supervisor: str = ""
    """Their supervisor; "" where none is named."""
    slug: str = ""
    """Name of their folder, and of their report: a-z, 0-9 and -, nobody else's in the cohort."""


def slug(text: str) -> str:
    """Return a text as a safe name for a file: a-z, 0-9 and single dashes; "" where nothing of it can be kept."""
    apart = unicodedata.normalize("NFKD", text[: 10 * LONGEST].casefold()).translate(_PLAIN)
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    plain = re.sub(r"[^a-z0-9]+", "-", letters)[:LONGEST].strip("-")
    return f"{plain}-1" if _DEVICES.fullmatch(plain) else plain


def slugs(people: Sequence[tuple[str, str]]) -> list[str]:
    """Return each student's folder name, by name and mail address.

    Students who share a name are distinguished by their address, all of them: so no student inherits another's folder
    or report when a line is inserted above.
    """
    first = [slug(name) or slug(email.partition("@")[0]) or "student" for name, email in people]
    wanted = [
        candidate if first.count(candidate) == 1 else _joined(candidate, email.partition("@")[0])
        for candidate, (_name, email) in zip(first, people, strict=True)
    ]
    wanted = [
        candidate if wanted.count(candidate) == 1 else _joined(first[number], people[number][1])
        for number, candidate in enumerate(wanted)
    ]
    return list(_unique(wanted))


def _joined(name: str, addition: str) -> str:
    tail = slug(addition)
    return f"{name[: max(LONGEST - len(tail) - 1, 8)].strip('-')}-{tail}"[: 2 * LONGEST].strip("-")


def _unique(wanted: Iterable[str]) -> Iterable[str]:
    """Yield the same names, with a number behind those that came before."""
    taken: set[str] = set()
    for name in wanted:
        free, number = name, 2
        while free in taken:
            free, number = f"{name}-{number}", number + 1
        taken.add(free)
        yield free
