"""Plots as plain data, and as text of a terminal; `jobs.pictures` draws the same plots into files."""

from rookery.core.drawing.line_grid import DOTS, MARKS
from rookery.core.drawing.plots import (
    LARGEST,
    NOTHING,
    Bar,
    Bars,
    Histogram,
    LinePlot,
    Plot,
    Point,
    Series,
    StateMark,
    TaskGrid,
    counts,
    drawable,
    edges,
    number,
    numbers,
)
from rookery.core.drawing.text import bar, coloured, lines, row_length, shown_name

__all__ = [
    "DOTS",
    "LARGEST",
    "MARKS",
    "NOTHING",
    "Bar",
    "Bars",
    "Histogram",
    "LinePlot",
    "Plot",
    "Point",
    "Series",
    "StateMark",
    "TaskGrid",
    "bar",
    "coloured",
    "counts",
    "drawable",
    "edges",
    "lines",
    "number",
    "numbers",
    "row_length",
    "shown_name",
]
