"""`deploy --prune`: remove old releases that no job uses and that hold no files of the user's own."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.projects import release_protocol

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection


@dataclass(frozen=True)
class Pruned:
    """The releases and environments that were removed, or with `check` would be.

    Attributes:
        check: Nothing was removed.
        releases: Commits.
        environments: Paths.
        kept: Commits with why they stay.
        freed_kb: Kilobytes.
    """

    check: bool
    releases: tuple[str, ...]
    environments: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    freed_kb: int

    def document(self) -> dict[str, Any]:
        """Return the result for --json."""
        return {**asdict(self), "kept": dict(self.kept)}

    def lines(self) -> Iterator[str]:
        """Yield the lines for a user."""
        count = len(self.releases)
        what = "1 old release" if count == 1 else f"{count} old releases"
        built = len(self.environments)
        also = f" and {built} unused environment{'s' * (built > 1)}" if built else ""
        verb = "would be removed" if self.check else "removed"
        yield f"  pruned       {what}{also} {verb}, {self.freed_kb / 1024:.0f} MB"
        for commit, why in self.kept:
            yield f"  kept         {commit[:10]}: {why}"


def prune(connection: "Connection", project: str, *, check: bool) -> Pruned:
    """Remove a project's old releases, and environments that none leads to any more.

    Args:
        connection: The cluster's, open.
        project: The project's name.
        check: Remove nothing.

    Raises:
        RookeryError: Slurm does not say which releases its jobs use, or a deploy is running; nothing is removed then.
    """
    slurm = "1" if connection.cluster.scheduler == "slurm" else "0"
    values = {"name": project, "mode": "check" if check else "prune", "slurm": slurm}
    script = release_protocol.program(values, "locked.sh", "prune.sh")
    with console.waiting(f"Searching for old releases on {connection.cluster.name}"):
        answer = release_protocol.read(connection.run(script=script, check=False).stdout)
    if answer.stop:
        raise _refused(connection, answer.stop)
    kept = [match.groups() for fact in answer.all("kept") if (match := re.fullmatch(r"([0-9a-f]{40}) (.*)", fact))]
    return Pruned(
        check,
        tuple(answer.all("removed")),
        tuple(answer.all("removed-environment")),
        tuple((str(commit), str(why)) for commit, why in kept),
        int(answer.last("freed") or 0),
    )


def _refused(connection: "Connection", why: str) -> RookeryError:
    word, _, rest = why.partition(" ")
    name = connection.cluster.name
    if word == "slurm":
        return RookeryError(
            f"{name}: no old releases removed, because Slurm does not answer which ones jobs use: "
            f"{(rest.splitlines() or ['no reason given'])[-1]}.",
            hint="run the same command again later",
        )
    if word == "busy":
        return RookeryError(
            f"{name}: no old releases removed, because a deploy is running ({rest}).",
            hint="run the same command again later",
        )
    return RookeryError(f"{name}: can't check old releases ({why}).", hint="run the same command again later")
