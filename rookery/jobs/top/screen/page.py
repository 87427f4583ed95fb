"""What all pages of the screen have: the app with its data, a filter that is typed, and the line with the command."""

from typing import cast

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from rookery.jobs.top.screen.actions import Actions
from rookery.jobs.top.screen.bars import TextLine, command_line

COMMON: list[BindingType] = [
    Binding("escape", "back", "Back", key_display="Esc"),
    Binding("question_mark", "help", "Keys", key_display="?"),
    Binding("q", "app.quit", "Quit"),
]
"""Keys of each page; they are in each page's own list, behind what the line of keys begins with."""

FILTER = Binding("slash", "filter", "Filter", key_display="/", priority=True)
"""The key that opens the filter. It has priority: the app hands other keys on to what has the focus as soon as they
come, so that those typed behind it would reach the list, where `c` and `y` cancel a job."""


class TopPage(Screen[None]):
    """A page of the screen."""

    @property
    def top(self) -> Actions:
        """The app, with what is known of the clusters."""
        return cast("Actions", self.app)

    def show_state(self) -> None:
        """Show what is known now; called when a cluster has answered."""

    def show_time(self) -> None:
        """Show what changes by itself; called once a second."""

    def show_command(self, command: str) -> None:
        """Show the command line that does what the page does."""
        for line in self.query("#command").results(TextLine):
            line.show(command_line(command))

    def action_back(self) -> None:
        """Go back to the page before."""
        self.dismiss()

    def action_help(self) -> None:
        """Show the keys."""
        self.top.show_help()


class FilteredPage(TopPage):
    """A page with a filter: `/` opens it, Enter leaves it as it is, Esc empties it."""

    @staticmethod
    def filter_field(placeholder: str) -> Input:
        """Return the field of the filter, which is not shown yet."""
        field = Input(placeholder=placeholder, id="filter", compact=True)
        field.display = False
        return field

    def filter_changed(self, text: str) -> None:
        """Take over what is typed."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let a filter have the key that opens it."""
        del parameters
        return action != "filter" or not isinstance(self.focused, Input)

    def action_filter(self) -> None:
        """Let the filter be typed."""
        field = self.query_one("#filter", Input)
        field.display = True
        self.set_focus(field)  # at once, not as `focus` does

    def action_back(self) -> None:
        """Empty the filter, or go back where it is empty."""
        field = self.query_one("#filter", Input)
        if not field.display:
            self.leave()
            return
        field.value, field.display = "", False
        self.set_focus(self.query_one("#list"))

    def leave(self) -> None:
        """Leave the page."""
        self.dismiss()

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self.filter_changed(event.value)

    @on(Input.Submitted, "#filter")
    def _entered(self, event: Input.Submitted) -> None:
        event.input.display = bool(event.value)
        self.set_focus(self.query_one("#list"))
