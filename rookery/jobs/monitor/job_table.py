"""The state of the user's jobs, in one table or document, with advice from those that ended."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rookery.core import console, local_time, tables, wrapping
from rookery.core.drawing import terminal
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed
from rookery.jobs import race_state, run_record
from rookery.jobs.monitor import job_states, live_use, reruns, task_grid
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.jobs.monitor.efficiency import advice, clock, memory
from rookery.jobs.monitor.pending_reasons import explain
from rookery.projects import remote_paths
from rookery.remote.slurm import reruns as rerun_families

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from rookery.projects.target import Target

MOST = 40
"""Jobs that the table shows; the latest."""


def check(snapshot: SlurmSnapshot, cluster: str) -> None:
    """Refuse a snapshot without any answer of Slurm's.

    Raises:
        RookeryError: Neither squeue nor sacct did.
    """
    if snapshot.squeue and snapshot.sacct:
        raise RookeryError(
            f"Slurm on {cluster} does not answer: {snapshot.squeue}. Your jobs are not lost and keep running.",
            hint="run the same command again in a few minutes",
        )


def document(snapshot: SlurmSnapshot, target: "Target", ids: Sequence[str] = ()) -> dict[str, Any]:
    """Return the document for --json.

    Args:
        snapshot: What Slurm said.
        target: Project and cluster.
        ids: Numbers of the jobs that are wanted; none for all of them.
    """
    failed_of = reruns.known(target, snapshot)
    return {
        "cluster": target.cluster.name,
        "now": snapshot.now,
        "squeue": snapshot.squeue,
        "sacct": snapshot.sacct,
        "live": snapshot.live,
        "jobs": [
            {
                **asdict(run),
                "state": job_states.state(run),
                "why": [explain(code) for code in run.reasons],
                "advice": list(advice(run, asked_memory=_asked_memory(run, target))),
                "warnings": list(live_use.warnings(run)),
                "failed_left": reruns.left(run, reruns.family(run, snapshot, failed_of), snapshot.uid)[0],
            }
            for run in chosen(snapshot, ids)
        ],
    }


def chosen(snapshot: SlurmSnapshot, ids: Sequence[str]) -> tuple[JobRun, ...]:
    """Return the jobs of some numbers, without others that tell what is left of these; all where none is named."""
    return tuple(run for run in snapshot.runs if not ids or any(map(run.is_called, ids)))


def show(snapshot: SlurmSnapshot, target: "Target", project: str, days: int, ids: Sequence[str] = ()) -> None:
    """Print the table, the newest job first, and below it why jobs wait and advice from those that ended.

    Args:
        snapshot: What Slurm said.
        target: Project and cluster.
        project: The project of which the jobs are; "" for all.
        days: How far back Slurm was asked.
        ids: Numbers of the jobs that are wanted; none for all of them.
    """
    runs = chosen(snapshot, ids)
    output = tables.console()
    for line in [*gaps(snapshot, target.cluster.name), *live_use.gap(snapshot, target, named=bool(ids))]:
        console.show(output, line, "yellow")
    if not runs:
        whose = f" of {project}" if project else ""
        when = "24 hours" if days == 1 else f"{days} days"
        console.say(f"No jobs{whose} on {target.cluster.name} in the last {when}.")
        return
    shown = runs[: -MOST - 1 : -1]
    output.print(table(shown, snapshot.now, wrapping.columns(sys.stdout)))
    if len(shown) < len(runs):
        console.say(f"{len(runs) - len(shown)} earlier jobs are not shown; use --json for all.")
    console.say(*live_use.remarks(shown, detailed=bool(ids)), *remarks(snapshot, shown, target))
    if len(ids) == 1 and runs[0].array and runs[0].total > 1:
        console.say("")
        terminal.show(task_grid.of(runs[0]))


def gaps(snapshot: SlurmSnapshot, cluster: str) -> Iterator[str]:
    """Yield what the table lacks, since a part of Slurm does not answer."""
    if snapshot.squeue:
        yield (
            f"squeue on {cluster} does not answer ({snapshot.squeue}): this is from sacct, and may be some minutes old."
        )
    if snapshot.keeps_none:
        yield (
            f"{cluster} has no job accounting (sacct is off): jobs that ended some minutes ago are missing; see their "
            "logs and outputs."
        )
    elif snapshot.sacct:
        yield f"sacct on {cluster} does not answer ({snapshot.sacct}): jobs that ended some minutes ago are missing."


def table(runs: Sequence[JobRun], now: float | None = None, room: int | None = None) -> "Table":
    """Return the table of some jobs, in their order.

    Args:
        runs: The jobs.
        now: The time on the cluster, in seconds since 1970, which tells what was yesterday; the time here where None.
        room: How many columns the terminal has; None for a file or a pipe.
    """
    from rich.text import Text

    measured = [f">{figure}\nused/\nasked" for figure in ("time", "cores", "memory")]
    rows: list[list[RenderableType]] = [
        [
            str(run.id),
            Text(run.name),
            local_time.when(run.submitted, now) or tables.UNKNOWN,
            job_states.coloured(run),
            *figures(run),
        ]
        for run in runs
    ]
    return tables.table(["=job", "<name", "when", "state", *measured], rows, room)


def figures(run: JobRun) -> list["Text"]:
    """Return the cells of what a job used of what it asked for: time, cores, memory."""
    return [_figure(*pair) for pair in (_time(run), _cores(run), _memory(run))]


def _figure(measured: str, asked: str) -> "Text":
    """Return what was used, and in grey what was asked for."""
    from rich.text import Text

    text = Text(tables.used(measured, asked))
    text.stylize("dim", text.plain.find("/") if "/" in text.plain else 0)
    return text


def _time(run: JobRun) -> tuple[str, str]:
    has_begun = run.start or run.elapsed
    return clock(run.elapsed) if has_begun else "", clock(int(run.limit)) if run.limit.isdigit() else ""


def _cores(run: JobRun) -> tuple[str, str]:
    used = run.cores_used if run.cpu_given else run.cores_now
    return f"{used:.1f}" if run.cpu_given or used else "", str(run.cpus or "")


def _memory(run: JobRun) -> tuple[str, str]:
    peak, asked = run.memory_peak, run.memory_asked
    return memory(peak) if peak else "", memory(asked) if asked else ""


def remarks(snapshot: SlurmSnapshot, runs: Sequence[JobRun], target: "Target") -> Iterator[str]:
    """Yield remarks on jobs, a line each: why they wait, advice from those that ended."""
    failed_of = reruns.known(target, snapshot)
    yield from _races(target)
    for run in runs:
        if run.parts:
            yield f"Job {run.id} runs in parts: {in_parts(run)}"
        for code, _ in sorted(run.reasons.items(), key=lambda item: -item[1])[:2]:
            start = local_time.when(run.expected, snapshot.now)
            why = explain(code, run.counts.get("RUNNING", 0))
            yield f"Job {run.id} is waiting: {why}{f'; expected start: {start}' if start else ''}"
        for line in advice(run, asked_memory=_asked_memory(run, target)):
            yield f"Job {run.id}: {spoken(line, target)}"
        if not run.is_active and "0" not in run.cancelled_by and run.counts.get("CANCELLED") == run.total:
            continue
        if "0" in run.cancelled_by and not run.killed_for_memory and not run.elapsed:
            yield f"Slurm cancelled job {run.id} before it started: the job it depends on failed"
        failed, count = _left(run, snapshot, failed_of)
        if run.array and count:
            again = f": invoke submit --failed {run.id}" if _is_of_project(run, target) else ""
            line = f"{count} of {run.total} tasks failed ({_short(failed)}){again}"
            yield f"Job {run.id}: {spoken(line, target)}"


def in_parts(run: JobRun) -> str:
    """Return how far a job is that runs in parts."""
    now = run.elapsed if run.running else 0
    seconds, total = run.parts["seconds"] + now, run.parts["total"]
    limit = int(run.limit) if run.limit.isdigit() else 0
    most = f" of about {max(run.parts['count'], -(-total // limit))}" if limit and run.is_active else ""
    return f"part {run.parts['count']}{most}, {clock(seconds)} of {clock(total)} so far"


def _races(target: "Target") -> Iterator[str]:
    """Yield a line for each race (`submit --race`) that has not ended, and that a job on this cluster is part of."""
    for race in race_state.unfinished(target.project.root) if target.project else ():
        names = [each.cluster for each in race.entrants]
        if race.sandbox == target.cluster.sandbox and target.cluster.name in names:
            command = f"invoke submit {shlex.quote(race.job)} --race{' --sandbox' * race.sandbox}"
            yield f"{race.job} is in a race, and nobody watches which starts first: {as_typed(command)} continues it"


def _left(run: JobRun, snapshot: SlurmSnapshot, failed_of: Mapping[str, str]) -> tuple[str, int]:
    """Return the failed tasks to offer with a run: none where a run of the same tasks goes on, or a later one has some.

    Where Slurm was not asked for such a run, its tasks are shown with that one.
    """
    family = reruns.family(run, snapshot, failed_of)
    later = [other for other in family if other.id > run.id]
    members = rerun_families.family(str(run.id), failed_of)
    is_unknown = any(int(number) > run.id and snapshot.run(number) is None for number in members)
    if is_unknown or any(other.is_active for other in family):
        return "", 0
    if any(reruns.left(other, family, snapshot.uid)[1] for other in later):
        return "", 0
    return reruns.left(run, family, snapshot.uid)


def _is_of_project(run: JobRun, target: "Target") -> bool:
    """Return whether a job is one of the project's, so that `submit` knows its tasks."""
    if not target.project:
        return False
    project, label = target.project, target.cluster.label
    is_below = f"/{remote_paths.base(project.name)}/" in run.folder
    return is_below or run_record.find(project.root, str(run.id), label) is not None


def spoken(line: str, target: "Target") -> str:
    """Return a line that ends with a command, as the user types it here."""
    what, invoke, arguments = line.partition("invoke ")
    return f"{what}{as_typed(target.next(invoke + arguments))}" if invoke else line


def _short(tasks: str) -> str:
    return tasks if len(tasks) <= 50 else tasks[:50].rpartition(",")[0] + ", …"


def _asked_memory(run: JobRun, target: "Target") -> bool:
    """Return whether the script asked for memory itself, by its record; else whether it looks like it."""
    record = run_record.find(target.project.root, str(run.id), target.cluster.label) if target.project else None
    return "--mem" in record.script if record else run.memory_asked < 100 * 1024 * 1024
