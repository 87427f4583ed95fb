"""Sent to a cluster: find the log of a job or of one task, and send it, to its end or for as long as the job writes.

On standard output come answers first: the log's path, or why there is none yet. After the one that says "begin", the
log follows byte by byte. On standard error, a dot now and then finds out whether anybody still reads.
"""

import glob
import json
import os
import re
import sys
import time
from typing import Any, BinaryIO, Dict, Iterator, List, Tuple

from rookery.remote import frame
from rookery.remote.slurm import parts
from rookery.remote.slurm.basics import END, FIELD, cut, record, slurm
from rookery.remote.slurm.forms import ACTIVE, WAITING, moment

PIECE = 1 << 16
PATIENCE = 20
"""Seconds that the controller is given to answer."""


class LoggedTask:
    """A task of the job, or the job itself where it is no array."""

    def __init__(self, number: str, fields: List[str]) -> None:
        self.number, (self.id, self.state, self.reason, self.name, self.folder, self.start) = number, fields
        self.state = (self.state.split() or [""])[0]  # CANCELLED by 1000


def tasks(job: str) -> Tuple[Dict[str, LoggedTask], str]:
    """Return all tasks by number, "" for the job itself: by sacct, and where not ended by squeue, which is newer.

    Of a run whose parts are jobs, the part that tells how the task is. Also why one of both did not answer; "" where
    they did.
    """
    members = parts.numbers_of([job], parts.chains())
    found: Dict[Tuple[str, str], LoggedTask] = {}
    form = "JobID,JobIDRaw,State,Reason,JobName,WorkDir,Start"
    asked = ["sacct", "-X", "--noheader", "--parsable", "--delimiter", FIELD, "--format", form, "-j", ",".join(members)]
    accounts, silent = slurm(asked)
    for line in accounts.split(END):
        _take(found, members, line.split(FIELD))
    form = FIELD.join("%" + letter for letter in "iATrjZS") + FIELD
    queue, error = slurm(["squeue", "--noheader", "-r", "-t", "all", "-j", ",".join(members), "-o", form], PATIENCE)
    silent = silent or ("" if "Invalid job id" in error else error)
    for line in queue.split(END):
        fields = line.split(FIELD)
        base, _, number = fields[0].partition("_")
        if (base, number) not in found or found[base, number].state in ACTIVE:
            _take(found, members, fields)
    of_task: Dict[str, List[LoggedTask]] = {}
    for member in members:
        for (base, number), task in found.items():
            if base == member:
                of_task.setdefault(number, []).append(task)
    for task in of_task.get("", []):
        task.id = job
    return {number: _current(known) for number, known in of_task.items()}, silent


def _take(found: Dict[Tuple[str, str], LoggedTask], members: List[str], fields: List[str]) -> None:
    match = re.match(r"^([0-9]{1,12})(?:_([0-9]{1,10}))?$", fields[0].strip())
    # without a folder, it is an end that the accounts heard of before the beginning
    if len(fields) == 7 and fields[5] and match and match.group(1) in members:
        number = match.group(2) or ""
        found[match.group(1), number] = LoggedTask(number, fields[1:])


def _current(known: List[LoggedTask]) -> LoggedTask:
    """Return the part of a task that tells how it is: finished, at work, waiting, or the last that began."""
    began = [task for task in known if moment(task.start)]
    return [*parts.foremost(known, lambda task: task.state), *began[-1:], *known][0]


def chosen(tasks_by_number: Dict[str, LoggedTask]) -> Tuple[LoggedTask, str]:
    """Return the task of an array whose log is most likely wanted, and why.

    The first that failed, else the latest begun.
    """
    every = sorted(tasks_by_number.values(), key=lambda task: int(task.number))
    failed = [task for task in every if task.state not in ACTIVE and task.state not in ("COMPLETED", "CANCELLED")]
    if failed:
        return failed[0], "the first failed"
    begun = [task for task in every if moment(task.start) and task.state not in WAITING]
    if begun:
        return max(begun, key=lambda task: moment(task.start)), "the latest to start"
    return every[0], "the first"


def expand(pattern: str, job: str, task: LoggedTask) -> str:
    """Return the path that Slurm makes of a pattern (sbatch's manual, filename pattern), as far as it is known here."""
    user = os.environ.get("USER") or os.path.basename(os.path.expanduser("~"))
    values = {"A": job, "a": task.number or "4294967294", "j": task.id or job, "J": task.id or job, "x": task.name,
              "u": user, "n": "0", "t": "0", "s": "batch", "%": "%"}  # fmt: skip

    def value(match: Any) -> str:
        width, letter = match.group(1), match.group(2)
        if letter not in values:
            return str(match.group(0))
        return values[letter].zfill(min(int(width), 10)) if width and letter in "Aaj" else values[letter]

    return re.sub(r"%([0-9]{0,3})([A-Za-z%])", value, pattern)


def path_of(job: str, task: LoggedTask, error: bool) -> Tuple[str, str]:
    """Return the path of the log: as Slurm tells while it remembers, else as the record does, else Slurm's default.

    Returns:
        The path, and that of a record that can't be used.
    """
    name = "%s_%s" % (job, task.number) if task.number else job
    output = slurm(["scontrol", "show", "job", name], PATIENCE)[0] if task.state in ACTIVE else ""
    match = re.search(r"^\s*%s=(.*)$" % ("StdErr" if error else "StdOut"), output, re.MULTILINE)
    if match and "4294967294" not in match.group(1) and task.state not in WAITING:
        return expand(match.group(1), job, task), ""  # Slurm 22.05 leaves %4a as it is, 24.11 does not
    bad = ""
    for file in sorted(glob.glob(os.path.join(os.path.expanduser("~"), "projects", "*", "runs", job + ".json"))):
        kept = record(file)
        bad = bad if kept else file
        pattern = (kept.get("error_log") if error else "") or kept.get("log") or ""
        if pattern and (not task.folder or task.folder == kept.get("release")):
            return still_there(expand(pattern, job, task), str(kept.get("release") or ""), file), bad
    return os.path.join(task.folder, "slurm-%s.out" % name), bad


def still_there(path: str, release: str, file: str) -> str:
    """Return the path of a log, by way of the current release where its own was pruned.

    Both lead to the outputs on the storage.
    """
    today = os.path.join(os.path.dirname(os.path.dirname(file)), "current", path[len(release) + 1 :])
    is_gone = bool(release) and path.startswith(release + "/") and not os.path.exists(release)
    return today if is_gone and os.path.exists(today) else path


class Follower:
    """The transfer of one log."""

    def __init__(self, request: Dict[str, Any]) -> None:
        self.request, self.job = request, parts.run_of(str(request["job"]), parts.chains())
        self.out = sys.stdout.buffer

    def say(self, **values: Any) -> None:
        """Send the laptop an answer before the log."""
        self.out.flush()
        frame.tell(json.dumps(values))

    def alive(self) -> None:
        """End the program when nobody reads any more."""
        os.write(2, b".")

    def run(self) -> None:
        """Find the log, wait for it where asked, send it."""
        tasks_by_number, silent = tasks(self.job)
        number = str(self.request.get("task") or "")
        why = ""
        if not tasks_by_number:
            return self.say(state="no-job", silent=silent)
        if "" not in tasks_by_number and not number:
            task, why = chosen(tasks_by_number)
        elif number in tasks_by_number:
            task = tasks_by_number[number]
        else:
            return self.say(
                state="no-task", tasks=sorted(map(int, filter(None, tasks_by_number))), array="" not in tasks_by_number
            )
        path, bad = path_of(self.job, task, bool(self.request.get("error")))
        values = {
            "path": path,
            "skipped": bad,
            "task": task.number,
            "why": why,
            "total": len(tasks_by_number),
            "job": task.state,
            "reason": cut(task.reason),
        }
        if not os.path.exists(path):
            if not self.request.get("follow") or task.state not in ACTIVE:
                return self.say(state="none", **values)
            self.say(state="wait", **values)
            path = self.wait(task, path)
            values.update(path=path, skipped="")
            if not os.path.exists(path):
                return self.say(state="none", **values)
        if os.path.isdir(path):
            return self.say(state="none", **values)
        self.say(state="begin", **values)
        self.send(task, path)
        return None

    def state(self, task: LoggedTask) -> str:
        """Return the state of the task now; "" where it has ended and is forgotten."""
        members = parts.numbers_of([self.job], parts.chains())
        names = ",".join("%s_%s" % (member, task.number) if task.number else member for member in members)
        states = slurm(["squeue", "--noheader", "-t", "all", "-j", names, "-o", "%T"], PATIENCE)[0].split()
        working = [state for state in states if state in ACTIVE and state not in WAITING]
        waiting = [state for state in states if state in WAITING]
        return [*working, *waiting, *states, ""][0]

    def wait(self, task: LoggedTask, path: str) -> str:
        """Wait for the log, or for the end of a task that writes none; return the path, fixed once the task starts."""
        for pause in pauses(10):
            self.alive()
            time.sleep(pause)
            task.state = self.state(task)
            if task.state not in WAITING:
                path, _ = path_of(self.job, task, bool(self.request.get("error")))
            if os.path.exists(path) or task.state not in ACTIVE:
                break
        return path

    def send(self, task: LoggedTask, path: str) -> None:
        """Send the log, and where asked what is added to it, until the task has ended and all of it is sent."""
        ended = not self.request.get("follow") or task.state not in ACTIVE
        looked = time.time()
        with open(path, "rb") as log:
            skip_to_last(log, int(self.request.get("last") or 0))
            for pause in pauses(2):
                last = ended
                while True:
                    piece = log.read(PIECE)
                    if not piece:
                        break
                    self.out.write(piece)
                self.out.flush()
                if last:
                    return
                if os.fstat(log.fileno()).st_size < log.tell():  # emptied and begun anew
                    log.seek(0)
                self.alive()
                time.sleep(min(pause, 1))
                if time.time() - looked > pause:
                    ended, looked = self.state(task) not in ACTIVE, time.time()


def skip_to_last(log: BinaryIO, most: int) -> None:
    """Go to the first whole line among the last bytes of a log that is longer, where most is not 0."""
    size = os.fstat(log.fileno()).st_size
    if most and size > most:
        log.seek(size - most - 1)
        log.readline(most)


def pauses(longest: float) -> Iterator[float]:
    """Yield the seconds to wait between two looks: short at first, longer as time goes on."""
    pause = 0.3
    while True:
        yield pause
        pause = min(pause * 1.2, longest)


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: What the laptop asks for.
    """
    try:
        Follower(request).run()
        sys.stdout.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)
    except OSError as error:
        sys.stderr.write("\n%s\n" % error)
        sys.exit(1)
