"""Jobs that run in parts (`total_time`): how far they are, and which jobs are parts of one run.

remote/scripts/release/parts.sh notes how far a run is. Where a cluster does not put jobs back into the queue, each part
is a job: the submission notes their numbers, a line each, in `state/parts/RUN.jobs` of the project.
"""

import contextlib
import copy
import glob
import os
import re
from typing import Callable, Dict, Iterable, List, Sequence, TypeVar

from rookery.remote.slurm.basics import write
from rookery.remote.slurm.forms import ACTIVE, NUMBER, WAITING
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask

T = TypeVar("T")

CONTINUES = "75:0"
"""How a part ends that the next one continues."""

_LOST = {"NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "TIMEOUT"}
"""States of parts that ended before they could say so; the next one continues."""

MOST_BYTES = 100000
"""Bytes of a note that are read: a line or two a part."""


def of_job(folder: str, number: str) -> Dict[str, int]:
    """Return how far a job is that runs in parts: `count` parts, `seconds` so far, `total` seconds.

    Of an array, the task that is furthest. Empty where it does not run in parts.

    Args:
        folder: Where the job runs, its release.
        number: The number of its run.
    """
    notes = os.path.join(os.path.dirname(os.path.dirname(folder)), "state", "parts")
    try:
        names = [name for name in os.listdir(notes) if name == number or name.startswith(number + "_")]
    except OSError:
        return {}
    found: List[Dict[str, int]] = []
    for name in names:
        try:
            with open(os.path.join(notes, name), encoding="ascii", errors="replace") as stream:
                found.append(read(stream.read(MOST_BYTES)))
        except OSError:
            continue
    return {key: max(each[key] for each in found) for key in ("count", "seconds", "total")} if found else {}


def read(text: str) -> Dict[str, int]:
    """Return what a note says; a part that has not ended has no seconds yet."""
    lines = [line.split() for line in text.splitlines()]
    whole = [(line[0], int(line[-1])) for line in lines if len(line) > 1 and line[-1].isdigit()]
    return {
        "count": sum(word == "start" for word, _ in whole),
        "seconds": sum(number for word, number in whole if word == "end"),
        "total": max([number for word, number in whole if word == "total"] or [0]),
    }


def forget(base: str, run: str, before: float) -> None:
    """Remove what is noted of an earlier job that had the same number.

    Args:
        base: ~/projects/NAME.
        run: The run's number.
        before: The time since when the notes may be those of the new job.
    """
    notes = os.path.join(base, "state", "parts")
    with contextlib.suppress(OSError):
        for name in os.listdir(notes):
            path = os.path.join(notes, name)
            if re.match(run + "(_|\\.|$)", name) and os.path.getmtime(path) < before:
                os.unlink(path)


def chain_file(base: str, run: str) -> str:
    """Return the path of the file with the jobs that are a run's parts.

    Args:
        base: ~/projects/NAME.
        run: The run's number, which is that of the first job.
    """
    return os.path.join(base, "state", "parts", run + ".jobs")


def save_chain(base: str, run: str, jobs: Sequence[str]) -> None:
    """Note the jobs that are a run's parts."""
    path = chain_file(base, run)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, "".join(job + "\n" for job in jobs))


def chains(base: str = "") -> Dict[int, List[int]]:
    """Return the jobs of each run whose parts are jobs, in their order.

    Args:
        base: ~/projects/NAME; "" for all projects.
    """
    found = {}
    places = glob.escape(base) if base else os.path.join(glob.escape(os.path.expanduser("~")), "projects", "*")
    for path in glob.glob(chain_file(places, "[0-9]*")):
        try:
            with open(path, encoding="ascii", errors="replace") as stream:
                words = stream.read(MOST_BYTES).split()
        except OSError:
            continue
        run = os.path.basename(path)[: -len(".jobs")]
        if NUMBER.match(run) and run in words and all(NUMBER.match(word) for word in words):
            found[int(run)] = [int(word) for word in words]
    return found


def numbers_of(runs: Iterable[str], known: Dict[int, List[int]]) -> List[str]:
    """Return the numbers of all jobs that some runs are."""
    return [str(job) for run in runs for job in known.get(int(run), [int(run)])]


def run_of(job: str, known: Dict[int, List[int]]) -> str:
    """Return the number of the run that a job is a part of; its own where it is none."""
    return str(next((run for run, members in known.items() if int(job) in members), int(job)))


def joined(jobs: Dict[int, SlurmJob], known: Dict[int, List[int]]) -> Dict[int, SlurmJob]:
    """Return the jobs, those that are parts of one run as one job with the run's number.

    Args:
        jobs: What Slurm says, by number.
        known: The jobs of each run whose parts are jobs.
    """
    rest = dict(jobs)
    for run, members in known.items():
        parts = [rest[number] for number in members if number in rest and _is_of(str(run), rest[number])]
        for part in parts:
            del rest[part.number]
        if parts:
            rest[run] = _as_one(run, parts)
    return rest


def _is_of(run: str, job: SlurmJob) -> bool:
    """Return whether a job is of the project of a run: a cluster may give out its numbers again."""
    return os.path.exists(chain_file(os.path.dirname(os.path.dirname(job.folder)), run))


def _as_one(run: int, parts: List[SlurmJob]) -> SlurmJob:
    """Return one job for the parts of a run: of each task, the part that says how it is."""
    whole = copy.copy(parts[0])
    whole.number, whole.tasks, whole.reasons, whole.depends = run, {}, {}, ""
    waiting: Dict[int, int] = {}
    for number in sorted({number for part in parts for number in part.tasks}):
        known = [part.tasks[number] for part in parts if number in part.tasks]
        task = whole.tasks[number] = current(known)
        if task.state in WAITING:
            of = next(place for place, part in enumerate(parts) if part.tasks.get(number) is task)
            waiting[of] = waiting.get(of, 0) + 1
    for place, count in waiting.items():
        part = parts[place]
        whole.depends = whole.depends or part.depends
        whole.expected = min(part.expected or whole.expected, whole.expected or part.expected)
        for reason, tasks in part.reasons.items():
            whole.reasons[reason] = whole.reasons.get(reason, 0) + min(tasks, count)
    return whole


def current(parts: List[SlurmTask]) -> SlurmTask:
    """Return the part of a task that says how the task is: finished, at work, waiting, or how it ended."""
    ended = [part for part in parts if part.start and part.exit != CONTINUES and part.state not in _LOST]
    return [*foremost(parts, lambda part: part.state), *ended, parts[-1]][0]


def foremost(parts: Sequence[T], state: Callable[[T], str]) -> List[T]:
    """Return the parts of a task that are finished, those at work and those that wait, in this order.

    Args:
        parts: The parts.
        state: Returns the state of one.
    """
    completed = [part for part in parts if state(part) == "COMPLETED"]
    running = [part for part in parts if state(part) in ACTIVE and state(part) not in WAITING]
    waiting = [part for part in parts if state(part) in WAITING]
    return [*completed, *running, *waiting]
