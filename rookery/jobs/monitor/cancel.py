"""The command `cancel`: print what will be cancelled, ask where it is more than one task, and run scancel."""

import json as json_
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation, prompts
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, job_states, job_table
from rookery.jobs.monitor.accounting import ACTIVE, SlurmSnapshot
from rookery.jobs.options import CancelOptions
from rookery.projects import target as targets
from rookery.remote.slurm.forms import numbers

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.target import Target

_OWNER = 'squeue --noheader -j "$1" -o %u'

# a run whose parts are jobs is all of them, the last first: else the next would begin. Jobs of another project are left
# alone that have these numbers by now
_SCANCEL = r"""
all=
for id; do
  jobs=
  for file in ~/projects/*/state/parts/"${id%%_*}".jobs; do
    [ -f "$file" ] || continue
    project=$(cd "${file%/state/parts/*}" && pwd -P) || continue
    queued=$(squeue -h -j "$(paste -sd , "$file")" -o '%F %Z' | grep -F " $project/" | cut -d ' ' -f 1 | sort -rnu)
    jobs="$jobs $queued"
  done
  [ -n "$(echo $jobs)" ] || jobs=${id%%_*}
  for job in $jobs; do
    all="$all $job${id#"${id%%_*}"}"
  done
done
exec scancel $all"""


@dataclass(frozen=True)
class Goal:
    """A job or a task to cancel.

    Attributes:
        id: As scancel takes it.
        name: The job's name.
        tasks: How many tasks it means that have not ended.
        why_not: Why it can't be cancelled; "" where it can.
        in_parts: Whether the job runs in parts, so that it can be continued.
    """

    id: str
    name: str = ""
    tasks: int = 0
    why_not: str = ""
    in_parts: bool = False


def run(options: CancelOptions) -> int:
    """Cancel jobs, and print which.

    Returns:
        The exit code: 0 where all that were named are cancelled; 1 where one had ended, or is not the user's.

    Raises:
        RookeryError: As `carry_out`.
    """
    _ids(options)
    target = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False)
    cancelled = carry_out(target, options)
    if cancelled is None:
        console.note("Nothing was cancelled.")
        return 1
    if options.json:
        print(json_.dumps(cancelled.document()))
    else:
        for goal in cancelled.goals:
            console.say(f"{'Would cancel' if options.check else 'Cancelled'} {described(goal)}")
            if goal.in_parts and not options.check:
                command = invocation.as_typed(target.next(f"invoke submit --failed {goal.id.partition('_')[0]}"))
                console.say(f"  next     {command}   # continues from its checkpoint")
        for goal in cancelled.refused:
            console.note(f"{goal.why_not}.")
    return int(bool(cancelled.refused))


@dataclass(frozen=True)
class Cancelled:
    """Jobs that were cancelled, or with --check would be.

    Attributes:
        goals: They.
        refused: Those that were named and can't be.
        check: Nothing was cancelled yet.
    """

    goals: Sequence[Goal]
    refused: Sequence[Goal]
    check: bool

    def document(self) -> dict[str, Any]:
        """Return the document for --json."""
        done = "would_cancel" if self.check else "cancelled"
        return {done: [goal.id for goal in self.goals], "not": {goal.id: goal.why_not for goal in self.refused}}


def carry_out(target: "Target", options: CancelOptions) -> Cancelled | None:
    """Cancel jobs; None where the user was asked, and does not agree.

    Raises:
        RookeryError: None could be cancelled.
    """
    ids = _ids(options)
    target.connection.open()
    snapshot = accounting.ask(target.connection, ids=list(dict.fromkeys(number for number, _ in ids)))
    job_table.check(snapshot, target.cluster.name)
    goals = [find_goal(number, task, snapshot, target.connection) for number, task in dict.fromkeys(ids)]
    refused = [goal for goal in goals if goal.why_not]
    goals = [goal for goal in goals if not goal.why_not]
    if not goals:
        raise RookeryError("\n".join(f"{goal.why_not}." for goal in refused), hint=f"invoke jobs --all{target.flags}")
    if not options.check:
        if not _confirmed(goals, options, target.flags):
            return None
        scancel(target.connection, [goal.id for goal in goals])
    return Cancelled(goals, refused, options.check)


def _ids(options: CancelOptions) -> list[tuple[str, str]]:
    """Return the jobs and tasks that are named.

    Raises:
        RookeryError: One is no number of a job.
    """
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    return [run_record.parse_id(part, flags) for part in options.job.split(",")]


def find_goal(number: str, task: str, snapshot: SlurmSnapshot, connection: "Connection") -> Goal:
    """Return the job or task of an id, and whether it can be cancelled."""
    name, run = f"{number}_{task}" if task else number, snapshot.run(number)
    if run is None:
        output = "" if snapshot.squeue else connection.run([number], script=_OWNER, check=False).stdout
        owner = console.clean(output).split()
        unknown = snapshot.unknown(connection.cluster.name, number)
        return Goal(name, why_not=f"Job {number} belongs to {owner[0]}" if owner else unknown)
    name = f"{run.id}_{task}" if task else str(run.id)  # a part is no job that can be cancelled alone
    if not task:
        ended = "" if run.is_active else f"Job {number} has already ended ({job_states.state(run)})"
        return Goal(name, run.name, run.waiting + run.running, ended, bool(run.parts))
    state = next((state for state, tasks in run.tasks.items() if int(task) in numbers(tasks)), "")
    if state in ACTIVE:
        return Goal(name, run.name, 1, in_parts=bool(run.parts))
    ended = f"Task {name} has already ended ({job_states.word(state)})"
    return Goal(name, run.name, 0, ended if state else f"Job {number} has no task {task}")


def described(goal: Goal) -> str:
    """Return what would be cancelled, with its name."""
    tasks = f", {goal.tasks} tasks" if goal.tasks > 1 else ""
    return f"{'task' if '_' in goal.id else 'job'} {goal.id} ({goal.name}{tasks})"


def _confirmed(goals: Sequence[Goal], options: CancelOptions, flags: str) -> bool:
    """Return whether the user agrees: asked on a terminal, where it is more than one task.

    Raises:
        RookeryError: There is nobody to ask.
    """
    count = sum(goal.tasks for goal in goals)
    if options.yes or count == 1:
        return True
    what = ", ".join(map(described, goals))
    if not prompts.is_interactive():
        raise RookeryError(
            f"This would cancel {count} tasks: {what}.", hint=f"invoke cancel {options.job} --yes{flags}"
        )
    return prompts.confirm(f"Cancel {what}?")


def scancel(connection: "Connection", ids: Sequence[str]) -> None:
    """Run scancel.

    Args:
        connection: The cluster's, open.
        ids: The jobs or tasks.

    Raises:
        RookeryError: It would not; in its own words.
    """
    with console.waiting(f"Cancelling {', '.join(ids)}"):
        done = connection.run(list(ids), script=_SCANCEL, check=False, timeout=120)
    stderr = console.clean(done.stderr).strip()
    if done.exit or "error" in stderr:
        last = (stderr.splitlines() or [f"exit status {done.exit}"])[-1].removeprefix("scancel: error: ")
        raise RookeryError(
            f"Slurm on {connection.cluster.name} did not cancel {', '.join(ids)}: {last}",
            hint="run the same command again",
        )
