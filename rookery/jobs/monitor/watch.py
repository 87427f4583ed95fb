"""`jobs --watch` and `submit --wait`: follow jobs until they have ended, by one remote command."""

import json as json_
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rookery.core import console, drawing, wrapping
from rookery.core.drawing import terminal
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, is_guided
from rookery.core.startup import INTERRUPTED
from rookery.jobs.monitor import accounting, job_states, job_table, live_use
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.pending_reasons import explain

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

    from rookery.jobs.monitor.notify.notifier import Notifier
    from rookery.projects.target import Target


def run(  # noqa: PLR0913 what `jobs` can be asked
    target: "Target",
    *,
    ids: Sequence[str] = (),
    project: str = "",
    days: int = 7,
    json: bool = False,
    notifier: "Notifier | None" = None,
) -> int:
    """Show jobs until all have ended or the user stops it; the jobs go on either way.

    Args:
        target: Project and cluster; its connection is open.
        ids: Numbers of the jobs; none for all of the last days.
        project: That of which they are; "" for all.
        days: How far back to look.
        json: A JSON document a line, whenever something has changed.
        notifier: Sends a message when a task has failed, and when all have ended; nobody where None.

    Returns:
        The exit code: 0; 1 where a task of a job that was named failed; 130 where the user stopped looking.

    Raises:
        RookeryError: Slurm does not answer, or the connection broke off.
    """
    snapshot, before, growth = None, "", live_use.Growth()
    name, again = target.cluster.name, _again(target, ids, notifier)
    with leaving(name, ids, again, notifier), _live(json, name) as live:
        snapshots = accounting.watch(target.connection, ids=ids, project=project, days=days, live=True)
        for snapshot in notifier.following(snapshots, named=bool(ids)) if notifier else snapshots:
            job_table.check(snapshot, target.cluster.name)
            growth.add(snapshot)
            now = _changes(snapshot)
            if live is not None:
                live.update(_rendered(snapshot, target, growth, detailed=bool(ids)), refresh=True)
            elif now != before:
                print(json_.dumps(job_table.document(snapshot, target)) if json else now, flush=True)
            before = now
    snapshot = _require_known(snapshot, target, ids)
    if not json:
        job_table.show(snapshot, target, project, days, ids)
    return int(any(run.failed_count for run in snapshot.runs)) if ids else 0


_SOON = {"None", "Dependency"}
"""Reasons to wait that are no news: Slurm's first, and the user's own."""


def ended(
    target: "Target",
    number: str,
    *more: str,
    notifier: "Notifier | None" = None,
    on_change: Callable[[str], object] | None = None,
) -> SlurmSnapshot:
    """Return the run of a job, or of several, once all have ended; only why they wait is said meanwhile.

    Args:
        target: Project and cluster; its connection is open.
        number: The job's number.
        more: Those of others.
        notifier: As for `run`.
        on_change: Called with a line for each job whenever one of these lines has changed.

    Raises:
        RookeryError: Slurm does not answer, or the connection broke off.
    """
    snapshot = None
    ids, what = [number, *more], f"Waiting until job {number} on {target.cluster.name} has ended"
    with leaving(target.cluster.name, ids, _again(target, ids, notifier), notifier), console.waiting(what):
        said, before = {""}, ""
        snapshots = accounting.watch(target.connection, ids=ids)
        for snapshot in notifier.following(snapshots, named=True) if notifier else snapshots:
            job_table.check(snapshot, target.cluster.name)
            reasons = [reason for run in snapshot.runs if run.waiting and not run.running for reason in run.reasons]
            why = next((explain(reason) for reason in reasons if reason not in _SOON), "")
            if on_change and (now := _changes(snapshot)) != before:
                before = now
                on_change(now)
            if why not in said:
                console.note(f"  job {number} waits: {why}")
            said.add(why)
    return _require_known(snapshot, target, ids)


def _again(target: "Target", ids: Sequence[str], notifier: "Notifier | None") -> str:
    """Return the command that watches the same jobs."""
    return f"invoke jobs {' '.join([*ids, '--watch', *['--notify'] * bool(notifier)])}{target.flags}"


@contextmanager
def leaving(name: str, ids: Sequence[str], again: str, notifier: "Notifier | None" = None) -> Iterator[None]:
    """Print how to come back, where the user stops it or the connection breaks off; the jobs go on.

    In the second case, a message is sent, since none will come of the jobs' end.

    Args:
        name: The cluster's.
        ids: Numbers of the jobs; none for all.
        again: The command that comes back.
        notifier: Sends the message.

    Raises:
        SystemExit: The user stopped it.
    """
    try:
        yield
    except KeyboardInterrupt:
        if is_guided():
            raise
        what = f"Job {ids[0]} is still running" if len(ids) == 1 else "Your jobs are still running"
        console.note("", f"{what} on {name}.", f"  next: {as_typed(again)}")
        raise SystemExit(INTERRUPTED) from None
    except RookeryError as error:
        error.hint = error.hint or (None if is_guided() else again)
        if notifier and notifier.is_last:
            notifier.stopped(error)
        raise


def _require_known(snapshot: SlurmSnapshot | None, target: "Target", ids: Sequence[str]) -> SlurmSnapshot:
    if snapshot is None or (ids and not snapshot.runs):
        snapshot, name = snapshot or SlurmSnapshot(0, 0, ()), target.cluster.name
        raise RookeryError(
            f"{snapshot.unknown(name, ' '.join(ids))}.",
            hint=f"invoke jobs --all --days 30{target.flags}",
        )
    return snapshot


def _changes(snapshot: SlurmSnapshot) -> str:
    """Return a line for each job: what is worth a new line when it changes."""
    lines = []
    for run in snapshot.runs:
        why = next(map(explain, run.reasons), "") if run.waiting and not run.running else ""
        lines.append(f"{run.id} {run.name}: {job_states.state(run)}{f' ({why})' if why else ''}")
        lines += [f"{run.id} {run.name} is about to run out of {what}" for what in live_use.short_of(run)]
    return "\n".join(lines)


def _live(silent: bool, name: str) -> AbstractContextManager[Any]:
    """Show the table on a terminal, over and over; nothing elsewhere."""
    if silent or not sys.stdout.isatty():
        return nullcontext()
    from rich.live import Live
    from rich.spinner import Spinner

    first = Spinner("line", f"Asking {name}")
    return Live(first, refresh_per_second=4, transient=True)  # between two ends of tasks the spinner alone shows life


def _rendered(snapshot: SlurmSnapshot, target: "Target", growth: live_use.Growth, *, detailed: bool) -> "Group":
    from rich.console import Group
    from rich.spinner import Spinner
    from rich.text import Text

    active = tuple(run for run in snapshot.runs if run.is_active)
    shown = (active or snapshot.runs[-3:])[::-1]
    bars = [_bar(run) for run in shown if run.array]
    lines = [*live_use.remarks(shown, growth, detailed=detailed), *job_table.remarks(snapshot, shown, target)]
    remarks = [Text(wrapping.fit(line, sys.stdout)) for line in lines]
    life = Spinner("line", Text("Ctrl-C stops watching; the jobs keep running", style="dim"))
    return Group(job_table.table(shown, snapshot.now, wrapping.columns(sys.stdout)), *bars, *remarks, life)


def _bar(run: JobRun) -> "Text":
    from rich.text import Text

    ended = run.completed_count + run.failed_count
    bar = drawing.bar(ended, run.total, 40, plain=terminal.is_plain())
    style = "red" if run.failed_count else "green"
    return Text.assemble(f"{run.id} ", (bar, style), f" {ended} of {run.total}")
