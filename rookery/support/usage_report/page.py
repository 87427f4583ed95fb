"""A report as one page; its charts are SVG, from the same data as those of the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rookery.core.drawing.plots import Bars
from rookery.jobs.monitor import efficiency, job_states
from rookery.support import web_page
from rookery.support.usage_report import person, text, usage

if TYPE_CHECKING:
    from rookery.support.received_files import Unread
    from rookery.support.usage_report.person import PersonalReport
    from rookery.support.usage_report.usage import ProjectUsage

COMMAND: Final = "report"
"""The command whose pages these are."""

_WIDTH: Final = 1000
"""Units of an SVG's bars; it is as wide as the page."""


@dataclass(frozen=True)
class _Row:
    """A row of the page's table."""

    cells: tuple[str, ...]
    is_sum: bool = False


def own(report: "PersonalReport") -> str:
    """Return the page of one user's report."""
    rows = [_row([each.cluster, each.project or text.NO_PROJECT], each) for each in report.usage]
    if len(report.usage) > 1:
        rows.append(_row(["all", ""], usage.total(report.usage), is_sum=True))
    return _page(
        title=f"{report.name}: jobs" if report.name else "Jobs",
        when=report.when,
        days=report.days,
        caption="By cluster and project",
        headings=("Cluster", "Project"),
        rows=rows,
        usages=report.usage,
        charts=[text.by_project(report.usage)] if report.usage else [],
        assumptions=report.assumptions,
        remarks=list(report.gaps),
    )


def group(reports: Sequence["PersonalReport"], unread: Sequence["Unread"]) -> str:
    """Return the page of a group's reports."""
    every = [each for report in reports for each in report.usage]
    rows = [
        _row([report.name, f"{each.cluster}: {each.project or text.NO_PROJECT}"], each)
        for report in reports
        for each in report.usage
    ]
    if len(rows) > 1:
        rows.append(_row(["all", ""], usage.total(every), is_sum=True))
    remarks = [f"{report.name}: no jobs" for report in reports if not report.usage]
    remarks += [f"{report.name}: {gap}" for report in reports for gap in report.gaps]
    remarks += [f"{one.file} was skipped: it {one.why}" for one in unread]
    return _page(
        title="Jobs of the group",
        when=max((report.when for report in reports), default=None),
        days=max((report.days for report in reports), default=0),
        caption="By name, cluster and project",
        headings=("Name", "Project"),
        rows=rows,
        usages=every,
        charts=[text.by_name(reports)] if every else [],
        assumptions=person.assumptions(reports),
        remarks=remarks,
    )


def _row(names: list[str], of: "ProjectUsage", *, is_sum: bool = False) -> _Row:
    failed = sum(of.failures.values())
    waited = f"{efficiency.clock(of.half_waited)} / {efficiency.clock(of.most_waited)}"
    hours = (of.core_hours, of.lost_core_hours, of.gpu_hours)
    energy = text.amount(of.kilowatt_hours) if of.is_measured else text.estimate(of.kilowatt_hours, "≈ ")
    figures = [str(of.runs), *map(text.amount, hours), waited, str(failed), energy, text.estimate(of.kilograms, "≈ ")]
    return _Row((*names, *figures), is_sum)


def _chart(bars: Bars) -> dict[str, Any]:
    """Return a chart as the template draws it: rectangles, in units of its width."""
    scale = _WIDTH / bars.longest if bars.longest else 0
    drawn = []
    for bar in bars.bars:
        start, parts = 0.0, []
        for kind, length in bar.parts.items():
            parts.append(
                {"x": round(start, 1), "width": round(length * scale, 1), "fill": bars.kinds[kind], "kind": kind}
            )
            start += length * scale
        drawn.append({"name": bar.name, "length": text.amount(bar.length), "parts": parts})
    return {"title": bars.title, "unit": bars.x, "bars": drawn, "kinds": bars.kinds, "width": _WIDTH}


def _page(*, when: datetime | None, usages: Sequence["ProjectUsage"], charts: Sequence[Bars], **values: Any) -> str:
    counts = usage.total(usages).failures
    failed = [(job_states.word(state), count) for state, count in sorted(counts.items(), key=lambda item: -item[1])]
    return web_page.rendered(
        COMMAND,
        when=when.strftime("%Y-%m-%d %H:%M UTC") if when else "",
        failed=failed,
        charts=[_chart(bars) for bars in charts],
        measured=text.MEASURED if any(each.is_measured for each in usages) else "",
        columns=["Jobs", "Core hours", "Lost", "GPU hours", "Waited 50 / 95 %", "Failed", "kWh", "kg CO2e"],
        **values,
    )
