"""Fill in a job's command: names in braces are replaced, quoted for the place where they stand."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from rookery.clusters.config.schema import nearest
from rookery.core.errors import RookeryError

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_WORD = re.compile(r"\{\{(?P<kept>[^{}\n]+)\}\}|\{(?P<name>[^\W\d][^{}\n,;$\"']*)\}")


def quoted(text: str) -> str:
    """Return a text as bash reads it back exactly, in double quotes where it needs any.

    Unlike shlex.quote's single quotes these show shellcheck that a dollar sign is meant as such.
    """
    return text if _SAFE.fullmatch(text) else f'"{escaped(text)}"'


def escaped(text: str) -> str:
    """Return a text as it is within double quotes of bash."""
    return re.sub(r'([\\"$`])', r"\\\1", text)


def fill(command: str, variables: Mapping[str, str], words: Mapping[str, str] = MappingProxyType({})) -> str:
    """Replace names in braces by variables of the shell, so that each stays one word.

    Args:
        command: One or several lines of bash. {{NAME}} stands for {NAME} itself, ${NAME} is the shell's.
        variables: By name, its replacement within double quotes, such as `${task}`.
        words: By name, text that is inserted unchanged, such as `srun --label`.

    Raises:
        RookeryError: It has a name in braces, outside of quotes, that is not known.
    """
    pieces: list[str] = []
    quotes: list[str] = [""]  # what the place is quoted by; a $( begins a place of its own
    at = 0
    while at < len(command):
        match = _WORD.match(command, at)
        if match and (at == 0 or command[at - 1] != "$"):
            pieces.append(_filled(match, quotes[-1], variables, words))
            at = match.end()
            continue
        step = _step(command, at, quotes)
        pieces.append(command[at : at + step])
        at += step
    return "".join(pieces)


def names(command: str) -> set[str]:
    """Return the names in braces of a command."""
    return {match["name"] for match in _WORD.finditer(command) if match["name"]}


def _filled(match: re.Match[str], quote: str, variables: Mapping[str, str], words: Mapping[str, str]) -> str:
    known = {**variables, **words}
    if match["kept"] is not None:
        return f"{{{match['kept']}}}" if match["kept"] in known else match[0]
    name = match["name"]
    if name in words:
        return words[name]
    if name in variables:
        return {"": f'"{variables[name]}"', "'": f"'\"{variables[name]}\"'"}.get(quote, variables[name])
    if quote or " " in name.strip():
        return match[0]
    raise RookeryError(
        f"unknown {{{name}}}{nearest(name, known)} in the command. Known: "
        f"{', '.join(f'{{{key}}}' for key in known)}. Quote it if you mean the braces themselves."
    )


def _step(command: str, at: int, quotes: list[str]) -> int:
    """Return how many characters to go on from here, and update the state of the quotes."""
    here, inside = command[at], quotes[-1]
    if inside == "'":
        if here == "'":
            quotes[-1] = ""
    elif here == "\\":
        return 2
    elif command.startswith("$(", at):
        quotes.append("")
        return 2
    elif here == '"':
        quotes[-1] = "" if inside == '"' else '"'
    elif inside == "":
        if here == "'":
            quotes[-1] = "'"
        elif here == ")" and len(quotes) > 1:
            quotes.pop()
        elif here == "#" and (at == 0 or command[at - 1] in " \t\n;("):
            return len(command[at:].partition("\n")[0]) or 1
    return 1
