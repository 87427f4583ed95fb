"""`submit --cluster first`: give a job to the cluster where Slurm expects it to start soonest."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rookery.clusters.query import require_scheduler
from rookery.core import console, invocation, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.submit import deploy_first, estimates
from rookery.jobs.submit import request as submit_request
from rookery.jobs.submit.estimates import Estimate
from rookery.projects import config
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.jobs.options import SubmitOptions
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target


@dataclass(frozen=True)
class Candidates:
    """The clusters that a job could be given to.

    Attributes:
        named: The project and each cluster that is asked, by the cluster's name.
        requests: What would be submitted to each.
        out: Why others are not asked.
    """

    named: "dict[str, Target]"
    requests: "dict[str, SubmitRequest]"
    out: dict[str, Estimate]


def is_asked(options: "SubmitOptions") -> bool:
    """Return whether the flags leave the cluster to be chosen."""
    return options.race or options.cluster == submit_request.FIRST


def candidates(options: "SubmitOptions") -> Candidates:
    """Return the clusters of the project.

    Raises:
        RookeryError: Flags that don't go together, or there is no such job.
    """
    if options.cluster not in {"", submit_request.FIRST}:
        raise RookeryError(
            "--race submits to all clusters of rookery.yml: use it without --cluster.",
            hint=typed_command.again(without=("--cluster",)),
        )
    if options.failed:
        raise RookeryError(
            "Failed tasks are submitted to the cluster of their run: use --failed without --cluster first.",
            hint=typed_command.again(without=("--race", "--cluster")),
        )
    if options.race and options.tag:
        raise RookeryError(
            "Use --race without --tag: it submits the job more than once.", hint=typed_command.again(without=("--tag",))
        )
    named, requests, out = {}, {}, {}
    for name in config.load(options.project).clusters:
        try:
            target = targets.find(name, options.project, sandbox=options.sandbox)
            require_scheduler(target.cluster)
        except RookeryError as error:
            out[name] = estimates.failed(name, error)
            continue
        named[name] = target
        requests[name] = submit_request.build_request(replace(options, cluster=name), target)
    return Candidates(named, requests, out)


def ask(options: "SubmitOptions", found: Candidates) -> list[Estimate]:
    """Return the estimate of each cluster, in the order of rookery.yml; with --deploy, deploy there first.

    Args:
        options: The flags.
        found: The clusters.
    """
    asked, out = dict(found.named), dict(found.out)
    if options.deploy:
        for name, target in found.named.items():
            try:
                deploy_first.deploy_to(target, options, dirty=options.dirty)
            except RookeryError as error:
                out[name] = estimates.failed(name, error)
                del asked[name]
    known = out | estimates.ask(asked, found.requests)
    return [known[name] for name in config.load(options.project).clusters]


def require_one(known: Sequence[Estimate], options: "SubmitOptions", what: str) -> list[Estimate]:
    """Print the estimates, and return those of the clusters that can be given the job, the soonest first.

    Args:
        known: The estimates of all clusters.
        options: The flags.
        what: The job.

    Raises:
        RookeryError: There is none.
    """
    usable = estimates.soonest(known)
    missing = [each.cluster for each in known if each.is_missing]
    deploy = f"invoke deploy {' '.join(missing)}{_flags(options)}"
    if not usable:
        raise RookeryError(
            f"No cluster of rookery.yml can be given {what}. Nothing was submitted.",
            details=[f"{each.cluster}: {each.reason}" for each in known],
            hint=deploy if missing else next((each.hint for each in known if each.hint), None),
        )
    if not options.json:
        estimates.show(known)
        if missing:
            console.note(f"To choose from {' and '.join(missing)}, too: {invocation.as_typed(deploy)}")
    return usable


def _flags(options: "SubmitOptions") -> str:
    project = f" --project {shlex.quote(options.project)}" if options.project else ""
    return project + targets.typed_flags("", sandbox=options.sandbox)


def choose(options: "SubmitOptions") -> tuple[str, list[Estimate]]:
    """Ask all clusters, print what they say, and return the soonest, and all estimates.

    A cluster with an earlier submission of the job whose answer never came is returned unasked, to look for that first.

    Raises:
        RookeryError: No cluster can be given the job.
    """
    found = candidates(options)
    for name, target in found.named.items():
        if not options.check and submit_request.read_token(submit_request.token_file(target, found.requests[name]))[0]:
            console.note(f"Looking first for an earlier submission to {name}, whose answer never came.")
            return name, []
    known = ask(options, found)
    what = next(iter(found.requests.values())).what if found.requests else options.job
    best = require_one(known, options, what)[0]
    return best.cluster, known
