"""The app behind the screen of `top`: the clusters' feeds, and what keys do on more than one page."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from rookery.core import invocation, prompts
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.core.startup import INTERRUPTED
from rookery.jobs.monitor import cancel
from rookery.jobs.monitor.cancel import Goal
from rookery.jobs.options import TopOptions
from rookery.jobs.top import commands
from rookery.jobs.top.feeds import Feed, reach
from rookery.jobs.top.screen.dialogs import Help, Question
from rookery.jobs.top.screen.jobs_page import JobsPage
from rookery.jobs.top.screen.log_page import LogPage
from rookery.jobs.top.screen.page import TopPage
from rookery.jobs.top.screen.partitions_page import PartitionsPage
from rookery.jobs.top.screen.tasks_page import TasksPage, legend
from rookery.jobs.top.state import LOGIN, ClusterState, JobRow, Query
from rookery.projects.target import Target

LEAVE = 1.0
"""Seconds that a feed has to end when the screen is left: one may be in the middle of a login."""

SETTLED = 0.3
"""Seconds after a login until Ctrl-C means the screen again."""

STATES = ["PENDING", "RUNNING", "COMPLETED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL", "CANCELLED"]
"""States that the list of keys explains."""


class TopApp(App[int]):
    """The screen of `top`.

    Attributes:
        targets: The clusters, each with its connection.
        options: What the user asked for.
        clusters: What is known of each cluster.
        failure: An error of the program itself; None where there was none.
    """

    CSS_PATH = Path(__file__).with_name("top.tcss")
    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] = [(0, "-flat"), (8, "-low"), (16, "-high")]  # noqa: RUF012 Textual declares it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
    ]

    def __init__(self, targets: Sequence[Target], options: TopOptions) -> None:
        """Make the app.

        Args:
            targets: The clusters.
            options: What the user asked for.
        """
        super().__init__(ansi_color=True)  # the terminal's own colours, light or dark; none with NO_COLOR
        self.theme = "ansi-dark"
        self.targets = {target.cluster.name: target for target in targets}
        self.options = options
        self.clusters = {name: ClusterState(name) for name in self.targets}
        self.failure: Exception | None = None
        self._is_logging_in = False
        self._feeds = {name: self.feed(target) for name, target in self.targets.items()}

    def feed(self, target: Target) -> Feed:
        """Return the feed of a cluster."""
        return Feed(target.connection, self.options.days, self._told)

    def get_default_screen(self) -> Screen[None]:
        """Return the first page."""
        return JobsPage(Query(failed=self.options.failed))

    def on_mount(self) -> None:
        """Ask all clusters, at the same time."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._leave_by(number)
        for feed in self._feeds.values():
            feed.start()
        self.set_interval(1, self._show_time)

    def _leave_by(self, number: signal.Signals) -> None:
        """Make a signal end the screen, which leaves the terminal as it was."""
        with contextlib.suppress(RuntimeError, ValueError):  # not in the main thread
            asyncio.get_running_loop().add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: signal.Signals) -> None:
        if number == signal.SIGINT and self._is_logging_in:
            return  # it has ended the login
        self.exit(128 + number)

    async def on_unmount(self) -> None:
        """End what runs on the clusters for this screen."""
        for name, feed in self._feeds.items():
            feed.stop()
            self.targets[name].connection.processes.kill()
        for feed in self._feeds.values():
            await asyncio.to_thread(feed.join, LEAVE)

    def _handle_exception(self, error: Exception) -> None:
        """Leave the screen at an error of the program itself, which is then reported as for any other command."""
        self.failure = self.failure or error
        if self.is_headless:  # a test, which is to see where it comes from
            super()._handle_exception(error)
        self.exit(1)

    def _told(self, state: ClusterState) -> None:
        """Take over a new state of a cluster, which comes from its feed's thread."""
        self.call_later(self._take, state)

    def _take(self, state: ClusterState) -> None:
        self.clusters[state.name] = state

        for page in self._pages():
            page.show_state()

    def _show_time(self) -> None:
        for page in self._pages():
            page.show_time()

    def _pages(self) -> list[TopPage]:
        """Return the pages that can show something; none while the app ends, which takes their parts away first."""
        if not self.is_running:
            return []
        return [page for page in self.screen_stack if isinstance(page, TopPage) and page.is_mounted]

    def action_interrupt(self) -> None:
        """Leave, as Ctrl-C ends other commands."""
        self.exit(INTERRUPTED)

    async def action_quit(self) -> None:
        """Leave."""
        self.exit(0)

    def action_ask_again(self) -> None:
        """Ask all clusters now."""
        for feed in self._feeds.values():
            feed.refresh()

    def show_help(self) -> None:
        """Show the list of keys."""
        self.push_screen(Help(legend(STATES)))

    def open_tasks(self, row: JobRow) -> None:
        """Show the tasks of an array."""
        self.push_screen(TasksPage(row))

    def open_log(self, cluster: str, number: str) -> None:
        """Show the log of a job or task."""
        self.push_screen(LogPage(cluster, number))

    def open_partitions(self) -> None:
        """Show the partitions."""
        self.push_screen(PartitionsPage())

    def cancel(self, cluster: str, job: str, task: str) -> None:
        """Cancel a job or a task, after a question.

        Args:
            cluster: The cluster's name.
            job: The job's number.
            task: The task's number; "" for all of the job.
        """
        snapshot = self.clusters[cluster].snapshot
        if snapshot is None or snapshot.run(job) is None:
            self.notify(f"Job {job} is no longer listed on {cluster}.", severity="warning", markup=False)
            return
        goal = cancel.find_goal(job, task, snapshot, self.targets[cluster].connection)
        if goal.why_not:
            self.notify(f"{goal.why_not}.", severity="warning", markup=False)
            return
        command = commands.cancel(goal.id, cluster, sandbox=self.options.sandbox, tasks=goal.tasks)

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(lambda: self._cancel(cluster, goal), thread=True)

        self.push_screen(Question(f"Cancel {cancel.described(goal)} on {cluster}?", command), answered)

    def _cancel(self, cluster: str, goal: Goal) -> None:
        """Cancel in a thread: it takes a round trip."""
        connection = self.targets[cluster].connection
        try:
            reach(connection)
            cancel.scancel(connection, [goal.id])
        except RookeryError as error:
            self.call_from_thread(self._note, as_typed(error.message), "error")
            return
        self.call_from_thread(self._note, f"Cancelled {cancel.described(goal)} on {cluster}", "information")
        self._feeds[cluster].refresh()

    def _note(self, text: str, severity: str) -> None:
        self.notify(text, severity=severity, markup=False)  # type: ignore[arg-type]

    def action_login(self) -> None:
        """Log in to the clusters that ask something, in the terminal itself."""
        waiting = [name for name, cluster in self.clusters.items() if cluster.status == LOGIN]
        if not waiting:
            self.notify("No cluster waits for a login.", markup=False)
            return
        self._is_logging_in = True
        with self.suspend():
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)  # Ctrl-C ends the login alone
            try:
                for name in waiting:
                    self._log_in(name)
            except KeyboardInterrupt:
                pass
            finally:
                self._leave_by(signal.SIGINT)
        self.refresh(layout=True)
        self.set_timer(SETTLED, self._logged_in)  # the loop hears of a Ctrl-C after all this

    def _logged_in(self) -> None:
        self._is_logging_in = False

    def _log_in(self, name: str) -> None:
        """Log in to a cluster in the terminal."""
        try:
            self.targets[name].connection.open()
        except RookeryError as error:
            invocation.say(invocation.explain(error))
            prompts.read("Press Enter to go back.")
        else:
            self._feeds[name].refresh()
