"""The start of a deploy: git looks at the project's files while the cluster is asked what is probably needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rookery.core.background import begun
from rookery.projects import deploy_cache as memories
from rookery.projects import release_client
from rookery.projects.commit import Commit, GitStatus
from rookery.projects.packing import Packing

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.model import Project
    from rookery.projects.release_client import ReleaseCall


class Preflight:
    """A deploy that has begun, and has changed nothing yet.

    Attributes:
        look: git's look at the files.
        memory: What this computer knows of the project on the cluster.
        file: Where it keeps that.
        is_open: Whether the connection is open; nothing is asked before it is.
        looked: The question whether the release of the commit that is checked out is there; None where not asked.
        brought: A release that is being brought; None where none is.
    """

    def __init__(self, connection: "Connection", project: "Project", *, ask: bool = True, dirty: bool = False) -> None:
        """Begin.

        Args:
            connection: The cluster's.
            project: The project.
            ask: Ask the cluster already.
            dirty: Uncommitted changes go along.
        """
        opened = begun(connection.is_open)
        self.look = GitStatus(project.root, project.outputs)
        self.file = memories.file(connection.cluster, project.name)
        self.memory = memories.remembered(self.file)
        self.looked: ReleaseCall | None = None
        self.brought: ReleaseCall | None = None
        head, there, made = self.look.head, self.memory.commits, self.memory.made
        is_known = bool(head and made and made.order.commit == head.id)
        self._packing = Packing(head, there) if ask and head and not (is_known or dirty) else None
        self.is_open = opened()
        if not (ask and self.is_open and head and made):
            return
        if is_known:
            self.looked = release_client.look(connection, made.order)
        else:
            self.brought = release_client.bring(connection, project.name, ahead=dirty or head.id not in there)

    def pack(self, commit: Commit, there: Sequence[str]) -> Packing:
        """Return the packing of a commit for a cluster that has some: the one that was begun, where that is it."""
        begun_with = self._packing and (self._packing.commit, self._packing.there)
        if self._packing is None or begun_with != (commit, tuple(there)):
            self._end_packing()
            self._packing = Packing(commit, there)
        return self._packing

    def close(self) -> None:
        """End what is not ended."""
        self.look.close()
        self._end_packing()
        for call in (self.looked, self.brought):
            if call:
                call.stop()

    def _end_packing(self) -> None:
        if self._packing is not None:
            self._packing.close()
