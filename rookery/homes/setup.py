"""`setup`: profiles, locks, connections, one play, a summary.

Whatever stops it, Ctrl-C or worse, the same command again goes on from there: what is written on this side is written
whole or not at all, and `home` sees on the cluster what is done already.
"""

import errno
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.clusters import set_up_note
from rookery.clusters.config import profile, unknown_settings
from rookery.clusters.ssh.connection import Connection
from rookery.core import console, invocation, locking, state_files
from rookery.core.errors import RookeryError
from rookery.homes import bashrc_guard, playbook, remote_session, selection, up_to_date
from rookery.homes.options import SetupOptions
from rookery.homes.timings import Clock

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.core.console import ClusterResult, RunResult, Screen
    from rookery.homes.timings import Clock


@dataclass
class _Run:
    """One `setup` under way.

    Attributes:
        request: What is asked for.
        tags: The roles alone that are asked for.
        results: What came of each cluster so far.
        clock: Where the time went.
        asked: By cluster, what a whole run asks for; empty where this is none.
        screen: What shows it; None where there is nothing to show but that all is up to date.
        ansible: What a play is run by, where it is likely that there will be one.
    """

    request: SetupOptions
    tags: tuple[str, ...]
    results: "RunResult"
    clock: "Clock"
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    screen: "Screen | None" = None
    ansible: playbook.Ansible | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every role is to be done."""
        return not self.request.check and not self.tags

    @property
    def may_be_fast(self) -> bool:
        """Whether a look may tell that nothing is to do."""
        return self.is_whole and not self.request.force


def run(request: SetupOptions) -> int:
    """Set up a home on each of the clusters asked for.

    Returns:
        The exit code: 0 where every cluster is as asked for, else 1, as of every command.

    Raises:
        RookeryError: What stopped everything, such as a cluster that is not known.
    """
    clock = Clock()
    names = selection.clusters(request.cluster, sandbox=request.sandbox)
    if request.account and len(names) > 1:
        again = f"invoke setup --cluster {names[0]} --account CODE"
        raise RookeryError("An account belongs to one cluster.", hint=again)
    this = _Run(request, selection.roles(request.tags), console.RunResult(names), clock)
    code = 0
    with ExitStack() as stack:
        for name in names:
            with _apart(this.results, name):
                stack.enter_context(locking.held(f"{name}.sandbox" if request.sandbox else name))
        if not this.may_be_fast:
            this.ansible = stack.enter_context(playbook.Ansible())
        with clock.on("profiles"):
            clusters = _clusters(request, this.results)
            if this.ansible is None and not all(set_up_note.of(cluster).exists() for cluster in clusters.values()):
                this.ansible = stack.enter_context(playbook.Ansible())  # a first setup
            if this.is_whole:
                this.asked = {name: up_to_date.asked(cluster) for name, cluster in clusters.items()}
        with clock.on("ssh login"):
            connections = _open_connections(clusters, this)
        with clock.on("fast way"):
            answered = _look(connections, this) if this.may_be_fast else set()
        left = {
            name: connection for name, connection in connections.items() if not this.results.clusters[name].up_to_date
        }
        if left or len(connections) < len(names):
            this.screen = _screen(this)
        with clock.on("ssh login"):
            left = _usable(left, answered, this)
        if left:
            code = _play(left, this)
        for name, connection in left.items():
            if this.results.clusters[name].state == "ok" and this.is_whole:
                _remember(connection.cluster, this.results.clusters[name])
    code = int(bool(code or this.results.failed))
    _report(this, connections, code)
    return code


def _look(connections: Mapping[str, "Connection"], this: _Run) -> set[str]:
    """Take the fast way: see which homes are as asked for already.

    Returns:
        The clusters that answered, and whose start-up files leave commands alone.
    """
    looks = up_to_date.looks(connections, up_to_date.look)
    for name, look in looks.items():
        result = this.results.clusters[name]
        result.reason_to_run = look.reason_to_run(this.asked[name])
        if not result.reason_to_run:
            result.up_to_date, result.begun, result.facts = True, True, look.facts
            if not set_up_note.of(connections[name].cluster).exists():
                _remember(connections[name].cluster, result)
    return {name for name, look in looks.items() if look.answered and look.startup == "quiet"}


def _screen(this: _Run) -> "Screen":
    request = this.request
    file = sys.stderr if request.json else sys.stdout
    screen = console.Screen(this.results, file=file, quiet=request.json, diff=request.diff, verbosity=request.verbose)
    screen.started = this.clock.began
    return screen


def _report(this: _Run, connections: Mapping[str, "Connection"], code: int) -> None:
    """Say what came of it."""
    request, clock = this.request, this.clock
    if request.json:
        more = {"timings": clock.document()} if request.timings else {}
        document = this.results.document(exit=code, check=request.check, seconds=round(clock.seconds, 1), **more)
        print(json.dumps(document, indent=2))
        return
    for name, result in this.results.clusters.items():
        if result.up_to_date or this.screen is None:
            print(console.headline(result, check=False, seconds=clock.seconds))
            continue
        next_steps = following(connections[name], check=request.check) if name in connections else ()
        this.screen.summary(result, check=request.check, places=places(result.facts), following=next_steps)
    _name_failed(this.results)
    if request.timings:
        print("", *clock.table(), sep="\n")


@contextmanager
def _apart(results: "RunResult", name: str) -> Iterator[None]:
    """Note what stops one of several clusters, and go on with the others; a single one stops all."""
    try:
        yield
    except RookeryError as error:
        if len(results.clusters) == 1:
            raise
        results.clusters[name].fail(invocation.explain(error), "unreachable")


def _clusters(request: SetupOptions, results: "RunResult") -> dict[str, "Cluster"]:
    """Return the profiles, with sandboxes started where they are asked for."""
    from rookery.sandbox import lifecycle  # noqa: PLC0415 start-up

    names = [name for name, result in results.clusters.items() if result.state == "ok"]
    if request.sandbox:
        if request.user or request.account:
            raise RookeryError("--user and --account are for the cluster itself: a miniature has its own.")
        lifecycle.ensure(names, yes=request.yes, offline_mirrors=request.offline_mirrors, quiet=request.json)
    sources = profile.sources(request.sandbox)
    clusters = {}
    for name in names:
        with _apart(results, name):
            cluster = profile.load(name, sources, profile.of_person(name, request.user, request.account))
            profile.require_account(cluster)
            unknown_settings.check(profile.explain(name, sources))
            clusters[name] = cluster
    return clusters


def _open_connections(clusters: Mapping[str, "Cluster"], this: _Run) -> dict[str, "Connection"]:
    """Return a connection to each cluster, one after another so that two never ask for a password at once.

    Where a look follows, that finds out by itself whether a connection that is there still is good.
    """
    connections = {}
    for name, cluster in clusters.items():
        connection = Connection(cluster)
        with _apart(this.results, name):
            if not (this.may_be_fast and connection.has_master()):
                connection.open(accept_host_key=this.request.accept_host_key)
            user = this.request.user or profile.found_user(cluster)
            if personal := profile.of_person(name, user, this.request.account):
                profile.remember(name, personal)  # it works, so it is kept for the next time
            connections[name] = connection
    return connections


def _usable(connections: Mapping[str, "Connection"], answered: set[str], this: _Run) -> dict[str, "Connection"]:
    """Those that carry out commands, by themselves or after start-up files there were mended; the others are noted."""
    usable = {}
    for name, connection in connections.items():
        with _apart(this.results, name):
            if name not in answered:
                connection.open(accept_host_key=this.request.accept_host_key)
                bashrc_guard.repair(connection, check=this.request.check)
            usable[name] = connection
    return usable


def _play(connections: Mapping[str, "Connection"], this: _Run) -> int:
    """Run the playbook on every cluster that could be reached."""
    request, results, screen = this.request, this.results, this.screen or _screen(this)
    play = playbook.Play(
        hosts=tuple(connections),
        inventories=tuple(profile.sources(request.sandbox)),
        check=request.check,
        diff=request.diff,
        tags=this.tags,
        verbosity=max(0, request.verbose - 1),
        asked={name: this.asked[name] for name in connections if name in this.asked},
        environment={
            key: value for connection in connections.values() for key, value in connection.ansible_environment().items()
        },
        sessions={
            name: order for name, connection in connections.items() if (order := remote_session.order(connection))
        },
    )

    def take(event: playbook.Event) -> None:
        this.clock.take(event)
        screen.take(_explained(event, connections))

    for name, result in results.clusters.items():
        if request.verbose and name in connections and result.reason_to_run:
            screen.tell(name, f"every role is gone through: {result.reason_to_run}")
    this.clock.begin_play(list(connections))
    with screen, ExitStack() as stack:
        code = (this.ansible or stack.enter_context(playbook.Ansible())).run(play, take)
    this.clock.end_play()
    silent = [name for name in connections if not results.clusters[name].begun]
    if code and not results.failed:  # no cluster is to blame
        output = " ".join(" ".join(screen.said[-12:]).split()) or f"exit code {code}"
        if len(silent) < len(connections):
            raise RookeryError(f"Ansible stopped in mid-run: {output}", hint="the same command: it goes on from there")
        if os.strerror(errno.ENOSPC) in output:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise RookeryError(f"Ansible could not start: {output}", hint="the same command with -vv")
    for name in silent:
        results.clusters[name].fail("Ansible did nothing there.")
    return code


def _explained(event: playbook.Event, connections: Mapping[str, "Connection"]) -> playbook.Event:
    """Return an event: what to run next as it is typed here.

    And that a cluster is out of reach as its connection says it.
    """
    if event.get("state") != "unreachable" or event["host"] not in connections:
        return {**event, "hint": invocation.as_typed(event["hint"])} if event.get("hint") else event
    error = connections[event["host"]].failure(255, str(event["msg"]).partition("via ssh:")[2], "")
    return {**event, "msg": invocation.explain(error)}


def _remember(cluster: "Cluster", result: "ClusterResult") -> None:
    """Note on this side that a cluster is set up, for `clusters`."""
    values = {
        "name": cluster.name,
        "host": cluster.host,
        "user": cluster.user,
        "set_up": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "version": __version__,
        "facts": result.facts,
    }
    state_files.save(set_up_note.of(cluster), values)


def last(cluster: "Cluster") -> str:
    """Return what is noted on this side of the last run that went through every role and was needed; "" for none."""
    note = set_up_note.of(cluster)
    return note.read_text(encoding="utf-8") if note.is_file() else ""


def places(facts: Mapping[str, Any]) -> dict[str, str]:
    """Where things are, for the summary."""
    free = facts.get("free_mb") or {}
    rows = {name: f"{path}{_free(free.get(name))}" for name, path in (facts.get("storage") or {}).items() if path}
    rows.setdefault("home", str(facts.get("home") or ""))
    why, old = facts.get("replaceable"), facts.get("programs_left")
    rows["tools"] = f"{facts.get('prefix') or ''}{f'  (in your home: {why})' if why else ''}"
    rows["old tools"] = f"{old}  (no longer used; don't run what is there)" if old else ""
    links = ", ".join(facts.get("links_left") or [])
    rows["old links"] = f"{links}  (on storage that others can change; undo moves them back)" if links else ""
    rows["R packages"] = f"{facts['programs']}/R" if facts.get("programs") else ""
    return {name: path for name, path in rows.items() if path}


def _free(megabytes: Any) -> str:
    """How much is free, in the unit that people use."""
    if not isinstance(megabytes, int | float):
        return ""
    return f"  ({megabytes / 1024:.0f} GB free)" if megabytes >= 1024 else f"  ({megabytes:.0f} MB free)"


def following(connection: "Connection", *, check: bool) -> Iterator[str]:
    """Yield the commands that work now; after a check, the one that does it."""
    cluster = connection.cluster
    sandbox = " --sandbox" if cluster.sandbox else ""
    if invocation.is_guided():
        return
    if check:
        yield f"{invocation.invocation()} setup --cluster {cluster.name}{sandbox}"
        return
    yield f"ssh -F {_short(connection.config_file)} {cluster.name}"
    yield f"{invocation.invocation()} tmux --cluster {cluster.name}{sandbox}"


def _short(path: Path) -> str:
    """Return a path as a user would type it."""
    home = Path.home()
    return f"~/{quote(str(path.relative_to(home)))}" if path.is_relative_to(home) else quote(str(path))


def _name_failed(results: "RunResult") -> None:
    """At the end of a run on several clusters, name those that failed."""
    if results.failed and len(results.clusters) > 1:
        names = ", ".join(result.name for result in results.failed)
        print(f"\nfailed: {names}; the others are as said above", file=sys.stderr)
