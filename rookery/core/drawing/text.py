"""Plots drawn with characters, in columns of a terminal."""

import itertools
from collections.abc import Iterable, Iterator

from rookery.core import wrapping
from rookery.core.drawing import line_grid
from rookery.core.drawing.legends import legend
from rookery.core.drawing.plots import (
    NOTHING,
    Bar,
    Bars,
    Histogram,
    Plot,
    TaskGrid,
    counts,
    drawable,
    edges,
    number,
    numbers,
)

_ASCII = str.maketrans("█░▒▓│┤─└┬·…", "#.=%||-++..")
_PARTS = "█▒▓"
"""What the parts of a bar are drawn with, in turn; a colour would be lost in a file or without colours."""

_LONGEST_NAME = 30
_MOST_IN_A_ROW = 100

Line = list[tuple[str, str]]
"""A line of a terminal: texts, each with its colour; "" for that of other text."""


def lines(plot: Plot, width: int, *, plain: bool = False) -> list[str]:
    """Return a plot as lines of text.

    Args:
        plot: What to draw.
        width: Columns that there are.
        plain: Use no character beyond ASCII.
    """
    return ["".join(text for text, _ in line).rstrip() for line in coloured(plot, width, plain=plain)]


def coloured(plot: Plot, width: int, *, plain: bool = False) -> list[Line]:
    """Return a plot as lines of texts with their colours; arguments as of `lines`."""
    found = drawable(plot)
    if isinstance(found, TaskGrid):
        return list(_task_grid(found, width, plain=plain))
    drawn: Iterable[str] = [NOTHING]
    if isinstance(found, Histogram):
        drawn = _histogram(found, width)
    elif found:
        drawn = _bars(found, width) if isinstance(found, Bars) else line_grid.lines(found, width)
    return [[(line.translate(_ASCII) if plain else line, "")] for line in (plot.title, *drawn)]


def bar(length: float, whole: float, width: int, *, plain: bool = False) -> str:
    """Return a bar of so many columns for the whole, filled to a length of it; at least one where it is not 0."""
    filled = min(max(round(length / whole * width), int(length > 0)), width) if whole else 0
    text = "█" * filled + "░" * (width - filled)
    return text.translate(_ASCII) if plain else text


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


def _bars(plot: Bars, width: int) -> Iterator[str]:
    """Yield a line for each bar, and a legend where they have several parts."""
    kinds = dict(zip(plot.kinds, itertools.cycle(_PARTS), strict=False))
    notes = [bar.note or number(bar.length) for bar in plot.bars]
    names = [shown_name(bar) for bar in plot.bars]
    column, behind = (max(map(wrapping.cells, texts), default=0) for texts in (names, notes))
    room = max(width - column - behind - 4, 5)
    longest = plot.longest or 1.0
    for shown, name, note in zip(plot.bars, names, notes, strict=True):
        drawn, reached = "", 0.0
        for kind, length in shown.parts.items():
            reached += length
            drawn += kinds[kind] * max(round(reached / longest * room) - len(drawn), int(length > 0))
        drawn = drawn[:room] + "░" * (round(shown.whole / longest * room) - len(drawn))
        yield f"{name}{' ' * (column - wrapping.cells(name))} │{drawn} {note}"
    if len(kinds) > 1:
        yield from legend([f"{character} {kind}" for kind, character in kinds.items()], width)
    yield plot.x


def shown_name(bar: Bar) -> str:
    """Return the name of a bar, cut where it is so long that it would leave no room for the bar."""
    name = bar.name
    while wrapping.cells(name) > _LONGEST_NAME:
        name = f"{name.removesuffix('…')[:-1]}…"
    return name


def _task_grid(grid: TaskGrid, width: int, *, plain: bool) -> Iterator[Line]:
    """Yield rows of cells with the number of the first task in each, and a legend that counts."""
    yield [(grid.title, "")]
    margin = max((len(str(first)) for first in grid.firsts), default=1)
    per_row = row_length(len(grid.firsts), width - margin - 1)
    for begin in range(0, len(grid.firsts), per_row):
        line: Line = [(f"{grid.firsts[begin]:>{margin}} ", "")]
        for mark, alike in itertools.groupby(grid.marks[begin : begin + per_row]):
            line.append(((mark.plain if plain else mark.character) * len(list(alike)), mark.colour))
        yield line
    line, used = [], 0
    for word, count in grid.counts.items():
        found = grid.legend.get(word)
        text = f" {count:,} {word}"
        if used and used + len(text) + 4 > width:
            yield line
            line, used = [], 0
        line += [("   ", "")] * bool(used)
        line += [((found.plain if plain else found.character), found.colour)] if found else []
        line.append((text if found else text.strip(), ""))
        used += len(text) + 4
    yield line
    if grid.each > 1:
        yield [(f"Each character is {grid.each:,} tasks, in the worst state that one of them is in.", "")]


def row_length(cells: int, room: int) -> int:
    """Return how many cells are in a row of a grid: a round number, so that a task is found by counting tens."""
    widest = max(min(room, _MOST_IN_A_ROW), 1)
    for step in (50, 10):
        if widest >= 2 * step or (widest >= step and step == 10):
            return min(widest - widest % step, max(cells, 1))
    return widest
