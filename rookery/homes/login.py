"""The commands `login` and `logout`: open and close connections to clusters.

Passwords and codes go into ssh's own prompts, on the user's terminal; rookery never sees them.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rookery.clusters.config import profile
from rookery.clusters.ssh import certificates, config_file
from rookery.clusters.ssh.connection import Connection
from rookery.core import console, invocation, local_time, typed_command
from rookery.core.errors import RookeryError
from rookery.homes import selection
from rookery.homes.options import LoginOptions, LogoutOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Entry:
    """The result of a login or logout at one cluster.

    Attributes:
        state: opened, open (already), closed, would_close (--check), none (there was nothing to close) or failed.
        host: Its login node.
        user: The user's name there.
        hours: How long the connection stays open after its last use.
        certificate_ends: When the certificate that was used at best stops to be valid, in UTC; "" where there is none.
        at_risk: When the cluster may be taken down for work.
        at_risk_now: Whether that is now, by this computer's clock.
        reason: Why it failed, in one word (see ssh_errors.SshError).
        error: Why, in a line.
        hint: The command to run next.
    """

    state: str
    host: str = ""
    user: str = ""
    hours: int = 0
    certificate_ends: str = ""
    at_risk: str = ""
    at_risk_now: bool = False
    reason: str = ""
    error: str = ""
    hint: str = ""


def run(options: LoginOptions) -> int:
    """Open a connection to each of the clusters, one after another, so that no two ask at once.

    Returns:
        The exit code: 0 where all are open.

    Raises:
        RookeryError: No cluster is meant, or one that is not known.
    """
    from rookery.sandbox import lifecycle  # noqa: PLC0415 start-up

    names = _chosen(options)
    if options.sandbox:
        if options.user:
            raise RookeryError(
                "--user doesn't work with --sandbox: a miniature has its own account.",
                hint=typed_command.again(without=("--user",)),
            )
        lifecycle.ensure(names, yes=options.yes, quiet=options.json)
    return _for_all(names, lambda name: _opened(name, options), options)


def logout(options: LogoutOptions) -> int:
    """Close the connections to the clusters; what runs through one of them ends.

    Returns:
        The exit code: 0 where none is left open.

    Raises:
        RookeryError: A cluster is not known.
    """
    return _for_all(_chosen(options, closing=True), lambda name: _closed(name, options), options)


def at_risk_now(text: str, now: time.struct_time) -> bool:
    """Return whether a time lies in a profile's at-risk window, as far as it is written like "Tuesdays 08:00 to 10:00".

    Args:
        text: cluster_policies.at_risk.
        now: The time where the cluster is.
    """
    match = re.match(r"(\w{3})\w*\s+(\d{1,2}:\d\d)\s*(?:to|-)\s*(\d{1,2}:\d\d)", text)
    if not match or match[1].capitalize() not in _DAYS:
        return False
    day, (begin, end) = _DAYS.index(match[1].capitalize()), (part.zfill(5) for part in match.groups()[1:])
    return now.tm_wday == day and begin <= time.strftime("%H:%M", now) < end


def _chosen(options: LoginOptions | LogoutOptions, *, closing: bool = False) -> list[str]:
    """Return the clusters asked for; without a name, those where the user has a username (or a miniature)."""
    if options.cluster not in {"", "all"}:
        return selection.clusters(options.cluster)
    names = selection.yours(sandbox=options.sandbox)
    if not names and not closing:
        return selection.clusters("")
    return names


def _for_all(names: list[str], do: Callable[[str], Entry], options: LoginOptions | LogoutOptions) -> int:
    """Call a function for each cluster, and print the result; an error at one does not stop the others."""
    entries = {}
    for name in names:
        try:
            entries[name] = do(name)
        except RookeryError as error:
            reason = str(getattr(error, "reason", "other"))
            text = invocation.explain(error)
            message, _, hint = text.partition("\n  next: ")
            entries[name] = Entry("failed", reason=reason, error=message, hint=hint)
        if not options.json:
            _say(name, entries[name])
    code = int(any(entry.state == "failed" for entry in entries.values()))
    if options.json:
        print(
            json.dumps({"exit": code, "clusters": {name: asdict(entry) for name, entry in entries.items()}}, indent=2)
        )
    elif not any(entry.state != "none" for entry in entries.values()):
        console.say("No connection is open.")
    return code


def _opened(name: str, options: LoginOptions) -> Entry:
    personal = profile.of_user(name, options.user)
    connection = Connection(profile.load(name, profile.sources(options.sandbox), personal))
    was_open = connection.is_open()
    if not was_open:
        connection.open(accept_host_key=options.accept_host_key)
    if personal := profile.of_user(name, options.user or profile.found_user(connection.cluster)):
        profile.remember(name, personal)  # it works, so it is kept for the next time
    return _entry("open" if was_open else "opened", connection)


def _closed(name: str, options: LogoutOptions) -> Entry:
    cluster = profile.load(name, profile.sources(options.sandbox))
    if not cluster.user:  # so nobody has ever logged in from here
        return Entry("none", cluster.host)
    connection = Connection(cluster)
    if options.check:
        return _entry("would_close" if connection.is_open() else "none", connection)
    return _entry("closed" if connection.close() else "none", connection)


def _entry(state: str, connection: "Connection") -> Entry:
    cluster = connection.cluster
    at_risk = str((cluster.data.get("cluster_policies") or {}).get("at_risk") or "")
    return Entry(
        state,
        host=cluster.host,
        user=cluster.user,
        hours=config_file.persist_hours(cluster),
        certificate_ends=_ends(cluster),
        at_risk=at_risk,
        at_risk_now=at_risk_now(at_risk, time.localtime()),
    )


def _ends(cluster: "Cluster") -> str:
    certificate = certificates.best(cluster)
    if certificate is None or certificate.ends == certificates.FOREVER:
        return ""
    return f"{datetime.fromtimestamp(certificate.ends, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _say(name: str, entry: Entry) -> None:
    """Print a cluster's result in a line or two."""
    if entry.state == "failed":
        console.note(entry.error, *([f"  next: {entry.hint}"] if entry.hint else []))
    elif entry.state == "closed":
        console.say(f"{name}: connection closed")
    elif entry.state == "would_close":
        console.say(f"{name}: would close the connection")
    elif entry.state in {"open", "opened"}:
        how = "already connected" if entry.state == "open" else "connected"
        console.say(f"{name}: {how} as {entry.user}@{entry.host}; closes {_hours(entry.hours)} after its last use")
        if entry.certificate_ends:
            ends = local_time.at(local_time.of_iso(entry.certificate_ends))
            console.say(f"  your certificate expires {ends}; an open connection stays open")
        if entry.at_risk:
            now = " (now)" if entry.at_risk_now else ""
            console.say(f"  the cluster may be down for maintenance: {entry.at_risk}{now}")


def _hours(hours: int) -> str:
    return "an hour" if hours == 1 else f"{hours} hours"
