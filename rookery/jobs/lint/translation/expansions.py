"""Find each place where a script's shell puts in the value of a variable, with those that have no `$`."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rookery.jobs.lint.script.shell import ShellScript

_NAMED = re.compile(r"\$\{?[#!?]?([A-Za-z_]\w*)")
_SUBSCRIPT = re.compile(r"\[[^\]\n]*\]")
_BARE = re.compile(r"(?<![\w$.{#!])[A-Za-z_]\w*")


@dataclass(frozen=True)
class Expansion:
    """A place where a shell puts in the value of a variable.

    Attributes:
        name: The variable.
        start: Where its name begins in the script, after the `$` or `${`.
        end: Where its name ends.
    """

    name: str
    start: int
    end: int


def find(text: str, shell: ShellScript) -> list[Expansion]:
    """Return the expansions in a script, in order: `$NAME`, `${NAME…}`, and NAME in arithmetic or a subscript.

    Args:
        text: The script, with Unix line ends.
        shell: Its commands.
    """
    documents = [(at, at + len(body)) for command in shell.commands for body, at in command.documents]
    signed = list(_with_sign(text, shell, documents))
    places = {match.start(1): match for match in signed}
    subscripts = [inside.span() for match in signed if (inside := _SUBSCRIPT.match(text, match.end()))]
    for start, end in (*shell.arithmetic, *subscripts):
        for match in _BARE.finditer(text, start, end):
            places.setdefault(match.start(), match)
    return [
        Expansion(match[match.lastindex or 0], start, match.end(match.lastindex or 0))
        for start, match in sorted(places.items())
    ]


def _with_sign(text: str, shell: ShellScript, documents: Collection[tuple[int, int]]) -> Iterator[re.Match[str]]:
    for _, at in shell.expansions:
        escaped = text[max(at - 1, 0) : at] == "\\" and any(start <= at < end for start, end in documents)
        if (match := _NAMED.match(text, at)) and not escaped:
            yield match
