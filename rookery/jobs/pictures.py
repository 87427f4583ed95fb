"""Draw plots into files: PNG, SVG and PDF by matplotlib, HTML by plotly, which are an extra of rookery's.

They are imported only where a picture is asked for: both take longer to import than most commands to run.
"""

import importlib.util
import io
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rookery.core import atomic_files, drawing, extras, typed_command, written_files
from rookery.core.drawing import Histogram, LinePlot
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LIBRARIES: Final = {".png": "matplotlib", ".svg": "matplotlib", ".pdf": "matplotlib", ".html": "plotly"}
_WRITTEN = "pictures"


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
        raise RookeryError(
            f"{library} is not installed; rookery needs it to write {shown}. "
            "Without it, `--plot` draws in the terminal.",
            hint=extras.installation("plot"),
        )
    if path.is_dir() or (path.exists() and not written_files.is_unchanged(_WRITTEN, path)):
        raise RookeryError(
            f"{shown} already exists, and was not drawn by rookery or has changed since.",
            hint=f"{typed_command.again('--plot-file', f'plot{path.suffix}')}   # or move that file",
        )


def write(plot: LinePlot | Histogram, path: Path) -> None:
    """Draw a plot into a file, whole or not at all.

    Args:
        plot: What to draw.
        path: The file, which `check` has let pass.
    """
    ending = path.suffix.lower()
    content = _html(plot) if ending == ".html" else _image(plot, ending.removeprefix("."))
    atomic_files.write(path, content, mode=0o644)
    written_files.remember(_WRITTEN, path)


def _image(plot: LinePlot | Histogram, form: str) -> bytes:
    """Return a plot as matplotlib draws it."""
    from matplotlib.figure import Figure

    count = len(plot.groups) if isinstance(plot, Histogram) else 1
    figure = Figure(figsize=(7, 4.2 if count == 1 else 1 + 2.2 * count), layout="constrained")
    figure.suptitle(plot.title)
    panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    if isinstance(plot, Histogram):
        bins = drawing.edges([value for values in plot.groups.values() for value in values])
        for axes, (name, values) in zip(panels, plot.groups.items(), strict=True):
            if bins[0] < bins[-1]:
                axes.stairs(drawing.counts(values, bins), bins, fill=True)
            else:
                axes.bar([bins[0]], [len(values)], width=0.1)
            axes.set_ylabel("values")
            if name:
                axes.set_title(name, fontsize="medium")
    else:
        _draw_lines(plot, panels[0])
        panels[0].set_ylabel(plot.y)
    panels[-1].set_xlabel(plot.x)
    output = io.BytesIO()
    figure.savefig(output, format=form, dpi=150)
    return output.getvalue()


def _draw_lines(plot: LinePlot, axes: "Axes") -> None:
    marks = itertools.cycle("osv^D*Px")
    for series in plot.series:
        x, y, errors = zip(*((point.x, point.y, point.error) for point in series.points), strict=True)
        if series.has_marks:
            axes.errorbar(
                x, y, yerr=errors if any(errors) else None, marker=next(marks), capsize=3, label=series.name or None
            )
        else:
            axes.plot(x, y, linestyle="--", label=series.name or None)
    if plot.is_log:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: drawing.number(value))
        axes.yaxis.set_major_formatter(lambda value, _: drawing.number(value))
        ticks = sorted({point.x for series in plot.series if series.has_marks for point in series.points})
        axes.set_xticks(ticks, minor=False)
    if len(plot.series) > 1 or plot.series[0].name:
        axes.legend()


def _html(plot: LinePlot | Histogram) -> str:
    """Return a plot as a page that plotly makes; it has all that it needs in it, and opens without internet."""
    from plotly import graph_objects, subplots

    if isinstance(plot, Histogram):
        bins = drawing.edges([value for values in plot.groups.values() for value in values])
        figure = subplots.make_subplots(
            rows=len(plot.groups),
            cols=1,
            shared_xaxes=True,
            subplot_titles=[*plot.groups] if any(plot.groups) else None,
        )
        middles = [low / 2 + high / 2 for low, high in itertools.pairwise(bins)]
        for row, (name, values) in enumerate(plot.groups.items(), 1):
            bars = graph_objects.Bar(x=middles, y=drawing.counts(values, bins), name=name or plot.x)
            figure.add_trace(bars, row=row, col=1)
        figure.update_layout(bargap=0, showlegend=False)
        figure.update_yaxes(title_text="values")
        figure.update_xaxes(title_text=plot.x, row=len(plot.groups), col=1)
    else:
        figure = graph_objects.Figure()
        for series in plot.series:
            x, y, errors = zip(*((point.x, point.y, point.error) for point in series.points), strict=True)
            figure.add_scatter(
                x=x,
                y=y,
                error_y={"type": "data", "array": errors, "visible": any(errors)},
                name=series.name,
                mode="lines+markers" if series.has_marks else "lines",
            )
        form = {"type": "log"} if plot.is_log else {}
        figure.update_layout(xaxis={"title": {"text": plot.x}, **form}, yaxis={"title": {"text": plot.y}, **form})
        figure.update_layout(showlegend=len(plot.series) > 1 or bool(plot.series[0].name))
    figure.update_layout(title={"text": plot.title})
    return str(figure.to_html(include_plotlyjs=True, full_html=True))
