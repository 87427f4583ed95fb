"""The command `clusters.add`: write a profile of a cluster from what the cluster says of itself."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.clusters.config import library, own_inventory, profile
from rookery.clusters.ssh import config_file, offered_logins, user_settings
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.survey import candidate, profile_findings, profile_text
from rookery.clusters.survey.finding import GivenAnswers, by_key
from rookery.core import background, console, paths, prompts
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.core.near_names import closest
from rookery.support.cluster_profiles import check, copied, questions, summary, surveying
from rookery.support.options import ClustersAddOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.survey.finding import ProfileFinding
    from rookery.support.cluster_profiles.surveying import SurveyedCluster

COMMAND = "clusters.add"


def run(options: ClustersAddOptions) -> int:
    """Add a cluster to the user's own inventory.

    Returns:
        The exit code: 0; 1 where the cluster has a profile already, which stays as it is, and differs from the cluster.

    Raises:
        RookeryError: The cluster can't be reached, has no Slurm that answers, or a value is not valid; nothing is
            written then.
    """
    own_inventory.check_name(options.name)
    port = _port(options)
    if options.account and not profile.is_account(options.account):
        raise RookeryError(
            f"--account must be the name of an account, not {options.account!r}: use letters, digits and . _ -",
            hint=replace(options, account="CODE").command(COMMAND),
        )
    known = profile.load(options.name, own_ssh=False) if options.name in profile.names() else None
    if not options.host and known is None and not options.source:
        options = replace(options, from_=_of_library(options.name))
    if options.source:
        if options.job:
            raise RookeryError(
                "Can't use --job with a profile that is copied: `invoke clusters.check NAME --job` asks its cluster.",
                hint=replace(options, job=False).command(COMMAND),
            )
        return copied.run(options, known)
    if known is not None:
        return _compare(options, known)
    cluster = _candidate(options, port)
    with _connected(cluster, options) as connection:
        surveyed, given = _asked(connection, options)
        findings = profile_findings.collect(surveyed.survey, given)
        if options.job:
            surveyed = surveying.with_jobs(connection, surveyed, by_key(findings))
            findings = profile_findings.collect(surveyed.survey, given)
    text = profile_text.text(options.name, findings, given.today)
    if options.print:
        own_inventory.validate(options.name, text, by_key(findings))
        print(text, end="")
        return 0
    file = own_inventory.add(options.name, text, by_key(findings))
    summary.show_findings(findings)
    _say_left_out(surveyed, findings)
    console.say(f"Wrote the profile of {options.name}: {paths.typed(file)}")
    console.say(f"next: {invocation()} setup {options.name}")
    return 0


def _of_library(name: str) -> str:
    """Return the name of the library's profile that is meant where only the name of a cluster is given.

    Raises:
        RookeryError: The library has no such cluster.
    """
    if library.file(name):
        return name
    if near := closest(name, library.names()):
        raise RookeryError(
            f"The library has no cluster {name!r} (did you mean `{near}`?).",
            hint=f"invoke clusters.add {near}   # or give the login node of yours with --host",
        )
    raise RookeryError(
        "Missing option --host: the login node of the cluster, or your ssh alias for it.",
        hint=f"invoke clusters.add {name} --host login.example.ac.uk   # for the library's: invoke clusters.search",
    )


def _say_left_out(surveyed: "SurveyedCluster", findings: "tuple[ProfileFinding, ...]") -> None:
    names = [entry["name"] for entry in by_key(findings).get("cluster_partitions", [])]
    console.say(*summary.left_out(surveyed.survey, surveyed.site, names))


def _compare(options: ClustersAddOptions, known: "Cluster") -> int:
    """Show where the profile that is there differs from the cluster; nothing is written."""
    if options.host and candidate.of_host(known.name, options.host).host != known.host:
        raise RookeryError(
            f"{known.name} is another cluster already ({known.host}).",
            hint=f"invoke clusters.show {known.name}   # or add yours by another name",
        )
    compared = check.compare_with(check.opened(known.name, options.accept_host_key), options.command(COMMAND))
    check.say(compared)
    console.say(f"{known.name} has a profile already, and it stays as it is.")
    following = f"clusters.update {known.name} --check" if compared.code else f"setup {known.name}"
    console.say(f"next: {invocation()} {following}")
    return compared.code


def _candidate(options: ClustersAddOptions, port: int) -> "Cluster":
    """Return the cluster to connect to, with a username.

    Raises:
        RookeryError: A value is not valid, or the username is not known, and nobody can be asked.
    """
    cluster = candidate.of_host(options.name, options.host, port=port, user=options.user, proxy_jump=options.jump)
    if not cluster.user and not options.yes and prompts.is_interactive():
        cluster = replace(cluster, user=questions.user(cluster.host))
    if not cluster.user:
        raise RookeryError(
            f"Missing option --user: rookery does not know your username on {cluster.host}.",
            hint=replace(options, user="YOUR_USERNAME").command(COMMAND),
        )
    return cluster


def _port(options: ClustersAddOptions) -> int:
    if options.port and not (options.port.isdecimal() and 1 <= int(options.port) <= 65535):
        raise RookeryError(
            f"--port must be a number between 1 and 65535, not {options.port!r}.",
            hint=replace(options, port="22").command(COMMAND),
        )
    return int(options.port or 0)


@contextlib.contextmanager
def _connected(cluster: "Cluster", options: ClustersAddOptions) -> Iterator[Connection]:
    """Open a connection; where the block fails, nothing of it is left, so that a survey cut off leaves nothing.

    Raises:
        SshError: The cluster can't be reached; the hint is this command, since no other knows the cluster yet.
    """
    connection = Connection(cluster)
    was_open = connection.is_open()
    try:
        connection.open(accept_host_key=options.accept_host_key)
        yield connection
    except BaseException as error:
        with contextlib.suppress(RookeryError, OSError):
            if not was_open:
                connection.close()
        if isinstance(error, SshError):
            raise SshError(error.reason, error.message, hint=_hint(error, options)) from None
        raise
    finally:
        config_file.remove(cluster)  # the next command writes the entry of a cluster that has a profile


def _hint(error: SshError, options: ClustersAddOptions) -> str:
    """Return what helps after a failed login."""
    hint, _, why = (error.hint or "").partition("   # ")
    if "--user " in hint:
        return replace(options, user="YOUR_USERNAME").command(COMMAND)
    if hint.startswith("invoke login"):
        _, is_key, fingerprint = hint.partition("--accept-host-key ")
        key = fingerprint.strip() if is_key else options.accept_host_key
        command = replace(options, accept_host_key=key).command(COMMAND)
        return f"{command}   # {why}" if why else command
    if hint.startswith("invoke "):
        return f"{options.command(COMMAND)}   # with another --host or --port, if that is what is wrong"
    return error.hint or options.command(COMMAND)


def _asked(connection: Connection, options: ClustersAddOptions) -> "tuple[SurveyedCluster, GivenAnswers]":
    """Ask the cluster, then the user; the cluster once more where jobs need an account that only the user knows."""
    asks = not options.yes and not options.print and prompts.is_interactive()
    given = _given(connection.cluster, options)
    logins = background.begun(lambda: offered_logins.offered(connection))
    surveyed = surveying.ask(connection, given.account, options.command(COMMAND))
    account = by_key(profile_findings.collect(surveyed.survey, given)).get("cluster_account", {})
    if account.get("required") and not account.get("name"):
        if not asks:
            raise RookeryError(
                f"Missing option --account: Slurm on {given.host} refuses a job without one.",
                hint=replace(options, account="CODE").command(COMMAND),
            )
        if code := questions.account():
            given = replace(given, account=code)
            surveyed = surveying.ask(connection, code, options.command(COMMAND))
    if asks:
        given = replace(given, asked=questions.site(options.name))
    return surveyed, replace(given, logins=logins())


def _given(cluster: "Cluster", options: ClustersAddOptions) -> GivenAnswers:
    alias = user_settings.alias(cluster)  # it has a port and a jump host of its own
    return GivenAnswers(
        name=cluster.name,
        host=cluster.host,
        ssh_host=alias,
        port=int(options.port or 22) if alias else cluster.port,
        user=cluster.user,
        proxy_jump=options.jump if alias else cluster.proxy_jump or "",
        identity_file=cluster.identity_file or "",
        account=options.account,
        today=time.strftime("%Y-%m-%d"),
    )
