"""sacct's lines of jobs that began more than once: put back into the queue, or a chain of jobs that is one run."""

from typing import Dict, List, Sequence, Tuple

from rookery.remote.slurm.basics import END, FIELD
from rookery.remote.slurm.forms import moment, whole
from rookery.remote.slurm.tables import ACCOUNTS

_NAMES = ACCOUNTS.split(",")
_PLACES = {name: _NAMES.index(name) for name in ("JobName", "State", "ElapsedRaw", "WorkDir", "Submit")}


def as_runs(text: str, chains: Dict[int, List[int]]) -> str:
    """Return sacct's lines with the jobs of a chain under the number of their run, as if they were one job's times.

    Args:
        text: The lines.
        chains: The jobs of each run whose parts are jobs.
    """
    runs = {str(job): str(run) for run, jobs in chains.items() for job in jobs}
    owners: Dict[str, Tuple[str, str]] = {}
    same: Dict[str, bool] = {}
    lines = []
    for line in filter(None, text.split(END)):
        fields = line.split(FIELD)
        number = _number(fields[0])
        if number in runs and "." not in fields[0]:  # another job may have the number of one that is forgotten
            owner = _field(fields, "JobName"), _field(fields, "WorkDir")
            same[number] = owners.setdefault(runs[number], owner) == owner
        lines.append((runs[number] + line[len(number) :] if same.get(number) else line) + END)
    return "".join(lines)


def times(text: str) -> List[str]:
    """Return sacct's lines apart, one text for each time that jobs began, their last time first.

    A job that went back into the queue has the same number each time, and another time of submission.
    """
    found: Dict[str, List[Tuple[Tuple[bool, int, int], List[str]]]] = {}
    for line in filter(None, text.split(END)):
        fields = line.split(FIELD)
        if "." not in fields[0]:
            known = found.setdefault(fields[0], [])
            known.append((_order(fields, len(known)), [line]))
        elif fields[0].partition(".")[0] in found:
            found[fields[0].partition(".")[0]][-1][1].append(line)
    texts: List[List[str]] = [[]]
    for each in found.values():
        for place, (_, lines) in enumerate(sorted(each, reverse=True)):
            if place == len(texts):
                texts.append([])
            texts[place] += lines
    return [END.join([*lines, ""]) for lines in texts]


def _order(fields: Sequence[str], place: int) -> Tuple[bool, int, int]:
    """Return which time is later; a spare job of a chain, cancelled before it began, comes before all others."""
    has_begun = not _field(fields, "State").startswith("CANCELLED") or whole(_field(fields, "ElapsedRaw")) > 0
    return has_begun, moment(_field(fields, "Submit")), place


def _field(fields: Sequence[str], name: str) -> str:
    return "".join(fields[_PLACES[name] : _PLACES[name] + 1])


def _number(name: str) -> str:
    return name.partition(".")[0].partition("_")[0].partition("+")[0]
