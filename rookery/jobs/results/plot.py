"""`combine --plot`: a column of the combined table as a histogram, or its mean as a line by a parameter.

The groups of a sweep are kept apart: each combination of the other parameters has its own line or histogram.
"""

import csv
import math
import re
import statistics
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rookery.core import console, drawing, near_names, typed_command
from rookery.core.drawing import Histogram, LinePlot, Point, Series, terminal
from rookery.core.errors import RookeryError
from rookery.jobs import pictures
from rookery.jobs.options import CombineOptions

# fmt: off
_REPEATS = frozenset((
    "draw", "id", "iteration", "rep", "repeat", "replicate", "replicates", "replication", "reps", "row", "seed", "task",
    "task_id", "trial",
))
# fmt: on
"""Parameters that number repetitions: values are averaged over them, and no group is made of them."""

_ORIGINS = ("cluster", "run")
"""Columns that say where a row is from; several runs in a table are groups."""

_NOT_RESULTS = frozenset({"task", "task_id", "commit", *_ORIGINS})
_LOGICAL = {"true": 1.0, "false": 0.0}
_MOST_GROUPS = len(drawing.MARKS)
_MOST_DRAWN = 24
_LONGEST_NAME = 40

HISTOGRAM = "none"
"""The value of --plot-by that asks for a histogram."""


@dataclass
class PlottedColumn:
    """What was plotted, for --json and the notes.

    Attributes:
        column: The column.
        by: The parameter on the horizontal axis; "" for a histogram.
        groups: How many values each group has.
        values: How many values there are.
        empty: Rows without a value.
        undefined: Rows with NaN, NA, an infinity, or a number too large to be drawn.
        text: Rows with something else than a number in the column or in the parameter.
        example: The first such text, with its row in the table.
        file: The picture; "" for none.
    """

    column: str
    by: str = ""
    groups: dict[str, int] = field(default_factory=dict)
    values: int = 0
    empty: int = 0
    undefined: int = 0
    text: int = 0
    example: str = ""
    file: str = ""


@dataclass(frozen=True)
class _Columns:
    """The table, by columns."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __getitem__(self, name: str) -> list[str]:
        place = self.names.index(name)
        return [row[place] if place < len(row) else "" for row in self.rows]


def is_asked_for(options: CombineOptions) -> bool:
    """Return whether any option of `combine` asks for a plot."""
    return bool(options.plot or options.plot_by or options.plot_file)


def number(text: str) -> float | None:
    """Return the number in a cell: NaN for one that is undefined or too large to draw, None for other text.

    True and false are 1 and 0, so that their mean is a share.
    """
    word = text.strip().strip('"').lower()
    if word in _LOGICAL:
        return _LOGICAL[word]
    if word in {"na", "nan", "null", "none", "-nan"}:
        return math.nan
    if "_" in word:
        return None
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) < drawing.LARGEST else math.nan


def make(table: Path, column: str, by: str, parameters: Sequence[str]) -> tuple[LinePlot | Histogram, PlottedColumn]:
    """Return the plot of a column.

    Args:
        table: The combined table.
        column: The column; "" for the last one that has numbers and is no parameter.
        by: A parameter for the horizontal axis; "" for the numeric one with most values, "none" for a histogram.
        parameters: The parameters of the run.

    Raises:
        RookeryError: There is no such column, or nothing in it can be drawn.
    """
    data = _read(table)
    column = _named(column, data, "--plot", table) if column else _last_result(data, parameters, table)
    known = [name for name in (*_ORIGINS, *parameters) if name in data.names and name != column]
    varied = [name for name in known if name.lower() not in _REPEATS and len(set(data[name])) > 1]
    if by and by != HISTOGRAM:
        by = _named(by, data, "--plot-by", table, column)
    elif not by:
        numeric = [name for name in varied if name not in _ORIGINS and all(map(_is_finite, data[name]))]
        by = max(numeric, key=lambda name: len(set(data[name])), default="")
    by = "" if by == HISTOGRAM else by
    result = PlottedColumn(column, by)
    grouped = _grouped(data, result, [name for name in varied if name != by])
    if not grouped:
        raise _nothing(result, table, data)
    result.groups = {name: len(points) for name, points in grouped.items()}
    if not by:
        groups = {name: [y for _, y in points] for name, points in grouped.items()}
        return Histogram(column, column, groups), result
    series = [Series(name, [*_means(points)]) for name, points in grouped.items()]
    return LinePlot(f"Mean of {column} by {by}", by, f"mean of {column}", series), result


def show(plot: LinePlot | Histogram, result: PlottedColumn) -> None:
    """Print a plot in the terminal, and what is not in it."""
    terminal.show(_first_groups(plot, _MOST_GROUPS))
    if len(result.groups) > _MOST_GROUPS:
        console.note(f"  the first {_MOST_GROUPS} of {len(result.groups)} groups are shown")


def notes(result: PlottedColumn) -> None:
    """Say which rows are not in a plot, on standard error."""
    left_out = [
        f"{count:,} {what}"
        for count, what in (
            (result.empty, "without a value"),
            (result.undefined, "with NaN, NA or infinity"),
            (result.text, f"with text ({result.example})"),
        )
        if count
    ]
    if left_out:
        console.note(f"  not in the plot of {result.column}: rows {', '.join(left_out)}")


def draw(table: Path, options: CombineOptions, parameters: Sequence[str], picture: Path | None) -> PlottedColumn:
    """Plot a column of the combined table, in the terminal and into a file, as the options of `combine` ask for.

    Args:
        table: The table.
        options: `combine`'s.
        parameters: The parameters of the run.
        picture: The file; None for none.

    Raises:
        RookeryError: There is nothing to plot; the table stays.
    """
    column = options.plot if isinstance(options.plot, str) else ""
    plot, result = make(table, column, options.plot_by, parameters)
    if picture:
        pictures.write(_first_groups(plot, _MOST_DRAWN), picture)
        result.file = options.plot_file
    if options.json:
        return result
    if options.plot or not picture:
        show(plot, result)
    notes(result)
    if picture:
        console.say(f"Plotted {result.column}{f' by {result.by}' * bool(result.by)} into {options.plot_file}.")
        if len(result.groups) > _MOST_DRAWN:
            console.note(f"  the first {_MOST_DRAWN} of {len(result.groups)} groups are in it")
    return result


def _read(table: Path) -> _Columns:
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        header, *rows = csv.reader(stream)
    return _Columns([name.strip() for name in header], rows)


def _named(name: str, data: _Columns, flag: str, table: Path, other: str = "") -> str:
    """Return the column that is meant, in any case of letters; the hint names none that is used for something else."""
    for known in data.names:
        if name.strip().lower() == known.lower():
            return known
    left = [known for known in data.names if known != other]
    near = near_names.closest(name, left) or (left[-1] if left else HISTOGRAM)
    raise RookeryError(
        f"{table.name} has no column {name!r}. Its columns: {', '.join(data.names)}.",
        hint=typed_command.again(flag, near),
    )


def _last_result(data: _Columns, parameters: Iterable[str], table: Path) -> str:
    inputs = {name.lower() for name in parameters} | _NOT_RESULTS
    for name in reversed(data.names):
        if name.lower() not in inputs and any(map(_is_finite, data[name])):
            return name
    raise RookeryError(
        f"{table.name} has no column of numbers besides its parameters. Its columns: {', '.join(data.names)}.",
        hint=typed_command.again("--plot", data.names[-1]),
    )


def _is_finite(text: str) -> bool:
    value = number(text)
    return value is not None and math.isfinite(value)


def _grouped(data: _Columns, result: PlottedColumn, names: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each group, and count what is left out."""
    grouped: dict[str, list[tuple[float, float]]] = {}
    labels: dict[tuple[str, ...], str] = {}
    across = data[result.by] if result.by else ["0"] * len(data.rows)
    keys: list[tuple[str, ...]] = list(zip(*map(data.__getitem__, names), strict=True)) or [()] * len(data.rows)
    for row, (x_text, y_text, key) in enumerate(zip(across, data[result.column], keys, strict=True), 1):
        x, y = number(x_text), number(y_text)
        if not y_text.strip() or not x_text.strip():
            result.empty += 1
        elif x is None or y is None:
            result.text += 1
            bad = (y_text if y is None else x_text)[:20]
            result.example = result.example or f"{bad!r} in row {row:,}"
        elif math.isnan(x) or math.isnan(y):
            result.undefined += 1
        else:
            name = labels.get(key) or _label(names, key, labels.values())
            labels[key] = name
            grouped.setdefault(name, []).append((x, y))
            result.values += 1
    return grouped


def _label(names: Sequence[str], key: Sequence[str], taken: Collection[str]) -> str:
    """Return the name of a group: its parameters, cut where they are long, unless another's is the same then."""
    whole = ", ".join(f"{name}={value}" for name, value in zip(names, key, strict=True))
    short = whole if len(whole) <= _LONGEST_NAME else f"{whole[: _LONGEST_NAME - 1]}…"
    return whole if short in taken else short


def _means(points: Iterable[tuple[float, float]]) -> Iterator[Point]:
    """Yield the mean at each place, with its standard error where there are several values."""
    at: dict[float, list[float]] = {}
    for x, y in points:
        at.setdefault(x, []).append(y)
    for x, values in sorted(at.items()):
        error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0
        yield Point(x, statistics.fmean(values), error)


def _first_groups(plot: LinePlot | Histogram, most: int) -> LinePlot | Histogram:
    """Return the plot with as many groups as there is room for."""
    if isinstance(plot, Histogram):
        return replace(plot, groups=dict([*plot.groups.items()][:most]))
    return replace(plot, series=plot.series[:most])


def _nothing(result: PlottedColumn, table: Path, data: _Columns) -> RookeryError:
    reasons = [f"{result.empty} empty", f"{result.undefined} NaN, NA or infinite", f"{result.text} text"]
    counted = ", ".join(reason for reason in reasons if not re.match("0 ", reason))
    others = [name for name in data.names if name != result.column and any(map(_is_finite, data[name]))]
    return RookeryError(
        f"Nothing to plot: column {result.column} of {table.name} has no numbers ({counted or 'no rows'}).",
        hint=typed_command.again("--plot", others[-1]) if others else None,
    )
