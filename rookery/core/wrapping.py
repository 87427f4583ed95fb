"""Wrap lines between words at the width of the terminal; commands and paths stay whole, so that they can be pasted."""

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import IO

# fmt: off
PROGRAMS = frozenset((
    "ansible-doc", "ansible-inventory", "cat", "cd", "chmod", "code", "conda", "cp", "deactivate", "df", "du", "echo",
    "export", "file", "find", "git", "grep", "inv", "invoke", "less", "ls", "mkdir", "module", "mv", "pip", "rm",
    "rookery", "rsync", "Rscript", "scp", "ssh", "ssh-add", "ssh-copy-id", "ssh-keygen", "sudo", "tar", "tmux", "uv",
    "uvx",
))
# fmt: on
"""What the line after `next:` begins with where it is a command, and not a sentence."""

_CALL = re.compile(r"(?:\./)?(?:invoke|inv|rookery|try)")
_SUBCOMMAND = re.compile(r"[a-z]+(?:[.-][a-z-]+)*")
# What an argument looks like, where a sentence goes on with words: 41_3, NAME, --wait, 'a b', results/*.csv, name=value
_ARGUMENT = re.compile(r"""-\S+|['"<].*|[A-Z_]+|\S*[\d/=*~_]\S*""")
_SENTENCE_END = re.compile(r"[.,;:)\]]+$")
_HINT = re.compile(r" *(?:next|fix|then|now):? +")
_MARK = r"(?: *\d+s)? *(?:(?:[^\w\s\"'(`~/.$<\[{-]|[x.|-]) )?"
_LABEL = re.compile(rf"(?:{_MARK})(?: *(?:\S+(?: \S+)?:?  +|(?:next|fix|then): +)(?=\S))?")
LONGEST_LABEL = 24
"""Columns up to which what stands before a line's text is a label, below which nothing goes."""


def columns(stream: IO[str]) -> int | None:
    """Return the width of the terminal that a stream goes to; None where it goes to a file or a pipe.

    Args:
        stream: Standard output or standard error.
    """
    try:
        if not stream.isatty():
            return None
        given = os.environ.get("COLUMNS", "")
        return int(given) if given.isdigit() and int(given) else os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):  # closed, or no terminal of the system's
        return 80


def fit(text: str, stream: IO[str]) -> str:
    """Return a text as a stream shows it: wrapped on a terminal, unchanged in a file or a pipe."""
    width = columns(stream)
    return text if width is None else wrap(text, width)


def wrap(text: str, width: int) -> str:
    """Return a text with each of its lines wrapped between words; lines that fit are unchanged.

    What follows is indented below the line's text, that is behind its mark, its label or its own blanks. A command,
    a path or something in backticks is never broken: where it does not fit, it gets a line of its own. The comment
    behind a command goes below it, as a comment, so that the lines can be pasted together. What other programs print
    (`  | …`) stays as it is.

    Args:
        text: One line or more, without colours.
        width: How many columns there are.
    """
    if len(text) <= width // 2:  # no character takes more than two columns
        return text
    return "\n".join(part for line in text.split("\n") for part in _wrapped(line, width))


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _wrapped(line: str, width: int) -> Iterator[str]:
    if cells(line) <= width or line.startswith("  | "):  # the output of another program
        yield line
        return
    indent = len(line) - len(line.lstrip(" "))
    label = _LABEL.match(line)
    start = label.end() if label and indent < label.end() <= LONGEST_LABEL else indent
    hanging = start if start > indent else indent + 2
    command, comment = line[start:], ""
    is_hint = bool(_HINT.fullmatch(line[:start])) or start == indent >= 4
    if found := re.search(r" {2,}# ", command):
        command, comment = command[: found.start()], command[found.end() :]
    program = command.split(" ", 1)[0].rpartition("/")[2]
    atoms = [command] if is_hint and program in PROGRAMS else _atoms(command)
    if any(hanging + cells(atom) > width for atom in atoms):
        hanging = indent + 2  # what is long gets all the room there is
    yield from _filled(atoms, line[:start], " " * hanging, width)
    if comment:
        yield from _filled(_atoms(comment), f"{' ' * hanging}# ", f"{' ' * hanging}# ", width)


def _filled(atoms: Sequence[str], first: str, hanging: str, width: int) -> Iterator[str]:
    """Yield lines with as many atoms on each as fit.

    Args:
        atoms: What is not broken; an empty one stands for a further blank.
        first: What the first line begins with.
        hanging: What the others begin with.
        width: How many columns there are.
    """
    line, is_empty = first, True
    for atom in atoms:
        space = "" if is_empty else " "
        if cells(line) + len(space) + cells(atom) <= width:
            line, is_empty = f"{line}{space}{atom}", False
        elif atom:
            if line.strip():
                yield line.rstrip()
                line = hanging
            line, is_empty = f"{line}{atom}", False
    yield line.rstrip()


def _atoms(text: str) -> list[str]:
    """Return the words of a text; what must stay on one line is one of them."""
    words = _joined_quotes(text.split(" "))
    atoms: list[str] = []
    place = 0
    while place < len(words):
        end = _end_of_command(words, place)
        atoms.append(" ".join(words[place:end]))
        place = end
    return atoms


def _joined_quotes(words: Sequence[str]) -> list[str]:
    """Join the words between two backticks, or between quotes of the shell."""
    joined: list[str] = []
    mark = ""
    for word in words:
        if mark:
            joined[-1] += f" {word}"
        else:
            joined.append(word)
            opened = re.match(r"[(\[]?(`|'|\")", word)
            mark = opened[1] if opened else ""
        if mark and joined[-1].count(mark) % 2 == 0:
            mark = ""
    return joined if not mark else [*joined[:-1], *joined[-1].split(" ")]


def _end_of_command(words: Sequence[str], start: int) -> int:
    """Return where the command ends that begins at a word; the next word where none does."""
    word, following = words[start].lstrip("("), words[start + 1] if start + 1 < len(words) else ""
    is_call = _CALL.fullmatch(word) and _SUBCOMMAND.fullmatch(_SENTENCE_END.sub("", following))
    if not is_call and not (word in PROGRAMS and following.startswith("-")):
        return start + 1
    end = start + 2
    while end < len(words) and not _SENTENCE_END.search(words[end - 1]):
        bare = _SENTENCE_END.sub("", words[end])
        is_value = words[end - 1].startswith("-") and "=" not in words[end - 1]
        leads_on = end + 1 < len(words) and words[end + 1].startswith("-") and bare.isalnum()
        is_last = end + 1 == len(words)
        if not (_ARGUMENT.fullmatch(bare) or is_value or leads_on or is_last):
            break
        end += 1
    return end
