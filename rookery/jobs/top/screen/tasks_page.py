"""The page with the tasks of one array, as a grid."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Footer

from rookery.jobs.monitor import job_states
from rookery.jobs.top import commands, tasks
from rookery.jobs.top.screen import cells
from rookery.jobs.top.screen.bars import TextLine
from rookery.jobs.top.screen.lines import CURSOR, Chosen, Moved
from rookery.jobs.top.screen.page import COMMON, FILTER, FilteredPage
from rookery.jobs.top.state import JobRow
from rookery.jobs.top.tasks import ShownTasks, TaskFacts

DIM = Style(dim=True)


def character(code: str) -> str:
    """Return the character for a state, in ASCII where the terminal can't show others."""
    mark = job_states.mark(code)
    return mark.character if cells.is_utf8() else mark.plain


def legend(codes: list[str]) -> Text:
    """Return what the characters of some states mean."""
    marks = {job_states.mark(code).word: code for code in codes}
    parts = [Text(character(code), style=job_states.colour(code)) + Text(f" {word}") for word, code in marks.items()]
    return Text("  ").join(parts)


class TaskView(ScrollView, can_focus=True):
    """A grid of tasks with a cursor, of which only the lines on the screen are drawn.

    Attributes:
        cursor: The place of the task that the cursor is on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1, 0)", "Left", show=False),
        Binding("right", "move(1, 0)", "Right", show=False),
        Binding("up,k", "move(0, -1)", "Up", show=False),
        Binding("down,j", "move(0, 1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "First", show=False),
        Binding("end", "edge(1)", "Last", show=False),
        Binding("n", "failed(1)", "Next failed", show=False),
        Binding("N", "failed(-1)", "Previous failed", show=False),
        Binding("enter", "choose", "Log"),
    ]

    def __init__(self) -> None:
        super().__init__(id="list")
        self.grid, self.cursor = ShownTasks(), 0
        self.layout_ = tasks.layout(self.grid, 0)

    @property
    def task_number(self) -> int | None:
        """The number of the task under the cursor."""
        return self.grid.numbers[self.cursor] if self.cursor < len(self.grid.numbers) else None

    def show(self, grid: ShownTasks) -> None:
        """Show tasks; the cursor stays on the one that it is on, or goes to the next."""
        number = self.task_number
        self.grid = grid
        self._lay_out(grid.place(number) if number is not None else 0)

    def _lay_out(self, cursor: int) -> None:
        self.layout_ = tasks.layout(self.grid, self.size.width)
        self.cursor = cursor
        self.virtual_size = Size(self.size.width, self.layout_.lines)
        self._show_cursor()
        self.refresh()

    def on_resize(self) -> None:
        """Lay the tasks out anew."""
        self._lay_out(self.cursor)

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        width, line = self.size.width, y + self.scroll_offset.y
        start = line * self.layout_.per_line
        states = self.grid.states[start : start + self.layout_.per_line]
        if not states:
            return Strip.blank(width)
        segments = []
        if self.layout_.label:
            segments.append(Segment(f"{self.grid.numbers[start]:>{self.layout_.label - 1}} ", DIM))
        for place, state in enumerate(states):
            if place and place % tasks.TEN == 0:
                segments.append(Segment(" "))
            style = Style.parse(job_states.colour(state) or "none")
            segments.append(Segment(character(state), style + CURSOR if start + place == self.cursor else style))
        return Strip(segments).simplify().adjust_cell_length(max(0, width))

    def move_to(self, place: int) -> None:
        """Put the cursor on a task, and show it."""
        if place != self.cursor and 0 <= place < self.layout_.count:
            before, self.cursor = self.cursor, place
            self.refresh_line(before // self.layout_.per_line)
            self.refresh_line(place // self.layout_.per_line)
            self._show_cursor()
            self.post_message(Moved())

    def _show_cursor(self) -> None:
        line, top, height = self.cursor // self.layout_.per_line, round(self.scroll_y), max(1, self.size.height)
        if line < top:
            self.scroll_to(y=line, animate=False)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a double click opens the task's log."""
        place = self.layout_.at(event.x, event.y + self.scroll_offset.y)
        if place is not None:
            self.move_to(place)
            if event.chain == 2:
                self.action_choose()

    def action_move(self, columns: int, lines: int) -> None:
        """Move by tasks or lines."""
        self.move_to(self.layout_.moved(self.cursor, columns=columns, lines=lines))

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.move_to(self.layout_.moved(self.cursor, lines=pages * max(1, self.size.height - 1)))

    def action_edge(self, side: int) -> None:
        """Move to the first or the last task."""
        self.move_to(0 if side < 0 else self.layout_.count - 1)

    def action_failed(self, step: int) -> None:
        """Move to the next or the previous task that failed."""
        self.move_to(self.grid.failed_from(self.cursor, step))

    def action_choose(self) -> None:
        """Choose the task under the cursor."""
        if self.task_number is not None:
            self.post_message(Chosen())


class TasksPage(FilteredPage):
    """The page with the tasks of one array."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "failed", "Failed"),
        Binding("c", "cancel", "Cancel task"),
        Binding("C", "cancel_array", "Cancel array"),
        Binding("l", "log", "Log", show=False),
        FILTER,
        *COMMON,
    ]

    def __init__(self, row: JobRow) -> None:
        """Make the page of an array."""
        super().__init__()
        self.row, self._text, self._only_failed = row, "", False
        self._facts = TaskFacts()

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield TextLine(id="summary")
        yield TextLine(id="legend")
        yield TaskView()
        yield self.filter_field("tasks (3,10-20) or a state")
        yield TextLine(id="detail")
        yield TextLine(id="command")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the keys going to the grid."""
        self._show_grid()
        self.view.focus()

    @property
    def view(self) -> TaskView:
        """The grid."""
        return self.query_one(TaskView)

    def show_state(self) -> None:
        """Show what the cluster said last of the array; what it no longer lists stays as it was."""
        rows = self.top.clusters[self.row.cluster].rows
        row = next((row for row in rows if row.key == self.row.key), None)
        if row is not None and row is not self.row:
            self.row = row
            self._show_grid()

    def _show_grid(self) -> None:
        run = self.row.run
        self._facts = tasks.facts(run)
        grid = tasks.grid(run, self._text, failed=self._only_failed)
        self.view.show(grid)
        title = Text(f"{self.row.cluster} {run.id} {run.name}  ", style="bold") + job_states.coloured(run)
        if len(grid.numbers) != grid.total:
            title.append(f"  {len(grid.numbers)} of {grid.total} tasks shown", style="yellow")
        self.query_one("#summary", TextLine).show(title)
        self.query_one("#legend", TextLine).show(legend(sorted(set(grid.states))))
        self._show_task()

    @on(Moved)
    def _show_task(self) -> None:
        number, run = self.view.task_number, self.row.run
        text = "No task matches." if number is None else ""
        if number is not None:
            text = tasks.described(number, self.view.grid.states[self.view.cursor], self._facts, run)
        self.query_one("#detail", TextLine).show(text)
        self.show_command(commands.logs(commands.name(run, number), self.row.cluster, sandbox=self.top.options.sandbox))

    def filter_changed(self, text: str) -> None:
        """Show the tasks that are named, or in such a state."""
        self._text = text
        self._show_grid()

    def action_failed(self) -> None:
        """Show failed tasks only, or all again."""
        self._only_failed = not self._only_failed
        self._show_grid()

    @on(Chosen)
    def action_log(self) -> None:
        """Open the log of the task."""
        number = self.view.task_number
        if number is not None:
            self.top.open_log(self.row.cluster, commands.name(self.row.run, number))

    def action_cancel(self) -> None:
        """Cancel the task, after a question."""
        number = self.view.task_number
        if number is not None:
            self.top.cancel(self.row.cluster, str(self.row.run.id), str(number))

    def action_cancel_array(self) -> None:
        """Cancel the array, after a question."""
        self.top.cancel(self.row.cluster, str(self.row.run.id), "")
