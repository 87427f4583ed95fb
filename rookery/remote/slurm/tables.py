"""Sent to a cluster: merge the lines of squeue and sacct into one entry a job, an array being one job."""

import copy
import functools
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from rookery.remote.slurm.basics import cut
from rookery.remote.slurm.forms import (
    NUMBER,
    WAITING,
    asked_memory,
    kilobytes,
    moment,
    numbers,
    seconds,
    split,
    whole,
)
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask

QUEUE = "iFKjTrMlSeCmZPVE"
"""squeue's letters for: id, array's id, task, name, state, reason, run so far, limit, start, end, cores, memory,
folder, partition, submission, what it depends on."""

ACCOUNTS = (
    "JobID,JobIDRaw,JobName,State,ExitCode,ElapsedRaw,TimelimitRaw,ReqMem,MaxRSS,TotalCPU,AllocCPUS,NNodes,NTasks,"
    "Reason,WorkDir,Partition,Submit,Start,End"
)

LAG = 60
"""Seconds after a job's end in which a task that Slurm does not know may still come into its accounts."""


_ID = re.compile(r"^([1-9][0-9]{0,11})(?:\+[0-9]+)?(?:_(?:([0-9]{1,7})|\[(.*)\]))?\Z")
_STATE = re.compile(r"^[A-Z_]{1,40}\Z")
_CODE = re.compile(r"^[0-9]{1,5}:[0-9]{1,5}\Z")
_WORD = re.compile(r"^[A-Za-z_/ ]{1,40}\Z")


class _Line(NamedTuple):
    """A line of sacct's; the fields are those of ACCOUNTS, in their order."""

    id: str
    raw_id: str
    name: str
    state: str
    exit: str
    elapsed: str
    limit: str
    memory: str
    peak: str
    cpu: str
    cpus: str
    nodes: str
    processes: str
    reason: str
    folder: str
    partition: str
    submit: str
    start: str
    end: str


def read_accounts(text: str, jobs: Dict[int, SlurmJob]) -> None:
    """Read sacct's lines: a line a task, then one for each of its steps, which has the memory."""
    task: Optional[SlurmTask] = None
    for parts in split(text, len(_Line._fields)):
        line = _Line._make(parts)
        if "." not in line.id:
            task = _task(line, jobs)
        elif task is not None:
            _step(task, line)
    for job in jobs.values():
        for number in job.tasks:
            job.tasks[number].settle()


def _step(task: SlurmTask, line: _Line) -> None:
    on_a_node = -(-whole(line.processes, 1) // max(whole(line.nodes, 1), 1))
    task.peak = min(max(task.peak, kilobytes(line.peak or "0K") * on_a_node), 10**15)
    if _by_signal_9(line.exit) or line.state.startswith("OUT_OF_ME"):
        task.killed = True
    if line.state.startswith("OUT_OF_ME") and task.state == "FAILED":
        task.state = "OUT_OF_MEMORY"


def _by_signal_9(code: str) -> bool:
    status, _, signal = code.partition(":")
    return signal in ("9", "125") or status == "137"


def _task(line: _Line, jobs: Dict[int, SlurmJob]) -> Optional[SlurmTask]:
    match = _ID.match(line.id)
    if not match or not line.folder:  # the accounts know its end already, and not yet what it is
        return None
    number, one, several = match.groups()
    job = jobs.get(int(number)) or jobs.setdefault(int(number), SlurmJob(int(number)))
    job.is_array = "_" in line.id
    job.name, job.folder, job.partition = line.name, line.folder, line.partition
    job.limit = job.limit or _limit(line.limit)
    submitted = moment(line.submit)
    job.submitted = min(submitted or job.submitted, job.submitted or submitted)
    state, by = _state(line.state)
    task = SlurmTask(state)
    task.by = _canceller(state, by)
    if several is not None:
        # tasks that began just before they were cancelled are still listed here
        waited = [number for number in numbers(several) if number not in job.tasks or not job.tasks[number].start]
        job.tasks.update(dict.fromkeys(waited, task))
        return None
    job.tasks[int(one or 0)] = task
    task.exit = line.exit if _CODE.match(line.exit) else ""
    task.killed = _by_signal_9(task.exit)
    task.elapsed, task.cpus = moment(line.elapsed), min(whole(line.cpus), 10**9)
    task.asked = asked_memory(line.memory, task.cpus, whole(line.nodes, 1))
    task.cpu, task.start, task.end = seconds(line.cpu), moment(line.start), moment(line.end)
    return task


def _canceller(state: str, by: str) -> Optional[int]:
    if state != "CANCELLED":
        return None
    return whole(by)  # nobody's name: Slurm itself


@functools.lru_cache(maxsize=1000)
def _state(text: str) -> Tuple[str, str]:
    """Return a state, and the user that cancelled it; UNKNOWN for what is no state of Slurm's."""
    state, _, by = text.partition(" by ")
    return (state if _STATE.match(state) else "UNKNOWN"), by


def _limit(raw: str) -> str:
    minutes = whole(raw, -1)
    return _word(raw) if minutes < 0 else str(min(minutes * 60, 10**11))


def _word(text: str) -> str:
    """Return Slurm's word for no limit, or for whose limit holds; "" for anything else."""
    return text if _WORD.match(text) else ""


def read_queue(text: str, jobs: Dict[int, SlurmJob]) -> None:
    """Read squeue's lines: for a task that has not ended they are newer than sacct's."""
    for parts in split(text, len(QUEUE)):
        fields = dict(zip(QUEUE, parts))
        if not NUMBER.match(fields["F"]):
            continue
        job = jobs.setdefault(int(fields["F"]), SlurmJob(int(fields["F"])))
        state, _ = _state(fields["T"])
        job.is_array = job.is_array or fields["K"] not in ("", "N/A")
        job.name, job.folder, job.partition = fields["j"], fields["Z"], fields["P"]
        job.submitted = job.submitted or moment(fields["V"])
        if not job.limit and fields["l"] not in ("INVALID", "NOT_SET"):
            job.limit = str(min(int(seconds(fields["l"])), 10**11) or _word(fields["l"]))
        listed = numbers(fields["K"]) if job.is_array else [0]
        job.listed.update(listed)
        # others ended between the two questions
        listed = [number for number in listed if number not in job.tasks or job.tasks[number].is_active]
        if state in WAITING and listed:
            _wait(job, fields, state, listed)
        else:
            for number in listed:
                _work(job, fields, state, number)


def _wait(job: SlurmJob, fields: Dict[str, str], state: str, listed: List[int]) -> None:
    """Add tasks that have not begun: one line of squeue's stands for all that wait for the same, up to millions."""
    alike = SlurmTask(state)
    alike.elapsed, alike.cpus = int(seconds(fields["M"])), min(whole(fields["C"]), 10**9)
    alike.asked = asked_memory(fields["m"], alike.cpus, 1)
    job.tasks.update(dict.fromkeys(listed, alike))
    reason = cut(fields["r"])
    job.reasons[reason] = job.reasons.get(reason, 0) + len(listed)
    job.expected = min(moment(fields["S"]) or job.expected, job.expected or moment(fields["S"]))
    job.depends = fields["E"] if fields["E"] != "(null)" else ""


def _work(job: SlurmJob, fields: Dict[str, str], state: str, number: int) -> None:
    """Add a task that has begun."""
    # what sacct said of many that wait is one object
    task = job.tasks[number] = copy.copy(job.tasks[number]) if number in job.tasks else SlurmTask(state)
    task.state, task.elapsed = state, int(seconds(fields["M"]))
    task.cpus = task.cpus or min(whole(fields["C"]), 10**9)
    task.asked = task.asked or asked_memory(fields["m"], task.cpus, 1)
    task.start = moment(fields["S"])
    if not task.is_active:  # what it used is not in the accounts yet
        task.end, task.settled = moment(fields["e"]), False


def cancel_forgotten(jobs: Dict[int, SlurmJob], arrays: Dict[int, str], asked: float) -> None:
    """Count tasks as cancelled that Slurm has forgotten: it does so at once with those cancelled before they began.

    squeue no longer lists them, and sacct still has them as waiting for some seconds, and then not at all.

    Args:
        jobs: What both have said.
        arrays: The tasks that arrays were submitted with, by the job's number.
        asked: When they were asked; what was submitted at that moment may be known to one of them alone.
    """
    for job in jobs.values():
        if job.submitted >= asked - 2:
            continue
        gone = {
            number: copy.copy(task)
            for number, task in job.tasks.items()
            if task.state in WAITING and number not in job.listed
        }
        gone.update(
            (number, SlurmTask("")) for number in numbers(arrays.get(job.number, "")) if number not in job.tasks
        )
        for task in gone.values():
            task.state = "CANCELLED"
        job.tasks.update(gone)
        if job.is_over and max([task.end for task in job.tasks.values()] or [0]) > asked - LAG:
            for task in gone.values():
                task.settled = False
