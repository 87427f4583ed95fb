"""The page with a log, which grows as the job writes."""

from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Footer

from rookery.jobs.top import commands
from rookery.jobs.top.log_reader import LogReader
from rookery.jobs.top.screen.bars import TextLine
from rookery.jobs.top.screen.page import COMMON, TopPage

TICK = 0.1
"""Seconds between two looks at what has come."""


class LogView(ScrollView, can_focus=True):
    """A log, of which only the lines on the screen are drawn; at its end it follows what comes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("left,h", "scroll_left", "Left", show=False),
        Binding("right", "scroll_right", "Right", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown,space", "page_down", "Page down", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "follow", "Follow"),
    ]

    def __init__(self, reader: LogReader) -> None:
        super().__init__(id="list")
        self.reader, self.follows = reader, True
        self._drawn = (0, 0)

    def look(self) -> None:
        """Show what has come since the last look."""
        with self.reader.lock:
            lines = self.reader.lines
            seen = (id(lines), lines.revision)
            count, width = len(lines), lines.widest
        if seen != self._drawn:
            self._drawn = seen
            self.virtual_size = Size(width, count)
            self.refresh()
        if self.follows and round(self.scroll_y) < self.max_scroll_y:  # also after a resize, or a new scrollbar
            self._show_end()

    def _show_end(self) -> None:
        self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        place, width = y + self.scroll_offset.y, self.size.width
        with self.reader.lock:
            text = self.reader.lines[place] if place < len(self.reader.lines) else ""
        line = Strip([Segment(text)])
        return line.crop_extend(self.scroll_offset.x, self.scroll_offset.x + max(0, width), None)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow from the end on, until the user scrolls up: a log that grows moves the end away by itself."""
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) >= self.max_scroll_y:
            self.follows = True
        elif new_value < old_value:
            self.follows = False

    def action_first(self) -> None:
        """Go to the first line."""
        self.scroll_to(y=0, animate=False)

    def action_follow(self) -> None:
        """Go to the end, and follow what comes."""
        self.follows = True
        self._show_end()

    def action_scroll_up(self) -> None:
        """Scroll by a line."""
        self.scroll_relative(y=-1, animate=False)

    def action_scroll_down(self) -> None:
        """Scroll by a line."""
        self.scroll_relative(y=1, animate=False)

    def action_scroll_left(self) -> None:
        """Scroll by some columns."""
        self.scroll_relative(x=-8, animate=False)

    def action_scroll_right(self) -> None:
        """Scroll by some columns."""
        self.scroll_relative(x=8, animate=False)

    def action_page_up(self) -> None:
        """Scroll by a page."""
        self.scroll_relative(y=1 - self.size.height, animate=False)

    def action_page_down(self) -> None:
        """Scroll by a page."""
        self.scroll_relative(y=self.size.height - 1, animate=False)


class LogPage(TopPage):
    """The page with the log of a job or task."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "error_log", "Error log"),
        Binding("c", "cancel", "Cancel"),
        *COMMON,
    ]

    def __init__(self, cluster: str, number: str, *, error: bool = False) -> None:
        """Make the page.

        Args:
            cluster: The cluster's name.
            number: The job or task: 41, 43_7.
            error: The error log.
        """
        super().__init__()
        self._cluster, self._number, self._error = cluster, number, error
        self._reader: LogReader | None = None

    def compose(self) -> ComposeResult:
        """Lay the page out, and begin to read."""
        self._reader = LogReader(self.top.targets[self._cluster], self._number, error=self._error)
        yield TextLine(id="summary")
        yield LogView(self._reader)
        yield TextLine(id="detail")
        yield TextLine(id="command")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin."""
        assert self._reader is not None  # noqa: S101 `compose` has made it
        self.query_one(LogView).focus()
        self.show_command(
            commands.logs(self._number, self._cluster, sandbox=self.top.options.sandbox, error=self._error)
        )
        self._reader.start()
        self.set_interval(TICK, self._look)
        self._look()

    def on_unmount(self) -> None:
        """End the remote command."""
        if self._reader:
            self._reader.stop()

    def _look(self) -> None:
        reader = self._reader
        if reader is None or not self.is_mounted:
            return
        view = self.query_one(LogView)
        view.look()
        title = Text(f"{self._cluster} {self._number}", style="bold")
        title.append(f"  {reader.path}", style="not bold")
        self.query_one("#summary", TextLine).show(title)
        state = "the log is whole" if reader.has_ended else "following" if view.follows else "End follows"
        self.query_one("#detail", TextLine).show(reader.status or f"{len(reader.lines)} lines, {state}")

    def action_error_log(self) -> None:
        """Show the other one of both logs."""
        self.app.switch_screen(LogPage(self._cluster, self._number, error=not self._error))

    def action_cancel(self) -> None:
        """Cancel the job or task, after a question."""
        job, _, task = self._number.partition("_")
        self.top.cancel(self._cluster, job, task)
