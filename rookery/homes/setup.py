"""The command `setup`: profiles, locks, connections, one play, a summary.

If it is stopped, by Ctrl-C or otherwise, the same command continues from there: files on this side are written whole or
not at all, and the action `home` sees on the cluster what is done already.
"""

import errno
import json
import os
import shlex
import sys
import time
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.clusters import set_up_note
from rookery.clusters.config import profile
from rookery.clusters.ssh import download_link
from rookery.clusters.ssh.connection import Connection
from rookery.core import console, invocation, locking, state_files, typed_command
from rookery.core.errors import RookeryError
from rookery.homes import bashrc_guard, playbook, remote_session, selection, setup_summary, up_to_date
from rookery.homes.options import SetupOptions
from rookery.homes.run_results import RunResult, headline
from rookery.homes.screen import Screen
from rookery.homes.timings import Clock

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.homes.run_results import ClusterResult

Connections = dict[str, Connection]
"""Open connections, by the clusters' names."""


def run(options: SetupOptions) -> int:
    """Set up a home on each of the clusters asked for.

    Returns:
        The exit code: 0 where every cluster is as asked for, else 1, as of every command.

    Raises:
        RookeryError: What stopped everything, such as a cluster that is not known.
    """
    names = selection.clusters(options.cluster, sandbox=options.sandbox)
    if options.account and len(names) > 1:
        again = f"invoke setup {names[0]} --account {shlex.quote(options.account)}"
        raise RookeryError("--account works for one cluster at a time.", hint=again)
    with ExitStack() as stack:
        return _Setup(options, names, stack).run()


class _Setup:
    """A running `setup`.

    Attributes:
        options: What is asked for.
        tags: The roles alone that are asked for.
        results: The result of each cluster so far.
        clock: Where the time went.
        asked: By cluster, what a whole run asks for; empty where this is none.
        screen: What shows it; None where there is nothing to show but that all is up to date.
        ansible: What a play is run by, where it is likely that there will be one.
    """

    def __init__(self, options: SetupOptions, names: list[str], stack: ExitStack) -> None:
        """Prepare a setup; nothing is done yet.

        Args:
            options: What is asked for.
            names: The clusters.
            stack: Closed when it has ended.
        """
        self.options, self.tags, self._stack = options, selection.roles(options.tags), stack
        self.results, self.clock = RunResult(names), Clock()
        self.asked: dict[str, dict[str, Any]] = {}
        self.screen: Screen | None = None
        self.ansible: playbook.Ansible | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every role is to be done."""
        return not self.options.check and not self.tags

    @property
    def may_be_fast(self) -> bool:
        """Whether a comparison may find that nothing is to do."""
        return self.is_whole and not self.options.force

    def run(self) -> int:
        """Set up the homes; return the exit code."""
        self._lock()
        with self.clock.on("profiles"):
            clusters = self._clusters()
        with self.clock.on("ssh login"):
            connections = self._open_connections(clusters)
        with self.clock.on("fast way"):
            answered = self._compare(connections) if self.may_be_fast else set()
        results = self.results.clusters
        left = {name: connection for name, connection in connections.items() if not results[name].up_to_date}
        if left or len(connections) < len(results):
            self.screen = self._new_screen()
        with self.clock.on("ssh login"):
            left = self._linked(self._usable(left, answered))
        code = self._play(left) if left else 0
        for name, connection in left.items():
            if results[name].state == "ok" and self.is_whole:
                _remember(connection.cluster, results[name])
        code = int(bool(code or self.results.failed))
        self._report(connections, code)
        return code

    def _lock(self) -> None:
        """Keep other commands of this computer out of these clusters."""
        for name in self.results.clusters:
            with self._apart(name):
                self._stack.enter_context(locking.held(f"{name}.sandbox" if self.options.sandbox else name))

    @contextmanager
    def _apart(self, name: str) -> Iterator[None]:
        """Note an error of one of several clusters, and go on with the others; a single one raises it."""
        try:
            yield
        except RookeryError as error:
            if len(self.results.clusters) == 1:
                raise
            self.results.clusters[name].fail(invocation.explain(error), "unreachable")

    def _clusters(self) -> "dict[str, Cluster]":
        """Return the profiles, with sandboxes started where they are asked for."""
        if not self.may_be_fast:
            self.ansible = self._stack.enter_context(playbook.Ansible())
        clusters = self._load()
        if self.ansible is None and not all(set_up_note.of(cluster).exists() for cluster in clusters.values()):
            self.ansible = self._stack.enter_context(playbook.Ansible())  # a first setup
        if self.is_whole:
            self.asked = {name: up_to_date.asked(cluster) for name, cluster in clusters.items()}
        return clusters

    def _load(self) -> "dict[str, Cluster]":
        options = self.options
        names = [name for name, result in self.results.clusters.items() if result.state == "ok"]
        if options.sandbox:
            if options.user or options.account:
                raise RookeryError(
                    "--user and --account don't work with --sandbox: a miniature has its own account.",
                    hint=setup_summary.again(options, options.cluster),
                )
            from rookery.sandbox import lifecycle  # noqa: PLC0415 start-up

            lifecycle.ensure(names, yes=options.yes, offline_mirrors=options.offline_mirrors, quiet=options.json)
        sources = profile.sources(options.sandbox)
        clusters = {}
        for name in names:
            with self._apart(name):
                personal = profile.of_user(name, options.user, options.account)
                cluster = profile.load(name, sources, personal, for_setup=True)
                profile.require_account(cluster)
                clusters[name] = cluster
        return clusters

    def _open_connections(self, clusters: "Mapping[str, Cluster]") -> Connections:
        """Return a connection to each cluster, one after another so that two never ask for a password at once.

        Where a look follows, that finds out by itself whether a connection that is there still is good.
        """
        connections = {}
        for name, cluster in clusters.items():
            connection = Connection(cluster)
            with self._apart(name):
                if not (self.may_be_fast and connection.has_master()):
                    connection.open(accept_host_key=self.options.accept_host_key)
                user = self.options.user or profile.found_user(cluster)
                if personal := profile.of_user(name, user, self.options.account):
                    profile.remember(name, personal)  # it works, so it is kept for the next time
                connections[name] = connection
        return connections

    def _compare(self, connections: Connections) -> set[str]:
        """Find the homes that are up to date, without a whole run.

        Returns:
            The clusters that answered, and whose start-up files leave commands alone.
        """
        with console.waiting(f"Checking your home on {', '.join(connections)}"):
            comparisons = up_to_date.looks(connections, up_to_date.look)
        for name, comparison in comparisons.items():
            result = self.results.clusters[name]
            result.reason_to_run = comparison.reason_to_run(self.asked[name])
            if not result.reason_to_run:
                result.up_to_date, result.begun, result.facts = True, True, comparison.facts
                if not set_up_note.of(connections[name].cluster).exists():
                    _remember(connections[name].cluster, result)
        return {name for name, home in comparisons.items() if home.answered and home.startup == "quiet"}

    def _usable(self, connections: Connections, answered: set[str]) -> Connections:
        """Return the connections that carry out commands, by themselves or after start-up files there were repaired.

        The others are noted.
        """
        usable = {}
        for name, connection in connections.items():
            with self._apart(name):
                if name not in answered:
                    connection.open(accept_host_key=self.options.accept_host_key)
                    with console.waiting(f"Testing a command on {name}"):
                        bashrc_guard.repair(connection, check=self.options.check)
                usable[name] = connection
        return usable

    def _linked(self, connections: Connections) -> Connections:
        """Return the connections that can download what is needed; those without internet do it through this computer.

        The others are noted.
        """
        linked = {}
        for name, connection in connections.items():
            with self._apart(name):
                if not self.options.check and download_link.is_wanted(connection.cluster, offline=self.options.offline):
                    self._stack.enter_context(download_link.opened(connection))
                linked[name] = connection
        return linked

    def _play(self, connections: Connections) -> int:
        """Run the playbook on every cluster that could be reached."""
        results, screen = self.results, self.screen or self._new_screen()

        def take(event: playbook.Event) -> None:
            self.clock.take(event)
            screen.take(_explained(event, connections))

        for name, result in results.clusters.items():
            if self.options.verbose and name in connections and result.reason_to_run:
                screen.tell(name, f"running all roles: {result.reason_to_run}")
        self.clock.begin_play(list(connections))
        with screen:
            ansible = self.ansible or self._stack.enter_context(playbook.Ansible())
            code = ansible.run(self._described(connections), take)
        self.clock.end_play()
        silent = [name for name in connections if not results.clusters[name].begun]
        if code and not results.failed:  # no cluster is to blame
            again = setup_summary.again(self.options, self.options.cluster)
            raise _ansible_failed(" ".join(screen.messages[-12:]), code, again, began=len(silent) < len(connections))
        for name in silent:
            results.clusters[name].fail("Ansible did not run for this cluster.")
        return code

    def _described(self, connections: Connections) -> playbook.Play:
        variables = [connection.ansible_environment() for connection in connections.values()]
        orders = {name: remote_session.order(connection) for name, connection in connections.items()}
        return playbook.Play(
            hosts=tuple(connections),
            inventories=tuple(profile.sources(self.options.sandbox)),
            check=self.options.check,
            diff=self.options.diff,
            tags=self.tags,
            verbosity=max(0, self.options.verbose - 1),
            asked={name: self.asked[name] for name in connections if name in self.asked},
            environment=dict(ChainMap(*variables)),
            sessions={name: order for name, order in orders.items() if order},
        )

    def _new_screen(self) -> Screen:
        options = self.options
        file = sys.stderr if options.json else sys.stdout
        screen = Screen(self.results, file=file, quiet=options.json, diff=options.diff, verbosity=options.verbose)
        screen.started = self.clock.began
        return screen

    def _report(self, connections: Connections, code: int) -> None:
        """Print the results."""
        options, clock = self.options, self.clock
        if options.json:
            more = {"timings": clock.document()} if options.timings else {}
            document = self.results.document(exit=code, check=options.check, seconds=round(clock.seconds, 1), **more)
            print(json.dumps(document, indent=2))
            return
        for name, result in self.results.clusters.items():
            if result.up_to_date or self.screen is None:
                console.say(headline(result, check=False, seconds=clock.seconds))
                continue
            commands = (
                setup_summary.following(connections[name], options, changes=bool(result.changed))
                if name in connections
                else ()
            )
            places = setup_summary.places(result.facts, self.tags)
            self.screen.summary(result, check=options.check, places=places, following=commands)
        setup_summary.name_failed(self.results)
        if options.timings:
            console.say("", *clock.table())


def _ansible_failed(messages: str, code: int, again: str, *, began: bool) -> Exception:
    """Return the error where Ansible failed for a reason of no cluster's."""
    output = " ".join(messages.split()) or f"exit code {code}"
    if began:
        return RookeryError(f"Ansible stopped before the end: {output}", hint=f"{again}   # continues")
    if os.strerror(errno.ENOSPC) in output:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return RookeryError(f"Ansible could not start: {output}", hint=f"{again} -v -v   # shows more")


def _explained(event: playbook.Event, connections: Connections) -> playbook.Event:
    """Return an event with its hint as the user types it here.

    Where a cluster can't be reached, its message says why ssh failed.
    """
    if event.get("state") != "unreachable" or event["host"] not in connections:
        hint = str(event.get("hint") or "")
        connection = connections.get(str(event.get("host")))
        if "cluster_mirrors." in hint and connection:
            if not connection.cluster.sandbox:
                hint = download_link.suggestion(connection.cluster) or hint
            elif typed_command.takes("--offline-mirrors"):
                hint = f"{typed_command.again('--offline-mirrors')}   # uses copies on this computer"
        return {**event, "hint": invocation.as_typed(hint)} if hint else event
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
    """Return the note on this computer of the last complete run that had something to do; "" for none."""
    note = set_up_note.of(cluster)
    return note.read_text(encoding="utf-8") if note.is_file() else ""
