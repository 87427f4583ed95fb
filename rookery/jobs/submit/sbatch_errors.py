"""Explain why nothing was submitted: sbatch's messages (Slurm's slurm_errno.c) with their meaning, or other reasons."""

import os
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.jobs.monitor import pending_reasons
from rookery.projects.config import is_for
from rookery.projects.git_command import git

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target

_AGAIN: Final = "run the same command again in a few minutes"

_MEANING: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"unable to contact slurm controller|connect failure|unable to connect|connection refused|zero bytes",
        "Slurm on {cluster} does not answer: it is down or under maintenance. Nothing was submitted.",
        _AGAIN,
    ),
    (
        r"timed out",
        "Slurm on {cluster} took too long to answer.",
        _AGAIN,
    ),
    (r"invalid partition", "{cluster} has no such partition.", "invoke queue   # shows the partitions"),
    (
        r"qos not permitted to use this partition",
        "{cluster} does not allow this QOS in this partition.",
        "set qos: in rookery.yml, or leave out partition: and qos:, which rookery chooses together",
    ),
    (
        r"job (violates|exceeds).*(accounting|qos)|MaxSubmitJob",
        "The job is beyond a limit of its QOS or account on {cluster}.",
        "invoke jobs --all   # shows your jobs; wait for some to end, or request less",
    ),
    (
        r"invalid account",
        "You can't use this account on {cluster}.",
        "set account: in rookery.yml, or cluster_account in your settings",
    ),
    (r"invalid qos", "{cluster} has no such QOS, or you can't use it{qos}.", "set qos: in rookery.yml"),
    (
        r"may not use --mail|mail-type|mail type",
        "{cluster} rejects arrays that send mail.",
        "use mail: in rookery.yml, which sends it from a small job after the array; remove --mail-type from the script",
    ),
    (
        r"invalid job array",
        "The array is larger than {cluster} accepts{array}.",
        "use chunk: in rookery.yml to run several rows in one task",
    ),
    (
        r"memory specification can ?not be satisfied|node configuration is not available|nodes? count specification",
        "No node of {cluster} has what the job requests: memory, cores, GPUs or constraint.",
        "invoke queue   # shows the partitions; then request less",
    ),
    (
        r"invalid feature",
        "No node of {cluster} has what the job's constraint names.",
        "invoke clusters.show {cluster}   # shows the constraints; then correct constraint:",
    ),
    (
        r"time limit",
        "The job requests more time than its partition allows.",
        "invoke queue   # shows the time limits",
    ),
    (r"invalid generic resource|gres", "{cluster} has no such GPUs.", "invoke queue   # shows the GPUs"),
    (
        r"partition.*(down|inactive|unavailable)",
        "The partition is closed at the moment.",
        _AGAIN,
    ),
    (
        r"job dependency problem",
        "Slurm no longer knows the job that this one depends on.",
        "run the same command without --after",
    ),
    (
        r"invalid directive|unrecognized option|invalid option|unable to parse|invalid (time|--)|unable to open file",
        "sbatch does not accept an option of the script.",
        "invoke lint",
    ),
    (
        r"line breaks|no such command|#!|not a batch script|script is empty|interpreter",
        "sbatch does not accept the script: it needs #!/bin/bash in the first line, and Unix line endings.",
        "invoke lint --fix",
    ),
    (
        r"command not found",
        "Can't find sbatch on {cluster}: Slurm is not installed, or not on the PATH of a login shell.",
        "invoke clusters.show {cluster}",
    ),
    (r"disk quota|no space left", "Your storage on {cluster} is full.", "invoke quota"),
)


class NotDeployedError(RookeryError):
    """The error where no release of the project is on the cluster."""


_LIMIT: Final = re.compile(r"\b(?:QOS|Assoc)[A-Z][A-Za-z]+")
"""Slurm's code for a limit of a QOS or an account, such as QOSMaxWallDurationPerJobLimit (slurm_protocol_defs.c)."""

_HINTS: Final = (
    ("Submit", "invoke jobs --all   # shows your jobs; wait for some to end, or use chunk: (an array's tasks count)"),
    ("Minutes", "set account: in rookery.yml to one with a budget"),
    ("", "invoke queue   # shows the limits; request less, or set qos: in rookery.yml"),
)
"""By a word in such a code, the first that is in it: what to do."""

_PREFIX = re.compile(r"^(sbatch|slurm\w*): (error: )?")


def words(output: str) -> list[str]:
    """Return sbatch's lines, fit for a terminal, without those that say nothing."""
    lines = [_PREFIX.sub("", line.strip()) for line in console.clean(output).splitlines() if line.strip()]
    specific = [line for line in lines if not re.search(r"Unspecified error$", line)]
    return list(dict.fromkeys(specific or lines))


def explain(output: str, target: "Target") -> RookeryError:
    """Return the error for sbatch's refusal: what it means, in its own words too, and what to do next.

    Args:
        output: Its words.
        target: Project and cluster.
    """
    cluster = target.cluster.name
    own = "; ".join(words(output)) or "no reason given"
    most = (target.cluster.data.get("cluster_array") or {}).get("max_size")
    array = f": its numbers go up to {most}" if most else ""
    names = [entry["name"] for entry in target.cluster.data.get("cluster_qos") or []]
    qos = f" (its profile has {', '.join(names)})" if names else ""
    if (code := _LIMIT.search(output)) and (meaning := pending_reasons.limit(code[0])):
        hint = next(hint for word, hint in _HINTS if word in code[0])
        return RookeryError(f"{cluster} rejects the job: {meaning}. sbatch says: {own}", hint=target.next(hint))
    for pattern, meaning, hint in _MEANING:
        if re.search(pattern, output, re.IGNORECASE):
            explanation = meaning.format(cluster=cluster, array=array, qos=qos)
            return RookeryError(f"{explanation} sbatch says: {own}", hint=target.next(hint.format(cluster=cluster)))
    return RookeryError(
        f"sbatch on {cluster} rejected the job: {own}",
        hint=target.next("invoke lint   # finds most errors in job scripts"),
    )


def refused(target: "Target", request: "SubmitRequest", answer: Mapping[str, Any]) -> RookeryError:
    """Return the error that says why nothing was submitted.

    Args:
        target: Project and cluster.
        request: What was to be submitted.
        answer: What the cluster said.
    """
    state, job = str(answer["state"]), request.what
    if state == "refused":
        return explain(str(answer["said"]), target)
    fields = {key: console.clean(answer.get(key, "")) for key in ("name", "number", "said")}
    fields |= {key: ", ".join(map(console.clean, answer.get(key) or [])) for key in ("jobs", "states", "what")}
    if state == "no-job" and target.project and job in target.project.jobs:
        state = "later-job" if is_for(target.project, job, target.cluster.name) else "not-for"
    message, hint = _OURS.get(state, ("Unexpected answer from {cluster}: {state}.", "invoke deploy"))
    if state == "no-job" and not answer.get("jobs"):
        hint = "invoke deploy"
    if state == "no-script":
        hint = _committed(target, job) + target.next("invoke deploy")
    elif state == "no-run" and target.project and fields["name"] not in target.project.jobs:
        message, hint = "Unknown job {name!r} of --after.", "invoke jobs --all   # shows your jobs and their numbers"
    fields |= {
        "cluster": target.cluster.name,
        "project": request.project,
        "job": job,
        "failed": request.failed_of,
        "release": console.clean((answer.get("stamp") or {}).get("commit", ""))[:7],
        "state": console.clean(state),
        "near": meant(job, answer.get("jobs") or []),
        "another": closest(job, answer.get("jobs") or []) or next(iter(answer.get("jobs") or []), ""),
    }
    kind = NotDeployedError if state == "not-deployed" else RookeryError
    return kind(message.format(**fields), hint=target.next(hint.format(**fields)))


def _committed(target: "Target", path: str) -> str:
    """Return the commands that commit a file, with ` && ` behind; "" where it is committed."""
    if not target.project or not git(target.project.root, "status", "--porcelain", "--", path, check=False).strip():
        return ""
    file = shlex.quote(os.path.relpath(target.project.root / path))
    return f"git add {file} && git commit -am {shlex.quote(f'Add {path}')} && "


_OURS: Final = {
    "not-set-up": ("{cluster} is not set up.", "invoke setup"),
    "not-deployed": ("{project} is not deployed to {cluster} yet.", "invoke deploy"),
    "no-job": (
        "Release {release} on {cluster} has no job {job!r}{near}. Its jobs: {jobs}.",
        "invoke submit {another}",
    ),
    "not-for": (
        "{job} is not for {cluster}: `only` in rookery.yml leaves it out.",
        "add {cluster} to `only` of {job} in rookery.yml, or use another --cluster",
    ),
    "no-such-run": ("Unknown job {number} on {cluster}: {job} can't start after it.", "invoke jobs"),
    "later-job": (
        "Job {job} is not in release {release} on {cluster} yet. Its jobs: {jobs}.",
        "invoke deploy",
    ),
    "no-script": (
        "{job} is not in release {release} on {cluster} yet.",
        "invoke deploy",
    ),
    "no-input": (
        "The input data of {project} is not on {cluster} any more: {jobs}. Nothing was submitted.",
        "invoke data.push   # then deploy again",
    ),
    "no-run": ("{name} was not submitted to {cluster} yet: {job} can't start after it.", "invoke submit {name}"),
    "failed-before": (
        "Job {number} failed ({states}), so {job} would never start.",
        "invoke submit --failed {number}   # then submit {job} --after the new job",
    ),
    "after-parts": (
        "{job} can't start after job {number}, each part of which is a job: Slurm can wait for one such run "
        "alone, and for no such array.",
        "wait for job {number} to end, then submit {job}",
    ),
    "no-record": ("{cluster} has no record of run {failed} of {project}.", "invoke submit {job}"),
    "bad-record": ("Can't use the record of run {failed} on {cluster}: {said}.", "invoke submit {job}"),
    "changed": (
        "The {what} of {job} changed since run {failed}: its task numbers mean something else in release {release}.",
        "invoke submit {job}   # runs all tasks",
    ),
    "other-job": (
        "Run {failed} is a run of {name}, not of {job}.",
        "invoke submit --failed {failed}   # submits {name}",
    ),
    "unknown": ("Slurm on {cluster} does not answer: it is not known whether {job} was submitted.", "invoke jobs"),
    "broken": ("{cluster}: {said}. Nothing was submitted.", "invoke quota"),
}
