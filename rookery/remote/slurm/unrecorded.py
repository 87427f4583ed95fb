"""Find a job that sbatch submitted without saying so: it may give up before Slurm does."""

import os
import time
from typing import Callable

from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import FIELD, NO_COMMAND, QUESTION_PATIENCE, run
from rookery.remote.slurm.forms import NO_ACCOUNTS, NUMBER, split, whole


def find(since: int, release: str, name: str, is_recorded: Callable[[str], bool]) -> str:
    """Return the number of a job of this user that no record tells of; "" where there is none.

    Args:
        since: When it was submitted, at the earliest; in seconds since 1970.
        release: Where it runs.
        name: What Slurm calls it.
        is_recorded: Whether there is a record of a job.

    Raises:
        Answer: Slurm does not say whether there is one.
    """
    environment = dict(os.environ, SLURM_TIME_FORMAT="%s")
    form = FIELD.join(["%F", "%V", "%Z", "%j"]) + FIELD
    squeue = ["squeue", "--noheader", "-u", str(os.getuid()), "-t", "all", "-o", form]
    code, queue, err = run(squeue, QUESTION_PATIENCE, env=environment)
    if code:
        raise Answer("unknown", said=err.strip())
    # what has ended minutes ago is known to the accounts alone
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(max(since, 1)))
    sacct = ["sacct", "-X", "--noheader", "--parsable", "--delimiter", FIELD, "-S", start]
    code, accounts, err = run([*sacct, "--format=JobID,Submit,WorkDir,JobName"], QUESTION_PATIENCE, env=environment)
    if code and code != NO_COMMAND and NO_ACCOUNTS not in err.lower():
        raise Answer("unknown", said=err.strip())
    rows = [*split(queue, 4), *split(accounts, 4)]
    numbers = {
        row[0].partition("_")[0]
        for row in rows
        if NUMBER.match(row[0].partition("_")[0]) and whole(row[1]) >= max(since, 1) and row[2:4] == [release, name]
    }
    return max((number for number in numbers if not is_recorded(number)), key=int, default="")
