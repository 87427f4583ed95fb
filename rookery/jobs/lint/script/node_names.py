"""Slurm's lists of nodes: `wn[01-12,20],login1`, as `sinfo` writes them and `--nodelist` takes them."""

import re
from collections.abc import Iterable, Iterator

_MOST = 1000
"""Names that a list is written out to; the others are not looked at."""
_MOST_BRACKETS = 4
"""Pairs of brackets in one name that are written out: Slurm takes as many dimensions."""
_BRACKETS = re.compile(r"\[([0-9,-]+)\]")
_ENTRY = re.compile(r"(?:[^,\[\]]|\[[^\]]*\])+")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def expanded(text: str) -> list[str]:
    """Return the names of a list of nodes, at most the first thousand; none that can't be read.

    Args:
        text: The list.
    """
    names: list[str] = []
    for entry in _ENTRY.findall(text) if text.count("[") == text.count("]") else []:
        for name in _names(entry.strip()) if entry.count("[") <= _MOST_BRACKETS else ():
            if len(names) == _MOST:
                return names
            names.append(name)
    return names


def _names(entry: str) -> Iterator[str]:
    brackets = _BRACKETS.search(entry)
    if not brackets:
        if not re.search(r"[\[\]]", entry) and entry:
            yield entry
        return
    for piece in brackets[1].split(","):
        if not (bounds := _RANGE.fullmatch(piece)):
            return
        for number in range(int(bounds[1]), int(bounds[2] or bounds[1]) + 1):
            yield from _names(f"{entry[: brackets.start()]}{number:0{len(bounds[1])}}{entry[brackets.end() :]}")


def is_one(name: str, lists: Iterable[str]) -> bool:
    """Return whether a node is among those of some lists, in which `*` stands for any letters and digits.

    Args:
        name: Its name.
        lists: The lists, as the profile has them.
    """
    return any(_is_of(name, entry) for text in lists for entry in _ENTRY.findall(text))


def _is_of(name: str, entry: str) -> bool:
    """Return whether a name is one of an entry's: its brackets hold numbers, with zeros in front as in the first."""
    ranges = _BRACKETS.findall(entry)
    pattern = "([0-9]{1,9})".join(re.escape(text).replace(r"\*", ".*") for text in _BRACKETS.split(entry)[::2])
    match = re.fullmatch(pattern, name)
    return match is not None and all(map(_is_in, match.groups(), ranges))


def _is_in(number: str, text: str) -> bool:
    """Return whether a number is in the brackets' text, with as many zeros before it."""
    for bounds in filter(None, map(_RANGE.fullmatch, text.split(","))):
        first, last = bounds[1], bounds[2] or bounds[1]
        if int(first) <= int(number) <= int(last) and number == f"{int(number):0{len(first)}}":
            return True
    return False
