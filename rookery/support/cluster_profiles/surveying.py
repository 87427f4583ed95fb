"""Connect to a cluster and ask it about itself; refuse one that has no Slurm that answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.survey import answer, module_list, node_answers, node_jobs, slurm_answers
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.slurm_answers import SlurmSite
from rookery.core import console
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection


@dataclass(frozen=True)
class SurveyedCluster:
    """What a cluster said."""

    survey: Survey
    site: SlurmSite


def ask(connection: "Connection", account: str, again: str) -> SurveyedCluster:
    """Ask a cluster about itself; its list of modules is kept on this computer.

    Args:
        connection: The cluster's, open.
        account: The account that the user's jobs are charged to; "" where not known.
        again: The command that was called, for messages.

    Raises:
        RookeryError: There is no Slurm, or it does not answer.
    """
    survey = answer.ask(connection, account)
    site = slurm_answers.parse(survey)
    host = connection.cluster.host
    if not survey.all("slurm"):
        raise RookeryError(
            f"{host} has no Slurm: sbatch and scontrol are not on PATH in a login shell.",
            hint=f"{again}   # with the --host of a login node; without Slurm: `invoke docs add-a-cluster`",
        )
    if site.problem or not site.partitions:
        why = site.problem or "it listed no partitions"
        raise RookeryError(
            f"Slurm on {host} does not answer: {why[:200]}.", hint=f"{again}   # later, when Slurm is up again"
        )
    module_list.save(connection.cluster, survey)
    return SurveyedCluster(survey, site)


def with_jobs(
    connection: "Connection", surveyed: SurveyedCluster, values: Mapping[str, Any], *, prove: bool = False
) -> SurveyedCluster:
    """Return the same with what a compute node of each kind says, and say which did not answer.

    Args:
        connection: The cluster's, open.
        surveyed: What its login node said.
        values: The keys of its profile.
        prove: Run a job in each partition, and load the profile's modules in each.

    Raises:
        RookeryError: The connection failed, or the answer is cut off.
    """
    survey = node_jobs.ask(connection, surveyed.survey, surveyed.site, values, prove=prove)
    for node in node_answers.failures(survey):
        why = node.one("failed") or "no answer"
        console.note(f"No job ran in the partition {node.one('partition')}: {why[:200]}")
    return replace(surveyed, survey=survey)
