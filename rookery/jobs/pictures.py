"""Draw plots into files: PNG, SVG and PDF by matplotlib, which is an extra of rookery's; HTML by `jobs.plot_pages`.

It is imported only where a picture is asked for: that takes longer than most commands to run.
"""

import importlib.util
import io
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rookery.core import atomic_files, drawing, extras, palette, typed_command, written_files
from rookery.core.drawing import Bars, Histogram, LinePlot, Plot, StateMark, TaskGrid
from rookery.core.errors import RookeryError
from rookery.jobs import plot_pages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LIBRARIES: Final = {".png": "matplotlib", ".svg": "matplotlib", ".pdf": "matplotlib", ".html": "plotly"}
_WRITTEN = "pictures"
_NO_DATE: Final[dict[str, dict[str, Any]]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""When it was drawn is not in it: the same picture is the same file."""

_CELL = 0.13
"""Inches that a row of tasks is high."""

_ROOM_FOR_NOTES = 1.25
"""How much longer than its longest bar a chart is, for what is written behind that."""

_STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": palette.GREY,
    "axes.labelcolor": palette.GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": palette.GREY,
    "font.size": 10,
    "grid.color": palette.GREY,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text, which can be found and read aloud
    "svg.hashsalt": "rookery",  # the names of its parts are not random
    "text.color": palette.GREY,
    "text.parse_math": False,  # a $ is a $
    "xtick.color": palette.GREY,
    "ytick.color": palette.GREY,
}
"""matplotlib's settings, beside its own: whatever matplotlibrc the user has, pictures look alike."""


def path(shown: str) -> Path:
    """Return the file that `--plot-file` names, from the folder where the user is."""
    return Path(shown).expanduser().absolute()


def check(path: Path, shown: str) -> None:
    """Refuse a picture that can't be drawn or would overwrite a file of the user's, before anything else is done.

    Args:
        path: The file.
        shown: As the user typed it.

    Raises:
        RookeryError: Its ending is unknown, the library is missing, or the file is not one that rookery drew.
    """
    library = _LIBRARIES.get(path.suffix.lower())
    if not library:
        raise RookeryError(
            f"--plot-file {shown} must end in .png, .svg, .pdf or .html.",
            hint=typed_command.again("--plot-file", "plot.png"),
        )
    if importlib.util.find_spec(library) is None:
        without = " Without it, `--plot` draws in the terminal." if typed_command.takes("--plot") else ""
        needed = f"{library} is not installed; rookery needs it to write {shown}.{without}"
        raise RookeryError(needed, hint=extras.installation("plot"))
    if path.is_dir() or (path.exists() and not written_files.is_unchanged(_WRITTEN, path)):
        raise RookeryError(
            f"{shown} already exists, and was not drawn by rookery or has changed since.",
            hint=f"{typed_command.again('--plot-file', f'plot{path.suffix}')}   # or move that file",
        )


def write(plot: Plot, path: Path) -> None:
    """Draw a plot into a file, whole or not at all.

    Args:
        plot: What to draw.
        path: The file, which `check` has let pass.
    """
    ending = path.suffix.lower()
    content = plot_pages.page(plot) if ending == ".html" else _image(plot, ending.removeprefix("."))
    atomic_files.write(path, content, mode=0o644)
    written_files.remember(_WRITTEN, path)


def _image(plot: Plot, form: str) -> bytes:
    """Return a plot as matplotlib draws it: on no background, so that it suits a light page and a dark one."""
    from matplotlib import style
    from matplotlib.figure import Figure

    output = io.BytesIO()
    with style.context(["default", _STYLE]):
        found = drawing.drawable(plot)
        figure = Figure(figsize=(7, _height(found)), layout="constrained")
        figure.suptitle(plot.title, color=palette.GREY)
        if isinstance(found, Histogram):
            _draw_histogram(found, figure)
        elif isinstance(found, LinePlot):
            _draw_lines(found, figure.subplots())
        elif isinstance(found, Bars):
            _draw_bars(found, figure.subplots())
        elif found:
            _draw_tasks(found, figure.subplots())
        else:
            figure.text(0.5, 0.4, drawing.NOTHING, ha="center")
        figure.savefig(output, format=form, dpi=150, transparent=True, metadata=_NO_DATE.get(form))
    return output.getvalue()


def _height(plot: Plot | None) -> float:
    """Return the height of a picture, in inches."""
    if not plot:
        return 1
    if isinstance(plot, Histogram):
        return 4.2 if len(plot.groups) == 1 else 1 + 2.2 * len(plot.groups)
    if isinstance(plot, Bars):
        return 1.3 + 0.4 * len(plot.bars)
    return 4.2 if isinstance(plot, LinePlot) else 1.2 + _CELL * math.ceil(len(plot.firsts) / _cells_per_row(plot))


def _draw_histogram(plot: Histogram, figure: "Figure") -> None:
    panels = figure.subplots(len(plot.groups), 1, sharex=True, squeeze=False)[:, 0]
    bins = drawing.edges([value for values in plot.groups.values() for value in values])
    for axes, (name, values) in zip(panels, plot.groups.items(), strict=True):
        if bins[0] < bins[-1]:
            axes.stairs(drawing.counts(values, bins), bins, fill=True, color=palette.BLUE)
        else:  # all values are the same: one bar, with that below it
            axes.bar([0], [len(values)], color=palette.BLUE)
            axes.set_xlim(-3, 3)
            axes.set_xticks([0], [drawing.number(bins[0])])
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel("values")
        if name:
            axes.set_title(name, fontsize="medium")
    panels[-1].set_xlabel(plot.x)


def _draw_bars(plot: Bars, axes: "Axes") -> None:
    names, places = [drawing.shown_name(bar) for bar in plot.bars], range(len(plot.bars))
    wholes = [bar.whole for bar in plot.bars]
    if any(wholes):
        axes.barh(places, wholes, height=0.6, color=palette.GREY, alpha=0.25)
    before = [0.0] * len(names)
    for kind, fill in plot.kinds.items():
        lengths = [bar.parts.get(kind, 0) for bar in plot.bars]
        axes.barh(places, lengths, height=0.6, left=before, color=fill, label=kind)
        before = [start + length for start, length in zip(before, lengths, strict=True)]
    for place, bar in enumerate(plot.bars):
        note = f" {bar.note or drawing.number(bar.length)}"
        axes.text(max(bar.length, bar.whole), place, note, va="center", fontsize="small")
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(plot.x)
    longest = plot.longest or 1
    axes.set_xlim(0, longest * _ROOM_FOR_NOTES)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= longest])
    if len(plot.kinds) > 1:
        axes.figure.legend(loc="outside lower center", ncols=len(plot.kinds))


def _cells_per_row(plot: TaskGrid) -> int:
    return drawing.row_length(len(plot.firsts), 50)


def _draw_tasks(plot: TaskGrid, axes: "Axes") -> None:
    """Draw a square for each cell, an empty one where nothing has begun."""
    from matplotlib.patches import Patch, Rectangle

    per_row = _cells_per_row(plot)
    for place, mark in enumerate(plot.marks):
        row, column = divmod(place, per_row)
        axes.add_patch(Rectangle((column + 0.1, row + 0.1), 0.8, 0.8, **_look(mark)))
    axes.set_xlim(0, per_row)
    axes.set_ylim(math.ceil(len(plot.marks) / per_row), 0)
    axes.set_aspect("equal")
    rows = range(0, len(plot.firsts), per_row if len(plot.firsts) <= 10 * per_row else 5 * per_row)
    axes.set_yticks([row / per_row + 0.5 for row in rows], [str(plot.firsts[row]) for row in rows])
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if plot.each > 1:
        axes.set_xlabel(f"Each cell is {plot.each:,} tasks, in the worst state that one of them is in.")
    handles = [Patch(label=f"{plot.counts[word]:,} {word}", **_look(mark)) for word, mark in plot.legend.items()]
    axes.figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=0.8, handleheight=0.8)


def _look(mark: StateMark) -> dict[str, Any]:
    """Return how matplotlib draws the square of a state."""
    fill = "none" if mark.is_hollow else mark.fill
    return {"facecolor": fill, "edgecolor": mark.fill, "linewidth": 0.6, "clip_on": False}


def _draw_lines(plot: LinePlot, axes: "Axes") -> None:
    marks, colours = itertools.cycle("osv^D*Px"), itertools.cycle(palette.SERIES)
    dashes = itertools.cycle(("--", ":"))
    for series in plot.series:
        x, y, errors = zip(*((point.x, point.y, point.error) for point in series.points), strict=True)
        if series.has_marks:
            axes.errorbar(
                x,
                y,
                yerr=errors if any(errors) else None,
                marker=next(marks),
                capsize=3,
                color=next(colours),
                label=series.name or None,
            )
        else:
            axes.plot(x, y, linestyle=next(dashes), color=palette.GREY, label=series.name or None)
    if plot.is_log:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: drawing.number(value))
        axes.yaxis.set_major_formatter(lambda value, _: drawing.number(value))
        ticks = sorted({point.x for series in plot.series if series.has_marks for point in series.points})
        axes.set_xticks(ticks, minor=False)
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    if len(plot.series) > 1 or plot.series[0].name:
        axes.legend()
