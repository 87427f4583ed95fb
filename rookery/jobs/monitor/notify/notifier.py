"""Send notifications while jobs are watched, in each way that the user has set."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Thread
from typing import TYPE_CHECKING

from rookery.core import console, preferences, secret_settings
from rookery.core.errors import RookeryError
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.notify import message as messages
from rookery.jobs.monitor.notify import own_command, terminal
from rookery.jobs.monitor.notify.message import Message

if TYPE_CHECKING:
    from rookery.projects.target import Target

TIMEOUT = 15
"""Seconds that all ways together may take: a server may send its answer byte by byte."""

Way = Callable[[Message], str]
"""Sends a message; returns what went wrong, or ""."""

_SETTING = {"ntfy": "notify_ntfy", "webhook": "notify_webhook", "command": "notify_command"}


class Notifier:
    """Messages about jobs on a cluster."""

    def __init__(self, target: "Target", ways: Mapping[str, Way], *, is_last: bool = True) -> None:
        """Prepare it.

        Args:
            target: Project and cluster.
            ways: How messages are sent, by name.
            is_last: Whether the end of the jobs is the end of the command; otherwise its caller calls `ended`.
        """
        self._cluster = target.cluster.label
        self._project = target.project.name if target.project else ""
        self._ways, self.is_last = ways, is_last
        self._runs: tuple[JobRun, ...] = ()
        self._is_over = False

    def following(self, snapshots: Iterable[SlurmSnapshot], *, named: bool) -> Iterator[SlurmSnapshot]:
        """Yield snapshots as they come, and send what is worth a message: a first failure, and the end.

        Args:
            snapshots: Those of jobs that are watched until all have ended.
            named: Whether the user named the jobs; otherwise only those count that were active meanwhile.
        """
        seen: set[int] = set()
        has_failed = False
        for snapshot in snapshots:
            seen |= {run.id for run in snapshot.runs if named or run.is_active}
            self._runs = tuple(run for run in snapshot.runs if run.id in seen)
            failed = [run for run in self._runs if run.failed_count]
            if failed and not has_failed and any(run.is_active for run in self._runs):
                has_failed = True
                self.send(messages.first_failure(failed[0], self._cluster, self._project))
            yield snapshot
        if self.is_last and not self.ended():
            console.note("No job was running or waiting: no notification was sent.")

    def ended(self, more: str = "") -> bool:
        """Say that the jobs have ended; return whether there were any.

        Args:
            more: What else was done.
        """
        self._is_over = True
        if self._runs:
            self.send(messages.ended(self._runs, self._cluster, self._project, more))
        return bool(self._runs)

    def stopped(self, error: RookeryError) -> None:
        """Say that the command ends before the jobs did, unless their end has been said."""
        if self._is_over:
            return
        self._is_over = True
        self.send(messages.stopped(error.message, self._runs, self._cluster, self._project))

    def send(self, message: Message) -> None:
        """Send a message in all ways at once; what goes wrong is a line on standard error, and no more."""
        problems: dict[str, str] = {}

        def send_by(name: str, way: Way) -> None:
            try:
                problems[name] = way(message)
            except Exception as error:
                problems[name] = type(error).__name__

        threads = {name: Thread(target=send_by, args=(name, way), daemon=True) for name, way in self._ways.items()}
        for thread in threads.values():
            thread.start()
        end = time.monotonic() + TIMEOUT
        for name, thread in threads.items():
            thread.join(max(0.0, end - time.monotonic()))
            if problem := problems.get(name, "no answer in time"):
                console.note(f"No notification by {name}: {problem}")


def prepare(target: "Target", *, is_last: bool = True) -> Notifier:
    """Return what sends notifications as the user's settings say; before anything is submitted or awaited.

    Args:
        target: Project and cluster.
        is_last: As for Notifier.

    Raises:
        RookeryError: A way is asked for that has no address or command, or the settings can't be read.
    """
    from rookery.jobs.monitor.notify import web  # noqa: PLC0415 start-up

    settings = {**preferences.values(), **secret_settings.values()}
    chosen = preferences.ways(settings.get("notify", ""))
    set_up = ["desktop", *(way for way, key in _SETTING.items() if key in settings)]
    for way in chosen:
        if way not in set_up:
            raise RookeryError(
                f"--notify can't use {way}: `{_SETTING[way]}` is not set.",
                hint=secret_settings.command(_SETTING[way]) + (" 'COMMAND'" if way == "command" else ""),
            )
    if not chosen and len(set_up) > 1 and not terminal.is_there():
        set_up.remove("desktop")
    senders: dict[str, Way] = {
        "desktop": terminal.send,
        "ntfy": lambda it: web.to_ntfy(settings["notify_ntfy"], settings.get("notify_ntfy_token", ""), it),
        "webhook": lambda it: web.to_webhook(settings["notify_webhook"], it),
        "command": lambda it: own_command.run(settings["notify_command"], it),
    }
    return Notifier(target, {way: senders[way] for way in chosen or set_up}, is_last=is_last)
