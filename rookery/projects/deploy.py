"""The command `deploy`: make a commit a release on a cluster, whole or not at all; the link `current` comes last.

All of it is one command on the cluster: the commit is a pack on standard input, since `git push` would be a second one.
Where the commit is probably new, the cluster links what is alike of the current release while the pack is on its way.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from rookery.clusters.ssh import download_link
from rookery.core import console
from rookery.projects import deploy_cache, project_copy, prune, release_builder, release_client, release_protocol
from rookery.projects import target as targets
from rookery.projects.deploy_report import Result
from rookery.projects.options import DeployOptions
from rookery.projects.packing import Packing, boundary
from rookery.projects.preflight import Preflight
from rookery.projects.release_protocol import Release, ReleaseAnswer, ReleaseContents

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.commit import Commit
    from rookery.projects.model import Project


def run(options: DeployOptions) -> int:
    """Deploy a project's commit to a cluster, and print the result.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: As `carry_out`.
    """
    carry_out(options).show()
    return 0


def carry_out(options: DeployOptions) -> Result:
    """Deploy a project's commit to a cluster.

    Raises:
        RookeryError: What stopped it; the release that was current still is.
    """
    began = time.monotonic()
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    project, connection = target.required_project, target.connection
    if project.is_copy and not options.check:
        project_copy.note_cluster(project, connection.cluster.label)
    with (
        closing(Preflight(connection, project, ask=not options.check, dirty=options.dirty)) as preflight,
        ExitStack() as stack,
    ):
        deploy = _Deploy(connection, project, preflight, options, stack)
        answer = deploy.run()
        result = Result(options, deploy.release, deploy.commit, answer, connection, time.monotonic() - began)
        if not options.check:
            deploy.save_cache()
    if options.prune:
        result.pruned = prune.prune(connection, project.name, check=options.check)
    return result


class _Deploy:
    """A deploy: first what is known already is sent, then what the cluster needs besides."""

    def __init__(
        self,
        connection: "Connection",
        project: "Project",
        preflight: Preflight,
        options: DeployOptions,
        stack: ExitStack,
    ) -> None:
        self.connection, self.project, self._preflight, self._options = connection, project, preflight, options
        self._stack, self._is_linked = stack, False  # the stack is closed when the deploy has ended
        self._release: Release | None = None

    @property
    def commit(self) -> "Commit":
        """The commit that is deployed; where there is none that can be, it raises."""
        with console.waiting(f"Checking the files of {self.project.name}"):
            return self._preflight.git_status.commit(dirty=self._options.dirty)

    @property
    def release(self) -> Release:
        """The release as it is wanted; without its files where it was made by an earlier deploy."""
        if self._release is None:
            self._release = self._make(None)
        return self._release

    def run(self) -> ReleaseAnswer:
        """See what the cluster has; where the release is not there, send what is missing."""
        preflight, cached = self._preflight, self._preflight.cached
        if not preflight.is_open:
            _ = self.commit  # raises for errors on this computer before the user has to log in
            self.connection.open()
        if preflight.deploy_call:
            return self._final_answer(preflight.deploy_call.answer(self._payload(cached.commits)), cached.commits)
        known = cached.release if cached.key == self._key else None
        if known and preflight.look_call:
            answer = preflight.look_call.answer()
        elif known or self._options.check or not cached.commits:
            self._release = known
            check = self._options.check
            answer = release_client.look_up_release(self.connection, self.release.order, check=check).answer()
        else:
            return self._send(cached.commits)
        self._release = known or self._release
        return answer if answer.state else self._send(answer.all("have"))

    def save_cache(self) -> None:
        """Note what the cluster has now."""
        preflight = self._preflight
        deploy_cache.save(preflight.cache_file, preflight.cached, self.commit, self._key, self.release)

    @cached_property
    def _key(self) -> str:
        return deploy_cache.key(self.project, self.commit, self.connection.cluster)

    def _make(self, packing: Packing | None) -> Release:
        return release_builder.make(
            self.project, self.commit, self.connection.cluster, packing=packing, large=self._options.yes
        )

    def _send(self, cluster_commits: Sequence[str]) -> ReleaseAnswer:
        """Send the release to a cluster that has some commits already."""
        is_new = self.commit.id not in cluster_commits
        call = release_client.send_release(self.connection, self.project.name, is_new=is_new)
        return self._final_answer(call.answer(self._payload(cluster_commits)), cluster_commits)

    def _final_answer(self, answer: ReleaseAnswer, cluster_commits: Sequence[str]) -> ReleaseAnswer:
        """Return the answer, where nothing was missing; else the answer after sending the rest."""
        if answer.state:
            return answer
        have = answer.all("have")  # other commits than were thought; where it has not even those whole, all is sent
        return self._send(have if have != list(cluster_commits) else ())

    def _let_download(self) -> None:
        """Let the cluster download through this computer, where it has no internet."""
        wanted = download_link.is_wanted(self.connection.cluster, offline=self._options.offline)
        if wanted and not self._is_linked:
            self._stack.enter_context(download_link.opened(self.connection))
            self._is_linked = True

    def _payload(self, cluster_commits: Sequence[str]) -> Iterator[bytes]:
        packing = self._preflight.pack(self.commit, cluster_commits)
        self._release = release = self._make(packing)
        if release.order.environments:
            self._let_download()
        contents = ReleaseContents(release.files, expected=release.expected)
        if packing.is_needed:
            bases, shallow = tuple(packing.bases()), tuple(boundary(self.commit))
            contents = replace(contents, packed=True, bases=bases, shallow=shallow)
        return chain((release_protocol.payload(release.order, contents),), packing.pieces())
