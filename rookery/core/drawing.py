"""Plots, and how they are drawn with characters: a histogram as bars, lines as marks on a grid.

A plot is what a picture shows, whatever draws it; `jobs.pictures` draws the same plots into files.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rookery.core import wrapping

MARKS = "ox+*#@%&"
"""What the points of each line are drawn with; a plot of more lines is hard to read in any form."""

DOTS = "·-"
"""What lines without marks are drawn with; the first is also between the marks of others."""

_ASCII = str.maketrans({"█": "#", "│": "|", "┤": "|", "─": "-", "└": "+", "┬": "+", "·": "."})
_HEIGHT = 16
_FEWEST_BINS, _MOST_BINS = 5, 20
_MOST_TICKS = 8


@dataclass(frozen=True)
class Point:
    """A point of a line, and its standard error; 0 where that is not known."""

    x: float
    y: float
    error: float = 0


@dataclass(frozen=True)
class Series:
    """A line of a plot.

    Attributes:
        name: For the legend.
        points: Its points, by x.
        has_marks: Whether its points are measurements, and are marked.
    """

    name: str
    points: Sequence[Point]
    has_marks: bool = True


@dataclass(frozen=True)
class LinePlot:
    """Lines over one pair of axes.

    Attributes:
        title: What is shown.
        x: What the horizontal axis is.
        y: What the vertical one is.
        series: The lines.
        is_log: Both axes are logarithmic; all numbers are positive then.
    """

    title: str
    x: str
    y: str
    series: Sequence[Series]
    is_log: bool = False


@dataclass(frozen=True)
class Histogram:
    """How often values occur, for each group of them.

    Attributes:
        title: What is shown.
        x: What the values are.
        groups: The values of each group, by its name; all are counted in the same bins.
    """

    title: str
    x: str
    groups: Mapping[str, Sequence[float]]


def number(value: float) -> str:
    """Return a number for an axis or a table: four digits, no zeros at the end."""
    return f"{value:.4g}"


def numbers(values: Sequence[float]) -> list[str]:
    """Return numbers for an axis, with four digits, or as many more as distinguish them."""
    for digits in range(4, 16):
        texts = [f"{value:.{digits}g}" for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def lines(plot: LinePlot | Histogram, width: int, *, plain: bool = False) -> list[str]:
    """Return a plot as lines of text.

    Args:
        plot: What to draw.
        width: Columns that there are.
        plain: Use no character beyond ASCII.
    """
    drawn = _histogram(plot, width) if isinstance(plot, Histogram) else _grid(plot, width)
    return [line.translate(_ASCII).rstrip() if plain else line.rstrip() for line in (plot.title, *drawn)]


def edges(values: Sequence[float]) -> list[float]:
    """Return the edges of bins for values: round numbers, between which all values are.

    There are about as many as Sturges' rule has, log2(n) + 1.
    """
    low, high = min(values), max(values)
    wanted = min(max(math.ceil(math.log2(len(values))) + 1, _FEWEST_BINS), _MOST_BINS)
    step = _step((high - low) / wanted) if high - low > 1e-9 * max(abs(low), abs(high)) else 0
    if not step or not math.isfinite(step):
        return [low, high]
    first = math.floor(low / step)
    count = max(math.ceil(high / step) - first, 1)
    found = [(first + place) * step for place in range(count + 1)]
    return found if found[-1] >= high else [*found, (first + count + 1) * step]


def counts(values: Sequence[float], bins: Sequence[float]) -> list[int]:
    """Return how many values are in each bin; a value on an edge is in the bin above it, except on the last edge."""
    found = [0] * (len(bins) - 1)
    for value in values:
        place = next((place for place, edge in enumerate(bins[1:-1]) if value < edge), len(found) - 1)
        found[place] += 1
    return found


def _step(least: float) -> float:
    """Return the next step up that is round: 1, 2 or 5 times a power of ten."""
    if least <= 0:
        return 0
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least * (1 - 1e-9)), 10 * power)


def _histogram(plot: Histogram, width: int) -> Iterator[str]:
    """Yield a bar for each bin, group by group."""
    bins = edges([value for values in plot.groups.values() for value in values])
    labels = [f"{low} to {high}" for low, high in itertools.pairwise(numbers(bins))]
    labels = labels if bins[0] < bins[-1] else [number(bins[0])]
    counted = {name: counts(values, bins) for name, values in plot.groups.items()}
    most = max(max(found) for found in counted.values())
    column = max(map(len, labels))
    room = max(width - column - len(f"{most:,}") - 5, 5)
    for name, found in counted.items():
        if name:
            yield f"{name}: {len(plot.groups[name]):,} values"
        for label, count in zip(labels, found, strict=True):
            bar = "█" * max(round(count / most * room), int(count > 0))
            yield f"{label:>{column}} │{bar} {count:,}" if count else f"{label:>{column}} │"


def _grid(plot: LinePlot, width: int) -> Iterator[str]:
    """Yield the grid with its marks, the axes and the legend."""
    points = [point for series in plot.series for point in series.points]
    heights = [point.y + sign * point.error for point in points for sign in (-1, 1)]
    up = _Axis([height for height in heights if height > 0 or not plot.is_log], is_log=plot.is_log)
    across = _Axis([point.x for point in points], is_log=plot.is_log)
    across.own = sorted({point.x for series in plot.series if series.has_marks for point in series.points})
    ticks = up.ticks(_HEIGHT // 2 - 2)
    labels = dict(zip((up.cell(tick, _HEIGHT) for tick in ticks), numbers(ticks), strict=True))
    margin = max(map(len, labels.values()))
    columns = max(width - margin - 3, 20)
    marks = dict(zip((series.name for series in plot.series if series.has_marks), itertools.cycle(MARKS), strict=False))
    dots = dict(
        zip((series.name for series in plot.series if not series.has_marks), itertools.cycle(DOTS), strict=False)
    )
    cells = _Cells(across, up, columns)
    for series in plot.series:
        cells.draw(series, marks.get(series.name, ""), dots.get(series.name, DOTS[0]))
    yield plot.y
    for row in reversed(range(_HEIGHT)):
        yield f"{labels.get(row, ''):>{margin}} {'┤' if row in labels else '│'}{''.join(cells.rows[row])}"
    yield from (f"{' ' * margin} {line}" for line in _scale(across, columns))
    yield f"{' ' * margin}  {plot.x}"
    if len(plot.series) > 1 or plot.series[0].name:
        shown = [f"{marks.get(series.name) or dots[series.name]} {series.name}" for series in plot.series]
        yield from _legend(shown, width)


def _legend(entries: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines with as many entries on each as fit; none is broken."""
    line = ""
    for entry in entries:
        longer = f"{line}   {entry}" if line else entry
        if line and wrapping.cells(longer) > width:
            yield line
            longer = entry
        line = longer
    yield line


class _Cells:
    """The characters of a grid, row by row from the bottom."""

    def __init__(self, across: "_Axis", up: "_Axis", columns: int) -> None:
        self._across, self._up, self._columns = across, up, columns
        self.rows = [[" "] * columns for _ in range(_HEIGHT)]

    def draw(self, series: Series, mark: str, dot: str) -> None:
        """Draw a line: marks at its points, if it has any, dots between them, and its errors."""
        for point in series.points:
            self._put(point.x, point.y, mark or dot)
        steps = [step / self._columns for step in range(self._columns + 1)]
        for first, last in itertools.pairwise(series.points):
            for part in steps:
                x = self._across.between(first.x, last.x, part)
                self._put(x, self._up.between(first.y, last.y, part), dot)
        for point in series.points:
            for step in range(_HEIGHT + 1) if point.error else ():
                self._put(point.x, point.y + point.error * (2 * step / _HEIGHT - 1), "│")

    def _put(self, x: float, y: float, mark: str) -> None:
        row, column = self._up.cell(y, _HEIGHT), self._across.cell(x, self._columns)
        if mark not in f"{DOTS}│" or self.rows[row][column] == " ":
            self.rows[row][column] = mark


def _scale(axis: "_Axis", columns: int) -> tuple[str, str]:
    """Return the horizontal axis, and the numbers below it; those for which there is no room are left out."""
    line, labels = ["─"] * columns, ""
    ticks = axis.ticks(_MOST_TICKS, own=True)
    for tick, text in zip(ticks, numbers(ticks), strict=True):
        place = axis.cell(tick, columns)
        start = min(place + 1, columns + 1 - len(text))
        if len(labels) < start or not labels:
            labels = labels.ljust(start) + text + " "
            line[place] = "┬"
    return f"└{''.join(line)}", labels


class _Axis:
    """An axis, from the least of some numbers to the greatest.

    Attributes:
        own: The numbers that are worth a tick, where they are few.
    """

    def __init__(self, values: Sequence[float], *, is_log: bool) -> None:
        self._values, self._is_log = sorted(set(values)), is_log
        self.own = self._values
        self._low, self._high = self._place(self._values[0]), self._place(self._values[-1])

    def _place(self, value: float) -> float:
        return math.log(value) if self._is_log else value

    def cell(self, value: float, count: int) -> int:
        """Return which of so many cells a value is in."""
        if self._is_log and value <= 0:
            return 0
        span = self._high / 2 - self._low / 2  # halves, since the difference of large numbers could be infinite
        part = (self._place(value) / 2 - self._low / 2) / span if span else 0.5
        return min(max(round(part * (count - 1)), 0), count - 1)

    def between(self, first: float, last: float, part: float) -> float:
        """Return the value that lies in some part of the way between two, on this axis."""
        place = self._place(first) * (1 - part) + self._place(last) * part
        return math.exp(place) if self._is_log else place

    def ticks(self, most: int, *, own: bool = False) -> list[float]:
        """Return the values to write at the axis: round ones.

        Args:
            most: How many there is room for.
            own: Write the axis's own values instead, where they are no more than that.
        """
        low, high = self._values[0], self._values[-1]
        if own and 0 < len(self.own) <= most:
            return self.own
        if self._is_log:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            factors = (1,) if len(powers) > most // 2 + 1 else (1, 2, 5)
            rounded = (factor * 10.0**power for power in powers for factor in factors)
            found = [tick for tick in rounded if low <= tick <= high]
            return found if len(found) > 1 else [low, high]
        step = _step((high - low) / most)
        if not step or not math.isfinite(step):
            return [low, high]
        return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
