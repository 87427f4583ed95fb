"""Plots drawn with characters: as wide as the terminal, every value counted, every mark where its value is."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.core import drawing
from rookery.core.drawing import Bar, Bars, Histogram, LinePlot, Point, Series, TaskGrid

finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e150, max_value=1e150)


def test_a_histogram_counts_each_group_in_the_same_bins() -> None:
    plot = Histogram("x", "x", {"m=a": [0.1, 0.2, 0.2, 0.9], "m=b": [0.9]})
    lines = drawing.lines(plot, 40)
    assert lines[0] == "x"
    assert [line for line in lines if line.endswith("values")] == ["m=a: 4 values", "m=b: 1 values"]
    bars = [line for line in lines if "│" in line]
    labels = [bar.partition("│")[0] for bar in bars]
    assert labels[: len(labels) // 2] == labels[len(labels) // 2 :]
    counted = [int(bar.rpartition(" ")[2]) for bar in bars if "█" in bar]
    assert sum(counted) == 5
    assert max(len(line) for line in lines) <= 40


@given(st.lists(finite, min_size=1, max_size=60))
def test_every_value_is_in_one_bin(values: list[float]) -> None:
    bins = drawing.edges(values)
    rounding = 1e-9 * max(map(abs, values))
    assert bins[0] <= min(values) + rounding
    assert bins[-1] >= max(values) - rounding
    assert all(low <= high for low, high in itertools.pairwise(bins))
    assert sum(drawing.counts(values, bins)) == len(values)
    assert len(bins) <= 30


@given(
    st.lists(st.tuples(st.floats(), st.floats()), max_size=20),
    st.integers(min_value=60, max_value=120),
    st.booleans(),
)
def test_any_numbers_can_be_drawn(pairs: list[tuple[float, float]], width: int, is_log: bool) -> None:
    points = [Point(x, y) for x, y in sorted(pairs)]
    lines = drawing.lines(LinePlot("t", "x", "y", [Series("", points)], is_log=is_log), width, plain=True)
    shown = [point for point in points if point.is_drawable and not (is_log and min(point.x, point.y) <= 0)]
    assert any("o" in line for line in lines[2:]) if shown else lines == ["t", drawing.NOTHING]
    values = [y for _, y in pairs]
    histogram = drawing.lines(Histogram("t", "x", {"": values}), width, plain=True)
    counted = [int(line.rpartition(" ")[2]) for line in histogram if "#" in line]
    assert sum(counted) == sum(abs(value) < drawing.LARGEST for value in values)
    assert max(map(len, lines + histogram)) <= width
    assert all(line.isascii() for line in lines + histogram)


@pytest.mark.parametrize(
    "plot",
    [
        Histogram("t", "x", {}),
        Histogram("t", "x", {"a": [], "b": [math.nan]}),
        LinePlot("t", "x", "y", []),
        LinePlot("t", "x", "y", [Series("a", [])]),
        LinePlot("t", "x", "y", [Series("a", [Point(1, 0)])], is_log=True),
        Bars("t", "x", []),
        TaskGrid("t", [], [], {}),
    ],
)
def test_a_plot_of_nothing_says_so(plot: drawing.Plot) -> None:
    assert drawing.lines(plot, 80) == ["t", drawing.NOTHING]


def test_what_has_no_place_is_left_out_and_the_rest_is_drawn() -> None:
    plot = LinePlot(
        "t", "x", "y", [Series("a", [Point(1, 1), Point(2, math.nan), Point(3, math.inf)]), Series("b", [])]
    )
    assert drawing.lines(plot, 60) == drawing.lines(LinePlot("t", "x", "y", [Series("a", [Point(1, 1)])]), 60)
    bars = Bars("t", "x", [Bar("a", {"u": math.nan}), Bar("b", {"u": -3}), Bar("c", {"u": 2})])
    assert [line.count("█") > 0 for line in drawing.lines(bars, 60)[1:4]] == [False, False, True]


def test_marks_are_where_their_values_are() -> None:
    plot = LinePlot("t", "cores", "speed", [Series("a", [Point(1, 1), Point(2, 2), Point(4, 4)])], is_log=True)
    rows = [line.partition(mark)[2] for line in drawing.lines(plot, 60) for mark in "┤│" if mark in line]
    places = sorted((row.index("o"), number) for number, row in enumerate(rows) if "o" in row)
    columns, heights = [column for column, _ in places], [height for _, height in places]
    assert columns[0] == 0
    assert columns[2] == len(rows[0].rstrip()) - 1 == pytest.approx(2 * columns[1], abs=1)
    assert heights[0] > heights[1] > heights[2] == 0


def test_lines_have_their_own_marks_and_a_legend() -> None:
    series = [
        Series("ols", [Point(1, 1, 0.5), Point(2, 2)]),
        Series("ideal", [Point(1, 3), Point(2, 3)], has_marks=False),
        Series("lasso", [Point(1, 5), Point(2, 5)]),
    ]
    lines = drawing.lines(LinePlot("t", "n", "y", series), 60)
    assert lines[-1] == "o ols   · ideal   x lasso"
    assert drawing.lines(LinePlot("t", "n", "y", series), 20)[-2:] == ["o ols   · ideal", "x lasso"]
    assert sum(line.count("o") for line in lines[2:-2]) == 2
    assert any(line.partition("┤")[2].startswith("│") or line.partition("│")[2].startswith("│") for line in lines)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.1, 0.2], ["0.1", "0.2"]),
        ([1000.01, 1000.02], ["1000.01", "1000.02"]),
        ([1e9, 2e9], ["1e+09", "2e+09"]),
        ([1e15, 1e15 + 1], ["1000000000000000", "1000000000000001"]),
    ],
)
def test_numbers_at_an_axis_can_be_told_apart(values: list[float], texts: list[str]) -> None:
    assert drawing.numbers(values) == texts
