"""Manage the job behind NAME-job from this computer: find or start it, wait, connect, end it."""

import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from rookery.clusters import policies
from rookery.clusters.connect import connect as connection_to
from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh import compute_node, compute_node_keys
from rookery.clusters.ssh.compute_node_keys import SUFFIX
from rookery.clusters.ssh.remote_command import remote_command
from rookery.core import console, local_time
from rookery.core.console import clean
from rookery.core.errors import RookeryError
from rookery.jobs.interactive import job_request
from rookery.jobs.interactive.job_request import JOB, ComputeNodeOptions
from rookery.jobs.monitor.pending_reasons import explain
from rookery.jobs.submit import sbatch_errors
from rookery.projects.target import Target

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection


PARTING = 20
"""Seconds that Slurm is given to end the job of a home that is taken back."""


@dataclass(frozen=True)
class RunningJob:
    """A running job.

    Attributes:
        number: Its number.
        node: Its compute node.
        end: When it ends, in seconds since 1970; 0 where that is not known.
        overlap: Whether srun has to be told to share its cores.
        started: Whether it was started for this.
    """

    number: str
    node: str
    end: int
    overlap: bool
    started: bool


def ensure(connection: "Connection", options: ComputeNodeOptions, *, again: bool = False) -> RunningJob:
    """Return the job, found or started, once it runs; progress is printed on standard error.

    Args:
        connection: The cluster's, open.
        options: What the user named of what it is to have.
        again: Start one even where the last was just stopped by hand.

    Raises:
        SshError: The connection failed.
        RookeryError: The cluster's rules forbid it, there can be no such job, it does not begin in time, or another
            that asks for something else is there.
    """
    cluster = connection.cluster
    check(cluster)
    wanted = job_request.build_request(options, cluster)
    request = {
        "verb": "ensure",
        "name": JOB,
        "key": compute_node_keys.public(cluster),
        "script": wanted.script,
        "asked": wanted.asked,
        "wanted": wanted.wanted,
        "start": True,
        "again": again,
        "patience": compute_node.PATIENCE,
    }
    started = False
    for answer in remote_client.stream(connection, "host", request):
        if answer["state"] == "submitted":
            started = True
            _say(cluster, f"requested a compute node (job {answer['number']})")
        elif answer["state"] == "waiting":
            _say(cluster, f"waiting for job {answer['number']}: {_why(answer)}")
        elif answer["state"] == "ready":
            compute_node_keys.remember(cluster, answer["key"])
            end = int(answer["end"]) if str(answer["end"]).isdigit() else 0
            return RunningJob(str(int(answer["number"])), _clean(answer["node"]), end, bool(answer["overlap"]), started)
        else:
            raise _refusal(cluster, answer, options)
    raise RookeryError(f"No answer from {cluster.name} about the job.", hint="run the same command again")


def connect(connection: "Connection", running: RunningJob) -> NoReturn:
    """Become the connection into the job, for standard input and output.

    Nothing of this program stays in between; ssh itself does it, as long as the connection lasts.
    """
    script, arguments = job_request.relay(running.number, overlap=running.overlap)
    command = connection.command(remote_command(script, arguments, stdin=""))
    os.execvp(command[0], command)  # noqa: S606 no shell is wanted


def stop(connection: "Connection") -> list[str]:
    """End the job; return the numbers of the jobs that were ended.

    Raises:
        SshError: The connection failed.
        RookeryError: Slurm does not answer, or refuses.
    """
    answer = remote_client.call(connection, "host", {"verb": "stop", "name": JOB})
    if answer["state"] != "stopped":
        raise _refusal(connection.cluster, answer, ComputeNodeOptions())
    return [str(int(job["number"])) for job in answer["jobs"]]


def leave(connection: "Connection", *, check: bool = False) -> list[str]:
    """End the job before a home is undone, without waiting long for a Slurm that does not answer.

    Args:
        connection: The cluster's, open.
        check: Say what would be done, and do nothing.

    Returns:
        The result, a line; none where there is no job.
    """
    cluster = connection.cluster
    if cluster.scheduler != "slurm":
        return []
    request = {"verb": "find" if check else "stop", "name": JOB, "forget": not check}
    try:
        answer = remote_client.call(connection, "host", request, timeout=PARTING)
    except RookeryError:
        answer = {}
    if answer.get("state") in {"found", "stopped"}:
        fate = "would be cancelled" if check else "cancelled"
        return [f"job {int(job['number'])} ({cluster.name}{SUFFIX}): {fate}" for job in answer["jobs"]]
    if not compute_node_keys.known_hosts(cluster).exists():  # this computer never had one
        return []
    by_hand = f"scancel --user={cluster.user or '$USER'} --name={JOB}"
    return [f"Slurm does not answer. If a job of {cluster.name}{SUFFIX} is still running, cancel it there: {by_hand}"]


def check(cluster: "Cluster") -> None:
    """Refuse a cluster whose profile leaves no room for such a job.

    Raises:
        RookeryError: They don't.
    """
    name, data = cluster.name, cluster.data
    if cluster.scheduler != "slurm":
        raise RookeryError(f"{name} has no compute nodes: work on its login node.", hint=f"ssh {name}")
    if policies.vscode(data, job=True) == "forbidden":
        raise RookeryError(
            f"{name} does not allow VS Code, not even in a job.",
            hint=f"invoke shell {cluster.argument}   # a terminal on a compute node; edit on your own computer",
        )
    if not next((area.on_compute_nodes for area in cluster.storage if area.name == "home"), True):
        raise RookeryError(
            f"The compute nodes of {name} can't read your home, where the key for this is kept.",
            hint=f"invoke shell {cluster.argument}   # a terminal on a compute node",
        )


def until(end: int) -> str:
    """Return when a job ends, in a user's words; "" where that is not known."""
    return time.strftime("until %H:%M", time.localtime(end)) if end else ""


def _why(answer: dict[str, Any]) -> str:
    """Return why a job waits, and when Slurm expects it to begin."""
    if answer["reason"] in {"None", ""}:
        return explain("None")
    start = str(answer["start"])
    expected = f"; expected start: {local_time.when(int(start))}" if start.isdigit() else ""
    return _clean(explain(str(answer["reason"]))) + expected


def _refusal(cluster: "Cluster", answer: dict[str, Any], options: ComputeNodeOptions) -> RookeryError:
    """Return the error that says why there is no job to connect to."""
    name, state = cluster.name, str(answer["state"])
    code = f"invoke code {cluster.argument} --job{options.flags}"
    stop = f"invoke code {cluster.argument} --stop"
    number, reason = _clean(answer.get("number", "")), _clean(answer.get("said", "")).strip()
    if state == "not-set-up":
        return RookeryError(f"{name} is not set up.", hint=f"invoke setup {cluster.argument}")
    if state == "was-stopped":
        since = f"{answer['minutes']} minutes ago" if answer["minutes"] > 1 else "just now"
        message = (
            f"The job on {name} was stopped or reached its time limit {since}. A new one does not start by itself."
        )
        return RookeryError(message, hint=code)
    if state == "other":
        message = f"Job {number} on {name} {_otherwise(answer['about'])}."
        return RookeryError(message, hint=f"{stop}   # then run the same command again")
    if state == "slow":
        message = (
            f"Job {number} on {name} did not start within {compute_node.PATIENCE // 60} minutes. It is still waiting."
        )
        return RookeryError(message, hint=f"invoke jobs {number} {cluster.option}   # shows why; then connect again")
    if state == "ended":
        return RookeryError(f"The job on {name} ended right after it started: {reason or 'no reason given'}", hint=code)
    return _unready_error(cluster, reason) if state == "unready" else _slurm_error(cluster, reason)


def _otherwise(about: dict[str, Any]) -> str:
    """Return why the job that runs is not the one that is asked for."""
    if about.get("keeper") != job_request.KEEPER:
        return "was started by another version of rookery"
    has = f"{about.get('cpus')} cores, {about.get('memory')}, {'a' if about.get('gpus') else 'no'} GPU"
    return f"is already running, with other resources: {_clean(has)}"


def _unready_error(cluster: "Cluster", reason: str) -> RookeryError:
    message = f"Can't write the files of the job in your home on {cluster.name}: {reason or 'no reason given'}"
    full = re.search(r"disk quota|no space left", reason, re.IGNORECASE)
    first = f"invoke quota {cluster.argument}   # free some space, then " if full else ""
    return RookeryError(message, hint=f"{first}run the same command again")


def _slurm_error(cluster: "Cluster", output: str) -> RookeryError:
    if re.search(r"timed out|unable to contact", output, re.IGNORECASE):
        hint = "run the same command again in a few minutes"
        return RookeryError(f"Slurm on {cluster.name} does not answer: {output}", hint=hint)
    return sbatch_errors.explain(output, Target(None, connection_to(cluster.name, sandbox=cluster.sandbox)))


def _say(cluster: "Cluster", text: str) -> None:
    console.note(f"{cluster.name}{SUFFIX}: {text}")


def _clean(text: object) -> str:
    return clean(str(text))
