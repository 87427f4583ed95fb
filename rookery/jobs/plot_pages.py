"""Draw plots as pages of HTML by plotly, which is an extra of rookery's: values are shown under the mouse.

A page has all that it needs in it, and opens without internet.
"""

import itertools
import math
from typing import TYPE_CHECKING

from rookery.core import drawing, palette
from rookery.core.drawing import Bars, Histogram, LinePlot, Plot, TaskGrid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def page(plot: Plot) -> str:
    """Return a plot as a page, on the background that the reader's browser has."""
    found = drawing.drawable(plot)
    if isinstance(found, Histogram):
        figure = _histogram(found)
    elif isinstance(found, LinePlot):
        figure = _lines(found)
    elif found:
        figure = _bars(found) if isinstance(found, Bars) else _tasks(found)
    else:
        figure = _nothing()
    figure.update_layout(
        template="none",
        title={"text": plot.title},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": palette.GREY, "activecolor": palette.BLUE},
        font={"color": palette.GREY},
        colorway=palette.SERIES,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    axes = {"gridcolor": "rgba(118,118,118,0.3)", "zerolinecolor": palette.GREY, "automargin": True}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    text = str(figure.to_html(include_plotlyjs=True, full_html=True))
    return text.replace("<head>", '<head><meta name="color-scheme" content="light dark">', 1)


def _nothing() -> "Figure":
    from plotly import graph_objects

    figure = graph_objects.Figure()
    figure.add_annotation(text=drawing.NOTHING, showarrow=False)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def _histogram(plot: Histogram) -> "Figure":
    from plotly import graph_objects, subplots

    bins = drawing.edges([value for values in plot.groups.values() for value in values])
    figure = subplots.make_subplots(
        rows=len(plot.groups),
        cols=1,
        shared_xaxes=True,
        subplot_titles=[*plot.groups] if any(plot.groups) else None,
    )
    # values that are all the same have one bar, with that below it
    middles = [low / 2 + high / 2 if low < high else drawing.number(low) for low, high in itertools.pairwise(bins)]
    for row, (name, values) in enumerate(plot.groups.items(), 1):
        counted = drawing.counts(values, bins)
        bars = graph_objects.Bar(x=middles, y=counted, name=name or plot.x, marker_color=palette.BLUE)
        figure.add_trace(bars, row=row, col=1)
    figure.update_layout(bargap=0 if bins[0] < bins[-1] else 0.8, showlegend=False)
    figure.update_xaxes(type="linear" if bins[0] < bins[-1] else "category")
    figure.update_yaxes(title_text="values")
    figure.update_xaxes(title_text=plot.x, row=len(plot.groups), col=1)
    return figure


def _lines(plot: LinePlot) -> "Figure":
    from plotly import graph_objects

    figure, dashes = graph_objects.Figure(), itertools.cycle(("dash", "dot"))
    for series in plot.series:
        x, y, errors = zip(*((point.x, point.y, point.error) for point in series.points), strict=True)
        figure.add_scatter(
            x=x,
            y=y,
            error_y={"type": "data", "array": errors, "visible": any(errors)},
            name=series.name,
            mode="lines+markers" if series.has_marks else "lines",
            line={} if series.has_marks else {"dash": next(dashes), "color": palette.GREY},
        )
    figure.update_layout(xaxis={"title": {"text": plot.x}}, yaxis={"title": {"text": plot.y}})
    if plot.is_log:
        measured = sorted({point.x for series in plot.series if series.has_marks for point in series.points})
        figure.update_xaxes(type="log", tickvals=measured, ticktext=drawing.numbers(measured))
        figure.update_yaxes(type="log", dtick=math.log10(2), tickformat=".4~g")
    figure.update_layout(showlegend=len(plot.series) > 1 or bool(plot.series[0].name))
    return figure


def _bars(plot: Bars) -> "Figure":
    from plotly import graph_objects

    figure = graph_objects.Figure()
    names, shown = [bar.name for bar in plot.bars], [drawing.shown_name(bar) for bar in plot.bars]
    for kind, fill in plot.kinds.items():
        lengths = [bar.parts.get(kind, 0) for bar in plot.bars]
        figure.add_bar(y=names, x=lengths, orientation="h", name=kind, marker_color=fill)
    rests = [max(bar.whole - bar.length, 0) for bar in plot.bars]
    if any(rests):
        blank = "rgba(118,118,118,0.25)"
        figure.add_bar(y=names, x=rests, orientation="h", marker_color=blank, showlegend=False, hoverinfo="skip")
    for bar in plot.bars:
        note = bar.note or drawing.number(bar.length)
        end = max(bar.length, bar.whole)
        figure.add_annotation(x=end, y=bar.name, text=note, showarrow=False, xanchor="left", xshift=4)
    figure.update_layout(barmode="stack", showlegend=len(plot.kinds) > 1, xaxis_title=plot.x)
    figure.update_layout(height=200 + 45 * len(names))
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, ticktext=shown, tickvals=names)
    return figure


def _tasks(plot: TaskGrid) -> "Figure":
    from plotly import graph_objects

    per_row = drawing.row_length(len(plot.firsts), 50)
    figure = graph_objects.Figure()
    for word, mark in plot.legend.items():
        cells = [(place, plot.firsts[place]) for place, drawn in enumerate(plot.marks) if drawn == mark]
        figure.add_scatter(
            x=[place % per_row for place, _ in cells],
            y=[place // per_row for place, _ in cells],
            text=[f"task {first}: {word}" if plot.each == 1 else f"from task {first} on: {word}" for _, first in cells],
            hoverinfo="text",
            mode="markers",
            marker={"symbol": "square-open" if mark.is_hollow else "square", "color": mark.fill, "size": 10},
            name=f"{plot.counts[word]:,} {word}",
        )
    starts = range(0, len(plot.firsts), per_row if len(plot.firsts) <= 10 * per_row else 5 * per_row)
    figure.update_layout(height=240 + 12 * math.ceil(len(plot.firsts) / per_row))
    figure.update_layout(legend={"orientation": "h", "y": 0, "yanchor": "top"})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(
        autorange="reversed", tickvals=[start // per_row for start in starts],
        ticktext=[str(plot.firsts[start]) for start in starts], showgrid=False, zeroline=False,
    )  # fmt: skip
    return figure
