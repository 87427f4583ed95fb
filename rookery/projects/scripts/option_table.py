"""What sbatch makes of an option's name: Slurm's own table of options, and how getopt_long looks names up in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from rookery.projects.scripts import sbatch_table

Argument = Literal["none", "optional", "required"]

VERSIONS: Final = tuple(sbatch_table.VERSIONS.split())
OLDEST: Final = "20.11"
"""Of the versions that clusters still run, where a profile does not say which."""
_ALIASES: Final = {"tasks-per-node": "ntasks-per-node", "cluster": "clusters"}
"""Older names of options."""


class Lookup(NamedTuple):
    """What sbatch makes of a long name.

    Attributes:
        name: The option's whole name; "" where it accepts none.
        candidates: The options that begin so, where these are several.
    """

    name: str
    candidates: tuple[str, ...] = ()


class Misnomer(NamedTuple):
    """A name from another scheduler, program or version that is used for an option of sbatch.

    Attributes:
        name: The option's name; "" where sbatch has no such option.
        why: What the name is, as the end of a sentence.
        certain: Whether nothing else can be meant, and the value is written alike.
    """

    name: str
    why: str
    certain: bool = True


@dataclass(frozen=True)
class OptionTable:
    """The options of sbatch in one version of Slurm, or in several: then it refuses what all of them refuse.

    Attributes:
        versions: The versions.
        arguments: For each long name, whether it takes a value.
        letters: For each letter, the long name.
        has: For each version, its long names.
    """

    versions: tuple[str, ...]
    arguments: Mapping[str, Argument]
    letters: Mapping[str, str]
    has: Mapping[str, frozenset[str]]

    def lookup(self, written: str) -> Lookup:
        """Return which option a long name means: a name's beginning will do where only one begins so.

        Args:
            written: The name, without dashes and value.
        """
        ambiguous: tuple[str, ...] = ()
        for version in reversed(self.versions):
            names = self.has[version]
            found = [written] if written in names else sorted(name for name in names if name.startswith(written))
            if len(found) == 1:
                return Lookup(_ALIASES.get(found[0], found[0]))
            ambiguous = ambiguous or tuple(found)
        return Lookup("", ambiguous)

    @property
    def escapes_blanks(self) -> bool:
        """Whether a backslash keeps a blank in a value: from 24.05 on (src/sbatch/opt.c)."""
        return self.versions[-1] >= "24.05"

    def argument(self, name: str) -> Argument:
        """Return whether an option takes a value; "none" for unknown ones."""
        return self.arguments.get(name, "none")


class _Row(NamedTuple):
    name: str
    argument: Argument
    letter: str
    first: str
    last: str

    def is_in(self, version: str) -> bool:
        return self.first <= version <= self.last


def _row(line: str) -> _Row:
    name, argument, letter, first, last = line.split()
    kinds: dict[str, Argument] = {"none": "none", "optional": "optional", "required": "required"}
    return _Row(name, kinds[argument], letter.strip("-"), first, last)


_ROWS: Final = tuple(_row(line) for line in sbatch_table.SBATCH.strip().splitlines())


@lru_cache
def of(slurm: str = "") -> OptionTable:
    """Return the table of a version of Slurm, or of all that clusters still run where it is not known.

    Args:
        slurm: The version, such as 24.11 or 24.11.5; "" where it is not known.
    """
    match = re.match(r"(\d\d)\.(\d\d)(?!\d)", slurm)
    if match:
        older = [version for version in VERSIONS if version <= match.group()]
        versions: tuple[str, ...] = (older[-1] if older else VERSIONS[0],)
    else:
        versions = tuple(version for version in VERSIONS if version >= OLDEST)
    rows = [row for row in _ROWS if any(row.is_in(version) for version in versions)]
    arguments: dict[str, Argument] = {}
    for row in rows:  # where versions differ, a value may be there or not
        arguments[row.name] = "optional" if arguments.get(row.name, row.argument) != row.argument else row.argument
    has = {version: frozenset(row.name for row in rows if row.is_in(version)) for version in versions}
    return OptionTable(versions, arguments, {row.letter: row.name for row in rows if row.letter}, has)


def years(name: str) -> tuple[str, str] | None:
    """Return the first and the last version of Slurm whose sbatch has an option; None where none has."""
    spans = [(row.first, row.last) for row in _ROWS if row.name == name]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


ELSEWHERE: Final = {
    name: (letter.strip("-"), tuple(programs))
    for name, letter, *programs in map(str.split, sbatch_table.OTHERS.strip().splitlines())
}
"""The options of srun and salloc that sbatch does not have: for each name its letter, and the programs."""

_REMOVED: Final = "was removed from Slurm in version {}"
_ELSEWHERE: Final = "is no option of sbatch"
MISNOMERS: Final[Mapping[str, Misnomer]] = {
    "share": Misnomer("oversubscribe", _REMOVED.format("19.05")),
    "workdir": Misnomer("chdir", _REMOVED.format("19.05")),
    "checkpoint": Misnomer("", _REMOVED.format("20.02")),
    "checkpoint-dir": Misnomer("", _REMOVED.format("19.05")),
    "jobid": Misnomer("", _REMOVED.format("19.05")),
    "mincores": Misnomer("cores-per-socket", _REMOVED.format("19.05"), certain=False),
    "minsockets": Misnomer("sockets-per-node", _REMOVED.format("19.05"), certain=False),
    "minthreads": Misnomer("threads-per-core", _REMOVED.format("19.05"), certain=False),
    "walltime": Misnomer("time", _ELSEWHERE),
    "wall-time": Misnomer("time", _ELSEWHERE),
    "wallclock": Misnomer("time", _ELSEWHERE),
    "timelimit": Misnomer("time", _ELSEWHERE),
    "time-limit": Misnomer("time", _ELSEWHERE),
    "runtime": Misnomer("time", _ELSEWHERE, certain=False),
    "name": Misnomer("job-name", _ELSEWHERE),
    "email": Misnomer("mail-user", _ELSEWHERE),
    "e-mail": Misnomer("mail-user", _ELSEWHERE),
    "queue": Misnomer("partition", _ELSEWHERE, certain=False),
    "project": Misnomer("account", _ELSEWHERE, certain=False),
    "memory": Misnomer("mem", _ELSEWHERE),
    "mem-per-node": Misnomer("mem", _ELSEWHERE),
    "mem-per-core": Misnomer("mem-per-cpu", _ELSEWHERE),
    "mem-per-task": Misnomer("", "is no option of sbatch, which has --mem (for each node) and --mem-per-cpu"),
    "cpu": Misnomer("cpus-per-task", _ELSEWHERE, certain=False),
    "cpus": Misnomer("cpus-per-task", _ELSEWHERE, certain=False),
    "ncpus": Misnomer("cpus-per-task", _ELSEWHERE, certain=False),
    "cpus-per-node": Misnomer(
        "",
        "is no option of sbatch, which has --cpus-per-task and --ntasks-per-node",
    ),
    "nprocs": Misnomer("ntasks", _ELSEWHERE, certain=False),
    "gpu": Misnomer("gpus", _ELSEWHERE, certain=False),
    "ngpus": Misnomer("gpus", _ELSEWHERE, certain=False),
    "node": Misnomer("nodes", _ELSEWHERE, certain=False),
    "ntask": Misnomer("ntasks", _ELSEWHERE),
    "stdout": Misnomer("output", _ELSEWHERE),
    "stderr": Misnomer("error", _ELSEWHERE),
    "stdin": Misnomer("input", _ELSEWHERE),
    "log": Misnomer("output", _ELSEWHERE, certain=False),
}
"""Names that mean something in PBS, SGE, LSF, srun or an older Slurm, or that people expect."""
