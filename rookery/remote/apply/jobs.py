"""Run a command in a Slurm job instead of on the login node.

The job is noted before it is waited for, so that the run after a killed one finds it instead of starting a
second one. Its exit code is in a file beside its log: accounting may be off, or late.
"""

import base64
import json
import os
import pwd
import re
import shlex
from typing import Any, Dict, List, NamedTuple, Optional

from rookery.remote.apply import disk, process
from rookery.remote.apply.ledger import make_state_folder, state_folder
from rookery.remote.apply.paths import portable
from rookery.remote.apply.problem import Problem

_OPTIONS = {
    "partition": "--partition",
    "account": "--account",
    "cpus": "--cpus-per-task",
    "memory": "--mem",
    "time": "--time",
}
_PIECE = 1 << 16  # bytes of a log that travel at once

JobStatus = Dict[str, Any]


class SetupJob(NamedTuple):
    """A command's job, by the name of its files."""

    folder: str
    key: str

    def file(self, suffix: str) -> str:
        """Return one of its files: `sh`, `log`, `exit` (the command's exit code) or `id`."""
        return os.path.join(self.folder, self.key + "." + suffix)

    def text(self, suffix: str) -> str:
        """Return the content of one of its files; nothing where there is none."""
        return (disk.read(self.file(suffix)) or b"").decode("utf-8", "replace").strip()


def job_of(home: str, key: str) -> SetupJob:
    """Return the job with this key."""
    return SetupJob(os.path.realpath(os.path.join(state_folder(home), "jobs")), key)  # where compute nodes see it


def key_of(role: str, what: str, argv: List[str]) -> str:
    """Return the name of a command's job: the same for the same command."""
    slug = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")[:30]
    return "{}-{}".format(slug, disk.digest(json.dumps([role, argv]).encode())[:12])


def submit(home: str, job: SetupJob, argv: List[str], environment: Dict[str, str], requested: Dict[str, Any]) -> None:
    """Submit the command to Slurm.

    Args:
        home: The home folder.
        job: Its files.
        argv: The command.
        environment: Variables besides those of the login.
        requested: What is asked of Slurm: partition, account, cpus, memory (as `--mem` has it), time (minutes);
            an empty one leaves it to the site; `submit`, the command instead of sbatch, and `options`, others of
            sbatch, both as words.

    Raises:
        Problem: Slurm refuses.
    """
    make_state_folder(home)
    if not os.path.isdir(job.folder):
        disk.make_folder(job.folder, 0o700)
    for suffix in ("exit", "id", "log"):
        disk.discard(job.file(suffix))
    disk.write(job.file("sh"), os.fsencode(_script(job, argv, environment)), 0o700)
    options = ["{}={}".format(_OPTIONS[name], requested[name]) for name in sorted(_OPTIONS) if requested.get(name)]
    options += requested.get("options", [])
    log = job.file("log").replace("%", "%%")
    name = "rookery-" + job.key
    command = requested.get("submit") or ["sbatch"]
    sbatch = [*command, "--parsable", "--job-name=" + name, "--output=" + log, "--chdir=" + job.folder, *options]
    finished = process.run([*_without_laptop(), *sbatch, job.file("sh")], {}, 120)
    match = re.match(r"(\d+)", finished.lines[-1]) if finished.lines and finished.code == 0 else None
    if match is None:
        raise Problem(
            "Slurm rejected the job: {}".format(finished.lines[-1] if finished.lines else "no output of sbatch"),
            "check the `job` settings of this step (partition, account, time) in the cluster's profile",
            finished.lines,
        )
    disk.write(job.file("id"), match.group(1).encode(), 0o600)


def _without_laptop() -> List[str]:
    """Return words that keep the laptop's proxy (download_link.sh) from a job.

    It is on the login node alone, and Slurm would store its password with the job.
    """
    if os.environ.get("https_proxy", "").startswith("http://rookery:"):
        return ["env", "-u", "https_proxy", "-u", "HTTPS_PROXY"]
    return []


def find_again(job: SetupJob) -> bool:
    """Find a job in Slurm by its name, where a killed run had not noted its number; note it, return whether found."""
    queue = [
        "squeue",
        "--noheader",
        "--user=" + pwd.getpwuid(os.getuid()).pw_name,
        "--name=rookery-" + job.key,
        "--format=%A",
    ]
    finished = process.run(queue, {}, 60)
    numbers = [line for line in finished.lines if line.isdigit()] if finished.code == 0 else []
    if numbers:
        disk.write(job.file("id"), numbers[0].encode(), 0o600)
    return bool(numbers)


def state(job: SetupJob) -> JobStatus:
    """Return the job's state: pending, running, ended (`code` tells how), gone or unknown, and Slurm's reason."""
    code = job.text("exit")
    if code.isdigit():
        return {"state": "ended", "code": int(code), "reason": ""}
    finished = process.run(["squeue", "--noheader", "--jobs=" + job.text("id"), "--format=%T|%r"], {}, 60)
    line = finished.lines[-1] if finished.lines else ""
    if finished.code != 0 and "Invalid job id" not in line:
        return {"state": "unknown", "reason": line}
    name, _, reason = line.partition("|") if finished.code == 0 else ("", "", "")
    if not name:
        return {"state": "gone", "reason": ""}
    return {"state": "pending" if name in ("PENDING", "CONFIGURING") else "running", "reason": reason}


def poll(job: SetupJob, offset: int) -> JobStatus:
    """Return what is new: the state, and the bytes of the log from `offset` on."""
    status = state(job)  # before the log is read: of a job that has ended everything is in it
    data = b""
    if os.path.exists(job.file("log")):
        with open(job.file("log"), "rb") as stream:
            stream.seek(offset)
            data = stream.read(_PIECE)
    more = len(data) == _PIECE
    return dict(status, log=base64.b64encode(data).decode(), offset=offset + len(data), more=more, id=job.text("id"))


# Exit codes of a command that SIGKILL or SIGTERM ended, and the states in which it was Slurm that sent it
_SIGNALLED = (137, 143)
_SLURM_S = ("CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "PREEMPTED", "NODE_FAIL", "DEADLINE")


def outcome(job: SetupJob) -> process.Finished:
    """Return how a job that is over ended.

    Raises:
        Problem: Slurm ended it.
    """
    listing = process.Processes()
    listing.feed(disk.read(job.file("log")) or b"", last=True)
    code = job.text("exit")
    verdict = "" if code.isdigit() and int(code) not in _SIGNALLED else _verdict(job)
    if code.isdigit() and not verdict.startswith(_SLURM_S):
        return process.Finished(int(code), list(listing.lines), listing.made)
    raise Problem(
        "Slurm ended job {} before its command had finished ({})".format(job.text("id"), verdict),
        "see {}".format(portable(job.file("log"))),
        list(listing.lines),
    )


def _verdict(job: SetupJob) -> str:
    """Return Slurm's word for how the job ended: the queue's while it remembers, else the accounting's, if any."""
    number = job.text("id")
    for command in (
        ["squeue", "--noheader", "--states=all", "--jobs=" + number, "--format=%T"],
        ["sacct", "-n", "-X", "-P", "-j", number, "-o", "State"],
    ):
        try:
            finished = process.run(command, {}, 60)
        except OSError:
            continue
        if finished.code == 0 and finished.lines:
            return finished.lines[0]
    return "reason unknown"


def _script(job: SetupJob, argv: List[str], environment: Dict[str, str]) -> str:
    exports = ["export {}={}".format(name, shlex.quote(value)) for name, value in sorted(environment.items())]
    exit_file = shlex.quote(job.file("exit"))
    lines = ["#!/bin/sh", "# Written by rookery: runs a long command on a compute node.", *exports]
    lines += [" ".join(shlex.quote(word) for word in argv) + " </dev/null", "code=$?"]
    lines += ["echo $code > {0}.new && mv {0}.new {0}".format(exit_file), "exit $code"]
    return "\n".join(lines) + "\n"


def attached(home: str, key: str) -> Optional[SetupJob]:
    """Return the job of a command, if one was submitted and its end was not seen."""
    job = job_of(home, key)
    if not os.path.exists(job.file("sh")) or os.path.exists(job.file("seen")):
        return None
    return job if job.text("id") or find_again(job) else None
