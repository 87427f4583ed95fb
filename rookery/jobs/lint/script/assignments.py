"""What the variables of a shell script are given, and where their values go."""

import re
from collections import Counter
from dataclasses import dataclass

from rookery.jobs.lint.script.context import Context

_TARGET = re.compile(r"([A-Za-z_]\w*)(?:\[[^]]*\])?\+?=")
_DECLARING = frozenset({"export", "declare", "typeset", "local", "readonly"})
_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_BARE_NAME = re.compile(r"(?<![\w${])[A-Za-z_]\w*")
_NUMBER = re.compile(r"""(["']?)(\d{1,6})\1""")


@dataclass(frozen=True)
class Assignment:
    """A variable that a script gives a value.

    Attributes:
        name: The variable.
        start: Where the word begins.
        value_start: Where its value begins.
        end: Where it ends.
        exported: Whether programs see it: by `export`, or because it stands before a command.
        options: The options of `declare`, `local` and their like.
    """

    name: str
    start: int
    value_start: int
    end: int
    exported: bool = False
    options: str = ""


def assignments(script: Context) -> list[Assignment]:
    """Return the assignments of a script, in their order."""
    before = {command.start for command in script.shell.commands}
    found = []
    for word in sorted(script.shell.assignments, key=lambda word: word.start, reverse=True):
        blank = _BLANK.match(script.text, word.end)
        exported = bool(blank and blank.end() in before)
        if exported:
            before.add(word.start)
        if match := _TARGET.match(script.text, word.start):
            found.append(Assignment(match[1], word.start, match.end(), word.end, exported))
    for command in script.shell.commands:
        if command.name not in _DECLARING:
            continue
        options = "".join(word.text[1:] for word in command.words[1:] if word.text.startswith("-"))
        for word in command.words[1:]:
            if match := _TARGET.match(script.text, word.start):
                exported = command.name == "export" or "x" in options
                found.append(Assignment(match[1], word.start, match.end(), word.end, exported, options))
    return sorted(found, key=lambda assignment: assignment.start)


def constants(script: Context) -> dict[str, tuple[int, int, int]]:
    """Return the variables that a script gives one whole number, and nothing else: the number, and where it is written.

    A variable that is named without `$` anywhere else may be read, counted or exported there: it is none of them.
    """
    named = Counter(match.group() for match in _BARE_NAME.finditer(script.code))
    given = assignments(script)
    times = Counter(assignment.name for assignment in given)
    numbers = {}
    for assignment in given:
        number = _NUMBER.fullmatch(script.text[assignment.value_start : assignment.end])
        if number and times[assignment.name] == named[assignment.name] == 1:
            numbers[assignment.name] = (int(number[2]), assignment.value_start, assignment.end)
    return numbers


def is_set_otherwise(script: Context, name: str) -> bool:
    """Return whether a script gives a variable a value by another way than `NAME=VALUE`."""
    reads = rf"\b(?:read|for|let|mapfile|printf -v)\b[^\n;]*(?<![$\w{{]){name}\b"
    counts = rf"\(\([^()\n]*(?<![$\w]){name}\s*[-+*/]?="
    return bool(re.search(rf"{reads}|{counts}|\$\{{{name}:?=", script.code))


def expects_unset(script: Context, name: str) -> bool:
    """Return whether a script has another value for a variable that is not set, or tests it first."""
    tests = rf"(?:\[|\btest)[ \t][^\]\n;]*\$\{{?{name}\b|-v {name}\b"
    return bool(re.search(rf"\$\{{{name}:?[-+?]|{tests}", script.code))
