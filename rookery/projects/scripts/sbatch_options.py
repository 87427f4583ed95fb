"""Make a job's #SBATCH lines, each with a short comment on what it is for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.clusters import architectures
from rookery.clusters.cluster import ACCOUNT, Cluster, account
from rookery.clusters.config.profile import such_as
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.model import Project
from rookery.projects.scripts import job_parts, placement
from rookery.projects.scripts.placement import hours, processes
from rookery.projects.slurm_values import task_count, time_limit


@dataclass(frozen=True)
class SbatchOption:
    """One option of sbatch.

    Attributes:
        text: Its text behind #SBATCH, quoted as sbatch reads it.
        why: What it is for, in a few words.
    """

    text: str
    why: str = ""


def default_output(project: Project, job: Job) -> str:
    """Return the path of the log of a job that does not name one."""
    return f"{project.logs}/%x_%A_%a.out" if job.array else f"{project.logs}/%x_%j.out"


def options(job: Job, cluster: Cluster) -> list[SbatchOption]:
    """Return the options of a job whose partition has been chosen, in the order in which a user would write them.

    Raises:
        RookeryError: The cluster wants an account and none is given; the GPUs can't be shared out over the nodes; or
            these are of an architecture that `setup` does not know of.
    """
    partition, chosen_qos = placement.partition_entry(job, cluster), placement.qos_entry(job, cluster)
    architecture = placement.foreign(partition, cluster)
    if architecture not in ["", *(other.name for other in architectures.others(cluster.data))]:
        raise RookeryError(
            f"{job.partition} has {architecture} nodes, which can't run what rookery sets up on {cluster.name}.",
            hint=f"add {{name: {architecture}}} to cluster_architectures of {cluster.name}, then run setup",
        )
    options = [SbatchOption(option("job-name", job.name), "name in the queue")]
    if job.partition:
        options.append(SbatchOption(option("partition", job.partition), partition.get("purpose", "partition (queue)")))
    if account := _account(job, cluster, partition):
        options.append(SbatchOption(option("account", account), "account that is charged"))
    if job.qos:
        options.append(SbatchOption(option("qos", job.qos), chosen_qos.get("purpose", "quality of service")))
    options += [*_array(job), *_size(job, cluster), *_gpus(job, cluster, partition), *_mail(job, cluster)]
    options.append(SbatchOption(option("output", job.output), f"log file{_patterns(job.output)}"))
    if job.error:
        options.append(SbatchOption(option("error", job.error), f"error log{_patterns(job.error)}"))
    return [*options, *_further(job, cluster)]


def option(name: str, value: str | int) -> str:
    """Return a long option as sbatch reads it in a script: quotes where the value has a blank, a # or a quote in it.

    Within quotes a backslash still guards what follows (_get_argument in Slurm's src/sbatch/opt.c).

    Raises:
        RookeryError: The value has a line break, which would end the line.
    """
    text = str(value)
    if not text.isprintable():
        raise RookeryError(f"--{name} for sbatch can't have a line break: {' '.join(text.split())!r}.")
    if re.search(r"[\s#'\"\\]", text):
        text = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return f"--{name}={text}"


def mails_itself(job: Job, cluster: Cluster) -> bool:
    """Return whether the job may ask Slurm for mail; where an array may not, or each part would, a small job does."""
    array_may = not job.array or cluster.data.get("cluster_array", {}).get("may_mail") is not False
    return bool(job.mail) and array_may and job_parts.count(job, cluster) == 1


def _patterns(path: str) -> str:
    """Return a path with Slurm's patterns replaced."""
    known = {"%x": "job name", "%j": "job number", "%A": "array number", "%a": "task number"}
    meanings = [f"{pattern} {words}" for pattern, words in known.items() if pattern in path]
    return f": {', '.join(meanings)}" if meanings else ""


def _further(job: Job, cluster: Cluster) -> list[SbatchOption]:
    """Return the options that the profile adds to each job there, then the job's own.

    Of one option sbatch takes the last: the job's own, else the QOS's, else the partition's.
    """
    partition, qos = placement.partition_entry(job, cluster), placement.qos_entry(job, cluster)
    added = [(str(text), f"every job on {cluster.name} needs it") for text in cluster.data.get("cluster_sbatch") or []]
    if constraint := placement.constraint(job, cluster):
        added.append((option("constraint", constraint), "the kind of node"))
    added += [(str(text), f"jobs in {partition['name']} need it") for text in partition.get("options") or []]
    added += [(str(text), f"jobs with QOS {qos['name']} need it") for text in qos.get("options") or []]
    added += [(text, "") for text in job.sbatch]
    kept: list[SbatchOption] = []
    for number, (text, why) in enumerate(added):
        later = [other for other, _ in added[number + 1 :] if _name(other) == _name(text)]
        if not later or not why:  # what a user wrote twice is theirs
            replaced = [other for other, whose in added[:number] if whose and _name(other) == _name(text)]
            kept.append(SbatchOption(text, f"in place of {', '.join(replaced)}" if replaced else why))
    return kept


def _name(text: str) -> str:
    """Return the name of an option as it was written: --constraint of --constraint=gpu, -C of -C gpu."""
    return re.split(r"[=\s]", text, maxsplit=1)[0]


def _account(job: Job, cluster: Cluster, partition: Mapping[str, Any]) -> str:
    """Return the account of a job: its own as it is written, else what the partition makes of the user's."""
    known = cluster.data.get("cluster_account", {})
    if job.account:
        return job.account
    code, form = account(cluster.data), str(partition.get("account", ACCOUNT))
    if code or ACCOUNT not in form:
        return form.replace(ACCOUNT, code)
    if known.get("required"):
        raise RookeryError(
            f"Missing account: jobs on {cluster.name} need one{such_as(known)}.",
            hint=f"invoke setup {cluster.argument} --account CODE"
            "   # remembered for next time; or set `account:` in the job",
        )
    return ""


def _array(job: Job) -> list[SbatchOption]:
    if not job.array:
        return []
    count = task_count(job.array)
    throttled = job.max_running is not None and job.max_running < count
    value = f"{job.array}%{job.max_running}" if throttled else job.array
    words = "one task" if count == 1 else f"{count} tasks"
    return [
        SbatchOption(option("array", value), f"{words}, at most {job.max_running} at a time" if throttled else words)
    ]


def _size(job: Job, cluster: Cluster) -> list[SbatchOption]:
    """Return the options for nodes, processes, cores, memory and time."""
    subject = "each task" if job.array else "the job"
    several = job.nodes > 1
    options = [SbatchOption(option("nodes", job.nodes), "nodes" if several else "one node")]
    shared, rest = divmod(processes(job), job.nodes)
    if rest:
        options.append(SbatchOption(option("ntasks", processes(job)), "processes, spread over the nodes"))
    else:
        words = "one process" if shared == 1 else "processes"
        options.append(
            SbatchOption(option("ntasks-per-node", shared), f"{words} on {'each node' if several else 'the node'}")
        )
    if not cluster.data.get("cluster_limits", {}).get("follow_gpus"):
        whose = "each process" if processes(job) > 1 else subject
        words = "one core" if job.cpus == 1 else "cores"
        options.append(SbatchOption(option("cpus-per-task", job.cpus), f"{words} for {whose}"))
        if job.memory:
            where = "on each node" if several else f"for {subject}"
            options.append(SbatchOption(option("mem", job.memory), f"memory {where}; killed if it needs more"))
    if job.minutes:
        options.append(
            SbatchOption(option("time", time_limit(job.minutes)), f"{subject} is killed after {hours(job.minutes)}")
        )
    return [*options, *_parts(job, cluster)]


def _parts(job: Job, cluster: Cluster) -> list[SbatchOption]:
    """Return the options of a job that runs in parts: a signal before the end, how it continues, one log."""
    if not job.total_minutes:
        return []
    seconds = 60 * job.checkpoint_minutes
    is_chained = job_parts.count(job, cluster) > 1
    return [
        SbatchOption(option("signal", f"B:USR1@{seconds}"), f"asks for a checkpoint {seconds} s before the end"),
        SbatchOption("--no-requeue", "continues in the next job")
        if is_chained
        else SbatchOption("--requeue", "continues as another part"),
        SbatchOption("--open-mode=append", "all parts write one log"),
    ]


def _gpus(job: Job, cluster: Cluster, partition: Mapping[str, Any]) -> list[SbatchOption]:
    if not job.gpus:
        return []
    # a partition with one type only has no need of its name, which some profiles give GPUs themselves
    named = job.gpu_type and partition.get("gpu_types") != [job.gpu_type]
    kind = f"{job.gpu_type}:" if named else ""
    if cluster.data.get("cluster_gpu_request") == "gpus":
        return [SbatchOption(option("gpus", f"{kind}{job.gpus}"), "GPUs")]
    per_node, rest = divmod(job.gpus, job.nodes)
    if rest:
        raise RookeryError(
            f"Can't divide {job.gpus} GPUs evenly over {job.nodes} nodes.",
            hint=f"set `gpus: {(per_node + 1) * job.nodes}`",
        )
    return [
        SbatchOption(
            option("gres", f"gpu:{kind}{per_node}"),
            "GPUs on each node" if job.nodes > 1 else "GPU" if per_node == 1 else "GPUs",
        )
    ]


def _mail(job: Job, cluster: Cluster) -> list[SbatchOption]:
    if not mails_itself(job, cluster):
        return []
    return [
        SbatchOption(option("mail-type", "END,FAIL"), "mail when the job ends"),
        SbatchOption(option("mail-user", job.mail), "address for the mail"),
    ]
