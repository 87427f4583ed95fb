"""Start a deploy: git looks at the project's files while the cluster is asked what is probably needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rookery.core.background import begun
from rookery.projects import deploy_cache, release_client
from rookery.projects.commit import Commit, GitStatus
from rookery.projects.packing import Packing

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.model import Project
    from rookery.projects.release_client import ReleaseCall


class Preflight:
    """A deploy that has been started, and has changed nothing yet.

    Attributes:
        git_status: git's look at the files.
        cached: What this computer knows of the project on the cluster.
        cache_file: Where it keeps that.
        is_open: Whether the connection is open; nothing is asked before it is.
        look_call: The question whether the release of the commit that is checked out is there; None where not asked.
        deploy_call: A release that is being sent; None where none is.
    """

    def __init__(self, connection: "Connection", project: "Project", *, ask: bool = True, dirty: bool = False) -> None:
        """Start git and the question to the cluster.

        Args:
            connection: The cluster's.
            project: The project.
            ask: Ask the cluster already.
            dirty: Uncommitted changes go along.
        """
        opened = begun(connection.is_open)
        self.git_status = GitStatus(project.root, project.linked)
        self.cache_file = deploy_cache.file(connection.cluster, project.name)
        self.cached = deploy_cache.load(self.cache_file)
        self.look_call: ReleaseCall | None = None
        self.deploy_call: ReleaseCall | None = None
        head, cluster_commits, latest = self.git_status.head, self.cached.commits, self.cached.release
        is_known = bool(head and latest and latest.order.commit == head.id)
        self._packing = Packing(head, cluster_commits) if ask and head and not (is_known or dirty) else None
        self.is_open = opened()
        if not (ask and self.is_open and head and latest):
            return
        if is_known:
            self.look_call = release_client.look_up_release(connection, latest.order)
        else:
            self.deploy_call = release_client.send_release(
                connection, project.name, is_new=dirty or head.id not in cluster_commits
            )

    def pack(self, commit: Commit, cluster_commits: Sequence[str]) -> Packing:
        """Return the packing of a commit for a cluster that has some: the one that was begun, where it is that."""
        begun_with = self._packing and (self._packing.commit, self._packing.cluster_commits)
        if self._packing is None or self._packing.is_used or begun_with != (commit, tuple(cluster_commits)):
            self._end_packing()
            self._packing = Packing(commit, cluster_commits)
        return self._packing

    def close(self) -> None:
        """End everything that still runs."""
        for call in (self.look_call, self.deploy_call):
            if call:
                call.stop()
        self._end_packing()
        self.git_status.close()

    def _end_packing(self) -> None:
        if self._packing is not None:
            self._packing.close()
