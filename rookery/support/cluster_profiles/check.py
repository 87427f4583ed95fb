"""The commands `clusters.check` and `clusters.update`: compare a profile with its cluster, and bring it up to date."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.cluster import account, is_seen_by_jobs
from rookery.clusters.config import own_inventory, profile
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.survey import node_answers, profile_findings, storage_keys, updates
from rookery.clusters.survey.differences import ProfileDifference, compare
from rookery.clusters.survey.finding import GivenAnswers, by_key
from rookery.clusters.survey.node_answers import SurveyedNode
from rookery.core import console, paths
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, explain, invocation
from rookery.homes import selection
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
    def unloadable(self) -> Mapping[str, Sequence[str]]:
        """Modules that jobs could not load, with the partitions where."""
        found: dict[str, list[str]] = {}
        for node in node_answers.nodes(self.surveyed.survey):
            for module in node.all("unloadable"):
                found.setdefault(module, []).append(node.one("partition"))
        return found

    @property
    def jobs_read_nothing(self) -> bool:
        """Whether jobs see no folder that was found, and the profile says that they see the home."""
        return storage_keys.jobs_see_none(self.surveyed.survey) and is_seen_by_jobs("home", self.cluster.data)

    @property
    def code(self) -> int:
        """The exit code: 1 where something differs, a job did not run or reads nothing, or a module loads nowhere."""
        jobs = len(node_answers.nodes(self.surveyed.survey))
        loads_nowhere = any(len(partitions) == jobs for partitions in self.unloadable.values())
        return int(bool(self.differences or self.failed or self.jobs_read_nothing or loads_nowhere))


def run(options: ClustersCheckOptions) -> int:
    """Show where profiles differ from their clusters; several clusters are asked at the same time.

    Returns:
        The exit code: 1 where one does, or where (with --job) a partition does not run a job, jobs see none of the
        folders that were found or a module loads in none, or where one of several clusters could not be asked.

    Raises:
        RookeryError: A cluster is unknown; or the only one can't be reached, or its Slurm does not answer.
    """
    names = selection.clusters(options.cluster, sandbox=options.sandbox)
    outcomes: dict[str, ComparedProfile | RookeryError] = dict.fromkeys(names, RookeryError("not asked"))
    connections = []
    for name in names:  # logins one after another, so that no two ask at once
        try:
            connections.append(opened(name, options.accept_host_key, sandbox=options.sandbox))
        except RookeryError as error:
            outcomes[name] = error

    def compared(connection: Connection) -> ComparedProfile:
        return compare_with(connection, f"invoke clusters.check {connection.cluster.argument}", job=options.job)

    if len(names) == 1 and connections:
        outcomes = {names[0]: compared(connections[0])}
    else:
        from rookery.clusters.ssh import fabric_group  # noqa: PLC0415 start-up

        outcomes |= fabric_group.side_by_side(connections, compared)
    if len(names) == 1 and isinstance(only := outcomes[names[0]], RookeryError):
        raise only
    if options.json:
        documents = {name: _document(name, outcome) for name, outcome in outcomes.items()}
        print(json.dumps(documents[names[0]] if len(names) == 1 else {"clusters": documents}, indent=2))
    else:
        for number, (name, outcome) in enumerate(outcomes.items()):
            if len(names) > 1:
                console.say(*[""] * bool(number), f"{name}:")
            _show(name, outcome, options)
    return max(1 if isinstance(outcome, RookeryError) else outcome.code for outcome in outcomes.values())


def _show(name: str, outcome: ComparedProfile | RookeryError, options: ClustersCheckOptions) -> None:
    if isinstance(outcome, RookeryError):
        console.say(explain(outcome))
        return
    say(outcome)
    if outcome.differences and not options.sandbox:
        console.say(f"next: {invocation()} clusters.update {name} --check")


def _document(name: str, outcome: ComparedProfile | RookeryError) -> dict[str, object]:
    if isinstance(outcome, RookeryError):
        return {"cluster": name, "error": outcome.message, "next": as_typed(outcome.hint or "") or None}
    listed = {"differences": outcome.differences, "additions": outcome.additions}
    document = {key: [_as_json(difference) for difference in found] for key, found in listed.items()}
    failed = [{"partition": node.one("partition"), "reason": node.one("failed")} for node in outcome.failed]
    unloadable = [{"module": name, "partitions": list(where)} for name, where in outcome.unloadable.items()]
    jobs = {"failed_jobs": failed, "jobs_read_nothing": outcome.jobs_read_nothing, "unloadable_modules": unloadable}
    return {"cluster": name, **document, **jobs}


def update(options: ClustersUpdateOptions) -> int:
    """Bring the profile of a cluster up to date, in the user's own inventory, line by line.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: The cluster is unknown or can't be reached, its Slurm does not answer, or the file can't be
            edited.
    """
    name = options.cluster
    connection = opened(name, options.accept_host_key)
    compared = compare_with(connection, f"invoke clusters.update {name}", job=options.job)
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


def opened(name: str, accept_host_key: str, *, sandbox: bool = False) -> Connection:
    """Return an open connection to a cluster that has a profile.

    Args:
        name: The cluster.
        accept_host_key: The fingerprint of an unknown host key that the user vouches for.
        sandbox: Its miniature is meant.

    Raises:
        RookeryError: The cluster is unknown or can't be reached.
    """
    connection = Connection(profile.load(name, profile.sources(sandbox)))
    connection.open(accept_host_key=accept_host_key)
    return connection


def compare_with(connection: Connection, again: str, *, job: bool = False) -> ComparedProfile:
    """Ask a cluster that has a profile about itself, and compare both.

    Args:
        connection: The cluster's, open.
        again: The command that was called, for messages.
        job: A compute node of each kind is asked as well, by a short job.

    Raises:
        RookeryError: The connection failed, or the cluster's Slurm does not answer.
    """
    cluster = connection.cluster
    code = account(cluster.data)
    surveyed = surveying.ask(connection, code, again)
    today = time.strftime("%Y-%m-%d")
    given = GivenAnswers(cluster.name, cluster.host, port=cluster.port, user=cluster.user, account=code, today=today)
    findings = profile_findings.collect(surveyed.survey, given)
    if job:
        surveyed = surveying.with_jobs(connection, surveyed, {**by_key(findings), **cluster.data}, prove=True)
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
    if compared.jobs_read_nothing:
        console.say(summary.JOBS_SEE_NONE)
    for module, partitions in compared.unloadable.items():
        console.say(f"The module {module} does not load in jobs of {', '.join(partitions)}.")
    if compared.additions:
        places = ", ".join(summary.place(difference) for difference in compared.additions)
        console.say(f"The cluster says more than the profile: {places}.")


def _as_json(difference: ProfileDifference) -> dict[str, object]:
    return {"place": list(difference.place), "in_profile": difference.profile, "on_cluster": difference.cluster}
