"""Sent to a cluster: read a user's jobs from squeue and sacct.

An array of 10,000 tasks is 20,000 lines of sacct; what is sent to the laptop is one entry.
"""

import json
import os
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

from rookery.remote import frame
from rookery.remote.slurm import ended_jobs, parts, reruns
from rookery.remote.slurm.basics import FIELD, record, slurm
from rookery.remote.slurm.earlier_runs import EarlierRuns
from rookery.remote.slurm.forms import ACTIVE
from rookery.remote.slurm.jobs import SlurmJob
from rookery.remote.slurm.live_use import LiveUse
from rookery.remote.slurm.tables import ACCOUNTS, LAG, QUEUE, cancel_forgotten, read_accounts, read_queue

PATIENCE = 20
"""Seconds that squeue is given: without a controller it would try for a minute, and a user waits."""

SACCT = ["sacct", "--noheader", "--parsable", "--delimiter", FIELD, "--format", ACCOUNTS]

FEW = 200
"""Tasks up to which an array's use of memory and CPU is shown while it runs."""

KEPT = 28 * 86400
"""Seconds for which sites keep accounts at least: of an older job, some tasks may have been removed."""


def look(request: Dict[str, Any], live: Optional[LiveUse] = None) -> Dict[str, Any]:
    """Ask squeue and sacct, and merge their answers.

    Args:
        request: `ids` (of jobs; none for all of the user's), `days` to look back, `project` (below ~/projects; "" for
            all), `reruns_of` (a project by whose records runs of the same tasks are added; "" for none).
        live: Measures what running jobs use; None where that was not asked for.
    """
    asked, user = time.time(), str(os.getuid())
    wanted, failed_of = [str(int(number)) for number in request.get("ids") or []], {}
    if request.get("reruns_of"):
        failed_of = EarlierRuns(os.path.join(os.path.expanduser("~"), "projects", request["reruns_of"]), []).failed_of()
        wanted = list(dict.fromkeys(member for number in wanted for member in reruns.family(number, failed_of)))
    chains = parts.chains()
    run_of = {part: run for run, members in chains.items() for part in members}
    ids = ",".join(parts.numbers_of([str(run_of.get(int(number), number)) for number in wanted], chains))
    oldest = asked - 86400 * float(request.get("days") or 7)
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(oldest))
    remembered = ended_jobs.load()
    known = remembered or {}
    # what tasks used is recorded step by step, which takes the database ten times as long: asked once, and of no array
    # that is large and still at work; where nothing is remembered, all is asked at once
    with_steps = remembered is None
    accounts, wrong, queue, wrong_queue = ask(user, ids, since, with_steps, live)
    if "Invalid job id" in wrong_queue:  # ended, and forgotten by now
        queue, wrong_queue = "", ""

    def together(accounts: str) -> Dict[int, SlurmJob]:
        jobs: Dict[int, SlurmJob] = {}
        read_accounts(accounts, jobs)
        read_queue(queue, jobs)
        if not wrong_queue:
            # of jobs submitted before that, sacct leaves out tasks that ended before, or has forgotten them
            whole_since = asked if wrong else max(asked - KEPT, 0 if ids else oldest)
            whole = [job for job in jobs.values() if job.submitted > whole_since and job.key not in known]
            cancel_forgotten(jobs, {job.number: submitted_tasks(job) for job in whole}, asked)
        return parts.joined(chosen(jobs, request), chains)

    jobs = together(accounts)
    entries = {number: known[job.key] for number, job in jobs.items() if job.is_over and job.key in known}
    unknown = [number for number in jobs if number not in entries]
    asked_for = [number for number in unknown if jobs[number].is_over or len(jobs[number].tasks) <= FEW]
    if asked_for and not wrong and not with_steps:
        more, wrong = slurm([*SACCT, "-j", ",".join(parts.numbers_of(map(str, asked_for), chains))])
        newer = together(more)
        jobs.update((number, newer[number]) for number in asked_for if number in newer)
    if live:
        live.add_to(jobs, run_of)
    entries.update((number, jobs[number].entry()) for number in unknown)
    documents = [entries[number] for number in sorted(entries)]
    if not wrong:  # by now, the accounts have all of it
        settled = [entry for entry in documents if entry["settled"] and 0 < entry["end"] < asked - LAG]
        ended_jobs.save({jobs[entry["id"]].key: entry for entry in settled}, remembered)
    documents = [
        dict(
            entry,
            failed_of=failed_of.get(str(entry["id"]), ""),
            part_jobs=chains.get(entry["id"], []),
            parts=parts.of_job(str(entry["folder"]), reruns.first(str(entry["id"]), failed_of)),
        )
        for entry in documents
    ]
    answer = {"now": int(time.time()), "uid": int(user), "squeue": wrong_queue, "sacct": wrong, "jobs": documents}
    return dict(answer, live=live.problem) if live else answer


def ask(user: str, ids: str, since: str, with_steps: bool, live: Optional[LiveUse]) -> Tuple[str, str, str, str]:
    """Ask squeue and sacct at the same time; return the lines of each, and why it failed.

    Args:
        user: The user's number.
        ids: Numbers of jobs, with commas; "" for all since a time.
        since: That time, in UTC.
        with_steps: Whether sacct tells of each step.
        live: Measures what running jobs use; None where that was not asked for.
    """
    # squeue knows also those that ended in the last minutes: the accounts lag behind, and may be out of order
    form = FIELD.join("%" + letter for letter in QUEUE) + FIELD
    squeue = ["squeue", "--noheader", "-t", "all", "-u", user, "-o", form, *(["-j", ids] if ids else [])]
    answers: List[Tuple[str, str]] = []

    def ask_nodes() -> None:
        answers.append(slurm(squeue, PATIENCE))
        if live and not answers[0][1]:
            live.measure(user, ids)

    asking = threading.Thread(target=ask_nodes)
    asking.start()
    # with numbers alone, sacct tells of everybody's jobs
    tasks_alone = [] if with_steps else ["-X"]
    accounts, wrong = slurm([*SACCT, *tasks_alone, "-u", user, *(["-j", ids] if ids else ["-S", since])])
    asking.join()
    queue, wrong_queue = answers[0] if answers else ("", "squeue could not be started")
    return accounts, wrong, queue, wrong_queue


def submitted_tasks(job: SlurmJob) -> str:
    """Return the tasks of an array as its run's record has them; "" for what has none."""
    base = os.path.dirname(os.path.dirname(job.folder))
    made = record(EarlierRuns(base, []).path(str(job.number))) if job.is_array else {}
    return str(made.get("array", "")) if made.get("release") == job.folder else ""


def chosen(jobs: Dict[int, SlurmJob], request: Dict[str, Any]) -> Dict[int, SlurmJob]:
    """Return the jobs of a project, or all jobs."""
    bases: Tuple[str, ...] = ()
    if request.get("project"):
        base = os.path.join(os.path.expanduser("~"), "projects", request["project"])
        bases = (base + "/", os.path.realpath(base) + "/")
    return {
        number: job for number, job in jobs.items() if job.tasks and (not bases or (job.folder + "/").startswith(bases))
    }


def main(request: Dict[str, Any]) -> None:
    """Answer once; or, where asked to watch, over and over until everything has ended or nobody reads any more.

    Args:
        request: What the laptop asks for.
    """
    pause, patience = 2.0, 5
    live = LiveUse() if request.get("live") else None
    while True:
        began = time.time()
        document = look(request, live)
        frame.tell(json.dumps(document))
        if not any(state in ACTIVE for job in document["jobs"] for state in job["counts"]):
            patience -= 1
            if document["sacct"] or patience < 0 or all(job["settled"] for job in document["jobs"]):
                return
        if not request.get("watch"):
            return
        time.sleep(max(pause, 4 * (time.time() - began)))
        pause = min(pause * 1.3, 15)
