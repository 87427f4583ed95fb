"""Explain why nothing was submitted: sbatch's messages (Slurm's slurm_errno.c) with their meaning, or other reasons."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.projects.config import is_for

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target

_MEANING: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"unable to contact slurm controller|connect failure|unable to connect|connection refused|zero bytes",
        "Slurm does not answer on {cluster}: it is down or being serviced. Nothing was submitted, and nothing is lost.",
        "the same command again, in a while",
    ),
    (
        r"timed out",
        "Slurm on {cluster} took too long to answer.",
        "the same command again, in a while",
    ),
    (r"invalid partition", "{cluster} has no such partition.", "invoke queue   # lists them"),
    (
        r"job (violates|exceeds).*(accounting|qos)|QOSMax|QOSGrp|AssocMax|AssocGrp|MaxSubmitJob",
        "It is more than {cluster} lets you have in the queue at once.",
        "invoke jobs --all   # what is in it; wait for some, or ask for less",
    ),
    (
        r"invalid account",
        "The account is not one that you may use on {cluster}.",
        "set account: in rookery.yml, or cluster_account in your inventory",
    ),
    (r"invalid qos", "There is no such QOS on {cluster}, or it is not for you.", "set qos: in rookery.yml"),
    (
        r"may not use --mail|mail-type|mail type",
        "{cluster} takes no array that mails; let one small job do it when the array has ended.",
        "mail: in rookery.yml makes that job; a script of your own has its --mail-type taken out by invoke lint --fix",
    ),
    (
        r"invalid job array",
        "The array is larger than {cluster} takes{array}.",
        "chunk: in rookery.yml runs several rows in one task",
    ),
    (
        r"memory specification can ?not be satisfied|node configuration is not available|nodes? count specification",
        "No node of {cluster} has as much as the job asks for: memory, cores, GPUs or constraint.",
        "invoke queue   # says what there is; then ask for less",
    ),
    (
        r"time limit",
        "The job asks for more time than its partition allows.",
        "invoke queue   # says how long one may run",
    ),
    (r"invalid generic resource|gres", "{cluster} has no such GPUs.", "invoke queue"),
    (
        r"partition.*(down|inactive|unavailable)",
        "The partition is closed for now.",
        "the same command again, in a while",
    ),
    (
        r"job dependency problem",
        "Slurm no longer knows the job that this one is to wait for.",
        "the same command without --after",
    ),
    (
        r"invalid directive|unrecognized option|invalid option|unable to parse|invalid (time|--)|unable to open file",
        "sbatch does not understand an option of the script.",
        "invoke lint",
    ),
    (
        r"line breaks|no such command|#!|not a batch script|interpreter",
        "sbatch does not take the script for one: its first line must be #!/bin/bash, its line ends those of Unix.",
        "invoke lint --fix",
    ),
    (
        r"command not found",
        "There is no Slurm on {cluster}, or not on the PATH of a login shell.",
        "invoke clusters.show {cluster}",
    ),
    (r"disk quota|no space left", "There is no room left on {cluster}.", "invoke quota"),
)

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
    own = "; ".join(words(output)) or "it gave no reason"
    most = (target.cluster.data.get("cluster_array") or {}).get("max_size")
    array = f": {most} tasks at most" if most else ""
    for pattern, meaning, hint in _MEANING:
        if re.search(pattern, output, re.IGNORECASE):
            explanation = meaning.format(cluster=cluster, array=array)
            return RookeryError(f"{explanation} sbatch says: {own}", hint=_here(hint.format(cluster=cluster), target))
    return RookeryError(
        f"sbatch on {cluster} refused the job: {own}",
        hint=_here("invoke lint   # finds most of what can be wrong with a script", target),
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
    message, hint = _OURS.get(state, ("{cluster} gave an answer that rookery does not know.", "invoke deploy"))
    fields |= {
        "cluster": target.cluster.name,
        "project": request.project,
        "job": job,
        "failed": request.failed_of,
        "release": console.clean((answer.get("stamp") or {}).get("commit", ""))[:7],
    }
    return RookeryError(message.format(**fields), hint=_here(hint.format(**fields), target))


_OURS: Final = {
    "not-set-up": ("Your home on {cluster} is not set up.", "invoke setup"),
    "not-deployed": ("Nothing of {project} is deployed on {cluster}.", "invoke deploy"),
    "no-job": ("The release {release} on {cluster} has no job {job}. It has: {jobs}.", "invoke submit NAME"),
    "not-for": ("{job} is not for {cluster}: `only` of rookery.yml names others.", "invoke render {job}"),
    "no-such-run": ("{cluster} knows no job {number}, so nothing can wait for it.", "invoke jobs"),
    "later-job": ("The release {release} on {cluster} is older than job {job}. It has: {jobs}.", "invoke deploy"),
    "no-script": ("The release {release} on {cluster} has no {job}: commit it.", "invoke deploy"),
    "no-run": ("{name} has not been submitted on {cluster}, so nothing can wait for it.", "invoke submit {name}"),
    "failed-before": (
        "{number} did not end well ({states}), so {job} would never start.",
        "invoke submit --failed {number}   # then {job} with --after and the number that it prints",
    ),
    "no-record": ("{cluster} has no record of run {failed} of {project}.", "invoke submit {job}"),
    "bad-record": ("The record of run {failed} on {cluster} can't be used: {said}.", "invoke submit {job}"),
    "changed": (
        "The {what} of {job} are others than in run {failed}, so task numbers mean something else in {release}.",
        "invoke submit {job}   # the whole of it",
    ),
    "other-job": (
        "Run {failed} was of {name}, so its failed tasks are none of {job}.",
        "invoke submit --failed {failed}   # submits {name}",
    ),
    "unknown": ("Slurm on {cluster} does not answer, and so not whether {job} was submitted.", "invoke jobs"),
    "broken": ("{cluster}: {said}. Nothing was submitted.", "invoke quota"),
}


def _here(hint: str, target: "Target") -> str:
    """Return a hint with the flags that name this cluster."""
    command, mark, why = hint.partition("   #")
    needs = command.startswith("invoke ") and "clusters.show" not in command
    flags = f" --cluster {target.cluster.name}{target.flags}" if command == "invoke setup" else target.flags
    flags = flags if flags.count("--cluster") < 2 else target.flags
    return f"{command}{flags if needs else ''}{mark}{why}"
