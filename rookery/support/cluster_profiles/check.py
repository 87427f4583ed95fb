"""The commands `clusters.check` and `clusters.update`: compare a profile with its cluster, and bring it up to date."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.cluster import account
from rookery.clusters.config import own_inventory, profile
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.survey import node_answers, profile_findings, updates
from rookery.clusters.survey.differences import ProfileDifference, compare
from rookery.clusters.survey.finding import GivenAnswers, by_key
from rookery.clusters.survey.node_answers import SurveyedNode
from rookery.core import console, paths
from rookery.core.invocation import invocation
from rookery.support.cluster_profiles import summary, surveying
from rookery.support.options import ClustersCheckOptions, ClustersUpdateOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.survey.finding import ProfileFinding
    from rookery.support.cluster_profiles.surveying import SurveyedCluster


@dataclass(frozen=True)
class ComparedProfile:
    """A profile beside what its cluster says."""

    cluster: "Cluster"
    findings: "tuple[ProfileFinding, ...]"
    surveyed: "SurveyedCluster"
    differences: Sequence[ProfileDifference]
    """What they do not agree on."""
    additions: Sequence[ProfileDifference]
    """What the cluster says and the profile does not."""

    @property
    def failed(self) -> Sequence[SurveyedNode]:
        """The jobs that did not run."""
        return node_answers.failures(self.surveyed.survey)

    @property
    def code(self) -> int:
        """The exit code: 1 where something differs, or a job did not run."""
        return int(bool(self.differences or self.failed))


def run(options: ClustersCheckOptions) -> int:
    """Show where a profile differs from its cluster.

    Returns:
        The exit code: 1 where it does, or where a partition does not run a job (with --job).

    Raises:
        RookeryError: The cluster is unknown or can't be reached, or its Slurm does not answer.
    """
    name, sandbox = options.cluster, " --sandbox" * options.sandbox
    again = f"invoke clusters.check {name}{sandbox}"
    compared = survey(name, again, options.accept_host_key, sandbox=options.sandbox, job=options.job)
    if options.json:
        listed = {"differences": compared.differences, "additions": compared.additions}
        document = {key: [_as_json(difference) for difference in found] for key, found in listed.items()}
        failed = [{"partition": node.one("partition"), "reason": node.one("failed")} for node in compared.failed]
        print(json.dumps({"cluster": name, **document, "failed_jobs": failed}, indent=2))
        return compared.code
    say(compared)
    if compared.differences and not options.sandbox:
        console.say(f"next: {invocation()} clusters.update {name} --check")
    return compared.code


def update(options: ClustersUpdateOptions) -> int:
    """Bring the profile of a cluster up to date, in the user's own inventory, line by line.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: The cluster is unknown or can't be reached, its Slurm does not answer, or the file can't be
            edited.
    """
    name = options.cluster
    compared = survey(name, f"invoke clusters.update {name}", options.accept_host_key, job=options.job)
    found = [*compared.differences, *compared.additions]
    if not found:
        console.say(f"The profile of {name} agrees with the cluster.")
        return 0
    summary.show_differences(found)
    file = own_inventory.profile_file(name)
    text, values = updates.applied(own_inventory.profile_text(name), compared.cluster.data, found, compared.findings)
    today = time.strftime("%Y-%m-%d")
    text, values = updates.dated(text, values, today)
    if options.check:
        own_inventory.check_values(name, values)
        console.say(f"{len(values) - 1} keys of {paths.typed(file)} would change.")
        return 0
    own_inventory.replace(name, text, values)
    console.say(f"Changed {len(values) - 1} keys of {paths.typed(file)}.")
    console.say(f"next: {invocation()} setup {name}")
    return 0


def survey(
    name: str, again: str, accept_host_key: str = "", *, sandbox: bool = False, job: bool = False
) -> ComparedProfile:
    """Ask a cluster that has a profile about itself, and compare both.

    Args:
        name: The cluster.
        again: The command that was called, for messages.
        accept_host_key: The fingerprint of an unknown host key that the user vouches for.
        sandbox: Its miniature is meant.
        job: A compute node of each kind is asked as well, by a short job.

    Raises:
        RookeryError: The cluster is unknown or can't be reached, or its Slurm does not answer.
    """
    connection = Connection(profile.load(name, profile.sources(sandbox)))
    connection.open(accept_host_key=accept_host_key)
    cluster = connection.cluster
    code = account(cluster.data)
    surveyed = surveying.ask(connection, code, again)
    given = GivenAnswers(name, cluster.host, cluster.port, cluster.user, account=code, today=time.strftime("%Y-%m-%d"))
    findings = profile_findings.collect(surveyed.survey, given)
    if job:
        surveyed = surveying.with_jobs(connection, surveyed, {**by_key(findings), **cluster.data}, every_partition=True)
        findings = profile_findings.collect(surveyed.survey, given)
    found = compare(cluster.data, findings, surveyed.survey)
    return ComparedProfile(
        cluster,
        findings,
        surveyed,
        [difference for difference in found if not difference.is_addition],
        [difference for difference in found if difference.is_addition],
    )


def say(compared: ComparedProfile) -> None:
    """Print what was compared: a table of differences, and what the profile could say besides."""
    name = compared.cluster.name
    if compared.differences:
        summary.show_differences(compared.differences)
    else:
        console.say(f"The profile of {name} agrees with the cluster.")
    if compared.additions:
        places = ", ".join(summary.place(difference) for difference in compared.additions)
        console.say(f"The cluster says more than the profile: {places}.")


def _as_json(difference: ProfileDifference) -> dict[str, object]:
    return {"place": list(difference.place), "in_profile": difference.profile, "on_cluster": difference.cluster}
