"""Print a report on the terminal: a table, then failures by their cause, and what estimates assume."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rookery.core import console, palette, tables
from rookery.core.drawing import terminal
from rookery.core.drawing.plots import Bar, Bars
from rookery.core.quantities import counted
from rookery.jobs.monitor import efficiency, job_states
from rookery.support.usage_report import person, usage
from rookery.support.usage_report.usage import ProjectUsage

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rookery.support.received_files import Unread
    from rookery.support.usage_report.person import PersonalReport

_LOST = "lost in tasks that did not complete"

_LEAST = 0.001

NO_PROJECT = "(no project)"
"""What jobs are called that are of no project of rookery's."""

_FILLS = {"busy": palette.BLUE, "idle": palette.GREY, _LOST: palette.VERMILION}

_HEADINGS = [">jobs", ">core\nhours", ">lost", ">GPU\nhours", ">waited\n50/95 %", ">failed", ">kWh", ">kg\nCO2e"]
_GPU = _HEADINGS.index(">GPU\nhours")


def show_own(report: "PersonalReport") -> None:
    """Print one user's report."""
    for gap in report.gaps:
        console.say(gap)
    if not report.usage:
        console.say(f"No job is known of the last {counted(report.days, 'day')}.")
        return
    rows = [[each.cluster, each.project or NO_PROJECT, *_figures(each)] for each in report.usage]
    if len(report.usage) > 1:
        rows.append(["all", "", *_figures(usage.total(report.usage))])
    _show(["=cluster", "<project"], rows, report.usage)
    console.say(*failures(report.usage))
    terminal.show(by_project(report.usage))
    console.say("", *explanation(report.assumptions, report.usage))


def show_group(reports: Sequence["PersonalReport"], unread: Sequence["Unread"]) -> None:
    """Print a group's reports, a line for each user and cluster."""
    rows = []
    for report in reports:
        by_cluster = _by_cluster(report.usage)
        rows += [[report.name, cluster, *_figures(usage.total(found))] for cluster, found in by_cluster.items()]
        rows += [] if by_cluster else [[report.name, "no jobs", *[""] * len(_HEADINGS)]]
    every = [each for report in reports for each in report.usage]
    if len(reports) > 1:
        rows.append(["all", "", *_figures(usage.total(every))])
    if rows:
        _show(["<name", "=cluster"], rows, every)
    console.say(*failures(every))
    if every:
        terminal.show(by_name(reports))
    for one in unread:
        console.say(f"skipped: {one.file} {one.why}")
    if every:
        console.say("", *explanation(person.assumptions(reports), every))


def _show(names: list[str], rows: "list[list[RenderableType]]", usages: Sequence[ProjectUsage]) -> None:
    """Print the table; without GPUs where none was used, for names have more room then."""
    gpus = len(names) + _GPU if not any(each.gpu_hours for each in usages) else None
    headings = [*names, *_HEADINGS]
    if gpus is not None:
        headings, rows = [*headings[:gpus], *headings[gpus + 1 :]], [[*row[:gpus], *row[gpus + 1 :]] for row in rows]
    tables.show(headings, rows)


def _by_cluster(usages: Sequence[ProjectUsage]) -> Mapping[str, list[ProjectUsage]]:
    found: dict[str, list[ProjectUsage]] = {}
    for each in usages:
        found.setdefault(each.cluster, []).append(each)
    return found


def _figures(of: ProjectUsage) -> "list[RenderableType]":
    waited = f"{efficiency.clock(of.half_waited)}/{efficiency.clock(of.most_waited)}"
    failed = sum(of.failures.values())
    share = f" ({100 * failed / of.tasks:.0f} %)" if failed and of.tasks else ""
    energy = amount(of.kilowatt_hours) if of.is_measured else estimate(of.kilowatt_hours, "~")
    hours = map(amount, (of.core_hours, of.lost_core_hours, of.gpu_hours))
    return [str(of.runs), *hours, waited, f"{failed}{share}", energy, estimate(of.kilograms, "~")]


def amount(value: float) -> str:
    """Return an amount with two digits, or as a whole number from ten on."""
    if 0 < value < _LEAST:
        return f"<{_LEAST}"
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2g}"


def estimate(value: float, mark: str) -> str:
    """Return an amount that is estimated.

    Args:
        value: The amount.
        mark: What tells it from one that is measured; one that is nearly nothing has its own.
    """
    return f"{mark}{amount(value)}" if value == 0 or value >= _LEAST else amount(value)


def failures(usages: Sequence[ProjectUsage]) -> Iterator[str]:
    """Yield a line for each cause for which tasks ended before they had completed, the most frequent first."""
    counts = usage.total(usages).failures
    for state, count in sorted(counts.items(), key=lambda item: -item[1]):
        yield f"{counted(count, 'task')}: {job_states.word(state)}"


def by_project(usages: Sequence[ProjectUsage]) -> Bars:
    """Return the bars of core hours by project: used, idle and lost."""
    names = [f"{each.project or NO_PROJECT} ({each.cluster})" for each in usages]
    return _hours("Core hours by project", zip(names, usages, strict=True))


def by_name(reports: Sequence["PersonalReport"]) -> Bars:
    """Return the bars of core hours by those who sent reports."""
    return _hours("Core hours by name", ((report.name, usage.total(report.usage)) for report in reports))


def _hours(title: str, usages: Iterable[tuple[str, ProjectUsage]]) -> Bars:
    bars = []
    for name, each in usages:
        kept = max(each.core_hours - each.lost_core_hours, 0)
        busy = min(each.busy_core_hours, kept)
        parts = {"busy": busy, "idle": kept - busy, _LOST: each.lost_core_hours}
        bars.append(Bar(name, {kind: length for kind, length in parts.items() if length > 0}))
    return Bars(title, "core hours", bars, _FILLS)


def explanation(assumptions: Mapping[str, str], usages: Sequence[ProjectUsage]) -> Iterator[str]:
    """Yield what the columns mean, and what estimates assume."""
    yield "lost: core hours of tasks that did not complete."
    yield "waited: from when tasks could have started, half of them and 95 %; in the sum, the longest."
    yield "Energy and CO2 (~) are estimates, by the method of Green Algorithms (doi.org/10.1002/advs.202100707), with:"
    yield from (f"  {name}: {text}" for name, text in sorted(assumptions.items()))
    if any(each.is_measured for each in usages):
        yield MEASURED


MEASURED = "kWh without a mark were measured by Slurm at the nodes, and multiplied for the data centre in the same way."
"""What is said of energy that is no estimate."""
