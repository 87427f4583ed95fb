"""A list of lines with a cursor, of which only those on the screen are drawn."""

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

CURSOR = Style(reverse=True)
STALE = Style(dim=True)


def strip(text: Text, width: int, widget: ScrollView, style: Style | None = None) -> Strip:
    """Return a text as a line of a widget, exactly as wide as it is."""
    made = Strip(text.render(widget.app.console)).adjust_cell_length(max(0, width))
    return made.apply_style(style) if style else made


class Moved(Message):
    """The cursor is on another line, or another task."""


class Chosen(Message):
    """What is under the cursor was chosen: by Enter, or a double click."""


class LineList(ScrollView, can_focus=True):
    """A list of lines with a cursor.

    Attributes:
        count: How many lines there are.
        cursor: The line that the cursor is on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(-1)", "First", show=False),
        Binding("end,G", "edge(1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name for it
        super().__init__(id=id)
        self.count = self.cursor = 0

    def text_at(self, place: int) -> Text:
        """Return a line."""
        raise NotImplementedError

    def style_at(self, place: int) -> Style | None:
        """Return the style of a line that is not under the cursor."""
        del place
        return None

    def set_count(self, count: int, cursor: int) -> None:
        """Take over how many lines there are, and where the cursor is now."""
        self.count = count
        self.cursor = max(0, min(cursor, count - 1))
        self.virtual_size = Size(self.size.width, count)
        self._show_cursor()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        place = y + self.scroll_offset.y
        if not 0 <= place < self.count:
            return Strip.blank(self.size.width)
        style = CURSOR if place == self.cursor else self.style_at(place)
        return strip(self.text_at(place), self.size.width, self, style)

    def move_to(self, place: int) -> None:
        """Put the cursor on a line, and show it."""
        place = max(0, min(place, self.count - 1))
        if place != self.cursor:
            before, self.cursor = self.cursor, place
            self.refresh_line(before)
            self.refresh_line(place)
            self._show_cursor()
            self.post_message(Moved())

    def _show_cursor(self) -> None:
        top, height = round(self.scroll_y), max(1, self.size.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def on_resize(self) -> None:
        """Keep the cursor on the screen."""
        self.set_count(self.count, self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a double click chooses the line."""
        place = event.y + self.scroll_offset.y
        if 0 <= place < self.count:
            self.move_to(place)
            if event.chain == 2:
                self.action_choose()

    def action_move(self, lines: int) -> None:
        """Move by lines."""
        self.move_to(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.move_to(self.cursor + pages * max(1, self.size.height - 1))

    def action_edge(self, side: int) -> None:
        """Move to the first or the last line."""
        self.move_to(0 if side < 0 else self.count - 1)

    def action_choose(self) -> None:
        """Choose the line under the cursor."""
        if self.count:
            self.post_message(Chosen())
