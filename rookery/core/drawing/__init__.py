"""Plots as plain data, and as text of a terminal; `jobs.pictures` draws the same plots into files."""

from rookery.core.drawing.line_grid import DOTS, MARKS
from rookery.core.drawing.plots import (
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
    edges,
    number,
    numbers,
)
from rookery.core.drawing.text import bar, coloured, lines, row_length, shown_name

__all__ = [
    "DOTS",
    "MARKS",
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
    "edges",
    "lines",
    "number",
    "numbers",
    "row_length",
    "shown_name",
]
