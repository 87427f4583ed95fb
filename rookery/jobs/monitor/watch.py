"""`jobs --watch` and `submit --wait`: follow jobs until they have ended, by one remote command."""

import json as json_
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rookery.core import console, wrapping
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, is_guided
from rookery.core.startup import INTERRUPTED
from rookery.jobs.monitor import accounting, job_states, job_table
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.pending_reasons import explain

if TYPE_CHECKING:
    from rich.console import Group

    from rookery.projects.target import Target


def run(target: "Target", *, ids: Sequence[str] = (), project: str = "", days: int = 7, json: bool = False) -> int:
    """Show jobs until all have ended or the user stops it; the jobs go on either way.

    Args:
        target: Project and cluster; its connection is open.
        ids: Numbers of the jobs; none for all of the last days.
        project: That of which they are; "" for all.
        days: How far back to look.
        json: A JSON document a line, whenever something has changed.

    Returns:
        The exit code: 0; 1 where a task of a job that was named failed; 130 where the user stopped looking.

    Raises:
        RookeryError: Slurm does not answer, or the connection broke off.
    """
    snapshot, before = None, ""
    with _leaving(target, ids), _live(json, target.cluster.name) as live:
        for snapshot in accounting.watch(target.connection, ids=ids, project=project, days=days):
            job_table.check(snapshot, target.cluster.name)
            now = _changes(snapshot)
            if live is not None:
                live.update(_rendered(snapshot, target), refresh=True)
            elif now != before:
                print(json_.dumps(job_table.document(snapshot, target)) if json else now, flush=True)
            before = now
    snapshot = _require_known(snapshot, target, ids)
    if not json:
        job_table.show(snapshot, target, project, days)
    return int(any(run.failed_count for run in snapshot.runs)) if ids else 0


_SOON = {"None", "Dependency"}
"""Reasons to wait that are no news: Slurm's first, and the user's own."""


def ended(target: "Target", number: str, *more: str, on_change: Callable[[str], object] | None = None) -> SlurmSnapshot:
    """Return the run of a job, or of several, once all have ended; only why they wait is said meanwhile.

    Args:
        target: Project and cluster; its connection is open.
        number: The job's number.
        more: Numbers of other jobs.
        on_change: Called with a line for each job whenever one of these lines has changed.

    Raises:
        RookeryError: Slurm does not answer, or the connection broke off.
    """
    snapshot = None
    ids, what = [number, *more], f"Waiting until job {number} on {target.cluster.name} has ended"
    with _leaving(target, ids), console.waiting(what):
        said, before = {""}, ""
        for snapshot in accounting.watch(target.connection, ids=ids):
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


@contextmanager
def _leaving(target: "Target", ids: Sequence[str]) -> Iterator[None]:
    """Print how to come back, where the user stops it or the connection breaks off; the jobs go on.

    Raises:
        SystemExit: The user stopped it.
    """
    again = f"invoke jobs {' '.join([*ids, '--watch'])}{target.flags}"
    try:
        yield
    except KeyboardInterrupt:
        if is_guided():
            raise
        what = f"Job {ids[0]} is still running" if len(ids) == 1 else "Your jobs are still running"
        console.note("", f"{what} on {target.cluster.name}.", f"  next: {as_typed(again)}")
        raise SystemExit(INTERRUPTED) from None
    except RookeryError as error:
        error.hint = error.hint or (None if is_guided() else again)
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
    return "\n".join(lines)


def _live(silent: bool, name: str) -> AbstractContextManager[Any]:
    """Show the table on a terminal, over and over; nothing elsewhere."""
    if silent or not sys.stdout.isatty():
        return nullcontext()
    from rich.live import Live
    from rich.spinner import Spinner

    first = Spinner("line", f"Asking {name}")
    return Live(first, refresh_per_second=4, transient=True)  # between two ends of tasks the spinner alone shows life


def _rendered(snapshot: SlurmSnapshot, target: "Target") -> "Group":
    from rich.console import Group
    from rich.spinner import Spinner
    from rich.text import Text

    active = tuple(run for run in snapshot.runs if run.is_active)
    shown = (active or snapshot.runs[-3:])[::-1]
    bars = [_bar(run) for run in shown if run.array]
    remarks = [Text(wrapping.fit(line, sys.stdout)) for line in job_table.remarks(snapshot, shown, target)]
    life = Spinner("line", Text("Ctrl-C stops watching; the jobs keep running", style="dim"))
    return Group(job_table.table(shown, snapshot.now, wrapping.columns(sys.stdout)), *bars, *remarks, life)


def _bar(run: JobRun) -> Any:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    ended = run.completed_count + run.failed_count
    grid = Table.grid(padding=(0, 1))
    style = "red" if run.failed_count else "green"
    grid.add_row(str(run.id), ProgressBar(run.total, ended, width=40, complete_style=style), f"{ended} of {run.total}")
    return grid
