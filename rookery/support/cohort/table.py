"""The readiness table on the terminal, and as data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rookery.clusters.cluster import Cluster
from rookery.core import console, tables
from rookery.support.cohort import pages, readiness
from rookery.support.cohort.readiness import STATES, Readiness, StudentReadiness

_STYLES: Final = {"ready": "green", "faults": "bold red", "unknown": "yellow", "old": "yellow", "none": "dim"}


def columns(rows: Sequence[StudentReadiness]) -> list[str]:
    """Return the clusters of all students, in the order of their first mention."""
    return list(dict.fromkeys(status.cluster for row in rows for status in row.statuses))


def summary(rows: Sequence[StudentReadiness]) -> str:
    """Return the whole table in a line."""
    numbers = [f"{STATES[state]} {count}" for state, count in readiness.counts(rows).items() if count]
    return f"{size(rows)}: {', '.join(numbers)}"


def size(rows: Sequence[StudentReadiness]) -> str:
    """Return how many students and homes there are."""
    homes = sum(len(row.statuses) for row in rows)
    return f"{_several(len(rows), 'student')}, {_several(homes, 'home')}"


def _several(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def show(rows: Sequence[StudentReadiness]) -> None:
    """Print the table, and below it what each student has to do."""
    from rich.text import Text

    clusters = columns(rows)
    cells = [[Text(row.student.name), *(_cell(row.on(cluster)) for cluster in clusters)] for row in rows]
    tables.show(["student", *clusters], cells)
    for row in rows:
        for status in row.statuses:
            for line in remarks(row, status):
                say(line)
    say(summary(rows))


def say(text: str, style: str = "") -> None:
    """Print a line."""
    console.show(tables.console(), text, style)


def _cell(status: Readiness | None) -> Any:
    from rich.text import Text

    if status is None:
        return Text("")
    first, more = status.first, len(status.faults) - 1
    text = (
        STATES[status.state]
        + (f": {first.title}" if first else "")
        + (f" and {more} more" if first and more > 0 else "")
    )
    return Text(text, _STYLES[status.state])


def remarks(row: StudentReadiness, status: Readiness) -> list[str]:
    """Return further remarks on a student on a cluster.

    The first thing to see to, and how old the report is.
    """
    who, first = f"{row.student.name}, {status.cluster}", status.first
    lines = [f"{who}: {status.note}"] if status.note else []
    if first:
        found = first.found.removeprefix(f"{status.cluster}: ")
        lines.append(f"{who}: {first.title}" + (f": {found}" if found else ""))
        lines += [f"  fix: {first.fix}"] if first.fix else []
    elif status.state == "faults":
        lines.append(f"{who}: the report mentions problems, but lists none")
    return lines


def document(rows: Sequence[StudentReadiness], clusters: Mapping[str, Cluster]) -> list[dict[str, Any]]:
    """Return the table as --json tells it."""
    return [
        {
            **asdict(row.student),
            "command": {name: pages.onboard(row.student, clusters[name]) for name in row.student.clusters},
            "clusters": {status.cluster: _document_of(status) for status in row.statuses},
        }
        for row in rows
    ]


def _document_of(status: Readiness) -> Mapping[str, Any]:
    document = asdict(status) | {"when": status.when.strftime("%Y-%m-%dT%H:%M:%SZ") if status.when else None}
    return {key: value for key, value in document.items() if key != "cluster"}
