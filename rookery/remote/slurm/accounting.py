"""Sent to a cluster: squeue's and sacct's lines, put together to one entry a job, an array being one job.

An array of 10,000 tasks is 20,000 lines of sacct; what is known of it afterwards goes through the line as one entry.
"""

import concurrent.futures
import contextlib
import copy
import json
import os
import re
import time
from typing import Any, Dict, List, Optional, Set, Tuple

from rookery.remote.slurm.basics import FIELD, cut, read, slurm, write
from rookery.remote.slurm.forms import (
    ACTIVE,
    NUMBER,
    WAITING,
    asked_memory,
    expression,
    kilobytes,
    moment,
    numbers,
    seconds,
    split,
    whole,
)

QUEUE = "iFKjTrMlSeCmZPVE"
"""squeue's letters for: id, array's id, task, name, state, reason, run so far, limit, start, end, cores, memory,
folder, partition, submission, what it depends on."""

ACCOUNTS = (
    "JobID,JobIDRaw,JobName,State,ExitCode,ElapsedRaw,TimelimitRaw,ReqMem,MaxRSS,TotalCPU,AllocCPUS,NNodes,NTasks,"
    "Reason,WorkDir,Partition,Submit,Start,End"
)

PATIENCE = 20
"""Seconds that squeue is given: without a controller it would try for a minute, and a user waits."""

SACCT = ["sacct", "--noheader", "--parsable", "--delimiter", FIELD, "--format", ACCOUNTS]

FEW = 200
"""Tasks up to which an array's use of memory and CPU is shown while it runs."""

REMEMBERED, MOST = 2, 500
"""Version of what is remembered of jobs that are over, and how many of them are."""


class SlurmTask:
    """One task of an array, or a job that is none.

    `by` is the number of the user that cancelled it, 0 for Slurm itself; None where that is not told.
    """

    __slots__ = ("asked", "by", "cpu", "cpus", "elapsed", "end", "exit", "killed", "peak", "settled", "start", "state")

    def __init__(self, state: str) -> None:
        self.state, self.exit = state, ""
        self.asked = self.cpus = self.elapsed = self.peak = self.start = self.end = 0
        self.cpu, self.killed, self.settled = 0.0, False, True
        self.by: Optional[int] = None

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ACTIVE

    def settle(self) -> None:
        """See whether it was killed for memory, once all its lines have been read.

        Sites that watch memory by cgroups say OUT_OF_MEMORY; others kill by signal 9, which the shell turns into exit
        status 137, at a memory at or over what was asked for.
        """
        if self.state == "OUT_OF_MEMORY":
            self.killed = True
        elif self.state in ("FAILED", "CANCELLED", "NODE_FAIL"):
            self.killed = self.killed and bool(self.asked) and self.peak >= 0.95 * self.asked
        else:
            self.killed = False


class SlurmJob:
    """All that is known of a job; an array with its tasks is one."""

    def __init__(self, number: int) -> None:
        self.number, self.is_array = number, False
        self.name = self.folder = self.partition = self.limit = self.depends = ""
        self.submitted = 0
        self.tasks: Dict[int, SlurmTask] = {}
        self.reasons: Dict[str, int] = {}
        self.expected = 0
        self.listed: Set[int] = set()  # by squeue

    @property
    def key(self) -> str:
        """What tells it from any other: numbers may be given out again one day."""
        return "%d-%d" % (self.number, self.submitted)

    @property
    def is_over(self) -> bool:
        """Whether all of it has ended."""
        return not any(task.is_active for task in self.tasks.values())

    def entry(self) -> Dict[str, Any]:
        """Return what is sent of it."""
        tasks = self.tasks
        states: Dict[str, List[int]] = {}
        for number, task in tasks.items():
            states.setdefault(task.state, []).append(number)
        ended = [task for task in tasks.values() if not task.is_active]
        peak = max(tasks, key=lambda number: tasks[number].peak)
        killed = [number for number, task in tasks.items() if task.killed]
        exits: Dict[str, List[int]] = {}
        for number, task in tasks.items():
            if task.exit not in ("", "0:0"):
                exits.setdefault(task.exit, []).append(number)
        by: Dict[int, List[int]] = {}
        for number, task in tasks.items():
            if task.by is not None:
                by.setdefault(task.by, []).append(number)
        began = [task.start for task in tasks.values() if task.start and task.state not in WAITING]
        return {
            "id": self.number,
            "array": self.is_array,
            "name": cut(self.name),
            "folder": cut(self.folder),
            "partition": cut(self.partition),
            "limit": self.limit,
            "depends": cut(self.depends),
            "submitted": self.submitted,
            "start": min(began or [0]),
            "end": max([task.end for task in ended] or [0]) if len(ended) == len(tasks) else 0,
            "expected": self.expected,
            "settled": all(task.settled for task in tasks.values()),
            "total": len(tasks),
            "counts": {state: len(found) for state, found in states.items()},
            "tasks": {state: expression(found) for state, found in states.items()} if self.is_array else {},
            "reasons": self.reasons,
            "cancelled_by": {str(user): expression(found) for user, found in sorted(by.items())},
            "exits": {code: expression(found) if self.is_array else "" for code, found in exits.items()},
            "elapsed": max([task.elapsed for task in tasks.values()] or [0]),
            "longest": max([task.elapsed for task in ended] or [0]),
            "cpus": max([task.cpus for task in tasks.values()] or [0]),
            "cpu_used": sum(task.cpu for task in ended),
            "cpu_given": sum(task.elapsed * task.cpus for task in ended),
            "memory_asked": max([task.asked for task in tasks.values()] or [0]),
            "memory_peak": tasks[peak].peak,
            "memory_peak_task": peak if self.is_array else None,
            "killed_for_memory": expression(killed) if self.is_array else "yes" * bool(killed),
        }


def read_accounts(text: str, jobs: Dict[int, SlurmJob]) -> None:
    """Put sacct's lines in: a line a task, then one for each of its steps, which is where memory is told."""
    task: Optional[SlurmTask] = None
    keys = ACCOUNTS.split(",")
    at = {key: place for place, key in enumerate(keys)}
    for parts in split(text, len(keys)):
        name = parts[0]
        if "." in name:
            if task is not None:
                _step(task, parts, at)
            continue
        task = _task(name, parts, at, jobs)
    for job in jobs.values():
        for one in job.tasks.values():
            one.settle()


def _step(task: SlurmTask, parts: List[str], at: Dict[str, int]) -> None:
    processes, nodes = whole(parts[at["NTasks"]], 1), whole(parts[at["NNodes"]], 1)
    on_a_node = -(-processes // max(nodes, 1))
    task.peak = min(max(task.peak, kilobytes(parts[at["MaxRSS"]] or "0K") * on_a_node), 10**15)
    if _by_signal_9(parts[at["ExitCode"]]) or parts[at["State"]].startswith("OUT_OF_ME"):
        task.killed = True
    if parts[at["State"]].startswith("OUT_OF_ME") and task.state == "FAILED":
        task.state = "OUT_OF_MEMORY"


def _by_signal_9(code: str) -> bool:
    status, _, signal = code.partition(":")
    return signal in ("9", "125") or status == "137"


def _task(name: str, parts: List[str], at: Dict[str, int], jobs: Dict[int, SlurmJob]) -> Optional[SlurmTask]:
    match = re.match(r"^([1-9][0-9]{0,11})(?:\+[0-9]+)?(?:_(?:([0-9]{1,7})|\[(.*)\]))?\Z", name)
    if not match or not parts[at["WorkDir"]]:  # the accounts know its end already, and not yet what it is
        return None
    job = jobs.setdefault(int(match.group(1)), SlurmJob(int(match.group(1))))
    job.is_array = "_" in name
    job.name, job.folder, job.partition = parts[at["JobName"]], parts[at["WorkDir"]], parts[at["Partition"]]
    job.limit = job.limit or _limit(parts[at["TimelimitRaw"]])
    job.submitted = min(moment(parts[at["Submit"]]) or job.submitted, job.submitted or moment(parts[at["Submit"]]))
    state, by = _state(parts[at["State"]])
    if match.group(3) is not None:
        alike = SlurmTask(state)
        alike.by = _canceller(state, by)
        job.tasks.update(dict.fromkeys(numbers(match.group(3)), alike))
        return None
    task = job.tasks[int(match.group(2) or 0)] = SlurmTask(state)
    task.by = _canceller(state, by)
    task.exit = parts[at["ExitCode"]] if re.match(r"^[0-9]{1,5}:[0-9]{1,5}\Z", parts[at["ExitCode"]]) else ""
    task.killed = _by_signal_9(task.exit)
    task.elapsed, task.cpus = moment(parts[at["ElapsedRaw"]]), min(whole(parts[at["AllocCPUS"]]), 10**9)
    task.asked = asked_memory(parts[at["ReqMem"]], task.cpus, whole(parts[at["NNodes"]], 1))
    task.cpu, task.start, task.end = (
        seconds(parts[at["TotalCPU"]]),
        moment(parts[at["Start"]]),
        moment(parts[at["End"]]),
    )
    return task


def _canceller(state: str, by: str) -> Optional[int]:
    if state != "CANCELLED":
        return None
    return whole(by)  # nobody's name: Slurm itself


def _state(told: str) -> Tuple[str, str]:
    """Return a state, and the user that cancelled it; UNKNOWN for what is no state of Slurm's."""
    state, _, by = told.partition(" by ")
    return (state if re.match(r"^[A-Z_]{1,40}\Z", state) else "UNKNOWN"), by


def _limit(raw: str) -> str:
    minutes = whole(raw, -1)
    return _word(raw) if minutes < 0 else str(min(minutes * 60, 10**11))


def _word(text: str) -> str:
    """Slurm's word for no limit, or whose limit holds; "" for anything else."""
    return text if re.match(r"^[A-Za-z_/ ]{1,40}\Z", text) else ""


def read_queue(text: str, jobs: Dict[int, SlurmJob]) -> None:
    """Put squeue's lines in: what it says of a task that has not ended is newer than what sacct says."""
    for parts in split(text, len(QUEUE)):
        told = dict(zip(QUEUE, parts))
        if not NUMBER.match(told["F"]):
            continue
        job = jobs.setdefault(int(told["F"]), SlurmJob(int(told["F"])))
        state, _ = _state(told["T"])
        job.is_array = job.is_array or told["K"] not in ("", "N/A")
        job.name, job.folder, job.partition = told["j"], told["Z"], told["P"]
        job.submitted = job.submitted or moment(told["V"])
        job.limit = job.limit or (
            "" if told["l"] in ("INVALID", "NOT_SET") else str(min(int(seconds(told["l"])), 10**11) or _word(told["l"]))
        )
        listed = numbers(told["K"]) if job.is_array else [0]
        job.listed.update(listed)
        # others ended between the two questions
        listed = [number for number in listed if number not in job.tasks or job.tasks[number].is_active]
        if state in WAITING and listed:
            _wait(job, told, state, listed)
        else:
            for number in listed:
                _work(job, told, state, number)


def _wait(job: SlurmJob, told: Dict[str, str], state: str, listed: List[int]) -> None:
    """Put tasks in that have not begun: one line of squeue's tells of all that wait for the same, up to millions."""
    alike = SlurmTask(state)
    alike.elapsed, alike.cpus = int(seconds(told["M"])), min(whole(told["C"]), 10**9)
    alike.asked = asked_memory(told["m"], alike.cpus, 1)
    job.tasks.update(dict.fromkeys(listed, alike))
    reason = cut(told["r"])
    job.reasons[reason] = job.reasons.get(reason, 0) + len(listed)
    job.expected = min(moment(told["S"]) or job.expected, job.expected or moment(told["S"]))
    job.depends = told["E"] if told["E"] != "(null)" else ""


def _work(job: SlurmJob, told: Dict[str, str], state: str, number: int) -> None:
    """Put a task in that has begun."""
    # what sacct said of many that wait is one object
    task = job.tasks[number] = copy.copy(job.tasks[number]) if number in job.tasks else SlurmTask(state)
    task.state, task.elapsed = state, int(seconds(told["M"]))
    task.cpus = task.cpus or min(whole(told["C"]), 10**9)
    task.asked = task.asked or asked_memory(told["m"], task.cpus, 1)
    task.start = moment(told["S"])
    if not task.is_active:  # what it used is not in the accounts yet
        task.end, task.settled = moment(told["e"]), False


def drop_forgotten(jobs: Dict[int, SlurmJob], asked: float) -> None:
    """Take waiting tasks that squeue no longer lists for cancelled: Slurm forgets those at once, and sacct lags behind.

    Args:
        jobs: What both have said.
        asked: When they were asked; what was submitted at that moment may be known to one of them alone.
    """
    for job in jobs.values():
        if job.submitted >= asked - 2:
            continue
        for number, task in job.tasks.items():
            if task.state in WAITING and number not in job.listed:
                job.tasks[number] = copy.copy(task)
                job.tasks[number].state = "CANCELLED"


def look(request: Dict[str, Any]) -> Dict[str, Any]:
    """Ask squeue and sacct, and put together what they say.

    Args:
        request: `ids` (of jobs; none for all of the user's), `days` to look back, `project` (below ~/projects; "" for
            all).
    """
    asked, user = time.time(), str(os.getuid())
    ids = ",".join(str(int(number)) for number in request.get("ids") or [])
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(asked - 86400 * float(request.get("days") or 7)))
    # squeue knows also those that ended in the last minutes: the accounts lag behind, and may be out of order
    form = FIELD.join("%" + letter for letter in QUEUE) + FIELD
    squeue = ["squeue", "--noheader", "-t", "all", "-u", user, "-o", form, *(["-j", ids] if ids else [])]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answer = pool.submit(slurm, squeue, PATIENCE)
        # with numbers alone, sacct tells of everybody's jobs
        accounts, wrong = slurm([*SACCT, "-X", "-u", user, *(["-j", ids] if ids else ["-S", since])])
        queue, wrong_queue = answer.result()
    if "Invalid job id" in wrong_queue:  # ended, and forgotten by now
        queue, wrong_queue = "", ""

    def together(more: str) -> Dict[int, SlurmJob]:
        jobs: Dict[int, SlurmJob] = {}
        read_accounts(accounts + more, jobs)
        read_queue(queue, jobs)
        if not wrong_queue:
            drop_forgotten(jobs, asked)
        return chosen(jobs, request)

    jobs = together("")
    known, entries = remembered(), {}
    for number, job in jobs.items():
        entries[number] = known.get(job.key) if job.is_over else None
    # what tasks used is told step by step, which takes the database ten times as long: asked once, and of no array
    # that is large and still at work
    unknown = [number for number, job in jobs.items() if not entries[number] and (job.is_over or len(job.tasks) <= FEW)]
    if unknown and not wrong:
        more, wrong = slurm([*SACCT, "-j", ",".join(map(str, unknown))])
        jobs = together(more)
    told = [entries[number] or job.entry() for number, job in sorted(jobs.items())]
    if not wrong:  # by now, the accounts have all of it
        settled = [one for one in told if one["settled"] and 0 < one["end"] < asked - 60]
        remember({jobs[one["id"]].key: one for one in settled}, known)
    return {"now": int(time.time()), "uid": int(user), "squeue": wrong_queue, "sacct": wrong, "jobs": told}


def chosen(jobs: Dict[int, SlurmJob], request: Dict[str, Any]) -> Dict[int, SlurmJob]:
    """Those of a project, or all."""
    bases: Tuple[str, ...] = ()
    if request.get("project"):
        base = os.path.join(os.path.expanduser("~"), "projects", request["project"])
        bases = (base + "/", os.path.realpath(base) + "/")
    return {
        number: job for number, job in jobs.items() if job.tasks and (not bases or (job.folder + "/").startswith(bases))
    }


def _memory() -> str:
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "rookery", "jobs.json")


def remembered() -> Dict[str, Any]:
    """Return what was found of jobs that are over."""
    kept = read(_memory())
    jobs = kept.get("jobs") if kept.get("version") == REMEMBERED else None
    return jobs if isinstance(jobs, dict) and all(_is_entry(one) for one in jobs.values()) else {}


def _is_entry(entry: Any) -> bool:
    """Whether an entry is one that this version of the program made: one that is not would be refused on the laptop."""
    like = SlurmJob(1)
    like.tasks[0] = SlurmTask("")
    number = (int, float, type(None))
    kinds: Dict[str, Any] = {
        key: number if value is None or isinstance(value, (int, float)) else type(value)
        for key, value in like.entry().items()
    }
    is_whole = isinstance(entry, dict) and entry.keys() == kinds.keys()
    return is_whole and all(isinstance(entry[key], kind) for key, kind in kinds.items())


def remember(fresh: Dict[str, Any], known: Dict[str, Any]) -> None:
    """Keep what was found of jobs that are over; without a place for it, they are asked about again."""
    if all(key in known for key in fresh):
        return
    every = {**{key: entry for key, entry in known.items() if key not in fresh}, **fresh}
    kept = dict(list(every.items())[-MOST:])
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(_memory()), exist_ok=True)
        write(_memory(), json.dumps({"version": REMEMBERED, "jobs": kept}))


def main(request: Dict[str, Any]) -> None:
    """Answer once; or, where asked to watch, over and over until everything has ended or nobody reads any more.

    Args:
        request: What the laptop asks for, and the mark that its answers begin with.
    """
    pause, patience = 2.0, 5
    while True:
        began = time.time()
        told = look(request)
        print("%s%s" % (request["mark"], json.dumps(told)), flush=True)
        if not any(state in ACTIVE for job in told["jobs"] for state in job["counts"]):
            patience -= 1
            if told["sacct"] or patience < 0 or all(job["settled"] for job in told["jobs"]):
                return
        if not request.get("watch"):
            return
        time.sleep(max(pause, 4 * (time.time() - began)))
        pause = min(pause * 1.3, 15)
