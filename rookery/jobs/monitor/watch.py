"""`jobs --watch` and `submit --wait`: stay with jobs until they have ended; one remote command all the while."""

import json as json_
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rookery.core.errors import RookeryError
from rookery.core.invocation import is_guided
from rookery.core.startup import INTERRUPTED
from rookery.jobs.monitor import accounting, job_table
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.pending_reasons import explain

if TYPE_CHECKING:
    from rich.console import Group

    from rookery.projects.target import Target


def run(found: "Target", *, ids: Sequence[str] = (), project: str = "", days: int = 7, json: bool = False) -> int:
    """Show jobs as they go on, until all have ended or the user has seen enough; the jobs go on either way.

    Args:
        found: Project and cluster; its connection is open.
        ids: Numbers of the jobs; none for all of the last days.
        project: That of which they are; "" for all.
        days: How far back to look.
        json: A JSON document a line, whenever something has changed.

    Returns:
        The exit code: 0; 1 where a task of a job that was named failed; 130 where the user stopped looking.

    Raises:
        RookeryError: Slurm does not answer, or the connection broke off.
    """
    told, before = None, ""
    with _leaving(found, ids), _live(json) as live:
        for told in accounting.watch(found.connection, ids=ids, project=project, days=days):
            job_table.check(told, found.cluster.name)
            now = _changes(told)
            if live is not None:
                live.update(_picture(told, found), refresh=True)
            elif now != before:
                print(json_.dumps(job_table.document(told, found)) if json else now, flush=True)
            before = now
    told = _known(told, found, ids)
    if not json:
        job_table.show(told, found, project, days)
    return int(any(one.failed_count for one in told.runs)) if ids else 0


def ended(found: "Target", number: str) -> SlurmSnapshot:
    """Return what came of a job, once it has ended; nothing is shown meanwhile.

    Raises:
        RookeryError: Slurm does not answer, or the connection broke off.
    """
    told = None
    with _leaving(found, [number]):
        for told in accounting.watch(found.connection, ids=[number]):
            job_table.check(told, found.cluster.name)
    return _known(told, found, [number])


@contextmanager
def _leaving(found: "Target", ids: Sequence[str]) -> Iterator[None]:
    """Say how to come back, where the user stops looking or the connection breaks off; the jobs go on.

    Raises:
        SystemExit: The user stopped it.
    """
    again = f"invoke jobs {' '.join([*ids, '--watch'])}{found.flags}"
    try:
        yield
    except KeyboardInterrupt:
        if is_guided():
            raise
        what = f"{ids[0]} goes on" if len(ids) == 1 else "They go on"
        print(f"\n{what} on {found.cluster.name}.\n  next: {job_table.spoken(again, '')}", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except RookeryError as error:
        error.hint = error.hint or again
        raise


def _known(told: SlurmSnapshot | None, found: "Target", ids: Sequence[str]) -> SlurmSnapshot:
    if told is None or (ids and not told.runs):
        told, name = told or SlurmSnapshot(0, 0, ()), found.cluster.name
        raise RookeryError(
            f"{told.unknown(name, ' '.join(ids))}.",
            hint=f"invoke jobs --all --days 30{found.flags}",
        )
    return told


def _changes(told: SlurmSnapshot) -> str:
    """Return a line a job: what is worth a new line when it changes."""
    lines = []
    for one in told.runs:
        why = next(map(explain, one.reasons), "") if one.waiting and not one.running else ""
        lines.append(f"{one.id} {one.name}: {job_table.state(one)}{f' ({why})' if why else ''}")
    return "\n".join(lines)


def _live(silent: bool) -> AbstractContextManager[Any]:
    """Return what is shown on a terminal, over and over; nothing elsewhere."""
    if silent or not sys.stdout.isatty():
        return nullcontext()
    from rich.live import Live

    return Live(refresh_per_second=4, transient=True)  # between two ends of tasks the spinner alone shows life


def _picture(told: SlurmSnapshot, found: "Target") -> "Group":
    from rich.console import Group
    from rich.spinner import Spinner
    from rich.text import Text

    active = tuple(one for one in told.runs if one.is_active)
    shown = active or told.runs[-3:]
    bars = [_bar(one) for one in shown if one.array]
    remarks = [Text(line) for line in job_table.remarks(told, shown, found)]
    return Group(
        job_table.table(shown), *bars, *remarks, Spinner("line", Text("Ctrl-C leaves them running", style="dim"))
    )


def _bar(one: JobRun) -> Any:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    ended = one.completed_count + one.failed_count
    grid = Table.grid(padding=(0, 1))
    style = "red" if one.failed_count else "green"
    grid.add_row(str(one.id), ProgressBar(one.total, ended, width=40, complete_style=style), f"{ended} of {one.total}")
    return grid
