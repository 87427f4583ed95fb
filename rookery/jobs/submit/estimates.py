"""Ask each of a project's clusters when a job could start there, all at the same time, and choose the soonest."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh import fabric_group
from rookery.core import console, local_time, tables
from rookery.core.errors import RookeryError
from rookery.jobs.submit import sbatch_errors, sending
from rookery.projects.config import is_for

if TYPE_CHECKING:
    from rookery.jobs.submit.request import SubmitRequest
    from rookery.projects.target import Target

_SOON = 60
"""Seconds of waiting that make no difference."""


@dataclass(frozen=True)
class Estimate:
    """What a cluster says of a job that it could be given.

    Attributes:
        cluster: The cluster's name.
        partition: Where Slurm would run it; "" where it does not say.
        wait: Seconds until Slurm expects it to start; None where it does not say.
        start: That time, in seconds since 1970; 0 where it does not say.
        commit: The commit that is deployed there.
        reason: Why the cluster can't be given the job; "" where it can.
        hint: What to do about that.
        is_missing: Whether no release is deployed there.
    """

    cluster: str
    partition: str = ""
    wait: int | None = None
    start: int = 0
    commit: str = ""
    reason: str = ""
    hint: str = ""
    is_missing: bool = False

    def document(self) -> dict[str, Any]:
        """Return it for --json."""
        return {key: value for key, value in asdict(self).items() if key not in {"hint", "is_missing"}}


def failed(cluster: str, error: RookeryError) -> Estimate:
    """Return the estimate of a cluster that can't be given the job."""
    reason = error.message.removeprefix(f"{cluster}: ")
    is_missing = isinstance(error, sbatch_errors.NotDeployedError)
    return Estimate(cluster, reason=reason, hint=error.hint or "", is_missing=is_missing)


def ask(named: Mapping[str, "Target"], requests: Mapping[str, "SubmitRequest"]) -> dict[str, Estimate]:
    """Return the estimate of each cluster.

    Args:
        named: The project and each cluster, by the cluster's name.
        requests: What would be submitted there.
    """
    for_it = {name: target for name, target in named.items() if _is_for(target, requests[name])}
    left_out = RookeryError("the job is not for this cluster (`only` in rookery.yml)")
    found = {name: failed(name, left_out) for name in named if name not in for_it}
    answers = fabric_group.outcomes(
        [target.connection for target in for_it.values()],
        lambda connection: sending.ask_slurm(for_it[connection.cluster.name], requests[connection.cluster.name]),
    )
    for name, answer in answers.items():
        found[name] = failed(name, answer) if isinstance(answer, RookeryError) else of_answer(for_it[name], answer)
    return {name: found[name] for name in named}


def _is_for(target: "Target", request: "SubmitRequest") -> bool:
    project = target.required_project
    return request.job not in project.jobs or is_for(project, request.job, target.cluster.name)


def of_answer(target: "Target", answer: Mapping[str, Any]) -> Estimate:
    """Return the estimate from the cluster's answer."""
    name = target.cluster.name
    if not answer["ok"]:
        return failed(name, sbatch_errors.explain(answer["said"], target))
    if closed := answer.get("closed"):
        return Estimate(name, reason=console.clean(closed))
    where = re.search(r"in partition (\S+)", " ".join(sbatch_errors.words(answer["said"])))
    wait = answer.get("wait")
    return Estimate(
        name,
        partition=where[1] if where else "",
        wait=wait,
        start=0 if wait is None else int(time.time()) + wait,
        commit=answer["stamp"].get("commit", ""),
    )


def soonest(estimates: Iterable[Estimate]) -> list[Estimate]:
    """Return the clusters that can be given the job, the soonest first, those without an estimate last.

    Of those that could start it within a minute of each other's present, the first of rookery.yml comes first.

    Args:
        estimates: Those of all clusters, in the order of rookery.yml.
    """
    usable = [each for each in estimates if not each.reason]
    return sorted(usable, key=lambda each: float("inf") if each.wait is None else each.wait // _SOON)


def show(estimates: Sequence[Estimate]) -> None:
    """Print the table of estimates."""
    headings = ["=cluster", "<partition", "=expected start"]
    rows = [[each.cluster, each.partition or tables.UNKNOWN, when(each)] for each in estimates]
    if any(each.reason for each in estimates):
        headings.append("~why not")
        rows = [[*row, each.reason] for row, each in zip(rows, estimates, strict=True)]
    tables.show(headings, rows)


def when(estimate: Estimate) -> str:
    """Return when a job could start, for a table."""
    if estimate.reason:
        return tables.UNKNOWN
    if estimate.wait is None:
        return "unknown"
    return "now" if estimate.wait < _SOON else local_time.when(estimate.start)
