"""Show a first result in the terminal: the columns of a table of results, and the distribution of one."""

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import fmean, stdev

from rookery.core import console, drawing, wrapping
from rookery.core.drawing import Histogram, terminal

_FEWEST, _WIDTH, _INDENT = 12, 76, "  "
_COUNTS = ("run", "commit", "task", "replication", "row", "id", "index")
"""Columns that number things rather than measure them."""


@dataclass(frozen=True)
class Column:
    """A column of numbers.

    Attributes:
        name: Its heading.
        values: What it holds, without gaps.
    """

    name: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean."""
        return fmean(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation; 0 of a single value."""
        return stdev(self.values) if len(self.values) > 1 else 0.0


def columns(path: Path) -> list[Column]:
    """Return the columns of a table that measure something.

    Args:
        path: A CSV file with a heading.
    """
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        reader = csv.reader(stream)
        names = next(reader, [])
        gathered: list[list[float] | None] = [[] for _ in names]
        for row in reader:
            for number, cell in enumerate(row[: len(names)]):
                _take(gathered, number, cell)
    return [
        Column(name, tuple(values))
        for name, values in zip(names, gathered, strict=True)
        if values and name.lower() not in _COUNTS
    ]


def _take(gathered: list[list[float] | None], number: int, cell: str) -> None:
    """Add a cell; a column with one that is neither a number nor a gap is no column of numbers."""
    values = gathered[number]
    if values is None or cell in {"", "NA", "NaN", "nan"}:
        return
    try:
        values.append(float(cell))
    except ValueError:
        gathered[number] = None


def lines(path: Path) -> Iterator[str]:
    """Yield the table of results, for a terminal.

    A row for each column that measures, and a plot of the first that varies.
    """
    measured = columns(path)
    if not measured:
        return
    width = max(len("column"), *(len(console.clean(column.name)) for column in measured))
    yield f"{'column':<{width}} {'values':>8} {'mean':>10} {'sd':>10} {'min':>10} {'max':>10}"
    for column in measured:
        numbers = (column.mean, column.spread, min(column.values), max(column.values))
        yield f"{console.clean(column.name):<{width}} {len(column.values):>8,} " + " ".join(
            f"{number:>10.4g}" for number in numbers
        )
    finite = {column.name: [value for value in column.values if isfinite(value)] for column in measured}
    varied = next((name for name, values in finite.items() if len(set(values)) >= _FEWEST), None)
    if varied:
        yield ""
        plot = Histogram(console.clean(varied), varied, {"": finite[varied]})
        room = (wrapping.columns(sys.stdout) or 80) - len(_INDENT)
        yield from drawing.lines(plot, min(_WIDTH, room), plain=terminal.is_plain())


def show(path: Path) -> None:
    """Print the table of results."""
    _print(f"{_INDENT}{line}".rstrip() for line in lines(path))


def _print(lines: Iterable[str]) -> None:
    print("", *lines, "", sep="\n")
