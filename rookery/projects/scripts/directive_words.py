"""The words of an `#SBATCH` line, split as sbatch splits them, and what is wrong with them."""

import re
from dataclasses import dataclass
from typing import Final, Literal

DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What word processors and web pages make of a hyphen."""
BLANKS: Final = " \t\v\f\r"
"""What sbatch takes for a blank: no others of Unicode's."""
_OTHER_BLANKS: Final = "\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u3000\ufeff"
"""What word processors and web pages make of a blank."""


@dataclass(frozen=True)
class DirectiveWord:
    """A word of an `#SBATCH` line.

    Attributes:
        text: As sbatch has it, without quotes.
        start: Where it begins in the file's text.
        end: Where it ends.
    """

    text: str
    start: int
    end: int


SlipKind = Literal[
    "stray", "quote", "unknown", "ambiguous", "missing", "unwanted", "dash", "equals", "spaces", "character"
]


@dataclass(frozen=True)
class Slip:
    """A word on an `#SBATCH` line that sbatch can't use, or takes for something else.

    Attributes:
        kind: stray (no option at all), quote (one that is never closed), unknown (an option that sbatch does not have),
            ambiguous (the beginning of several), missing (no value, where one must be), unwanted (a value, where none
            may be), dash (one for two), equals (`-n=4`), spaces (in a value), or character (a dash or blank that is not
            the keyboard's).
        word: The word.
        line: Its line.
        name: The option that is meant; "" where that is not known.
        candidates: The options that it may be, where it is ambiguous.
    """

    kind: SlipKind
    word: DirectiveWord
    line: int
    name: str = ""
    candidates: tuple[str, ...] = ()


def split(line: str, at: int, offset: int, *, escapes_blanks: bool) -> tuple[list[DirectiveWord], list[Slip]]:
    """Return the words of a line, and what is wrong with its blanks and quotes.

    Args:
        line: The line.
        at: Where its words begin, after the mark.
        offset: Where the line begins in the file's text.
        escapes_blanks: Whether a backslash keeps a blank in a word.
    """
    words: list[DirectiveWord] = []
    slips: list[Slip] = []
    while at < len(line):
        if line[at] in BLANKS:
            at += 1
        elif line[at] == "#" or _NO_FURTHER.match(line, at):
            break
        elif other := _other_blank(line, at):
            slips.append(Slip("character", DirectiveWord(line[at:other], offset + at, offset + other), 0))
            at = other
        else:
            text, end, closed = _word(line, at, escapes_blanks=escapes_blanks)
            word = DirectiveWord(text, offset + at, offset + end)
            if not closed:
                return words, [*slips, Slip("quote", word, 0)]
            if not text:  # sbatch reads no further than an empty word
                break
            words.append(word)
            at = end
    return words, slips


def quoted(text: str) -> str:
    """Return a word in quotes, as sbatch reads them."""
    quote = "'" if "'" not in text else '"'
    return quote + re.sub(r'(["\\])' if quote == '"' else r"(\\)", r"\\\1", text) + quote


_NO_FURTHER: Final = re.compile(rf"(?:het|pack)job(?=[{BLANKS}]|$)", re.IGNORECASE)
"""A word behind which sbatch reads nothing more of a line."""
_BETWEEN: Final = re.compile(rf"[{_OTHER_BLANKS}]+(?=[{BLANKS}]*(?:[-{DASHES}#]|$))")
"""Such blanks where only a blank can be meant: before an option, a comment, or at the end."""


def _other_blank(line: str, at: int) -> int:
    """Return where the blanks end that begin here and that sbatch takes for letters; 0 where none begin."""
    match = _BETWEEN.match(line, at)
    return match.end() if match else 0


def _word(line: str, at: int, *, escapes_blanks: bool) -> tuple[str, int, bool]:
    """Return the word that begins here, where it ends, and whether its quotes are closed."""
    text, quote = "", ""
    while at < len(line) and (quote or line[at] not in BLANKS):
        if line[at] == "\\":
            at += 1
            if line[at : at + 1] in BLANKS and not quote and not escapes_blanks:
                break
            text += line[at : at + 1]
        elif quote:
            text, quote = (text, "") if line[at] == quote else (text + line[at], quote)
        elif line[at] in "\"'":
            quote = line[at]
        elif line[at] == "#" or _other_blank(line, at):
            break
        else:
            text += line[at]
        at += 1
    return text, min(at, len(line)), not quote
