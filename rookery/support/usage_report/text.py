"""Print a report on the terminal: a table, then failures by their cause, and what estimates assume."""

from collections.abc import Iterator, Mapping, Sequence
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

NO_PROJECT = "(no project)"
"""What jobs are called that are of no project of rookery's."""

_FILLS = {"busy": palette.BLUE, "idle": palette.GREY, _LOST: palette.VERMILION}

_HEADINGS = [">jobs", ">core\nhours", ">lost", ">GPU\nhours", ">waited\n50/95 %", ">failed", ">kWh", ">kg CO2e"]


def show_own(report: "PersonalReport") -> None:
    """Print one user's report."""
    for gap in report.gaps:
        console.say(gap)
    if not report.usage:
        console.say(f"No jobs in the last {counted(report.days, 'day')}.")
        return
    rows = [[each.cluster, each.project or NO_PROJECT, *_figures(each)] for each in report.usage]
    if len(report.usage) > 1:
        rows.append(["all", "", *_figures(usage.total(report.usage))])
    tables.show(["=cluster", "<project", *_HEADINGS], rows)
    console.say(*failures(report.usage))
    terminal.show(hours(report.usage))
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
        tables.show(["<name", "=cluster", *_HEADINGS], rows)
    console.say(*failures(every))
    for one in unread:
        console.say(f"skipped: {one.file} {one.why}")
    console.say("", *explanation(person.assumptions(reports), every))


def _by_cluster(usages: Sequence[ProjectUsage]) -> Mapping[str, list[ProjectUsage]]:
    found: dict[str, list[ProjectUsage]] = {}
    for each in usages:
        found.setdefault(each.cluster, []).append(each)
    return found


def _figures(of: ProjectUsage) -> "list[RenderableType]":
    waited = f"{efficiency.clock(of.half_waited)}/{efficiency.clock(of.most_waited)}"
    failed = sum(of.failures.values())
    share = f" ({100 * failed / of.tasks:.0f} %)" if failed and of.tasks else ""
    energy = f"{'' if of.is_measured else '~'}{amount(of.kilowatt_hours)}"
    hours = map(amount, (of.core_hours, of.lost_core_hours, of.gpu_hours))
    return [str(of.runs), *hours, waited, f"{failed}{share}", energy, f"~{amount(of.kilograms)}"]


def amount(value: float) -> str:
    """Return an amount with two digits, or as a whole number from ten on."""
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2g}"


def failures(usages: Sequence[ProjectUsage]) -> Iterator[str]:
    """Yield a line for each cause for which tasks ended before they had completed, the most frequent first."""
    counts = usage.total(usages).failures
    for state, count in sorted(counts.items(), key=lambda item: -item[1]):
        yield f"{counted(count, 'task')}: {job_states.word(state)}"


def hours(usages: Sequence[ProjectUsage]) -> Bars:
    """Return the bars of core hours by project: used, idle and lost."""
    bars = []
    for each in usages:
        kept = max(each.core_hours - each.lost_core_hours, 0)
        busy = min(each.busy_core_hours, kept)
        parts = {"busy": busy, "idle": kept - busy, _LOST: each.lost_core_hours}
        name = f"{each.project or NO_PROJECT} ({each.cluster})"
        bars.append(Bar(name, {kind: length for kind, length in parts.items() if length > 0}))
    return Bars("Core hours by project", "core hours", bars, _FILLS)


def explanation(assumptions: Mapping[str, str], usages: Sequence[ProjectUsage]) -> Iterator[str]:
    """Yield what the columns mean, and what estimates assume."""
    yield "lost: core hours of tasks that did not complete. waited: from when tasks could have started."
    yield "Energy and CO2 (~) are estimates, by the method of Green Algorithms (doi.org/10.1002/advs.202100707), with:"
    yield from (f"  {name}: {text}" for name, text in sorted(assumptions.items()))
    if any(each.is_measured for each in usages):
        yield MEASURED


MEASURED = "kWh without a mark were measured by Slurm at the nodes, and multiplied for the data centre in the same way."
"""What is said of energy that is no estimate."""
