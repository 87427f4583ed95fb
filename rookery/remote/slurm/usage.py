"""Sent to a cluster: what each task of the user's jobs used and how it ended, from sacct, compactly.

An array of 10,000 tasks becomes at most 64 groups of like values: each has its largest value, so that no percentile
that is worked out from them is below the true one, and the largest is exact.
"""

import functools
import json
import os
import re
import time
from typing import Any, Dict, Iterable, List, Tuple

from rookery.remote import frame
from rookery.remote.slurm.basics import END, FIELD, cut, record, slurm
from rookery.remote.slurm.earlier_runs import EarlierRuns
from rookery.remote.slurm.forms import INTERACTIVE, moment, whole
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask
from rookery.remote.slurm.tables import ACCOUNTS, LAG, read_accounts

MORE = ("Eligible", "ConsumedEnergyRaw", "AllocTRES", "NodeList")
"""sacct's fields that `jobs` does not need: since when a task could have started, joules, GPUs, nodes."""

MOST_JOBS = 2000
"""Jobs that are looked at, the newest."""

GROUPS = 64
"""Groups of like values that stand for all tasks of a job."""

PATIENCE = 150
"""Seconds that sacct is given."""

_MOST = 2**53
_SUBMIT = ACCOUNTS.split(",").index("Submit")

MOST_WATTS = 20000
"""Watts of a node above which what Slurm says that it measured is taken for a mistake."""


def groups(values: Iterable[int]) -> List[Tuple[int, int]]:
    """Return values as pairs of a value and how many there are of it; of many values, the largest of each group."""
    ordered = sorted(values)
    counts: Dict[int, int] = {}
    for value in ordered:
        counts[value] = counts.get(value, 0) + 1
    if len(counts) <= GROUPS:
        return sorted(counts.items())
    counts = {}
    for group in range(GROUPS):
        part = ordered[len(ordered) * group // GROUPS : len(ordered) * (group + 1) // GROUPS]
        counts[part[-1]] = counts.get(part[-1], 0) + len(part)
    return sorted(counts.items())


def look(request: Dict[str, Any]) -> Dict[str, Any]:
    """Ask sacct, first which jobs there are, then for the steps of those that the laptop does not know.

    Args:
        request: `days` to look back, `project` (below ~/projects; "" for all jobs), `known` (keys of jobs that the
            laptop has kept).
    """
    now = int(time.time())
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - 86400 * int(request["days"])))
    sacct = ["sacct", "--noheader", "--parsable", "--delimiter", FIELD, "-u", str(os.getuid())]
    out, wrong = slurm([*sacct, "-X", "-S", since, "--format", ACCOUNTS], PATIENCE)
    listed: Dict[int, SlurmJob] = {}
    read_accounts(out, listed)
    wanted = {number: project_of(job.folder) for number, job in listed.items() if job.tasks}
    if request["project"]:
        wanted = {number: project for number, project in wanted.items() if project == request["project"]}
    known = set(request["known"])
    unknown = sorted(number for number in wanted if listed[number].key not in known)
    newest = unknown[-MOST_JOBS:]
    jobs: Dict[int, SlurmJob] = {}
    more: Dict[str, List[str]] = {}
    earlier: Dict[int, Dict[str, int]] = {}
    if newest and not wrong:
        numbers = ",".join(map(str, newest))
        question = [*sacct, "--duplicates", "-j", numbers, "--format", ",".join([ACCOUNTS, *MORE])]
        out, wrong = slurm(question, PATIENCE)
        last, *before = starts(out)
        read_accounts(_without(last, more), jobs)
        earlier = _earlier(before, jobs)
    for job in jobs.values():
        _drop_shared_energy(job, more)
    runs = [
        entry(jobs[number], wanted[number], more, earlier.get(number, {}), now) for number in newest if number in jobs
    ]
    return {
        "now": now,
        "sacct": wrong,
        "skipped": len(unknown) - len(newest),
        "runs": runs,
    }


def starts(text: str) -> List[str]:
    """Return sacct's lines apart, one text for each time that jobs began, their last time first.

    A job that went back into the queue has the same number each time, and another time of submission.
    """
    found: Dict[str, List[Tuple[int, List[str]]]] = {}
    for line in filter(None, text.split(END)):
        fields = line.split(FIELD)
        if "." not in fields[0]:
            found.setdefault(fields[0], []).append((moment("".join(fields[_SUBMIT : _SUBMIT + 1])), [line]))
        elif fields[0].partition(".")[0] in found:
            found[fields[0].partition(".")[0]][-1][1].append(line)
    texts: List[List[str]] = [[]]
    for times in found.values():
        for place, (_, lines) in enumerate(sorted(times, key=lambda time_: -time_[0])):
            if place == len(texts):
                texts.append([])
            texts[place] += lines
    return [END.join([*lines, ""]) for lines in texts]


def _earlier(texts: List[str], jobs: Dict[int, SlurmJob]) -> Dict[int, Dict[str, int]]:
    """Return what jobs took before they went back into the queue, by their numbers.

    Args:
        texts: sacct's lines of earlier times.
        jobs: The jobs' last times.
    """
    found: Dict[int, Dict[str, int]] = {}
    for text in texts:
        more: Dict[str, List[str]] = {}
        before: Dict[int, SlurmJob] = {}
        read_accounts(_without(text, more), before)
        for number, job in before.items():
            if number in jobs and jobs[number].folder == job.folder:  # others had the same number
                began = {number_: task for number_, task in job.tasks.items() if task.start and task.elapsed}
                sums, known = _sums(job, began, more), found.setdefault(number, {})
                known.update({key: known.get(key, 0) + value for key, value in sums.items()})
    return found


def _without(text: str, more: Dict[str, List[str]]) -> str:
    """Return sacct's lines with the fields of ACCOUNTS alone; the others are put into `more`, by a task's name."""
    count, lines = len(ACCOUNTS.split(",")), []
    for line in text.split(END):
        parts = line.split(FIELD)
        if len(parts) == count + len(MORE):
            if "." not in parts[0]:
                more[parts[0]] = parts[count:]
            elif parts[count + 1] and parts[0].partition(".")[0] in more:  # joules are those of the steps, too
                task = more[parts[0].partition(".")[0]]
                task[1] = str(max(whole(task[1]), whole(parts[count + 1])))
            lines.append(FIELD.join(parts[:count]) + END)
    return "".join(lines)


def project_of(folder: str) -> str:
    """Return the project below ~/projects that a folder belongs to; "" for none."""
    base = os.path.join(os.path.expanduser("~"), "projects")
    for start in (base + "/", os.path.realpath(base) + "/"):
        if folder.startswith(start):
            name = folder[len(start) :].partition("/")[0]
            return name if re.match(r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}\Z", name) else ""
    return ""


def entry(job: SlurmJob, project: str, more: Dict[str, List[str]], earlier: Dict[str, int], now: int) -> Dict[str, Any]:
    """Return what is known of a job's use.

    Args:
        job: The job.
        project: Its project; "" for none.
        more: The fields MORE of its tasks, by their names.
        earlier: What it took before it went back into the queue.
        now: The time.
    """
    base = os.path.join(os.path.expanduser("~"), "projects", project)
    made = record(EarlierRuns(base, []).path(str(job.number))) if project else {}
    if made.get("release") != job.folder:  # of another job, which had the same number
        made = {}
    began = {number: task for number, task in job.tasks.items() if task.start and task.elapsed and not task.is_active}
    done = [task for task in began.values() if _outcome(task, job) == "COMPLETED"]
    killed = [task for task in began.values() if task.killed]
    late = [task for task in began.values() if _outcome(task, job) == "TIMEOUT"]
    extra = {number: more.get(_name(job, number), [""] * len(MORE)) for number in job.tasks}
    counts: Dict[str, int] = {}
    for task in job.tasks.values():
        state = "OUT_OF_MEMORY" if task.killed else _outcome(task, job)
        counts[state] = counts.get(state, 0) + 1
    ends = [task.end for task in job.tasks.values()]
    joules = [whole(extra[number][1]) for number in began]
    return {
        "id": str(job.number),
        "submitted": job.submitted,
        "end": max(ends) if job.is_over else 0,
        "settled": job.is_over and max(ends) < now - LAG and all(task.settled for task in job.tasks.values()),
        "project": project,
        "job": cut(str(made.get("job") or "")),
        "script_path": cut(str(made.get("script_path") or "")),
        "name": cut(job.name),
        "counts": counts,
        "limit": int(job.limit) if job.limit.isdigit() else 0,
        "asked_kilobytes": max([task.asked for task in job.tasks.values()] or [0]),
        "cpus": max([task.cpus for task in job.tasks.values()] or [0]),
        "seconds": groups(task.elapsed for task in done),
        "kilobytes": groups(task.peak for task in done if task.peak),
        "millicores": groups(_millicores(task) for task in [*done, *late, *killed] if task.cpus and task.cpu),
        "killed_at": groups(max(task.asked, task.peak) for task in killed),
        "killed_after": groups(task.elapsed for task in killed),
        "late_at": groups(task.elapsed for task in late),
        "largest_failed": max([task.peak for task in began.values() if task not in done] or [0]),
        "waits": groups(_waited(task, extra[number], job) for number, task in job.tasks.items() if task.start),
        **{key: min(value + earlier.get(key, 0), _MOST) for key, value in _sums(job, began, more).items()},
        "joules": min(sum(joules), _MOST) if all(joules) and not earlier else 0,
    }


def _outcome(task: SlurmTask, job: SlurmJob) -> str:
    """Return how a task ended, as Slurm's state: a job that lasts until it is stopped has done what it was for."""
    is_meant = job.name.startswith(INTERACTIVE) and task.state in ("CANCELLED", "TIMEOUT")
    return "COMPLETED" if is_meant else task.state


def _sums(job: SlurmJob, began: Dict[int, SlurmTask], more: Dict[str, List[str]]) -> Dict[str, int]:
    """Return what the tasks of a job took that began; what went back into the queue continues, and is not lost."""
    tasks = list(began.values())
    lost = [task for task in tasks if _outcome(task, job) not in ("COMPLETED", "REQUEUED")]
    measured = [task for task in tasks if task.peak and task.asked]
    gpus = {number: _count("gres/gpu", more.get(_name(job, number), [""] * len(MORE))[2]) for number in began}
    return {
        "core_seconds": sum(task.elapsed * task.cpus for task in tasks),
        "lost_core_seconds": sum(task.elapsed * task.cpus for task in lost),
        "cpu_seconds": sum(int(task.cpu) for task in tasks),
        "gpu_seconds": sum(task.elapsed * gpus[number] for number, task in began.items()),
        "megabyte_seconds": sum(task.elapsed * task.asked // 1024 for task in tasks),
        "measured_megabyte_seconds": sum(task.elapsed * task.asked // 1024 for task in measured),
        "used_megabyte_seconds": sum(task.elapsed * task.peak // 1024 for task in measured),
    }


def _name(job: SlurmJob, number: int) -> str:
    return "%d_%d" % (job.number, number) if job.is_array else str(job.number)


def _millicores(task: SlurmTask) -> int:
    return min(round(1000 * task.cpu / max(task.elapsed, 1)), 10**12)


def _waited(task: SlurmTask, extra: List[str], job: SlurmJob) -> int:
    """Return for how many seconds a task could have started and had not."""
    return max(0, task.start - (moment(extra[0]) or job.submitted or task.start))


def _count(kind: str, tres: str) -> int:
    """Return how many of something a task had, by AllocTRES: "billing=8,cpu=8,gres/gpu=1,mem=16G,node=1"."""
    match = re.search("(?:^|,)%s=([0-9]{1,9})(?:,|$)" % re.escape(kind), tres)
    return int(match.group(1)) if match else 0


def _drop_shared_energy(job: SlurmJob, more: Dict[str, List[str]]) -> None:
    """Drop the joules of tasks that may have shared a node, and those that no node can take.

    Slurm measures nodes: of a job that shares one, "the reported consumed energy per job [...] will not reflect the
    real energy consumed by the jobs" (slurm.conf's manual, AcctGatherEnergyType).
    """
    for number, task in job.tasks.items():
        extra = more.get(_name(job, number))
        if not extra or not whole(extra[1]):
            continue
        cores, nodes = _count("cpu", extra[2]), _count("node", extra[2])
        has_whole = 0 < nodes * _cores_of_nodes().get(_first_node(extra[3]), 0) <= cores
        if not has_whole or whole(extra[1]) > MOST_WATTS * nodes * max(task.elapsed, 1):
            extra[1] = ""


def _first_node(nodes: str) -> str:
    """Return the first of some nodes: "cn07" of "cn[07-09,12]"."""
    match = re.match(r"([^\[,]+)(?:\[([0-9]+))?", nodes)
    return match.group(1) + (match.group(2) or "") if match else ""


@functools.lru_cache(maxsize=1)
def _cores_of_nodes() -> Dict[str, int]:
    """Return the cores of each node, as Slurm counts them."""
    out, _ = slurm(["sinfo", "--noheader", "--Node", "-o", "%N" + FIELD + "%c"])
    lines = (line.partition(FIELD) for line in out.splitlines())
    return {name: whole(cores) for name, _, cores in lines}


def main(request: Dict[str, Any]) -> None:
    """Answer once.

    Args:
        request: What the laptop asks for.
    """
    frame.tell(json.dumps(look(request)))
