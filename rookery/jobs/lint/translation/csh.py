"""Find the commands and expansions of a script of csh or tcsh, line by line: quotes end where a line does."""

import re
from collections.abc import Iterator

from rookery.jobs.lint.script.shell import ShellCommand, ShellScript
from rookery.jobs.lint.script.tokens import ShellWord

_NAME = r"\$\??\{?(?P<name>[A-Za-z_]\w*)"
_PIECE = re.compile(rf"""'[^']*'|"(?P<quoted>[^"]*)"|\\.|(?P<comment>(?:(?<=\s)|^)#.*)|{_NAME}""")
_WORD = re.compile(r"""(?:[^\s"';|&]|"[^"]*"|'[^']*')+""")


def read(text: str) -> ShellScript:
    """Return the commands of a script of csh.

    Args:
        text: The script, with Unix line ends.
    """
    commands, comments, expansions, start = list[ShellCommand](), list[int](), list[tuple[str, int]](), 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith("#"):
            comments.append(start + len(line) - len(line.lstrip()))
        else:
            expansions += _expansions(line, start)
            words = [
                ShellWord(match[0].strip("\"'"), start + match.start(), start + match.end(), "$" not in match[0])
                for match in _WORD.finditer(line)
            ]
            commands += [ShellCommand(words, words[0].start, number)] if words else []
        start += len(line) + 1
    names = frozenset(name for name, _ in expansions)
    return ShellScript(tuple(commands), tuple(comments), frozenset(), names, tuple(expansions))


def _expansions(line: str, start: int) -> Iterator[tuple[str, int]]:
    for match in _PIECE.finditer(line):
        if match["comment"]:
            return
        if match["name"]:
            yield match["name"], start + match.start()
        for inside in re.finditer(_NAME, match["quoted"] or ""):
            yield inside["name"], start + match.start("quoted") + inside.start()
