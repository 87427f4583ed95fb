"""`combine --plot`: a histogram or the mean by a parameter, groups of a sweep apart, what is no number named."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from combining import combined, project, recorded

from rookery.core import extras
from rookery.core.drawing import Histogram, LinePlot
from rookery.core.errors import RookeryError
from rookery.jobs import options, pictures
from rookery.jobs.results import combine, plot


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


def table(root: Path, text: str) -> Path:
    path = root / "combined.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), (" 1e3 ", 1000), ("TRUE", 1), ("False", 0), ("abc", None), ("1,5", None), ("1_0", None), ("", None)],
)
def test_numbers(text: str, value: float | None) -> None:
    assert plot.number(text) == value


@pytest.mark.parametrize("text", ["NA", "NaN", "nan", "inf", "-Inf", "1e300", '"NA"'])
def test_no_number_to_draw(text: str) -> None:
    value = plot.number(text)
    assert value is not None
    assert value != value  # noqa: PLR0124 NaN


def test_the_mean_by_the_numeric_parameter_keeps_methods_apart(tmp_path: Path) -> None:
    rows = ["task,method,n,seed,estimate"]
    for method, base in (("ols", 1), ("lasso", 3)):
        rows += [f"{len(rows)},{method},{n},{seed},{base + seed / 10}" for n in (10, 20) for seed in (1, 2)]
    path = table(tmp_path, "\n".join(rows) + "\n")
    drawn, result = plot.make(path, "", "", ("method", "n", "seed"))
    assert isinstance(drawn, LinePlot)
    assert (result.column, result.by, result.groups) == ("estimate", "n", {"method=ols": 4, "method=lasso": 4})
    first = drawn.series[0].points
    assert [(point.x, round(point.y, 9)) for point in first] == [(10, 1.15), (20, 1.15)]
    assert first[0].error == pytest.approx(0.05)  # the sample's deviation is 0.0707, of two values


def test_a_sweep_over_seeds_alone_is_a_histogram(tmp_path: Path) -> None:
    path = table(tmp_path, "task,seed,x\n1,5,0.1\n2,6,0.2\n")
    drawn, result = plot.make(path, "x", "", ("seed",))
    assert isinstance(drawn, Histogram)
    assert (dict(drawn.groups), result.by) == ({"": [0.1, 0.2]}, "")
    by_seed, _ = plot.make(path, "X", "Seed", ("seed",))
    assert isinstance(by_seed, LinePlot)
    assert by_seed.x == "seed"
    forced, _ = plot.make(table(tmp_path, "n,x\n1,5\n2,6\n"), "x", "none", ("n",))
    assert isinstance(forced, Histogram)
    assert list(forced.groups) == ["n=1", "n=2"]


def test_several_runs_in_a_table_are_groups(tmp_path: Path) -> None:
    path = table(tmp_path, "run,task,x\n41,1,0.1\n42,1,0.2\n")
    drawn, _ = plot.make(path, "", "", ())
    assert isinstance(drawn, Histogram)
    assert dict(drawn.groups) == {"run=41": [0.1], "run=42": [0.2]}


def test_what_is_no_number_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, a_1__csv="x\n1\nNA\n", a_2__csv="x\nabc\n2\n", a_3__csv='x\n""\n3\n', a_4__csv="x\ninf\n")
    recorded(tmp_path, array="1-4")
    assert combine.run(options.CombineOptions(project=str(tmp_path), plot=True)) == 0
    output = capsys.readouterr()
    assert (
        "not in the plot of x: rows 1 without a value, 2 with NaN, NA or infinity, 1 with text ('abc' in row 3)"
        in output.err
    )
    assert "█ 1" in output.out
    document = combined(tmp_path, capsys, plot="x")
    assert {key: document["plot"][key] for key in ("values", "empty", "undefined", "text")} == {
        "values": 3, "empty": 1, "undefined": 2, "text": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        ({"plot": "estimat"}, "combined.csv has no column 'estimat'. Its columns: task, method, estimate.", "estimate"),
        ({"plot": "method"}, "column method of combined.csv has no numbers (2 text)", "--plot estimate"),
        ({"plot": True, "plot_by": "q"}, "has no column 'q'", "--plot-by method"),
        ({"plot_file": "a.gif"}, "--plot-file a.gif must end in .png, .svg, .pdf or .html.", "--plot-file plot.png"),
        ({"plot_file": "mine.png"}, "mine.png already exists, and was not drawn by rookery", "--plot-file plot.png"),
    ],
)
def test_what_can_t_be_plotted_is_refused(tmp_path: Path, flags: dict[str, Any], message: str, hint: str) -> None:
    project(tmp_path, a_1__csv="method,estimate\nols,1\n", a_2__csv="method,estimate\nlasso,2\n")
    (tmp_path / "mine.png").write_text("x")
    with pytest.raises(RookeryError) as caught:
        combine.run(options.CombineOptions(project=str(tmp_path), **flags))
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert (tmp_path / "mine.png").read_text() == "x"


def test_a_missing_library_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, a_1__csv="x\n1\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for name, library in (("a.png", "matplotlib"), ("a.html", "plotly")):
        with pytest.raises(RookeryError) as caught:
            combine.run(options.CombineOptions(project=str(tmp_path), plot_file=name))
        assert caught.value.message.startswith(f"{library} is not installed")
        assert caught.value.hint == f"uv sync --project {extras.paths.root()} --inexact --no-dev --extra plot"
    monkeypatch.setattr(extras.paths, "root", lambda: tmp_path)
    with pytest.raises(RookeryError) as caught:
        pictures.check(tmp_path / "a.png", "a.png")
    assert caught.value.hint == "uv tool install 'rookery-hpc[plot]'"
    assert not (tmp_path / "combined.csv").exists()


def test_the_command_that_installs_an_extra_can_be_pasted_and_keeps_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras.paths, "root", lambda: tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "matplotlib" or None)
    assert extras.installation("top") == "uv tool install 'rookery-hpc[plot,top]'"
    monkeypatch.setenv("PATH", "/nowhere")
    for file in (tmp_path / "pyproject.toml", tmp_path / ".tools/bin/uv"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    uv = f"{tmp_path}/.tools/bin/uv sync --project {tmp_path}"
    assert extras.installation("top") == f"{uv} --inexact --no-dev --extra top"


def test_the_command_line_of_a_plot_is_written_as_it_is_typed() -> None:
    assert options.CombineOptions(plot=True, plot_by="n").command("combine") == "invoke combine --plot --plot-by n"
    assert options.CombineOptions(job="41", plot="x").command("combine") == "invoke combine 41 --plot=x"
