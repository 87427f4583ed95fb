"""The page with the partitions of all clusters, and what is free in them."""

from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from rookery.core import tables
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.jobs.monitor import queue
from rookery.jobs.monitor.queue import Partition
from rookery.jobs.top import commands
from rookery.jobs.top.feeds import reach
from rookery.jobs.top.screen.bars import TextLine
from rookery.jobs.top.screen.page import COMMON, TopPage
from rookery.jobs.top.state import LOGIN, NO_SLURM, NO_USER, SILENT

EVERY = 60
"""Seconds after which the partitions are asked for again while the page is open."""


class PartitionsPage(TopPage):
    """The page with the partitions of all clusters."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask", "Ask again"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("p", "back", "Jobs", show=False),
        *COMMON,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, list[Partition] | str] = {}

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield TextLine(id="summary")
        with VerticalScroll(id="list"):
            yield Static(id="partitions", markup=False)
        yield TextLine(id="command")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Ask for the first time."""
        self.query_one("#summary", TextLine).show(Text("Partitions, and what is free", style="bold"))
        self.show_command(commands.queue(self._names(), sandbox=self.top.options.sandbox))
        self.query_one("#list").focus()
        self.action_ask()
        self.set_interval(EVERY, self.action_ask)

    def _names(self) -> list[str]:
        return [name for name, cluster in self.top.clusters.items() if cluster.status != NO_SLURM]

    def action_ask(self) -> None:
        """Ask each cluster that answers, all at the same time; of the others it is known why they don't."""
        for name in self._names():
            cluster = self.top.clusters[name]
            if cluster.status in {SILENT, LOGIN, NO_USER}:
                self._answers[name] = as_typed(cluster.problem)
                continue
            self.run_worker(lambda name=name: self._ask(name), thread=True, exclusive=True, group=f"queue {name}")
        self._show()

    def _ask(self, name: str) -> None:
        connection = self.top.targets[name].connection
        answer: list[Partition] | str
        try:
            reach(connection)
            answer = queue.read(queue.ask(connection), connection.cluster.data)
        except RookeryError as error:
            answer = as_typed(" ".join(error.message.split()))
        if self.is_mounted:
            self.app.call_from_thread(self._answered, name, answer)

    def _answered(self, name: str, answer: list[Partition] | str) -> None:
        self._answers[name] = answer
        self._show()

    def on_resize(self) -> None:
        """Lay the tables out anew."""
        self._show()

    def action_scroll(self, lines: int) -> None:
        """Scroll by a line."""
        self.query_one("#list").scroll_relative(y=lines, animate=False)

    def _show(self) -> None:
        parts: list[RenderableType] = []
        for name in self._names():
            answer = self._answers.get(name)
            parts.append(Text(f"{name}{'' if answer else ' …'}", style="bold"))
            if isinstance(answer, str):
                parts.append(Text(answer, style="red"))
            elif answer:
                room = max(20, self.size.width - 1)
                parts.append(tables.table(queue.HEADINGS, [queue.row(partition) for partition in answer], room))
            parts.append(Text())
        self.query_one("#partitions", Static).update(Group(*parts) if parts else Text("No cluster has a queue."))
