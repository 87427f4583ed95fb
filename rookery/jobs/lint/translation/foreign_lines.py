"""Read the option lines of PBS, SGE and LSF in a script: `#PBS …`, `#$ …`, `#BSUB …`."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rookery.jobs.lint.translation.model import ForeignOption, Scheduler

_WORD = re.compile(r"""\s*((?:[^\s"'\\]|\\.|"[^"]*"|'[^']*')+|\S)""")
_QUOTES = re.compile(r"""\\(.)|"([^"]*)"|'([^']*)'""")


@dataclass(frozen=True)
class ForeignLine:
    """A line with options of another scheduler.

    Attributes:
        number: From 1 on.
        start: Where it begins in the text.
        end: Where it ends, before the line's end.
        options: Its options; a word that is none has the name "".
        comment: What follows the options, with the blanks before it, from `#` on.
    """

    number: int
    start: int
    end: int
    options: tuple[ForeignOption, ...]
    comment: str


def is_mark(line: str, scheduler: Scheduler) -> bool:
    """Return whether a line is one of a scheduler's: its mark in the first column, and for SGE an option."""
    if scheduler.is_read_by_sbatch:
        return line.startswith(scheduler.mark)
    match = re.match(rf"{re.escape(scheduler.mark)}[ \t]*(-[A-Za-z]\w*)", line)
    if not match:
        return False
    name = match[1]
    return name in scheduler.arity


def read_line(line: str, number: int, start: int, scheduler: Scheduler) -> ForeignLine:
    """Return the options of a line.

    Args:
        line: Without its end.
        number: From 1 on.
        start: Where it begins in the text.
        scheduler: Whose line it is.
    """
    words, comment = words_of(line, len(scheduler.mark))
    return ForeignLine(number, start, start + len(line), tuple(options(words, number, scheduler)), comment)


def words_of(line: str, at: int) -> tuple[list[str], str]:
    """Return the words of a line as they are written, and the comment behind them."""
    words: list[str] = []
    while match := _WORD.match(line, at):
        if match[1].startswith("#") and words:
            return words, line[at:]
        words.append(match[1])
        at = match.end()
    return words, ""


def plain(word: str) -> str:
    """Return a word without its quotes and backslashes."""
    return _QUOTES.sub(lambda match: next((group for group in match.groups() if group is not None), ""), word)


def options(
    words: Sequence[str], line: int, scheduler: Scheduler, *, unquote: Callable[[str], str] = plain
) -> Iterator[ForeignOption]:
    """Yield the options in the words of a line, or of a command.

    Args:
        words: As they are written.
        line: Their line.
        scheduler: Whose options they are.
        unquote: What is done to each value: a command's keep their quotes.
    """
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name = word
        if name not in scheduler.arity and scheduler.attached and len(word) > 2 and word[:2] in scheduler.arity:
            name = word[:2]
            if scheduler.arity[name]:  # -lmem=4gb
                yield ForeignOption(name, unquote(word[2:]), line, word)
            else:  # -Vj oe
                yield ForeignOption(name, "", line, name)
                rest.insert(0, f"-{word[2:]}")
            continue
        if name not in scheduler.arity:
            while rest and not rest[0].startswith("-"):  # its value, or more words that are none
                word = f"{word} {rest.pop(0)}"
            yield ForeignOption(name if name.startswith("-") else "", unquote(word), line, word)
            continue
        count = scheduler.arity[name]
        values, rest = rest[:count], rest[count:]
        yield ForeignOption(name, " ".join(map(unquote, values)), line, " ".join([word, *values]))
