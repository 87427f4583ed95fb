"""What sbatch itself makes of `#PBS` and `#BSUB` lines: it reads them, after the `#SBATCH` lines, and over these.

From Slurm's source (src/sbatch/xlate.c, 22.05 to 26.05) and from trying it (22.05): lines that begin so are read up to
the hundredth that is neither such a line nor a comment, in here-documents, too; where there is a `#BSUB` line, no
`#PBS` line is read; the words of all of them are one command line for getopt; an option that the table has not got, a
word that is none, and a value that Slurm does not take end the submission. `--ignore-pbs`, also on an `#SBATCH` line,
or SBATCH_IGNORE_PBS in the environment, has them ignored.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rookery.jobs.lint.script import values
from rookery.jobs.lint.translation import foreign_lines

_MOST_OTHER_LINES = 100
_NUMBER = re.compile(r"[0-9]+")
_MORE = MappingProxyType({"#BSUB": "cMnx", "#PBS": "ahmMpv"})
"""The letters that set what `SbatchReading.given` does not hold."""
_TABLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"#BSUB": ("ceJmMnoqW", "x"), "#PBS": ("aAcCdejJklmMNopqrStuvWw", "hIVz")}
)
"""The letters with and without a value. -d and -w of PBS are read from 23.02 on."""
_LONG: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "#BSUB": {
            "cwd": "c", "error_file": "e", "job_name": "J", "hostname": "m", "memory_limit": "M", "output_file": "o",
            "queue_name": "q", "time": "W", "exclusive": "x",
        },
        "#PBS": {
            "start_time": "a", "account": "A", "checkpoint": "c", "working_dir": "C", "error": "e", "hold": "h",
            "interactive": "I", "join": "j", "job_array": "J", "keep": "k", "resource_list": "l", "mail_options": "m",
            "mail_user_list": "M", "job_name": "N", "out": "o", "priority": "p", "destination": "q", "rerunable": "r",
            "script_path": "S", "array": "t", "running_user": "u", "variable_list": "v", "all_env": "V",
            "attributes": "W", "no_std": "z",
        },
    }
)  # fmt: skip


@dataclass
class SbatchReading:
    """What sbatch makes of a script's `#PBS` or `#BSUB` lines.

    Attributes:
        mark: Which lines it reads: #PBS or #BSUB.
        line: The first of them.
        given: The options of sbatch that they set, with their value and line.
        refused: The line that ends the submission, and why; None where none does.
        lost: What is ignored, or taken for something else, a phrase each.
        sets_more: Whether they set options of sbatch that `given` does not hold.
    """

    mark: str
    line: int
    given: dict[str, tuple[str, int]] = field(default_factory=dict)
    refused: tuple[int, str] | None = None
    lost: list[str] = field(default_factory=list)
    sets_more: bool = False

    def refuse(self, line: int, why: str) -> None:
        """Keep the first reason for which the submission ends."""
        self.refused = self.refused or (line, why)

    def lose(self, phrase: str) -> None:
        """Keep what is ignored, once."""
        self.lost += [] if phrase in self.lost else [phrase]


def read(text: str) -> SbatchReading | None:
    """Return what sbatch makes of a script's `#PBS` or `#BSUB` lines; None where there is none.

    Args:
        text: The script, with Unix line ends.
    """
    for mark in _TABLES:
        if mark not in text:
            continue
        lines = list(_lines(text, mark))
        if lines:
            reading = SbatchReading(mark, lines[0][0])
            for letter, value, line in _options(lines, mark, reading):
                (_bsub if mark == "#BSUB" else _pbs)(reading, letter, value, line)
            return reading
    return None


def _lines(text: str, mark: str) -> Iterator[tuple[int, str]]:
    others = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(mark):
            yield number, line[len(mark) :]
        elif not line.startswith("#"):
            others += 1
            if others > _MOST_OTHER_LINES:
                return


def _options(lines: list[tuple[int, str]], mark: str, reading: SbatchReading) -> Iterator[tuple[str, str, int]]:
    """Yield the options of all lines as getopt_long takes them; those that end the submission are passed over."""
    valued, flags = _TABLES[mark]
    rest = [
        (foreign_lines.plain(word), number) for number, line in lines for word in foreign_lines.words_of(line, 0)[0]
    ]
    while rest:
        word, line = rest.pop(0)
        if mark == "#BSUB" and word == "-cwd":
            word = "-c"
        if not word.startswith("-") or word == "-":
            reading.refuse(line, f"{word!r} is not an option")
            continue
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            letter = _LONG[mark].get(name, "")
            word = f"-{letter}{value}" if letter and equals else f"-{letter}"
        while len(word) > 1:
            letter, word = word[1], f"-{word[2:]}"
            if letter in flags:
                yield letter, "", line
            elif letter not in valued:
                reading.refuse(line, f"it has no option -{letter} in {mark} lines")
                if rest and not rest[0][0].startswith("-"):
                    rest.pop(0)
                break
            elif word != "-" or rest:
                value = word[1:] or rest.pop(0)[0]
                yield letter, value, line
                break
            else:
                reading.refuse(line, f"-{letter} has no value")
                return


def _given(name: str) -> Callable[[SbatchReading, str, int], None]:
    def handler(reading: SbatchReading, value: str, line: int) -> None:
        reading.given[name] = (value, line)

    return handler


def _time(reading: SbatchReading, value: str, line: int, what: str) -> None:
    reading.given["time"] = (value, line)
    if values.minutes(value) is None:
        reading.refuse(line, f"Slurm does not take the time {value}")
    elif _NUMBER.fullmatch(value) and reading.mark == "#PBS":
        reading.lose(f"{what} (taken for minutes)")
    elif re.fullmatch(r"\d+:\d+", value):
        reading.lose(f"{what} (taken for minutes and seconds)")


def _bsub(reading: SbatchReading, letter: str, value: str, line: int) -> None:
    reading.sets_more = reading.sets_more or letter in _MORE["#BSUB"]
    if letter == "W":
        _time(reading, value, line, f"-W {value}")
    elif letter == "q":
        reading.given["partition"] = (value, line)
    elif letter == "J":
        reading.given["job-name"] = (value, line)
        if re.search(r"\[.+\]", value):
            reading.lose(f"-J {value} (no array)")
    elif letter in {"o", "e"}:
        reading.given["output" if letter == "o" else "error"] = (value, line)
        if "%I" in value:
            reading.lose(f"-{letter} {value} (%I)")
    elif letter == "M":
        _limit(reading, value, line)
    elif letter == "n" and not re.fullmatch(r"([0-9]+,)?[0-9]+", value):
        reading.refuse(line, f"Slurm does not take {value} tasks")
    elif letter == "m":
        reading.refuse(line, f"Slurm has no node {value.partition(' ')[0]}")


def _limit(reading: SbatchReading, value: str, line: int) -> None:
    """Read a -M: sbatch takes a number without a unit for KB."""
    if values.megabytes(value) is None:
        reading.refuse(line, f"Slurm does not take the memory {value}")
    elif _NUMBER.fullmatch(value):
        reading.lose(f"-M {value} (taken for KB)")


_SAME = MappingProxyType(
    {"A": "account", "N": "job-name", "q": "partition", "J": "array", "t": "array", "d": "chdir", "w": "chdir"}
)
_DROPPED = MappingProxyType({"j": "-j", "c": "-c", "C": "-C", "S": "-S", "r": "-r", "u": "-u", "I": "-I"})


def _pbs(reading: SbatchReading, letter: str, value: str, line: int) -> None:
    reading.sets_more = reading.sets_more or letter in _MORE["#PBS"]
    if letter in _SAME:
        reading.given[_SAME[letter]] = (value, line)
    elif letter in {"o", "e"}:
        reading.given["output" if letter == "o" else "error"] = (value, line)
        if ":" in value or "$" in value or value.endswith("/"):
            reading.lose(f"-{letter} {value} (taken for the name of a file)")
    elif letter == "a" and re.fullmatch(r"(\d{4}|\d{8}|\d{10}|\d{12})(\.\d\d)?", value):
        reading.refuse(line, f"Slurm does not take the time {value}")
    elif letter == "m" and not re.search(r"[abenABEN]", value):
        reading.refuse(line, f"Slurm does not take the mail type {value}")
    elif letter == "v":
        reading.lose(f"-v {value} (the job gets no other variable)")
    elif letter == "W":
        _attribute(reading, value, line)
    elif letter in _DROPPED:
        reading.lose(f"{_DROPPED[letter]} {value}".rstrip())
    elif letter == "l":
        _resources(reading, value, line)


def _attribute(reading: SbatchReading, value: str, line: int) -> None:
    name = value.lower().partition("=")[0]
    reading.sets_more = reading.sets_more or name in {"depend", "umask"}
    if name == "depend" and re.search(r":\d+(\[\])?\.", value):
        reading.refuse(line, f"Slurm does not take {value}")
    elif name not in {"depend", "umask"}:
        reading.lose(f"-W {value}")


_SKIPPED = ("arch", "host", "opsys", "other", "pmem", "pvmem", "software", "vmem")
_KNOWN = re.compile(
    r"(?P<name>accelerator|arch|cput|file|host|mem|mpiprocs|naccelerators|ncpus|nice|nodes|opsys|other|pcput|pmem|proc|"
    r"pvmem|select|software|vmem|walltime)="
)


def _resources(reading: SbatchReading, value: str, line: int) -> None:
    """Read the list of a `-l` as sbatch does: a known name wherever it stands, its value up to a comma or a colon."""
    at = 0
    seen = set(range(len(value)))
    while at < len(value):
        match = _KNOWN.match(value, at)
        if not match:
            at += 1
            continue
        name = match["name"]
        stop = ":" if name in {"mpiprocs", "ncpus", "select"} else ","
        end = value.find(stop, match.end())
        end = len(value) if end < 0 else end
        if name not in _SKIPPED:
            seen -= set(range(at, end))
            _resource(reading, name, value[match.end() : end], line)
        at = end + 1
    for part in re.finditer(r"[^,:]+", value):
        if part.start() in seen:
            reading.lose(part[0])


def _resource(reading: SbatchReading, name: str, value: str, line: int) -> None:
    if name in {"walltime", "cput", "pcput"}:
        _time(reading, value, line, f"{name}={value}")
    elif name == "mem":
        reading.given["mem"] = (value, line)
        if values.megabytes(value) is None:
            reading.refuse(line, f"Slurm does not take the memory {value}")
    elif name in _CHUNK:
        reading.given[_CHUNK[name]] = (value, line)
        if not _NUMBER.fullmatch(value):
            reading.refuse(line, f"Slurm does not take {name}={value}")
    elif name == "nodes":
        _nodes(reading, value, line)
    else:
        reading.sets_more = True


_CHUNK = MappingProxyType({"mpiprocs": "ntasks-per-node", "ncpus": "mincpus", "select": "nodes"})


def _nodes(reading: SbatchReading, value: str, line: int) -> None:
    """Read TORQUE's `nodes=2:ppn=16`: what is neither a number nor one of these is the name of a node."""
    parts = re.split("[:+]", value)
    features = [part for part in parts if part[:1].isalpha() and not part.startswith(("ppn=", "gpus="))]
    if features:
        reading.refuse(line, f"Slurm has no node {features[0]}")
    nodes = sum(int(part) for part in parts if _NUMBER.fullmatch(part))
    per_node = sum(int(part[4:]) for part in parts if re.fullmatch(r"ppn=[0-9]+", part))
    if nodes:
        reading.given["nodes"] = (str(nodes), line)
    if per_node:
        reading.given["ntasks"] = (str(per_node * (nodes or 1)), line)
