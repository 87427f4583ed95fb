"""Screens that lie over a page: a question before something is cancelled, and the list of keys."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from rookery.jobs.top.screen.bars import command_line


class Question(ModalScreen[bool]):
    """A question with yes or no as its answer; anything but yes is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, text: str, command: str) -> None:
        """Make the question.

        Args:
            text: What is asked.
            command: The command line that does what is asked about.
        """
        super().__init__()
        self._text, self._command = text, command

    def compose(self) -> ComposeResult:
        """Lay the question out."""
        with VerticalScroll(id="dialog"):
            yield Static(Text(self._text), markup=False)
            yield Static(command_line(self._command), markup=False)
            with Horizontal(id="answers"):
                yield Button("No (n)", id="no", compact=True)
                yield Button("Yes (y)", id="yes", compact=True)

    def on_mount(self) -> None:
        """Let Enter alone mean no."""
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Take the answer."""
        self.dismiss(yes)


HELP = """\
Everywhere
  ?        these keys             q        quit
  Esc      back                   Ctrl-Z   to the shell (fg: back here)

Jobs
  arrows   move (also j k)        Enter    tasks of an array, or log
  /        filter                 f        failed jobs only
  s S      sort, reverse          l        log
  c        cancel                 p        partitions: what is free
  u        memory, cores, GPUs    r        ask again now
  L        log in where asked to

Tasks of an array
  arrows   move                   Enter    log of the task
  n N      next, previous failed  f        failed tasks only
  c C      cancel task, array     /        3,10-20 or a state

Log
  arrows   scroll                 End      follow
  e        the error log

Mouse: click to move, double-click to open, click a title to sort by it,
wheel to scroll. The line with $ is the command that does the same.
"""


class Help(ModalScreen[None]):
    """The list of keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "close", "Back"),
    ]

    def __init__(self, legend: Text) -> None:
        """Make the list.

        Args:
            legend: What the characters of the grid mean.
        """
        super().__init__()
        self._legend = legend

    def compose(self) -> ComposeResult:
        """Lay the list out."""
        with VerticalScroll(id="help"):
            yield Static(Text(f"{HELP}\n") + self._legend, markup=False)

    def on_click(self) -> None:
        """Close it."""
        self.dismiss()

    def action_close(self) -> None:
        """Close it."""
        self.dismiss()
