"""Hints, the commands that rookery tells people to run next: whether they can be run as they are printed."""

import re
import shlex
from functools import cache

from rookery.cli import program
from rookery.cli.lean_invoke import ParseError, Parser
from rookery.core import typed_command

_PLACEHOLDER = re.compile(
    r"(?<!--user )(?<!--account )\b(NAME|OTHER|ANOTHER|JOB|FILE|FOLDER|CODE|CLUSTER|DIR|NUMBER)\b"
)
"""A word that stands for another, which nobody could run; what the user alone knows can be named in no other way."""

_NEEDED = {"setup": "cluster", "login": "cluster", "onboard": "cluster", "clusters.guide": "cluster"}
"""Arguments without which a command asks or refuses, though its parser takes them as optional."""

_NEXT = re.compile(r"^\s*(?:next|fix)(?::\s*|\s{2,})(.*)$")
"""A line that names the next command: `next: …`, or `next     …` in a table."""
_ALONE = re.compile(r"^\s+((?:invoke|rookery) [a-z].*)$")
"""A command on a line by itself, as onboard ends."""


@cache
def problem_of(hint: str) -> str:
    """What is wrong with a hint as a command; "" where it can be run, or is an instruction."""
    line = re.split(r"\s{2,}#", hint)[0].strip()
    commands = [part for part in line.split(" && ") if re.match(r"(invoke|rookery) [a-z]", part)]
    return next((problem for command in commands if (problem := _problem(command))), "")


def _problem(command: str) -> str:
    if placeholder := _PLACEHOLDER.search(command):
        return f"{placeholder[0]} is a placeholder"
    try:
        words = shlex.split(command)[1:]
    except ValueError as error:
        return str(error)
    return parsed(words, complete=True)


def parsed(words: list[str], *, complete: bool = False) -> str:
    """What the parser finds wrong with the words of a command line; "" where nothing.

    Args:
        words: They, without the program's name.
        complete: Whether what the command asks for where it is not given counts as missing, too.
    """
    try:
        contexts = _parser().parse_argv(list(words))
    except ParseError as error:
        return str(error).partition("\n")[0]
    finally:
        typed_command.forget()
    for context in contexts:
        needed = _NEEDED.get(context.name or "", "") if complete else ""
        if needed and not context.args[needed].value and not {"-h", "--help", "--output"} & set(words):
            return f"Missing argument {needed.upper()}."
    return ""


@cache
def _parser() -> Parser:
    made = program.program()
    return Parser(initial=made.initial_context, contexts=made.namespace.to_contexts())


def problems_in(text: str) -> dict[str, str]:
    """What is wrong with the commands that a command's output says to run: `next` and `fix` lines, and those alone."""
    hints = [match[1].strip() for line in text.splitlines() if (match := _NEXT.match(line) or _ALONE.match(line))]
    return {hint: problem for hint in hints if (problem := problem_of(hint))}
