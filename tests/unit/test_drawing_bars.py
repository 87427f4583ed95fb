"""Bars and grids of tasks drawn with characters: as wide as the terminal, and with nothing that colour alone says."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rookery.core import drawing, wrapping
from rookery.core.drawing import Bar, Bars
from rookery.jobs.monitor import task_grid
from rookery.jobs.monitor.accounting import JobRun

lengths = st.floats(min_value=0, max_value=1e12, allow_nan=False)


def test_a_bar_is_as_long_as_its_part_of_the_longest() -> None:
    text = drawing.lines(Bars("t", "hours", [Bar("a", {"x": 100}), Bar("b", {"x": 50}), Bar("c", {"x": 0})]), 60)
    filled = [line.count("█") for line in text if "│" in line]
    assert filled[0] == pytest.approx(2 * filled[1], abs=1)
    assert filled[2] == 0
    assert [line.split()[-1] for line in text if "│" in line] == ["100", "50", "0"]


def test_parts_differ_without_colours() -> None:
    text = drawing.lines(Bars("t", "hours", [Bar("a", {"done": 1, "failed": 1})]), 60, plain=True)
    bar = text[1].partition("|")[2]
    assert bar.count("#") == pytest.approx(bar.count("="), abs=1)
    assert "# done   = failed" in text


def test_what_is_left_of_a_limit_is_seen() -> None:
    bar = drawing.lines(Bars("t", "%", [Bar("home", {"used": 25}, 100, "1 of 4 GB")]), 60)[1]
    assert bar.count("░") == pytest.approx(3 * bar.count("█"), abs=3)
    assert bar.endswith("1 of 4 GB")


@example([("", [5e-324], 0.0)], 60, False)
@given(
    st.lists(st.tuples(st.text(max_size=50), st.lists(lengths, max_size=4), lengths), max_size=6),
    st.integers(min_value=60, max_value=200),
    st.booleans(),
)
def test_any_bars_fit(rows: list[tuple[str, list[float], float]], width: int, plain: bool) -> None:
    bars = [Bar("".join(filter(str.isprintable, name)), dict(zip("abcd", parts, strict=False)), whole)
            for name, parts, whole in rows]  # fmt: skip
    text = drawing.lines(Bars("t", "x", bars), width, plain=plain)
    assert max(map(wrapping.cells, text)) <= width


def array(**tasks: str) -> JobRun:
    return JobRun(41, array=True, name="simulate", tasks=tasks)


def test_each_task_is_a_character_in_its_place() -> None:
    run = array(COMPLETED="1-40,42-60", FAILED="41", RUNNING="61-62", PENDING="63-80")
    text = drawing.lines(task_grid.of(run), 60, plain=True)
    assert text == [
        "Tasks of job 41 (simulate): 80",
        f" 1 {'#' * 50}".replace("#" * 50, "#" * 40 + "x" + "#" * 9),
        f"51 {'#' * 10}>>{'.' * 18}",
        "# 59 done   x 1 failed   > 2 running   . 18 waiting",
    ]


def test_tasks_that_were_killed_for_memory_are_shown_as_such() -> None:
    run = JobRun(4, array=True, tasks={"FAILED": "1-3", "CANCELLED": "4"}, killed_for_memory="2,4")
    assert [mark.plain for mark in task_grid.of(run).marks] == ["x", "M", "x", "M"]


def test_thousands_of_tasks_share_cells_and_a_failure_is_never_lost() -> None:
    grid = task_grid.of(array(COMPLETED="0-49999", TIMEOUT="50000", PENDING="50001-99999"))
    assert len(grid.marks) <= task_grid.MOST_CELLS
    assert grid.each * len(grid.marks) >= 100_000
    assert [mark.word for mark in grid.marks].count("out of time") == 1
    assert grid.counts == {"done": 50_000, "out of time": 1, "waiting": 49_999}
    assert f"Each character is {grid.each} tasks" in drawing.lines(grid, 80)[-1]


@given(st.integers(min_value=1, max_value=400), st.integers(min_value=40, max_value=250))
def test_a_grid_fits_and_has_every_task(tasks: int, width: int) -> None:
    text = drawing.lines(task_grid.of(array(COMPLETED=f"1-{tasks}")), width)
    assert sum(line.count("■") for line in text[1:-1]) == tasks
    assert max(map(wrapping.cells, text)) <= width
