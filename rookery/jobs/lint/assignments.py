"""What the variables of a shell script are given, and where their values go."""

import re
from dataclasses import dataclass

from rookery.jobs.lint.context import Context

_TARGET = re.compile(r"([A-Za-z_]\w*)(?:\[[^]]*\])?\+?=")
_DECLARING = frozenset({"export", "declare", "typeset", "local", "readonly"})
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")


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
    found = []
    for word in script.shell.assignments:
        if match := _TARGET.match(script.text, word.start):
            before = _is_before_command(script, word.end)
            found.append(Assignment(match[1], word.start, match.end(), word.end, exported=before))
    for command in script.shell.commands:
        if command.name not in _DECLARING:
            continue
        options = "".join(word.text[1:] for word in command.words[1:] if word.text.startswith("-"))
        for word in command.words[1:]:
            if match := _TARGET.match(script.text, word.start):
                exported = command.name == "export" or "x" in options
                found.append(Assignment(match[1], word.start, match.end(), word.end, exported, options))
    return sorted(found, key=lambda assignment: assignment.start)


def _is_before_command(script: Context, end: int) -> bool:
    """Return whether a command stands behind an assignment, which is then for that command alone."""
    following = [word for word in script.shell.assignments if word.start >= end]
    at = end
    while match := re.compile(r"(?:[ \t]|\\\n)+").match(script.text, at):
        at = match.end()
        nearest = next((word for word in following if word.start == at), None)
        if not nearest:
            return any(command.start == at for command in script.shell.commands)
        at = nearest.end
    return False


def constant(script: Context, text: str, start: int) -> tuple[int, int, int] | None:
    """Return the whole number that a word is, and where it is written.

    A variable stands for the number that the script gives it, where it does so once and nowhere else.

    Args:
        script: The script.
        text: The word.
        start: Where it begins.

    Returns:
        The number, where it begins and where it ends; None where it is none, or may be several.
    """
    if re.fullmatch(r"\d{1,6}", text):
        return int(text), start, start + len(text)
    match = _VARIABLE.fullmatch(text)
    if not match:
        return None
    name = match[1] or match[2]
    bare = [
        place for place in re.finditer(rf"(?<![\w$]){name}\b", script.code) if script.code[place.start() - 1] != "{"
    ]
    given = [assignment for assignment in assignments(script) if assignment.name == name]
    if len(given) != 1 or len(bare) != 1 or bare[0].start() != given[0].start:
        return None
    value = script.text[given[0].value_start : given[0].end]
    number = re.fullmatch(r"""(["']?)(\d{1,6})\1""", value)
    return (int(number[2]), given[0].value_start, given[0].end) if number else None
