"""Several clusters at the same time, by Fabric's ThreadingGroup over connections through the OpenSSH masters."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import fabric
from fabric.exceptions import GroupException
from fabric.group import GroupResult
from invoke import UnexpectedExit

from rookery.clusters.ssh.fabric_connection import FabricConnection
from rookery.core.errors import RookeryError, one_line

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

T = TypeVar("T")


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

    def visit(self, act: Callable[["Connection"], T]) -> T:
        """Return what the function returns."""
        return act(self.connection)


def each(connections: Iterable["Connection"], act: Callable[["Connection"], T]) -> dict[str, T]:
    """Call a function with several connections at the same time; return the results by the cluster's name.

    Raises:
        Exception: What the function raised for the first of them.
    """
    visits = [_Visit(connection) for connection in connections]
    try:
        results = fabric.ThreadingGroup.from_connections(visits)._do("visit", act)
    except GroupException as error:
        raise next(iter(error.result.failed.values())) from None
    return {visit.cluster_name: results[visit] for visit in visits}


def _told(connection: FabricConnection, error: BaseException) -> str:
    """Return an error with the name of its cluster in front; a command that failed in one line."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, UnexpectedExit):
        output = (error.result.stderr.strip() or error.result.stdout.strip() or "no output").splitlines()[-1]
        text = f"the command failed (exit status {error.result.exited}): {one_line(output)}"
    return text if text.startswith(f"{connection.cluster_name}: ") else f"{connection.cluster_name}: {text}"
