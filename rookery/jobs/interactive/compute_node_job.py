"""Manage a job that ssh can log in to from this computer: find or start it, wait, connect, end it."""

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
from rookery.core import console, invocation, local_time
from rookery.core.console import clean
from rookery.core.errors import RookeryError
from rookery.jobs.interactive import job_request
from rookery.jobs.interactive.job_request import JOB, SERVICES, ComputeNodeOptions, ComputeNodeRequest
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
        folder: The folder on the cluster with what such jobs keep.
    """

    number: str
    node: str
    end: int
    overlap: bool
    started: bool
    folder: str


@dataclass(frozen=True)
class JobCommands:
    """What a job is called, and the commands by which a user has it.

    Attributes:
        job: Its name in Slurm, by which it is found again.
        label: What it is called in progress lines.
        start: The command that starts it.
        stop: The command that ends it.
        is_service: It is started by its command alone, and never by a connection.
    """

    job: str
    label: str
    start: str
    stop: str
    is_service: bool = False


def for_editors(cluster: "Cluster", options: ComputeNodeOptions) -> JobCommands:
    """Return what the job behind NAME-job is called."""
    code = f"invoke code {cluster.argument}"
    return JobCommands(JOB, f"{cluster.name}{SUFFIX}", f"{code} --job{options.flags}", f"{code} --stop")


def ensure(connection: "Connection", options: ComputeNodeOptions, *, again: bool = False) -> RunningJob:
    """Return the job behind NAME-job, found or started, once it runs; progress is printed on standard error.

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
    running = find_or_start(connection, wanted, for_editors(cluster, options), again=again)
    if running is None:
        raise RookeryError(f"No answer from {cluster.name} about the job.", hint="run the same command again")
    return running


def find_or_start(
    connection: "Connection",
    wanted: ComputeNodeRequest,
    commands: JobCommands,
    *,
    again: bool = False,
    start: bool = True,
) -> RunningJob | None:
    """Return a job, found or started, once it runs; progress is printed on standard error.

    Args:
        connection: The cluster's, open.
        wanted: The job.
        commands: What it is called.
        again: Start one even where the last was just stopped by hand.
        start: Start one where there is none.

    Returns:
        The job; None where there is none, and none is to be started.

    Raises:
        SshError: The connection failed.
        RookeryError: There can be no such job, it does not begin in time, or another that asks for something else is
            there.
    """
    cluster = connection.cluster
    request = {
        "verb": "ensure",
        "name": commands.job,
        "service": commands.is_service,
        "key": compute_node_keys.public(cluster),
        "place": wanted.place,
        "script": wanted.script,
        "asked": wanted.asked,
        "wanted": wanted.wanted,
        "start": start,
        "again": again,
        "patience": compute_node.PATIENCE,
    }
    started, waiting = False, ""
    try:
        for answer in remote_client.stream(connection, "host", request):
            if answer["state"] == "submitted":
                started, waiting = True, str(int(answer["number"]))
                _say(commands, f"requested a compute node (job {waiting})")
            elif answer["state"] == "waiting":
                waiting = str(int(answer["number"]))
                _say(commands, f"waiting for job {waiting}: {why(answer)}")
            elif answer["state"] == "ready":
                return _running(cluster, answer, started=started)
            elif answer["state"] == "none":
                return None
            else:
                raise _refusal(cluster, answer, commands, wanted.wanted)
    except KeyboardInterrupt:
        if waiting:
            cancel = invocation.as_typed(commands.stop)
            console.note(
                "", f"Job {waiting} is still waiting, and starts when its turn comes.", f"  cancel it: {cancel}"
            )
        raise
    raise RookeryError(f"No answer from {cluster.name} about the job.", hint="run the same command again")


def _running(cluster: "Cluster", answer: dict[str, Any], *, started: bool) -> RunningJob:
    """Return the job that is ready; its host key is remembered."""
    compute_node_keys.remember(cluster, answer["key"])
    end = int(answer["end"]) if str(answer["end"]).isdigit() else 0
    number, node = str(int(answer["number"])), _clean(answer["node"])
    return RunningJob(number, node, end, bool(answer["overlap"]), started, answer["folder"])


def connect(connection: "Connection", number: str, *, overlap: bool) -> NoReturn:
    """Become the connection into the job, for standard input and output.

    Nothing of this program stays in between; ssh itself does it, as long as the connection lasts.

    Args:
        connection: The cluster's, open.
        number: The job's.
        overlap: Whether srun has to be told to share its cores.
    """
    script, arguments = job_request.relay(number, overlap=overlap)
    command = connection.command(remote_command(script, arguments, stdin=""))
    os.execvp(command[0], command)  # noqa: S606 no shell is wanted


def stop(connection: "Connection", commands: JobCommands | None = None) -> list[str]:
    """End the job; return the numbers of the jobs that were ended.

    Args:
        connection: The cluster's, open.
        commands: What it is called; the one behind NAME-job where None.

    Raises:
        SshError: The connection failed.
        RookeryError: Slurm does not answer, or refuses.
    """
    commands = commands or for_editors(connection.cluster, ComputeNodeOptions())
    request = {"verb": "stop", "name": commands.job, "service": commands.is_service}
    answer = remote_client.call(connection, "host", request)
    if answer["state"] != "stopped":
        raise _refusal(connection.cluster, answer, commands)
    return [str(int(job["number"])) for job in answer["jobs"]]


def leave(connection: "Connection", *, check: bool = False) -> list[str]:
    """End the job, and those with services, before a home is undone, without waiting long for a Slurm that is silent.

    Args:
        connection: The cluster's, open.
        check: Say what would be done, and do nothing.

    Returns:
        The result, a line; none where there is no job.
    """
    cluster = connection.cluster
    if cluster.scheduler != "slurm":
        return []
    request = {"verb": "find" if check else "stop", "name": JOB, "prefix": SERVICES, "forget": not check}
    try:
        answer = remote_client.call(connection, "host", request, timeout=PARTING)
    except RookeryError:
        answer = {}
    if answer.get("state") in {"found", "stopped"}:
        fate = "would be cancelled" if check else "cancelled"
        return [f"job {int(job['number'])} ({_title(cluster, job)}): {fate}" for job in answer["jobs"]]
    if not compute_node_keys.known_hosts(cluster).exists():  # this computer never had one
        return []
    by_hand = f"scancel --user={cluster.user or '$USER'} --name={JOB}"
    return [f"Slurm does not answer. If a job of {cluster.name}{SUFFIX} is still running, cancel it there: {by_hand}"]


def _title(cluster: "Cluster", job: dict[str, Any]) -> str:
    return f"{cluster.name}{SUFFIX}" if job["name"] == JOB else _clean(job["name"])


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
    require_home_on_nodes(cluster)


def require_home_on_nodes(cluster: "Cluster") -> None:
    """Refuse a cluster whose compute nodes can't read the home, where the keys of such a job are.

    Raises:
        RookeryError: They can't.
    """
    name = cluster.name
    if not next((area.on_compute_nodes for area in cluster.storage if area.name == "home"), True):
        raise RookeryError(
            f"The compute nodes of {name} can't read your home, where the key for this is kept.",
            hint=f"invoke shell {cluster.argument}   # a terminal on a compute node",
        )


def until(end: int) -> str:
    """Return when a job ends, in a user's words; "" where that is not known."""
    return time.strftime("until %H:%M", time.localtime(end)) if end else ""


def why(answer: dict[str, Any]) -> str:
    """Return why a job waits, and when Slurm expects it to begin."""
    if answer["reason"] in {"None", ""}:
        return explain("None")
    start = str(answer["start"])
    expected = f"; expected start: {local_time.when(int(start))}" if start.isdigit() else ""
    return _clean(explain(str(answer["reason"]))) + expected


def _refusal(
    cluster: "Cluster", answer: dict[str, Any], commands: JobCommands, wanted: dict[str, Any] | None = None
) -> RookeryError:
    """Return the error that says why there is no job to connect to; `wanted` is what the user named of it."""
    name, state = cluster.name, str(answer["state"])
    number, reason = _clean(answer.get("number", "")), _clean(answer.get("said", "")).strip()
    if state in {"not-set-up", "not-deployed"}:
        is_home = state == "not-set-up"
        hint = f"invoke setup {cluster.argument}" if is_home else f"invoke deploy {cluster.option}"
        return RookeryError(f"{name} is not set up." if is_home else f"Nothing is deployed on {name} yet.", hint=hint)
    if state == "was-stopped":
        since = f"{answer['minutes']} minutes ago" if answer["minutes"] > 1 else "just now"
        message = (
            f"The job on {name} was stopped or reached its time limit {since}. A new one does not start by itself."
        )
        return RookeryError(message, hint=commands.start)
    if state == "other":
        message = f"Job {number} on {name} {_otherwise(answer['about'], wanted or {})}."
        return RookeryError(message, hint=f"{commands.stop}   # then run the same command again")
    if state == "slow":
        message = (
            f"Job {number} on {name} did not start within {compute_node.PATIENCE // 60} minutes. It is still waiting."
        )
        return RookeryError(message, hint=f"invoke jobs {number} {cluster.option}   # shows why; then connect again")
    if state == "ended":
        return RookeryError(
            f"The job on {name} ended right after it started: {reason or 'no reason given'}", hint=commands.start
        )
    return _unready_error(cluster, reason) if state == "unready" else _slurm_error(cluster, reason)


def _otherwise(about: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return why the job that runs is not the one that is asked for."""
    if about.get("keeper") != job_request.KEEPER:
        return "was started by another version of rookery"
    if about.get("program") != wanted.get("program", about.get("program")):
        return "is already running, with another program, folder or project under this name"
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


def _say(commands: JobCommands, text: str) -> None:
    console.note(f"{commands.label}: {text}")


def _clean(text: object) -> str:
    return clean(str(text))
