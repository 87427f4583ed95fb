"""The lines of the list of jobs: columns, their texts and colours, and what a terminal's width has room for."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice

from rich.cells import set_cell_size
from rich.text import Text

from rookery.core import local_time, tables
from rookery.jobs.monitor import job_states, job_table, live_use
from rookery.jobs.monitor.accounting import JobRun
from rookery.jobs.monitor.efficiency import memory
from rookery.jobs.top.state import JobRow, Query

GAP = 2
SAMPLE = 60
"""Jobs whose texts decide on the widths of the columns: a list of 10,000 is not gone through at each key."""


@dataclass(frozen=True)
class JobColumn:
    """A column of the list.

    Attributes:
        title: Its heading, by which the list is sorted.
        least: Columns of the terminal to which it may be cut.
        most: Columns that it has at most.
        keep: What is left out first where there is no room: the column with the smallest number.
        right: Whether it is aligned to the right, as numbers are.
    """

    title: str
    least: int
    most: int
    keep: int
    right: bool = False


COLUMNS = (
    JobColumn("cluster", 8, 14, 5),
    JobColumn("job", 12, 12, 9, right=True),
    JobColumn("name", 6, 40, 7),
    JobColumn("when", 9, 15, 2),
    JobColumn("state", 16, 44, 8),
    JobColumn("time", 13, 21, 6, right=True),
    JobColumn("cores", 5, 11, 1, right=True),
    JobColumn("memory", 9, 13, 4, right=True),
    JobColumn("now", 8, 13, 3),
)


def cells(row: JobRow, now: float | None = None) -> tuple[Text, ...]:
    """Return the cells of a job, in the order of COLUMNS.

    Args:
        row: The job.
        now: The time on its cluster, which tells what was yesterday.
    """
    run = row.run
    when = Text(local_time.when(run.submitted, now) or tables.UNKNOWN)
    return (
        Text(row.cluster),
        Text(str(run.id)),
        Text(run.name),
        when,
        job_states.coloured(run),
        *job_table.figures(run),
        use_now(run),
    )


def use_now(run: JobRun) -> Text:
    """Return the memory that a running job uses now, of what it asked for, where that was measured."""
    if not run.measured_now:
        return Text()
    share = f" {100 * run.memory_now // run.memory_asked}%" if run.memory_asked else ""
    return Text(f"{memory(run.memory_now)}{share}", style="red" if live_use.short_of(run) else "")


def widths(rows: Sequence[JobRow], room: int, now: Callable[[JobRow], float | None]) -> dict[int, int]:
    """Return the columns that there is room for, by their place in COLUMNS, and their widths.

    Args:
        rows: The jobs.
        room: Columns that the terminal has.
        now: The time on a job's cluster.
    """
    chosen = [*islice(rows, SAMPLE), *nlargest(1, rows, key=lambda row: row.run.id)]  # a number is never cut
    sample = [cells(row, now(row)) for row in chosen]
    wanted = {}
    for place, column in enumerate(COLUMNS):
        longest = max((cells[place].cell_len for cells in sample), default=1)
        if longest:  # else nothing is known of it anywhere
            wanted[place] = min(max(longest, len(column.title) + 1), column.most)
    shown = list(wanted)
    while len(shown) > 1 and _sum(min(wanted[place], COLUMNS[place].least) for place in shown) > room:
        shown.remove(min(shown, key=lambda place: COLUMNS[place].keep))
    given = {place: wanted[place] for place in shown}
    while (over := _sum(given.values()) - room) > 0:
        place = max(given, key=lambda place: given[place] - COLUMNS[place].least)
        spare = given[place] - COLUMNS[place].least
        if spare <= 0:
            return {place: max(0, room)} if len(given) == 1 else given
        given[place] -= min(over, max(1, spare // 2))
    return given


def _sum(values: Iterable[int]) -> int:
    values = list(values)
    return sum(values) + GAP * (len(values) - 1)


def is_utf8() -> bool:
    """Return whether the terminal takes more than ASCII."""
    return (getattr(sys.__stdout__, "encoding", "") or "").casefold().startswith("utf")


def arrow(*, up: bool) -> str:
    """Return an arrow that points up or down."""
    return ("↑" if up else "↓") if is_utf8() else ("^" if up else "v")


def heading(given: dict[int, int], query: Query) -> Text:
    """Return the line with the titles; the column that the list is sorted by has an arrow."""
    titles = []
    for place in given:
        title = COLUMNS[place].title
        if title == query.sort:
            title += arrow(up=query.reverse)
        titles.append(Text(title, style="bold"))
    return _joined(dict(zip(given, titles, strict=True)), given)


def line(row: JobRow, given: dict[int, int], now: float | None) -> Text:
    """Return the line of a job."""
    texts = cells(row, now)
    return _joined({place: texts[place] for place in given}, given)


def column_at(x: int, given: dict[int, int]) -> str:
    """Return the title of the column at a place of the line; "" for none."""
    end = 0
    for place, width in given.items():
        end += width + GAP
        if x < end:
            return COLUMNS[place].title
    return ""


def fitted(text: Text, width: int, *, right: bool = False) -> Text:
    """Return a text that has exactly this width, cut with an ellipsis where it is longer."""
    if text.cell_len > width:
        text = text.copy()
        text.truncate(max(0, width), overflow="ellipsis")
        if text.cell_len != width:  # a wide character that does not fit whole
            return Text(set_cell_size(text.plain, max(0, width)))
        return text
    room = Text(" " * (width - text.cell_len))
    return room + text if right else text + room


def _joined(texts: dict[int, Text], given: dict[int, int]) -> Text:
    parts = [fitted(text, given[place], right=COLUMNS[place].right) for place, text in texts.items()]
    return Text(" " * GAP).join(parts)
