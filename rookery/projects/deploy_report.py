"""The result of a deploy, for the user and for --json."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.core import console
from rookery.core.invocation import invocation, is_guided
from rookery.projects import remote_paths, tree_checks
from rookery.projects.commit import listed
from rookery.projects.data import comparison
from rookery.projects.release_protocol import Release, ReleaseAnswer

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.commit import Commit
    from rookery.projects.options import DeployOptions
    from rookery.projects.prune import Pruned


@dataclass
class Result:
    """The result of a deploy."""

    options: "DeployOptions"
    release: Release
    commit: "Commit"
    answer: ReleaseAnswer
    connection: "Connection"
    seconds: float
    pruned: "Pruned | None" = None
    _differences: dict[str, str] | None = None

    def environments(self) -> dict[str, dict[str, str]]:
        """Return by kind an environment's state (`ready`, `built`, `missing`), path, and the seconds to build it."""
        seconds = dict(fact.split(" ", 1) for fact in self.answer.all("seconds"))
        environments = {}
        for fact in self.answer.all("environment"):
            kind, state, path = fact.split(" ", 2)
            environments[kind] = {
                "state": state,
                "path": path,
                **({"seconds": seconds[kind]} if kind in seconds else {}),
            }
        return environments

    def inputs(self) -> dict[str, str]:
        """Return the digest of each data set that the release links to, by its path in the project."""
        return {path: digest for digest, _, path in (fact.partition(" ") for fact in self.answer.all("input"))}

    def inputs_differ(self) -> dict[str, str]:
        """Return in what each data set is otherwise on this computer, by its path; those that are the same are not."""
        if self._differences is None:
            inputs = self.inputs()
            self._differences = dict(comparison.differences(self.commit.root, inputs)) if inputs else {}
        return self._differences

    def document(self) -> dict[str, Any]:
        """Return the result for --json."""
        return {
            "cluster": self.connection.cluster.name,
            "project": self.release.order.name,
            "commit": self.commit.id,
            "dirty": self.commit.dirty,
            "check": self.options.check,
            "state": self.answer.state,
            "release": self.answer.last("release"),
            "before": self.answer.last("before"),
            "environments": self.environments(),
            "inputs": self.inputs(),
            "inputs_differ": self.inputs_differ(),
            "scripts": list(self.release.scripts),
            "own_scripts": list(self.release.own),
            "links_outwards": dict(self.release.outwards),
            "warnings": list(self.release.warnings),
            "differs": self.answer.all("differs"),
            "kept": self.answer.last("kept"),
            "pruned": self.pruned.document() if self.pruned else None,
            "seconds": round(self.seconds, 2),
        }

    def show(self) -> None:
        """Print the result: lines, or with --json its document."""
        if self.options.json:
            print(json.dumps(self.document(), indent=2))
        else:
            console.say(*self.lines())

    def lines(self) -> Iterator[str]:
        """Yield the lines for a user."""
        for line in self._lines():
            yield _clean(line)

    def _lines(self) -> Iterator[str]:
        release = self.answer.last("release")
        home = release.rpartition(f"/{remote_paths.base(self.release.order.name)}/")[0]
        yield self._headline()
        yield from self._left_out()
        yield f"  release      {_from_home(release, home)}"
        for kind, facts in self.environments().items():
            path = _from_home(facts["path"], home)
            stands = _ENVIRONMENT[facts["state"]].format(**{"seconds": "?", **facts, "path": path})
            language, _, architecture = kind.partition("-")
            title = f"{'Python' if language == 'python' else 'R'} {architecture}".rstrip()
            yield f"  {title:<12} {stands}"
        yield from self._input_lines()
        if self.release.scripts and self.answer.state != "same":
            yield f"  scripts      {listed(self.release.scripts)}"
        if self.release.own:
            yield f"  your own     {listed(self.release.own)}: used as committed, not made from rookery.yml"
        for link, goal in self.release.outwards.items():
            yield f"  warning      {link} is a link to {goal}, outside the project"
        for warning in self.release.warnings:
            yield f"  warning      {warning}"
        for path in self.answer.all("differs"):
            yield f"  differs      {path}"
        if kept := self.answer.last("kept"):
            yield f"  repaired     files of the release were changed on the cluster; the changed versions are in {kept}"
        if self.pruned:
            yield from self.pruned.lines()
        yield from self._following()

    def _left_out(self) -> Iterator[str]:
        """Yield how the release's files differ from those of the commit, and from those here."""
        if self.commit.dirty:
            yield f"  uncommitted  {listed(self.commit.changes)}"
        if self.commit.results:
            yield f"  results      {listed(self.commit.results)}: not committed; the release has the committed version"
        if results := [path for path in self.release.order.dropped if not tree_checks.is_placeholder(path)]:
            yield f"  left out     {listed(results)}: fetched results, which releases don't contain"

    def _input_lines(self) -> Iterator[str]:
        for path, digest in self.inputs().items():
            differs = f" ({self.inputs_differ()[path]})" if path in self.inputs_differ() else ""
            yield f"  input        {path} {digest[: comparison.SHOWN]}{differs}"

    def _headline(self) -> str:
        what = f"{self.release.order.name} {self.commit.id[:10]}" + (" (with uncommitted changes)" * self.commit.dirty)
        name, took = self.connection.cluster.name, f"({self.seconds:.1f} s)"
        if self.answer.state == "same":
            return f"{what} is up to date on {name} {took}"
        if self.options.check:
            return f"{_CHECKED.get(self.answer.state, _OTHER).format(what=what, name=name)} {took}"
        return f"{_DONE.get(self.answer.state, _OTHER).format(what=what, name=name)} {took}"

    def _following(self) -> Iterator[str]:
        if is_guided():
            return
        cluster, options = self.connection.cluster, self.options
        project = f" --project {shlex.quote(options.project)}" if options.project else ""
        if options.check and self.answer.state != "same":
            others = " --dirty" * self.commit.dirty + " --prune" * options.prune
            yield f"  next         {invocation()} deploy {cluster.argument}{project}{others}"
        elif self.release.jobs:
            yield f"  next         {invocation()} submit {self.release.jobs[0]} {cluster.option}{project}"


def _from_home(path: str, home: str) -> str:
    """Return a path as it is short, and works on the cluster: from the home on, where it is in it."""
    return f"~{path.removeprefix(home)}" if home and path.startswith(f"{home}/") else path


_ENVIRONMENT = {
    "ready": "{path} (unchanged)",
    "built": "{path} (built in {seconds} s)",
    "missing": "{path} (would be built)",
}
_OTHER = "Deployed {what} to {name}"
_DONE = {
    "new": "Deployed {what} to {name}",
    "there": "{what} is the current release on {name} again",
    "mended": "Updated {what} on {name}",
}
_CHECKED = {
    "new": "Would deploy {what} to {name}",
    "there": "Would make {what} the current release on {name} again",
    "other": "Would update {what} on {name}",
}


def _clean(line: str) -> str:
    """Return a line that is fit for a terminal; rich, which knows how, is slow to import."""
    if line.isprintable():
        return line

    return console.clean(line.encode(errors="surrogateescape").decode(errors="backslashreplace"))
