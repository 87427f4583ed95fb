"""`deploy`: a commit brought to a cluster as a release, whole or not at all; the link `current` is switched last."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from rookery.projects import deploy_cache as memories
from rookery.projects import prune, release_builder, release_client, release_protocol, target
from rookery.projects.deploy_report import Result
from rookery.projects.options import DeployOptions
from rookery.projects.packing import Packing, boundary
from rookery.projects.preflight import Preflight
from rookery.projects.release_protocol import Release, ReleaseAnswer, ReleaseContents

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.commit import Commit
    from rookery.projects.model import Project


def run(request: DeployOptions) -> int:
    """Bring a project's commit to a cluster.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: What stopped it; the release that was current still is.
    """
    began = time.monotonic()
    found = target.find(request.cluster, request.project, sandbox=request.sandbox)
    project, connection = found.project, found.connection
    assert project is not None  # noqa: S101 find raises where there is none
    with closing(Preflight(connection, project, ask=not request.check, dirty=request.dirty)) as start:
        deploy = _Deploy(connection, project, start, request)
        answer = deploy.do()
        result = Result(deploy.made, deploy.commit, answer, connection, time.monotonic() - began)
        if not request.check:
            deploy.remember()
    if request.prune:
        result.pruned = prune.prune(connection, project.name, check=request.check)
    print(json.dumps(result.document(request), indent=2) if request.json else "\n".join(result.lines(request)))
    return 0


class _Deploy:
    """One deploy: what is known already is enough, or more is made and sent."""

    def __init__(self, connection: "Connection", project: "Project", start: Preflight, request: DeployOptions) -> None:
        self.connection, self.project, self._start, self._request = connection, project, start, request
        self._made: Release | None = None

    @property
    def commit(self) -> "Commit":
        """The commit that is deployed; where there is none that can be, it raises."""
        return self._start.look.commit(dirty=self._request.dirty)

    @property
    def made(self) -> Release:
        """The release as it is wanted; without its files where it was made by an earlier deploy."""
        if self._made is None:
            self._made = self._make(None)
        return self._made

    def do(self) -> ReleaseAnswer:
        """See what the cluster has; where that is not what is wanted, send what it lacks."""
        start, memory = self._start, self._start.memory
        if not start.is_open:
            _ = self.commit  # what is wrong on this side is said before anybody has to log in
            self.connection.open()
        if start.brought:
            return self._whole(start.brought.answer(self._payload(memory.commits)), memory.commits)
        known = memory.made if memory.key == self._key else None
        if known and start.looked:
            answer = start.looked.answer()
        elif known or self._request.check or not memory.commits:
            self._made = known
            answer = release_client.look(self.connection, self.made.order, check=self._request.check).answer()
        else:
            return self._brought(memory.commits)
        self._made = known or self._made
        return answer if answer.state else self._brought(answer.all("have"))

    def remember(self) -> None:
        """Note what the cluster has now."""
        start = self._start
        memories.remember(start.file, start.memory, self.commit, self._key, self.made)

    @cached_property
    def _key(self) -> str:
        return memories.key(self.project, self.commit, self.connection.cluster)

    def _make(self, packing: Packing | None) -> Release:
        return release_builder.make(
            self.project, self.commit, self.connection.cluster, packing=packing, large=self._request.yes
        )

    def _brought(self, there: Sequence[str]) -> ReleaseAnswer:
        """Bring the release to a cluster that has some commits already."""
        ahead = self.commit.id not in there
        return self._whole(
            release_client.bring(self.connection, self.project.name, ahead=ahead).answer(self._payload(there)), there
        )

    def _whole(self, answer: ReleaseAnswer, there: Sequence[str]) -> ReleaseAnswer:
        """Return the answer, where what was sent was enough; else that to what the cluster needs besides."""
        if answer.state:
            return answer
        have = answer.all("have")  # other commits than were thought; where it has not even those whole, all is sent
        return self._brought(have if have != list(there) else ())

    def _payload(self, there: Sequence[str]) -> Iterator[bytes]:
        packing = self._start.pack(self.commit, there)
        self._made = made = self._make(packing)
        contents = ReleaseContents(made.files)
        if packing.is_needed:
            contents = ReleaseContents(made.files, True, tuple(packing.bases()), tuple(boundary(self.commit)))
        return chain((release_protocol.payload(made.order, contents),), packing.pieces())
