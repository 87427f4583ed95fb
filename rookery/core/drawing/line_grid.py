"""Lines over a pair of axes, drawn as marks on a grid of characters."""

import itertools
import math
from collections.abc import Iterator, Sequence

from rookery.core.drawing.legends import legend
from rookery.core.drawing.plots import LinePlot, Series, numbers, rounded_up

MARKS = "ox+*#@%&"
"""What the points of each line are drawn with; a plot of more lines is hard to read in any form."""

DOTS = "·-"
"""What lines without marks are drawn with; the first is also between the marks of others."""

_HEIGHT = 16
_MOST_TICKS = 8


def lines(plot: LinePlot, width: int) -> Iterator[str]:
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
        yield from legend(shown, width)


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
        step = rounded_up((high - low) / most)
        if not step or not math.isfinite(step):
            return [low, high]
        return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
