"""R's source, as the rules read it: without comments and strings, its calls with their arguments, and constants."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_KEPT = 64
"""Programs that are kept in memory: several rules read each, and several scripts run one."""
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<string>[rR]"(?P<d>-*)\(.*?\)(?P=d)"|[rR]'(?P<e>-*)\(.*?\)(?P=e)'|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)""",
    re.DOTALL,
)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_ARGUMENT = re.compile(r"\s*(?:(?P<name>[A-Za-z.][\w.]*)\s*=(?!=)\s*)?(?P<value>.*?)\s*\Z", re.DOTALL)
_NUMBER = re.compile(r"\d{1,6}(?=L?\Z)")
_VALUE = re.compile(r"(\d{1,6})L?(?=[ \t]*(?:[\n;}]|\Z))")
_NAME = re.compile(r"[A-Za-z.][\w.]*\Z")


@dataclass(frozen=True)
class RArgument:
    """An argument of a call.

    Attributes:
        name: Its name; "" where it is given by its place.
        text: Its value.
        start: Where the value begins in the source.
        end: Where it ends.
    """

    name: str
    text: str
    start: int
    end: int


@lru_cache(_KEPT)
def without_comments(text: str, *, strings: bool = False) -> str:
    """Return R's source with blanks for comments, and for strings unless `strings`; every offset stays valid."""

    def blank(match: re.Match[str]) -> str:
        return match.group() if strings and not match["comment"] else re.sub(r"[^\n]", " ", match.group())

    return _TOKEN.sub(blank, text)


def calls(bare: str, name: str) -> Iterator[tuple[int, list[RArgument]]]:
    """Yield where each call of a function begins, and its arguments.

    Args:
        bare: The source, from `without_comments`.
        name: The function's name, a pattern.
    """
    for match in re.finditer(rf"(?<![\w.])(?:{name})\s*\(", bare):
        if not re.search(r"function\s*\Z", bare[max(0, match.start() - 40) : match.start()]):
            yield match.start(), _arguments(bare, match.end())


def _arguments(bare: str, at: int) -> list[RArgument]:
    """Return the arguments from here up to the bracket that closes the call; none where nothing closes it."""
    arguments, open_brackets, begin = [], [")"], at
    while at < len(bare):
        character = bare[at]
        if character in _BRACKETS:
            open_brackets.append(_BRACKETS[character])
        elif character == open_brackets[-1]:
            open_brackets.pop()
        if not open_brackets or (character == "," and len(open_brackets) == 1):
            arguments.append(_argument(bare, begin, at))
            begin = at + 1
            if not open_brackets:
                return arguments if bare[arguments[0].start : at].strip() or len(arguments) > 1 else []
        at += 1
    return []


def _argument(bare: str, start: int, end: int) -> RArgument:
    match = _ARGUMENT.match(bare[start:end])
    assert match is not None  # noqa: S101 every part of it may be empty
    return RArgument(match["name"] or "", match["value"], start + match.start("value"), start + match.end("value"))


def integer(bare: str, start: int, end: int) -> tuple[int, int, int] | None:
    """Return the whole number that a value is, and where it is written.

    A name stands for the number that the source gives it, where it does so once.

    Returns:
        The number, where it begins and where it ends; None where it is no number, or may be several.
    """
    text = bare[start:end]
    if match := _NUMBER.match(text):
        return int(match.group()), start, end
    return _given(bare, text) if _NAME.match(text) else None


@lru_cache(_KEPT)
def _given(bare: str, name: str) -> tuple[int, int, int] | None:
    """Return the whole number that a name is given, and where it is written; None where it is not given just one."""
    name = re.escape(name)
    given = [
        match
        for match in re.finditer(rf"(?<![\w.$@]){name}\s*(?:<<?-|=(?!=))\s*|->>?\s*{name}(?![\w.])", bare)
        if bracket(bare, match.start()) < 0
    ]
    value = _VALUE.match(bare, given[0].end()) if len(given) == 1 else None
    return (int(value.group(1)), value.start(), value.end()) if value else None


def bracket(bare: str, at: int) -> int:
    """Return where the round bracket opens that a place is within; -1 where it is in none, or in braces within it."""
    places, within = _brackets(bare)
    index = bisect_left(places, at)
    return within[index - 1] if index else -1


@lru_cache(_KEPT)
def _brackets(bare: str) -> tuple[list[int], list[int]]:
    """Return the place of each bracket and brace, and for each the round bracket open behind it; -1 for none."""
    places, within, opened = [], [], [-1]
    for match in re.finditer("[(){}]", bare):
        if match.group() in "({":
            opened.append(match.start() if match.group() == "(" else -1)
        elif len(opened) > 1:
            opened.pop()
        places.append(match.start())
        within.append(opened[-1])
    return places, within
