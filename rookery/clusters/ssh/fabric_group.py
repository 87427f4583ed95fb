"""Several clusters at the same time, by Fabric's ThreadingGroup over connections through the OpenSSH masters."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import fabric
from fabric.exceptions import GroupException
from fabric.group import GroupResult
from invoke import UnexpectedExit

from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.fabric_connection import FabricConnection
from rookery.clusters.ssh.prompts import touch
from rookery.core import console, prompts
from rookery.core.background import begun
from rookery.core.errors import RookeryError, one_line

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

T = TypeVar("T")

PATIENCE = 45
"""Seconds that each of several clusters has for login and answer: more than ssh's own limits for both (12 and 30 s), so
that what they find out is said rather than this."""

_ASKING = {"denied", "unknown-key"}
"""Reasons of a login that failed without questions, after which one that may ask can succeed."""


class ClusterGroupError(GroupException):  # type: ignore[misc]
    """The error where at least one cluster failed; the others have carried the command out.

    Attributes:
        result: Fabric's GroupResult: by connection what it returned, or its exception. `result.failed` and
            `result.succeeded` are the two parts.
    """

    def __str__(self) -> str:
        """Return what failed on each cluster."""
        return "\n".join(_told(connection, error) for connection, error in self.result.failed.items())


class ClusterGroup(fabric.ThreadingGroup):  # type: ignore[misc]
    """Connections to several clusters; run, put and get act on all of them at the same time.

    It logs in first, one cluster after another, so that no two ask at once. A cluster that can't be reached does not
    keep the others from it.
    """

    def __init__(self, *connections: FabricConnection) -> None:
        super().__init__()
        self.extend(connections)

    def run(self, command: str, **kwargs: Any) -> GroupResult:
        """Run a command line on all clusters, and return the Results by connection.

        Args:
            command: The command line.
            kwargs: As `FabricConnection.run` takes them.

        Raises:
            ClusterGroupError: A cluster can't be reached, or the command failed there (without `warn`).
        """
        return super().run(command, **kwargs)

    def _do(self, method: str, *args: Any, **kwargs: Any) -> GroupResult:
        """Call a method of each connection: Fabric's hook for what all methods of a group do."""
        outcomes: dict[FabricConnection, Any] = {}
        for connection in self:
            try:
                connection.open()
            except RookeryError as error:
                outcomes[connection] = error
        reached = fabric.ThreadingGroup.from_connections(each for each in self if each not in outcomes)
        try:
            outcomes |= reached._do(method, *args, **kwargs)
        except GroupException as error:
            outcomes |= error.result
        result = GroupResult({connection: outcomes[connection] for connection in self})
        if result.failed:
            raise ClusterGroupError(result)
        return result


class _Visit(FabricConnection):
    """A connection that a function of rookery's is called with."""

    def visit(self, act: Callable[["Connection"], T], timeout: float | None, ended: Callable[[str], object]) -> T:
        """Return what the function returns; end what it runs there, and leave it alone, where it takes too long."""
        try:
            if timeout is None:
                return act(self.connection)
            return begun(lambda: act(self.connection))(timeout)
        except TimeoutError:
            self.connection.processes.kill()
            raise RookeryError(
                f"{self.cluster_name}: no answer within {timeout:g} s.",
                hint=f"invoke doctor {self.connection.cluster.argument}",
            ) from None
        finally:
            ended(self.cluster_name)


def outcomes(
    connections: Iterable["Connection"], act: Callable[["Connection"], T], *, timeout: float | None = PATIENCE
) -> dict[str, T | RookeryError]:
    """Connect to several clusters and call a function with each connection, all at the same time.

    Logins that ask the user something come after the others, one after another, where there is a terminal.

    Args:
        connections: Connections to different clusters, open or not.
        act: What is called with each that is open; it prints nothing and asks nothing.
        timeout: Seconds that each cluster has to answer, besides the time for questions; as long as it takes if None.

    Returns:
        By the cluster's name, in the order of the connections: what the function returned, or the error.

    Raises:
        Exception: Any that the function raised besides a RookeryError.
    """
    found: dict[str, T | RookeryError] = {}
    quiet: list[Connection] = []
    asking: list[Connection] = []
    for connection in (listed := list(connections)):
        try:
            connection.prepare()  # it writes files that all clusters share
            (asking if _waits_for_touch(connection) else quiet).append(connection)
        except RookeryError as error:
            found[connection.cluster.name] = error

    def visit(connection: "Connection") -> T | _LoginAsks:
        try:
            connection.open(batch=True)
        except SshError as error:
            if error.reason in _ASKING and prompts.is_interactive():
                return _LoginAsks()
            raise
        return act(connection)

    first = side_by_side(quiet, visit, timeout=timeout)
    found |= {name: outcome for name, outcome in first.items() if not isinstance(outcome, _LoginAsks)}
    asking += [connection for connection in quiet if connection.cluster.name not in found]
    logged_in = []
    for connection in asking:
        try:
            connection.open()
            logged_in.append(connection)
        except RookeryError as error:
            found[connection.cluster.name] = error
    found |= side_by_side(logged_in, act, timeout=timeout)
    return {connection.cluster.name: found[connection.cluster.name] for connection in listed}


def side_by_side(
    connections: Iterable["Connection"], act: Callable[["Connection"], T], *, timeout: float | None = None
) -> dict[str, T | RookeryError]:
    """Call a function with several connections at the same time, as `outcomes` does, which opens them besides."""
    visits = [_Visit(connection) for connection in connections]
    if not visits:
        return {}
    names = [visit.cluster_name for visit in visits]
    limit = "" if timeout is None else f" (at most {timeout:g} s)"
    with console.waiting(f"Asking {', '.join(names)}{limit}") as say:

        def ended(name: str) -> None:
            names.remove(name)
            if names:
                say(f"Waiting for {', '.join(names)}{limit}")

        try:
            results = fabric.ThreadingGroup.from_connections(visits)._do("visit", act, timeout, ended)
        except GroupException as error:
            results = error.result
    for outcome in results.values():
        if isinstance(outcome, BaseException) and not isinstance(outcome, RookeryError):
            raise outcome
    return {visit.cluster_name: results[visit] for visit in visits}


class _LoginAsks:
    """The outcome of a login without questions where only one with questions may get in."""


def _waits_for_touch(connection: "Connection") -> bool:
    """Return whether a login would wait for a security key, and there is somebody to touch it."""
    return prompts.is_interactive() and bool(touch(connection.cluster)) and not connection.is_open()


def _told(connection: FabricConnection, error: BaseException) -> str:
    """Return an error with the name of its cluster in front; a command that failed in one line."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, UnexpectedExit):
        output = (error.result.stderr.strip() or error.result.stdout.strip() or "no output").splitlines()[-1]
        text = f"the command failed (exit status {error.result.exited}): {one_line(output)}"
    return text if text.startswith(f"{connection.cluster_name}: ") else f"{connection.cluster_name}: {text}"
