"""`combine --plot` with the real libraries, which take seconds to import."""

from math import nan
from pathlib import Path

import pytest
from combining import project, recorded
from matplotlib import image
from user_home import new_home

from rookery.core.drawing import Bar, Bars, Histogram, LinePlot, Plot, Point, Series
from rookery.core.errors import RookeryError
from rookery.jobs import options, pictures
from rookery.jobs.monitor import task_grid
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.results import combine


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    new_home(tmp_path_factory.mktemp("home"), monkeypatch)


def test_many_groups_are_cut_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"site": f"s{number}"} for number in range(30)]
    project(tmp_path, **{f"a_{number}__csv": f"x\n{number}\n" for number in range(1, 31)})
    recorded(tmp_path, rows=rows, array="1-30")
    combine.run(options.CombineOptions(project=str(tmp_path), plot=True, plot_file="p.png"))
    output = capsys.readouterr()
    assert "the first 8 of 30 groups are shown" in output.err
    assert "the first 24 of 30 groups are in it" in output.err
    assert "site=s7: 1 values" in output.out
    assert "site=s8" not in output.out


def test_pictures_are_drawn_again_but_never_over_a_changed_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, a_1__csv="method,x\nols,1\nols,2\n", a_2__csv="method,x\nlasso,2\nlasso,5\n")
    recorded(tmp_path, rows=[{"n": 1}, {"n": 2}], array="1-2")
    begins = {"p.png": b"\x89PNG", "p.svg": b"<?xml", "p.pdf": b"%PDF", "p.html": b"<!doctype html>"}
    for by, names in (("n", list(begins)), ("none", ["p.png", "p.html"])):  # of both libraries, one is drawn again
        for name in names:
            combine.run(options.CombineOptions(project=str(tmp_path), plot_file=name, plot_by=by, plot="x"))
            assert (tmp_path / name).read_bytes().startswith(begins[name])
    page = (tmp_path / "p.html").read_text()
    assert "plotly.js" in page
    assert 'src="http' not in page
    assert f"Plotted x into {name}." in capsys.readouterr().out
    (tmp_path / "p.png").write_bytes(b"edited")
    with pytest.raises(RookeryError, match="has changed since"):
        combine.run(options.CombineOptions(project=str(tmp_path), plot_file="p.png"))


@pytest.mark.parametrize(
    ("plot", "words"),
    [
        (
            Bars("Core hours", "hours", [Bar("simulate", {"done": 9, "failed": 1}, 20, "10 of 20"), Bar("fit", {})]),
            ["Core hours", "simulate", "10 of 20", "failed"],
        ),
        (
            task_grid.of(JobRun(41, array=True, name="$x$", tasks={"COMPLETED": "1-60", "FAILED": "61"})),
            ["Tasks of job 41 ($x$): 61", "60 done", "1 failed"],
        ),
        (Histogram("One value", "estimate", {"": [7, 7]}), ["One value", "7"]),
        (LinePlot("Not numbers", "x", "y", [Series("a", [Point(1, nan)])]), ["Not numbers", "no values to draw"]),
    ],
)
def test_pictures_suit_any_page_and_their_text_is_text(tmp_path: Path, plot: Plot, words: list[str]) -> None:
    for name in ("p.svg", "p.png", "p.pdf", "p.html"):
        pictures.write(plot, tmp_path / name)
    drawn = (tmp_path / "p.svg").read_text()
    assert all(f">{word}<" in drawn.replace("> ", ">") for word in words)
    assert "#ffffff" not in drawn.lower()
    before = [(tmp_path / name).read_bytes() for name in ("p.svg", "p.png", "p.pdf")]
    for name in ("p.svg", "p.png", "p.pdf"):
        pictures.write(plot, tmp_path / name)
    assert [(tmp_path / name).read_bytes() for name in ("p.svg", "p.png", "p.pdf")] == before, "it has no date"
    corner = image.imread(tmp_path / "p.png")[0, 0]
    assert corner[3] == 0, "it has no background"
    assert all(word in (tmp_path / "p.html").read_text() for word in words)


def test_a_task_that_waits_does_not_look_like_one_that_was_cancelled(tmp_path: Path) -> None:
    alone = {}
    for state in ("PENDING", "CANCELLED"):
        pictures.write(task_grid.of(JobRun(4, array=True, name="x", tasks={state: "1-9"})), tmp_path / "p.png")
        alone[state] = image.imread(tmp_path / "p.png")[..., 3].mean()
    assert alone["PENDING"] < alone["CANCELLED"] / 2
