"""Plots as plain data: what a picture shows, whatever draws it, and the numbers at its axes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rookery.core import palette

LARGEST = 1e150
"""Numbers from this on are not drawn: their squares, and the steps of an axis, are no numbers any more."""

_FEWEST_BINS, _MOST_BINS = 5, 20


@dataclass(frozen=True)
class Point:
    """A point of a line, and its standard error; 0 where that is not known."""

    x: float
    y: float
    error: float = 0

    @property
    def is_drawable(self) -> bool:
        """Whether it has a place on any axes."""
        return all(abs(value) < LARGEST for value in (self.x, self.y, self.error))


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


@dataclass(frozen=True)
class Bar:
    """A bar of a chart.

    Attributes:
        name: What it is of.
        parts: Its lengths, by what each is of; they follow one another.
        whole: The length that it could have, such as a limit, drawn in the background; 0 for none.
        note: What is written behind it; its length where that is "".
    """

    name: str
    parts: Mapping[str, float]
    whole: float = 0
    note: str = ""

    @property
    def length(self) -> float:
        """The length of all its parts."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Bars:
    """Bars below each other, all from one line on.

    Attributes:
        title: What is shown.
        x: What their lengths are, with the unit.
        bars: The bars, the first on top.
        fills: The colour of each kind of part, as #rrggbb; those of `palette.SERIES` for others, in their order.
    """

    title: str
    x: str
    bars: Sequence[Bar]
    fills: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, str]:
        """The colour of each kind of part that a bar has, in their order."""
        names = dict.fromkeys(name for bar in self.bars for name in bar.parts)
        colours = palette.SERIES
        return {name: self.fills.get(name) or colours[place % len(colours)] for place, name in enumerate(names)}

    @property
    def longest(self) -> float:
        """The length for which there has to be room."""
        return max((max(bar.length, bar.whole) for bar in self.bars), default=0)


@dataclass(frozen=True)
class StateMark:
    """How a task in some state is drawn in a grid.

    Attributes:
        word: The state, for the legend; several of Slurm's states may have one word.
        character: One column of a terminal.
        plain: The same in ASCII.
        colour: The colour on a terminal; "" for that of other text.
        fill: The colour in a picture, as #rrggbb.
        is_hollow: A picture has only its outline in that colour.
    """

    word: str
    character: str
    plain: str
    colour: str
    fill: str
    is_hollow: bool = False


@dataclass(frozen=True)
class TaskGrid:
    """The tasks of an array, one cell each, or one cell for several where they are many.

    Attributes:
        title: What is shown.
        firsts: The number of the first task in each cell.
        marks: How each cell is drawn.
        counts: How many tasks there are of each word of the legend, in its order.
        each: How many tasks a cell stands for.
    """

    title: str
    firsts: Sequence[int]
    marks: Sequence[StateMark]
    counts: Mapping[str, int]
    each: int = 1

    @property
    def legend(self) -> dict[str, StateMark]:
        """The mark of each word that is drawn, in the order of the counts."""
        drawn = {mark.word: mark for mark in self.marks}
        return {word: drawn[word] for word in self.counts if word in drawn}


Plot = Histogram | LinePlot | Bars | TaskGrid

NOTHING = "no values to draw"
"""What a picture says that would be empty."""


def drawable(plot: Plot) -> Plot | None:
    """Return a plot without what has no place in a picture; None where nothing is left.

    Left out are what is not a number or from LARGEST on, on logarithmic axes what is not positive, lengths below 0, and
    groups and lines without a value.
    """
    if isinstance(plot, Histogram):
        groups = {name: [value for value in values if abs(value) < LARGEST] for name, values in plot.groups.items()}
        groups = {name: values for name, values in groups.items() if values}
        return replace(plot, groups=groups) if groups else None
    if isinstance(plot, LinePlot):
        lowest = 0.0 if plot.is_log else -math.inf
        series = [
            replace(
                line, points=[point for point in line.points if lowest < min(point.x, point.y) and point.is_drawable]
            )
            for line in plot.series
        ]
        series = [line for line in series if line.points]
        return replace(plot, series=series) if series else None
    if isinstance(plot, Bars):
        bars = [
            replace(bar, parts={name: length for name, length in bar.parts.items() if 0 <= length < LARGEST})
            for bar in plot.bars
        ]
        return replace(plot, bars=bars) if bars else None
    return plot if plot.firsts else None


def number(value: float) -> str:
    """Return a number for an axis or a table: four digits, no zeros at the end."""
    return f"{value:.4g}"


def numbers(values: Sequence[float]) -> list[str]:
    """Return numbers for an axis, with four digits, or as many more as distinguish them (17 always do)."""
    for digits in range(4, 18):
        texts = [f"{value:.{digits}g}" for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def edges(values: Sequence[float]) -> list[float]:
    """Return the edges of bins for values: round numbers, between which all values are.

    There are about as many as Sturges' rule has, log2(n) + 1.
    """
    low, high = min(values), max(values)
    wanted = min(max(math.ceil(math.log2(len(values))) + 1, _FEWEST_BINS), _MOST_BINS)
    step = rounded_up((high - low) / wanted) if high - low > 1e-9 * max(abs(low), abs(high)) else 0
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


def rounded_up(least: float) -> float:
    """Return the next step up that is round: 1, 2 or 5 times a power of ten."""
    if least <= 0:
        return 0
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least * (1 - 1e-9)), 10 * power)
