"""The page with the jobs of all clusters."""

from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.jobs.monitor import accounting, job_table, live_use
from rookery.jobs.top import commands
from rookery.jobs.top.feeds import reach
from rookery.jobs.top.screen import bars, cells
from rookery.jobs.top.screen.actions import Actions
from rookery.jobs.top.screen.bars import TextLine
from rookery.jobs.top.screen.lines import STALE, Chosen, LineList, Moved
from rookery.jobs.top.screen.page import COMMON, FILTER, FilteredPage
from rookery.jobs.top.state import JobRow, Query, wanted

SOON = 0.15
"""Seconds that the cursor rests on a job before what is known of it is looked up."""


class JobList(LineList):
    """The jobs, a line each."""

    def __init__(self, top: Actions) -> None:
        super().__init__(id="list")
        self._top = top
        self.rows: tuple[JobRow, ...] = ()
        self.widths: dict[int, int] = {}

    @property
    def row(self) -> JobRow | None:
        """The job under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: tuple[JobRow, ...]) -> None:
        """Show jobs; the cursor stays on the one that it is on, where that is still there."""
        key = self.row.key if self.row else None
        self.rows = rows
        place = next((place for place, row in enumerate(rows) if row.key == key), self.cursor)
        self.fit()
        self.set_count(len(rows), place)

    def fit(self) -> None:
        """Give the columns the room that there is."""
        self.widths = cells.widths(self.rows, self.size.width, self._now)

    def on_resize(self) -> None:
        """Give the columns the room that there is now."""
        self.fit()
        super().on_resize()

    def text_at(self, place: int) -> Text:
        """Return the line of a job."""
        row = self.rows[place]
        return cells.line(row, self.widths, self._now(row))

    def style_at(self, place: int) -> Style | None:
        """Return the style of a job: what may have changed since is grey."""
        return STALE if self._top.clusters[self.rows[place].cluster].is_stale(bars.now()) else None

    def _now(self, row: JobRow) -> float | None:
        snapshot = self._top.clusters[row.cluster].snapshot
        return snapshot.now if snapshot else None


class Heading(TextLine):
    """The titles of the columns: a click sorts by one."""

    def on_click(self, event: events.Click) -> None:
        """Sort by the column that was clicked."""
        page = self.screen
        if isinstance(page, JobsPage):
            page.sort_by(cells.column_at(event.x, page.jobs.widths))


class JobsPage(FilteredPage):
    """The page with the jobs of all clusters, which is the first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log", "Log"),
        Binding("c", "cancel", "Cancel"),
        Binding("f", "failed", "Failed"),
        Binding("s", "sort", "Sort"),
        Binding("S", "reverse", "Reverse", show=False),
        Binding("u", "use", "Use", show=False),
        Binding("p", "partitions", "Partitions"),
        Binding("r", "app.ask_again", "Ask again", show=False),
        Binding("L", "app.login", "Log in", show=False),
        FILTER,
        *COMMON,
    ]

    def __init__(self, query: Query) -> None:
        super().__init__()
        self.wish = query
        self._detailed: JobRow | None = None
        self._seen_inside: list[str] = []
        self._stale: set[str] = set()

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield TextLine(id="summary")
        yield TextLine(id="standing")
        yield TextLine(id="problems")
        yield Heading(id="heading")
        yield JobList(self.top)
        yield self.filter_field("words of cluster, number, name or state")
        yield TextLine(id="detail")
        yield TextLine(id="command")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the keys going to the list."""
        self.jobs.focus()
        self.show_state()

    @property
    def jobs(self) -> JobList:
        """The list."""
        return self.query_one(JobList)

    def show_state(self) -> None:
        """Show what is known of all clusters now."""
        clusters = list(self.top.clusters.values())
        rows = wanted(clusters, self.wish)
        self.jobs.show(rows)
        self.query_one("#summary", TextLine).show(bars.summary(clusters, self.wish, len(rows)))
        self.show_time()
        self._show_heading()
        self._show_row()

    def show_time(self) -> None:
        """Show how the clusters stand: an answer may be late by now."""
        clusters, now = list(self.top.clusters.values()), bars.now()
        self.query_one("#standing", TextLine).show(bars.standing(clusters, now))
        text = bars.problems(clusters, now)
        problems = self.query_one("#problems", TextLine)
        problems.show(text)
        problems.display = bool(text)
        stale = {cluster.name for cluster in clusters if cluster.is_stale(now)}
        if stale != self._stale:
            self._stale = stale
            self.jobs.refresh()

    def on_resize(self) -> None:
        """Give the heading the widths that the list has now."""
        self.call_after_refresh(self._show_heading)

    def _show_heading(self) -> None:
        self.query_one("#heading", TextLine).show(cells.heading(self.jobs.widths, self.wish))

    @on(Moved)
    def _show_row(self) -> None:
        """Show the command for the job under the cursor, and soon what is known of it."""
        row = self.jobs.row
        if row is None:
            options = self.top.options
            self.show_command(commands.jobs(self.top.clusters, sandbox=options.sandbox, days=options.days))
        else:
            self.show_command(commands.job(row.run.id, row.cluster, sandbox=self.top.options.sandbox))
        if row is not self._detailed:
            if not _are_same(row, self._detailed):
                self._seen_inside = []
                self.query_one("#detail", TextLine).show("")
            self._detailed = row
            self.set_timer(SOON, lambda: self._look_up(row))

    def _look_up(self, row: JobRow | None) -> None:
        if row is not None and row is self.jobs.row:
            self.run_worker(lambda: self._detail(row), thread=True, exclusive=True, group="detail")

    def _detail(self, row: JobRow) -> None:
        """Work out the remarks on a job, which reads records on this computer."""
        snapshot = self.top.clusters[row.cluster].snapshot
        if snapshot is None:
            return
        target = self.top.targets[row.cluster]
        use = self._seen_inside or [*live_use.remarks([row.run], detailed=True)]
        remarks = [*use, *job_table.remarks(snapshot, [row.run], target)]
        if row.run.running and not use:
            remarks += live_use.gap(snapshot, target, named=False)
        self.app.call_from_thread(self._show_detail, row, "\n".join(remarks[:3]))

    def _show_detail(self, row: JobRow, text: str) -> None:
        if _are_same(row, self.jobs.row):
            self.query_one("#detail", TextLine).show(text)

    def _look_inside(self, row: JobRow) -> None:
        """Ask what a job uses, as `jobs NUMBER` does; its cluster may take some seconds."""
        number, target = str(row.run.id), self.top.targets[row.cluster]
        try:
            reach(target.connection)
            snapshot = accounting.ask(target.connection, ids=[number], live=True)
        except RookeryError as error:
            seen = [as_typed(" ".join(error.message.split()))]
        else:
            run = snapshot.run(number)
            seen = [*live_use.remarks([run] if run else [], detailed=True), *live_use.gap(snapshot, target, named=True)]
        self.app.call_from_thread(self._show_inside, row, seen or [f"Nothing of job {number} has been measured yet."])

    def _show_inside(self, row: JobRow, seen: list[str]) -> None:
        if _are_same(row, self.jobs.row):
            self._seen_inside = seen
            self._look_up(self.jobs.row)

    def filter_changed(self, text: str) -> None:
        """Show the jobs that have these words."""
        self.wish = replace(self.wish, text=text)
        self.show_state()

    def sort_by(self, column: str) -> None:
        """Sort by a column; by the same again, the other way round."""
        if column:
            self.wish = self.wish.by(column)
            self.show_state()

    def leave(self) -> None:
        """Show all jobs again: there is no page before this one."""
        self.wish = replace(self.wish, failed=False)
        self.show_state()

    def action_failed(self) -> None:
        """Show jobs with failed tasks only, or all again."""
        self.wish = replace(self.wish, failed=not self.wish.failed)
        self.show_state()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.wish = self.wish.next_sort()
        self.show_state()

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self.wish = self.wish.by(self.wish.sort)
        self.show_state()

    @on(Chosen)
    def _open(self) -> None:
        if row := self.jobs.row:
            if row.run.array:
                self.top.open_tasks(row)
            else:
                self.top.open_log(row.cluster, commands.name(row.run))

    def action_log(self) -> None:
        """Open the log of the job; of an array, that of the task that `logs` chooses."""
        if row := self.jobs.row:
            self.top.open_log(row.cluster, commands.name(row.run))

    def action_cancel(self) -> None:
        """Cancel the job, after a question."""
        if row := self.jobs.row:
            self.top.cancel(row.cluster, str(row.run.id), "")

    def action_use(self) -> None:
        """Look inside the job: the list has no GPUs, and of many tasks nothing."""
        row = self.jobs.row
        if row and row.run.running:
            self._show_detail(row, f"Looking inside job {row.run.id} …")
            self.run_worker(lambda: self._look_inside(row), thread=True, exclusive=True, group="inside")
        elif row:
            self.notify(f"Job {row.run.id} is not running.", severity="warning", markup=False)

    def action_partitions(self) -> None:
        """Show the partitions."""
        self.top.open_partitions()


def _are_same(one: JobRow | None, other: JobRow | None) -> bool:
    """Return whether two rows are of one job, at different times maybe."""
    return (one and one.key) == (other and other.key)
