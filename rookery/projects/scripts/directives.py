"""`#SBATCH` lines, read as sbatch reads them.

From Slurm's source (src/sbatch/opt.c) and from trying it (22.05): lines are looked at until the first that is neither
blank nor a comment; one that begins with `#SBATCH` in its first column is split at blanks, where quotes and backslashes
keep blanks together and an unquoted `#` ends the line; the words of all of them together are one command line for
getopt_long, which takes a long name's beginning where only one name begins so. `hetjob` starts the options of
another component of the job.
"""

from dataclasses import dataclass, replace

MARK = "#SBATCH"

TAKING_VALUE = {
    "array": "a", "account": "A", "acctg-freq": "", "bb": "", "bbf": "", "begin": "b", "chdir": "D",
    "cluster-constraint": "",
    "clusters": "M", "comment": "", "constraint": "C", "container": "", "container-id": "", "core-spec": "S",
    "cores-per-socket": "", "cpu-freq": "", "cpus-per-gpu": "", "cpus-per-task": "c", "deadline": "",
    "delay-boot": "", "dependency": "d", "distribution": "m", "error": "e", "exclude": "x", "export": "",
    "export-file": "", "extra": "", "extra-node-info": "B", "gid": "", "gpu-bind": "", "gpu-freq": "", "gpus": "G",
    "gpus-per-node": "", "gpus-per-socket": "", "gpus-per-task": "", "gres": "", "gres-flags": "", "hint": "",
    "input": "i", "job-name": "J", "licenses": "L", "mail-type": "", "mail-user": "", "mcs-label": "", "mem": "",
    "mem-bind": "", "mem-per-cpu": "", "mem-per-gpu": "", "mincpus": "", "network": "", "nodefile": "F",
    "nodelist": "w", "nodes": "N", "ntasks": "n", "ntasks-per-core": "", "ntasks-per-gpu": "", "ntasks-per-node": "",
    "ntasks-per-socket": "", "ntasks-per-tres": "", "oom-kill-step": "",
    "open-mode": "", "kill-on-invalid-dep": "", "output": "o", "partition": "p", "power": "",
    "prefer": "", "priority": "", "profile": "", "qos": "q", "reservation": "", "resv-ports": "", "segment": "",
    "signal": "", "sockets-per-node": "", "stepmgr": "", "switches": "", "thread-spec": "", "threads-per-core": "",
    "time": "t", "time-min": "", "tmp": "", "tres-bind": "", "tres-per-task": "", "uid": "", "wait-all-nodes": "",
    "wckey": "", "wrap": "",
}  # fmt: skip
_MAY_TAKE_VALUE = {"exclusive": "", "get-user-env": "", "nice": "", "propagate": "", "no-kill": "k"}
_WITHOUT_VALUE = {
    "contiguous": "", "help": "h", "hold": "H", "ignore-pbs": "", "no-requeue": "",
    "overcommit": "O", "oversubscribe": "s", "parsable": "", "quiet": "Q", "reboot": "", "requeue": "",
    "spread-job": "", "test-only": "", "usage": "", "use-min-nodes": "", "verbose": "v", "version": "V", "wait": "W",
}  # fmt: skip
LONG = {**TAKING_VALUE, **_MAY_TAKE_VALUE, **_WITHOUT_VALUE}
"""Every long name, with the letter that is short for it."""
_ALSO = {"tasks-per-node": "ntasks-per-node", "cluster": "clusters"}
"""Older names."""
_SHORT = {letter: name for name, letter in LONG.items() if letter} | {"I": "immediate"}


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


@dataclass(frozen=True)
class Slip:
    """A word on an `#SBATCH` line that sbatch can't use.

    Attributes:
        kind: stray (no option at all), quote (one that is never closed), or unknown (an option sbatch has not got).
        word: The word.
        line: Its line.
    """

    kind: str
    word: DirectiveWord
    line: int


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


def read(text: str) -> Directives:
    """Return the `#SBATCH` lines of a job script.

    Args:
        text: The script, with Unix line ends.
    """
    lines: list[Line] = []
    slips: list[Slip] = []
    start, number = 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(MARK):
            words, open_quote = _words(line, start)
            slips += [Slip("quote", open_quote, number)] if open_quote else []
            lines.append(Line(number, start, tuple(words)))
        elif line.strip() and not line.lstrip().startswith("#"):
            break
        start += len(line) + 1
    else:
        number += 1
    options, more, parts = _options(lines)
    return Directives(tuple(options), (*slips, *more), tuple(lines), number, parts)


def _words(line: str, offset: int) -> tuple[list[DirectiveWord], DirectiveWord | None]:
    """Return the words of a line after its mark, and the one whose quote is never closed."""
    words: list[DirectiveWord] = []
    at = len(MARK)
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        if line[at] == "#":
            break
        text, end, closed = _word(line, at)
        word = DirectiveWord(text, offset + at, offset + end)
        if not closed:
            return words, word
        words.append(word)
        at = end
    return words, None


def _word(line: str, at: int) -> tuple[str, int, bool]:
    """Return the word that begins here, where it ends, and whether its quotes are closed."""
    text, quote = "", ""
    while at < len(line) and (quote or not line[at].isspace()):
        if line[at] == "\\":
            at += 1
            text += line[at : at + 1]
        elif quote:
            text, quote = (text, "") if line[at] == quote else (text + line[at], quote)
        elif line[at] in "\"'":
            quote = line[at]
        elif line[at] == "#":
            break
        else:
            text += line[at]
        at += 1
    return text, min(at, len(line)), not quote


def _options(lines: list[Line]) -> tuple[list[DirectiveOption], list[Slip], int]:
    """Return the words of all lines as getopt_long takes them."""
    options: list[DirectiveOption] = []
    slips: list[Slip] = []
    part = 0
    rest = [(word, line) for line in lines for word in line.words]
    while rest:
        word, line = rest.pop(0)
        if word.text in {"hetjob", "packjob"}:
            part += 1
        elif not word.text.startswith("-") or word.text in {"-", "--"}:
            slips.append(Slip("stray", word, line.number))
        else:
            for option in _option(word, line.number):
                wanted = option.name in TAKING_VALUE and option.value is None
                value = rest.pop(0)[0] if wanted and rest else None
                complete = (
                    replace(option, value=value.text, value_start=value.start, end=value.end) if value else option
                )
                options.append(replace(complete, part=part))
                if option.name not in LONG and option.name != "immediate":
                    slips.append(Slip("unknown", word, line.number))
                    if option.value is None and rest and not rest[0][0].text.startswith("-"):
                        rest.pop(0)  # a newer Slurm's, or the site's own: this may be its value
    return options, slips, part + 1


def _option(word: DirectiveWord, line: int) -> list[DirectiveOption]:
    """Return the options in a word: one with a long name, or one or several letters."""
    if word.text.startswith("--"):
        name, equals, value = word.text[2:].partition("=")
        full = long_name(name) or name
        at = word.start + len(name) + 3 if equals else word.end
        return [DirectiveOption(full, value if equals else None, line, word.start, word.end, at)]
    options = []
    for index, letter in enumerate(word.text[1:], start=1):
        name = _SHORT.get(letter, letter)
        value = word.text[index + 1 :]
        takes = name in TAKING_VALUE or (name in _MAY_TAKE_VALUE and bool(value))
        at = word.start + index + 1
        options.append(DirectiveOption(name, (value or None) if takes else None, line, word.start, word.end, at))
        if takes:
            break
    return options


def long_name(beginning: str) -> str | None:
    """Return the long name that begins so, where just one does."""
    if beginning in LONG or beginning in _ALSO:
        return _ALSO.get(beginning, beginning)
    names = [name for name in LONG if name.startswith(beginning)]
    return names[0] if len(names) == 1 else None
