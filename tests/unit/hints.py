"""Hints, the commands that rookery tells people to run next: whether they can be run as they are printed."""

import re
import shlex
from functools import cache

from rookery.cli import program
from rookery.cli.lean_invoke import ParseError, Parser

_PLACEHOLDER = re.compile(
    r"(?<!--user )(?<!--account )\b(NAME|OTHER|ANOTHER|JOB|FILE|FOLDER|CODE|CLUSTER|DIR|NUMBER)\b"
)
"""A word that stands for another, which nobody could run; what the user alone knows can be named in no other way."""


@cache
def problem_of(hint: str) -> str:
    """What is wrong with a hint as a command; "" where it can be run, or is an instruction."""
    line = re.split(r"\s{2,}#", hint)[0].strip()
    if not re.match(r"(invoke|rookery) [a-z]", line):
        return ""
    if placeholder := _PLACEHOLDER.search(line):
        return f"{placeholder[0]} is a placeholder"
    try:
        words = shlex.split(line)[1:]
    except ValueError as error:
        return str(error)
    try:
        _parser().parse_argv(words)
    except ParseError as error:
        return str(error).partition("\n")[0]
    return ""


@cache
def _parser() -> Parser:
    made = program.program()
    return Parser(initial=made.initial_context, contexts=made.namespace.to_contexts())


def problems_in(text: str) -> dict[str, str]:
    """What is wrong with the `next:` lines of what a command has printed."""
    hints = [line.partition("next:")[2].strip() for line in text.splitlines() if line.strip().startswith("next:")]
    return {hint: problem for hint in hints if (problem := problem_of(hint))}
