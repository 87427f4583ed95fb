"""`#SBATCH` lines, read as sbatch reads them.

From Slurm's source (src/sbatch/opt.c) and from trying it (22.05): lines are looked at until the first that is neither
blank nor a comment; one that begins with `#SBATCH` (or, as once, `#SLURM`) in its first column is split at blanks,
where quotes keep blanks together (a backslash too, from 24.05 on) and an unquoted `#` ends the line; the words of all
of them together are one command line for getopt_long, which takes a long name's beginning where only one name begins
so. A line that begins with `hetjob` starts the options of another component of the job. An option that sbatch refuses
or misreads, and whose meaning is plain (`-mem=1G`, `--walltime=1:0:0`), is read as it was meant, so that one slip is
one finding; its Slip says what is wrong.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rookery.projects.scripts import option_table
from rookery.projects.scripts.directive_words import BLANKS, DASHES, DirectiveWord, Slip, split
from rookery.projects.scripts.option_table import OptionTable

MARK: Final = "#SBATCH"
OLD_MARK: Final = "#SLURM"
"""What sbatch still reads in place of `#SBATCH`, and complains of."""
_SEPARATOR: Final = re.compile(rf"[{BLANKS}]*(?:het|pack)job(?=[{BLANKS}]|$)", re.IGNORECASE)

_TABLE: Final = option_table.of()
TAKING_VALUE: Final = {
    name: next((letter for letter, other in _TABLE.letters.items() if other == name), "")
    for name, argument in _TABLE.arguments.items()
    if argument == "required" and _TABLE.lookup(name).name == name
}
"""The long names that need a value, with the letter that is short for each."""


_PROPAGATED: Final = frozenset({"account", "clusters", "deadline", "exclude", "mem", "qos", "reservation", "time"})
"""Options of a job's first component that hold for the others, too (src/common/slurm_opt.c, reset_each_pass)."""


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


@dataclass(frozen=True)
class Line:
    """An `#SBATCH` line that sbatch reads.

    Attributes:
        number: From 1 on.
        start: Where it begins in the file's text.
        words: Its words.
        part: The number of the component that it is for.
    """

    number: int
    start: int
    words: tuple[DirectiveWord, ...]
    part: int = 0


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
        """Return the last option of these names in a component, None where there is none.

        Some of the first component are for all those that have no other.
        """
        for option in reversed(self.options):
            if option.name in names and option.part == part:
                return option
        return self.get(*_PROPAGATED.intersection(names)) if part else None

    def value(self, *names: str, part: int = 0) -> str | None:
        """Return the value of an option, by any of its names; None where it has none."""
        option = self.get(*names, part=part)
        return option.value if option else None


@lru_cache(maxsize=64)  # each line of a script is asked about by several rules, the script for each cluster
def read(text: str, slurm: str = "") -> Directives:
    """Return the `#SBATCH` lines of a job script.

    Args:
        text: The script, with Unix line ends.
        slurm: The version of Slurm that reads it; "" where it is not known.
    """
    lines: list[Line] = []
    slips: list[Slip] = []
    table = option_table.of(slurm)
    start, number, part = 0, 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        if mark := mark_of(line):
            if _SEPARATOR.match(line, len(mark)):  # sbatch reads no further
                part += 1
                words: list[DirectiveWord] = []
            else:
                words, wrong = split(line, len(mark), start, escapes_blanks=table.escapes_blanks)
                slips += [replace(slip, line=number) for slip in wrong]
            lines.append(Line(number, start, tuple(words), part))
        elif line.strip(BLANKS) and not line.lstrip(BLANKS).startswith("#"):
            break
        start += len(line) + 1
    else:
        number += 1
    options: list[DirectiveOption] = []
    for index in range(part + 1):
        reader = _Reader(
            table, [(word, line.number) for line in lines if line.part == index for word in line.words], index
        )
        reader.read()
        options += reader.options
        slips += reader.slips
    return Directives(tuple(options), tuple(slips), tuple(lines), number, part + 1)


def mark_of(line: str) -> str:
    """Return what a line begins with that sbatch reads it for; "" where it does not."""
    return next((mark for mark in (MARK, OLD_MARK) if line.startswith(mark)), "")


class _Reader:
    """The words of all lines, read as getopt_long reads them.

    Attributes:
        options: What it has read.
        slips: What is wrong with them.
    """

    def __init__(self, table: OptionTable, words: list[tuple[DirectiveWord, int]], part: int) -> None:
        self.options: list[DirectiveOption] = []
        self.slips: list[Slip] = []
        self._part = part
        self._table = table
        self._rest = words[::-1]

    def read(self) -> None:
        """Read all words."""
        while self._rest:
            word, line = self._rest.pop()
            if meant := _without_dashes(word.text, self._table):
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
            if self._lacks_value(word, line, name):
                self.options.append(DirectiveOption(name, None, line, word.start, word.end, word.end, self._part))
                return
            self._long(replace(word, text=f"-{word.text}"), line, shift - 1)
        else:
            self._letters(word, line)

    def _lacks_value(self, word: DirectiveWord, line: int, name: str) -> bool:
        """Return whether an option with one dash has no value on its line: sbatch takes its own letters for that."""
        if "=" in word.text or self._table.argument(name) != "required":
            return False
        if word.text[1:] != name and "." in word.text:
            return True
        following, at = self._rest[-1] if self._rest else (word, 0)
        return at != line or following.text.startswith(("-", *DASHES))

    def _long(self, word: DirectiveWord, line: int, shift: int = 0) -> None:
        """Read an option with a long name."""
        written, equals, value = word.text[2:].partition("=")
        name, slip = self._meant(word, line, written)
        at = word.start + len(written) + 3 + shift if equals else word.end
        option = DirectiveOption(name, value if equals else None, line, word.start, word.end, at, self._part)
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
            name = self._table.letters.get(letter, "")
            option = DirectiveOption(
                name or letter, None, line, word.start, word.end, word.start + index + 1, self._part
            )
            argument = self._table.argument(name)
            value = word.text[index + 1 :] if argument != "none" or not name else ""
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
        value, line = self._rest.pop()
        whole = replace(option, value=value.text, value_start=value.start, end=value.end)
        if value.text.startswith("=") and value.text != "=" and line == option.line:
            whole = replace(whole, value=value.text[1:], value_start=value.start + 1)
            self.slips.append(Slip("spaces", replace(value, start=whole.start), line, whole.name))
        return whole

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
    "mail-user", "nodelist", "partition",
}  # fmt: skip
"""Options whose value may be a list."""
_SIZES: Final = {"mem", "mem-per-cpu", "mem-per-gpu", "tmp"}
_SIZE_UNIT: Final = re.compile(r"[KMGT](?:i?B)?", re.IGNORECASE)
_TIME_UNIT: Final = re.compile(r"(?:d|h|m)|(?:day|hour|hr|min|minute)s?", re.IGNORECASE)
_NUMBER_AND_UNIT: Final = re.compile(rf"\d+(?:{_TIME_UNIT.pattern})", re.IGNORECASE)


def _is_continued(name: str, value: str, word: str) -> bool:
    """Return whether the next word belongs to a value: a unit behind a number, or more of a list."""
    if name in _SIZES:
        return bool(re.fullmatch(r"\d+(?:\.\d+)?", value) and _SIZE_UNIT.fullmatch(word))
    if name in {"time", "time-min"}:
        unit = _TIME_UNIT if value[-1].isdecimal() else _NUMBER_AND_UNIT
        colon = (value[-1] == ":" or word[0] == ":") and re.fullmatch(r"[\d:]+", word)
        return bool(colon or (re.fullmatch(r"\d+|.*[A-Za-z]", value) and unit.fullmatch(word)))
    marks = {"array": ",-:%", "dependency": ",:?"}.get(name, ",")
    between = value[-1] in marks or word[0] in marks
    return name in _LISTS and between and (word == "-" or not word.startswith("-"))


_OPTION: Final = re.compile(r"--[a-z]|-[A-Za-z](?![^=\W])")
"""What is plainly an option where a value should be."""
_LONG_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")


def _with_one_dash(text: str, table: OptionTable) -> str:
    """Return the option whose long name has one dash for two; "" where it may be letters (`-n4`, `-pgpu`)."""
    written, equals, _ = text[1:].partition("=")
    if log := re.match(r"(output|error)\.", written):
        return log[1]
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
    if re.match(r"[A-Za-z](?![A-Za-z_-])", name):
        return f"-{name}{equals}{value}" if name[0] in table.letters else ""
    return f"--{name}{equals}{value}" if _LONG_NAME.fullmatch(name) else ""  # letters may be accepted, and mean another
