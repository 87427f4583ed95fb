"""What a command that only looks asks of a cluster, apart from how the answer is shown: several are asked at once."""

import json as json_
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rookery.clusters.cluster import NotApplicableError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

T = TypeVar("T")


@dataclass(frozen=True)
class ClusterQuery(Generic[T]):
    """A question to a cluster.

    Attributes:
        connection: The connection to the cluster, open or not.
        ask: Asks, once that is open; prints nothing, since others may be asked at the same time.
        document: Makes the document for --json of the answer.
        show: Prints the answer.
    """

    connection: "Connection"
    ask: Callable[[], T]
    document: Callable[[T], Mapping[str, Any]]
    show: Callable[[T], object]

    def answer(self, *, json: bool) -> int:
        """Ask this cluster alone, and print the answer.

        Args:
            json: Print the document.

        Returns:
            The exit code: 0.

        Raises:
            RookeryError: The cluster can't be reached, or gives no answer.
        """
        self.connection.open()
        answer = self.ask()
        if json:
            print(json_.dumps(self.document(answer), indent=2))
        else:
            self.show(answer)
        return 0


def require_scheduler(cluster: "Cluster") -> None:
    """Refuse a cluster without Slurm.

    Raises:
        NotApplicableError: It has none.
    """
    if cluster.scheduler != "slurm":
        raise NotApplicableError(
            f"{cluster.name} has no queue: log in and start your programs there.",
            hint=f"invoke tmux {cluster.argument}",
        )
