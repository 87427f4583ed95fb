"""What a page may ask of the app: the data that it shows, and the other pages."""

from typing import Protocol

from rookery.jobs.options import TopOptions
from rookery.jobs.top.state import ClusterState, JobRow
from rookery.projects.target import Target


class Actions(Protocol):
    """The app as its pages see it.

    Attributes:
        targets: The clusters, each with its connection.
        options: What the user asked for.
        clusters: What is known of each cluster.
    """

    targets: dict[str, Target]
    options: TopOptions
    clusters: dict[str, ClusterState]

    def show_help(self) -> None:
        """Show the list of keys."""

    def open_tasks(self, row: JobRow) -> None:
        """Show the tasks of an array."""

    def open_log(self, cluster: str, number: str) -> None:
        """Show the log of a job or task."""

    def open_partitions(self) -> None:
        """Show the partitions."""

    def cancel(self, cluster: str, job: str, task: str) -> None:
        """Cancel a job, or a task where one is named, after a question."""
