"""`#SBATCH` lines, read as sbatch reads them.

From Slurm's source (src/sbatch/opt.c) and from trying it (22.05): lines are looked at until the first that is neither
blank nor a comment; one that begins with `#SBATCH` in its first column is split at blanks, where quotes and backslashes
keep blanks together and an unquoted `#` ends the line; the words of all of them together are one command line for
getopt_long, which takes a long name's beginning where only one name begins so. `hetjob` starts the options of
another component of the job. An option that sbatch refuses or misreads, and whose meaning is plain (`-mem=1G`,
`--walltime=1:0:0`), is read as it was meant, so that one slip is one finding; its Slip says what is wrong.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from rookery.projects.scripts import option_table
from rookery.projects.scripts.option_table import OptionTable

MARK = "#SBATCH"

_TABLE: Final = option_table.of()
TAKING_VALUE: Final = {
    name: next((letter for letter, other in _TABLE.letters.items() if other == name), "")
    for name, argument in _TABLE.arguments.items()
    if argument == "required" and _TABLE.lookup(name).name == name
}
"""The long names that need a value, with the letter that is short for each."""
DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What word processors and web pages make of a hyphen."""
_BLANKS: Final = " \t\v\f\r"
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


@dataclass(frozen=True)
class DirectiveOption:
    """An option of an `#SBATCH` line.

    Attributes:
        name: Its long name, or as written where it is not known.
        value: None where it has none.
        line: Its line in the file, from 1 on.
        start: Where it begins in the file's text.
        end: Where it ends.
        value_start: Where its value begins.
        part: The number of the component it belongs to, in a job of several (hetjob); 0 for the first.
    """

    name: str
    value: str | None
    line: int
    start: int
    end: int
    value_start: int
    part: int = 0


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


@dataclass(frozen=True)
class Line:
    """An `#SBATCH` line that sbatch reads.

    Attributes:
        number: From 1 on.
        start: Where it begins in the file's text.
        words: Its words.
    """

    number: int
    start: int
    words: tuple[DirectiveWord, ...]


@dataclass(frozen=True)
class Directives:
    """Everything that sbatch reads of a script.

    Attributes:
        options: In order; a later one of the same name wins.
        slips: What it can't use.
        lines: The lines it reads.
        end: The line (from 1 on) from which it reads no more: that of the first command.
        parts: How many components the job has: 1, but for hetjob.
    """

    options: tuple[DirectiveOption, ...]
    slips: tuple[Slip, ...]
    lines: tuple[Line, ...]
    end: int
    parts: int

    def get(self, *names: str, part: int = 0) -> DirectiveOption | None:
        """Return the last option of these names in a component, None where there is none."""
        options = [option for option in self.options if option.name in names and option.part == part]
        return options[-1] if options else None

    def value(self, *names: str, part: int = 0) -> str | None:
        """Return the value of an option, by any of its names; None where it has none."""
        option = self.get(*names, part=part)
        return option.value if option else None


def read(text: str, slurm: str = "") -> Directives:
    """Return the `#SBATCH` lines of a job script.

    Args:
        text: The script, with Unix line ends.
        slurm: The version of Slurm that reads it; "" where it is not known.
    """
    lines: list[Line] = []
    slips: list[Slip] = []
    start, number = 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(MARK):
            words, wrong = _words(line, start)
            slips += [replace(slip, line=number) for slip in wrong]
            lines.append(Line(number, start, tuple(words)))
        elif line.strip(_BLANKS) and not line.lstrip(_BLANKS).startswith("#"):
            break
        start += len(line) + 1
    else:
        number += 1
    reader = _Reader(option_table.of(slurm), [(word, line.number) for line in lines for word in line.words])
    reader.read()
    return Directives(tuple(reader.options), (*slips, *reader.slips), tuple(lines), number, reader.part + 1)


def _words(line: str, offset: int) -> tuple[list[DirectiveWord], list[Slip]]:
    """Return the words of a line after its mark, and what is wrong with its blanks and quotes."""
    words: list[DirectiveWord] = []
    slips: list[Slip] = []
    at = len(MARK)
    while at < len(line):
        if line[at] in _BLANKS:
            at += 1
        elif line[at] == "#":
            break
        elif other := _other_blank(line, at):
            slips.append(Slip("character", DirectiveWord(line[at:other], offset + at, offset + other), 0))
            at = other
        else:
            text, end, closed = _word(line, at)
            word = DirectiveWord(text, offset + at, offset + end)
            if not closed:
                return words, [*slips, Slip("quote", word, 0)]
            if not text:  # sbatch reads no further than an empty word
                break
            words.append(word)
            at = end
    return words, slips


_BETWEEN: Final = re.compile(rf"[{_OTHER_BLANKS}]+(?=[{_BLANKS}]*(?:[-{DASHES}#]|$))")
"""Such blanks where only a blank can be meant: before an option, a comment, or at the end."""


def _other_blank(line: str, at: int) -> int:
    """Return where the blanks end that begin here and that sbatch takes for letters; 0 where none begin."""
    match = _BETWEEN.match(line, at)
    return match.end() if match else 0


def _word(line: str, at: int) -> tuple[str, int, bool]:
    """Return the word that begins here, where it ends, and whether its quotes are closed."""
    text, quote = "", ""
    while at < len(line) and (quote or line[at] not in _BLANKS):
        if line[at] == "\\":
            at += 1
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


class _Reader:
    """The words of all lines, read as getopt_long reads them.

    Attributes:
        options: What it has read.
        slips: What is wrong with them.
        part: The number of the component it is at.
    """

    def __init__(self, table: OptionTable, words: list[tuple[DirectiveWord, int]]) -> None:
        self.options: list[DirectiveOption] = []
        self.slips: list[Slip] = []
        self.part = 0
        self._table = table
        self._rest = words[::-1]

    def read(self) -> None:
        """Read all words."""
        while self._rest:
            word, line = self._rest.pop()
            if word.text in {"hetjob", "packjob"}:
                self.part += 1
            elif meant := _without_dashes(word.text, self._table):
                self.slips.append(Slip("character", word, line, meant))
                self._read_word(replace(word, text=meant), line, len(word.text) - len(meant))
            elif word.text == "--" and not self._rest:  # no more options
                pass
            elif not word.text.startswith("-") or word.text in {"-", "--"}:
                self.slips.append(Slip("stray", word, line))
            else:
                self._read_word(word, line)

    def _read_word(self, word: DirectiveWord, line: int, shift: int = 0) -> None:
        """Read a word of options, which stands this much further to the right than its text says."""
        if word.text.startswith("--"):
            self._long(word, line, shift)
        elif name := _with_one_dash(word.text, self._table):
            self.slips.append(Slip("dash", word, line, name))
            self._long(replace(word, text=f"-{word.text}"), line, shift - 1)
        else:
            self._letters(word, line)

    def _long(self, word: DirectiveWord, line: int, shift: int = 0) -> None:
        """Read an option with a long name."""
        written, equals, value = word.text[2:].partition("=")
        name, slip = self._meant(word, line, written)
        at = word.start + len(written) + 3 + shift if equals else word.end
        option = DirectiveOption(name, value if equals else None, line, word.start, word.end, at, self.part)
        argument = self._table.argument(name)
        if slip and not (self.slips and self.slips[-1].kind == "dash" and self.slips[-1].word.start == word.start):
            self.slips.append(slip)
        elif argument == "none" and equals:
            self.slips.append(Slip("unwanted", word, line, name))
        if argument == "required" and not equals:
            self._add(self._with_next_word(option, word))
            return
        self._add(option)
        if slip and not slip.name and not equals:
            self._skip_value()

    def _meant(self, word: DirectiveWord, line: int, written: str) -> tuple[str, Slip | None]:
        """Return the option that a long name means, or the name itself, and what is wrong with it."""
        name, candidates = self._table.lookup(written)
        if name:
            return name, None
        misnomer = option_table.MISNOMERS.get(written.lower().replace("_", "-"))
        meant = misnomer.name if misnomer else ""
        return meant or written, Slip("ambiguous" if candidates else "unknown", word, line, meant, candidates)

    def _letters(self, word: DirectiveWord, line: int) -> None:
        """Read the options in a word of one or several letters."""
        for index, letter in enumerate(word.text[1:], start=1):
            name, value = self._table.letters.get(letter, ""), word.text[index + 1 :]
            option = DirectiveOption(
                name or letter, None, line, word.start, word.end, word.start + index + 1, self.part
            )
            argument = self._table.argument(name)
            if not name:
                self.slips.append(Slip("unknown", word, line))
                self._add(option)
                if not value:
                    self._skip_value()
                return
            if argument == "none" or not value:
                self._add(self._with_next_word(option, word) if argument == "required" else option)
                continue
            if value.startswith("=") and value != "=" and index == 1:
                self.slips.append(Slip("equals", word, line, name))
                option, value = replace(option, value_start=option.value_start + 1), value[1:]
            self._add(replace(option, value=value))
            return

    def _with_next_word(self, option: DirectiveOption, word: DirectiveWord) -> DirectiveOption:
        """Return an option with the next word as its value, unless that is plainly another option."""
        if not self._rest or _OPTION.match(self._rest[-1][0].text):
            self.slips.append(Slip("missing", word, option.line, option.name))
            return option
        value, _ = self._rest.pop()
        return replace(option, value=value.text, value_start=value.start, end=value.end)

    def _skip_value(self) -> None:
        """Leave out a word that may be the value of an option of a newer Slurm, or of the site's own."""
        if self._rest and not self._rest[-1][0].text.startswith(("-", *DASHES)):
            self._rest.pop()

    def _add(self, option: DirectiveOption) -> None:
        """Add an option, its value with the words on its line that plainly belong to it."""
        whole = option
        while self._rest and whole.value and self._rest[-1][1] == option.line:
            word, _ = self._rest[-1]
            if not _is_continued(whole.name, whole.value, word.text):
                break
            self._rest.pop()
            whole = replace(whole, value=whole.value + word.text, end=word.end)
        if whole != option:
            self.slips.append(
                Slip("spaces", DirectiveWord(whole.value or "", whole.start, whole.end), whole.line, whole.name)
            )
        self.options.append(whole)


_LISTS: Final = {
    "array", "clusters", "constraint", "dependency", "exclude", "export", "gpus", "gres", "licenses", "mail-type",
    "nodelist", "partition",
}  # fmt: skip
"""Options whose value may be a list."""
_UNITS: Final = {
    **dict.fromkeys(("mem", "mem-per-cpu", "mem-per-gpu", "tmp"), re.compile(r"[KMGT](?:i?B)?", re.IGNORECASE)),
    **dict.fromkeys(("time", "time-min"), re.compile(r"(?:d|h|m)|(?:day|hour|hr|min|minute)s?", re.IGNORECASE)),
}


def _is_continued(name: str, value: str, word: str) -> bool:
    """Return whether the next word belongs to a value: a unit behind a number, or more of a list."""
    if name in _UNITS:
        return value.isdecimal() and bool(_UNITS[name].fullmatch(word))
    between = value[-1] == "," or word[0] == "," or (name == "dependency" and value[-1] == ":")
    return name in _LISTS and between and not word.startswith("-")


_OPTION: Final = re.compile(r"--[a-z]|-[A-Za-z](?![^=\W])")
"""What is plainly an option where a value should be."""
_LONG_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")


def _with_one_dash(text: str, table: OptionTable) -> str:
    """Return the option whose long name has one dash for two; "" where it may be letters (`-n4`, `-pgpu`)."""
    written, equals, _ = text[1:].partition("=")
    if len(written) < 3 or not _LONG_NAME.fullmatch(written):
        return ""
    if misnomer := option_table.MISNOMERS.get(written):
        return misnomer.name
    name = table.lookup(written).name
    return name if equals or name == written else ""


def _without_dashes(text: str, table: OptionTable) -> str:
    """Return a word that begins with a typographic dash as it was meant; "" where it does not, or is no option."""
    dashes = re.match(rf"[-{DASHES}]+", text)
    written, equals, value = text.partition("=")
    if not dashes or not any(dash in written for dash in DASHES):
        return ""
    name = re.sub(f"[{DASHES}]", "-", written[dashes.end() :])
    if table.lookup(name).name or name in option_table.MISNOMERS:
        return f"--{name}{equals}{value}"
    return f"-{name}{equals}{value}" if name[:1] in table.letters else ""
