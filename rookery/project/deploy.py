"""`deploy`: a commit brought to a cluster as a release, whole or not at all; the link `current` is switched last."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

from rookery.errors import RookeryError
from rookery.project import commit as git
from rookery.project import memory as memories
from rookery.project import release, target
from rookery.project.memory import Memory
from rookery.project.release import Answer, Goods, Made

if TYPE_CHECKING:
    from rookery.project.commit import Commit
    from rookery.project.prune import Pruned
    from rookery.project.spec import Project
    from rookery.report import Screen
    from rookery.ssh import Door


@dataclass(frozen=True)
class Request:
    """What a person asks of `deploy`; each field is the flag of that name.

    Attributes:
        cluster: Its name; "" for the project's first.
        project: The project's folder; "" for the one found upwards from here.
        check: Say what would be done, and do nothing.
        dirty: Take uncommitted changes along, as a snapshot.
        prune: Remove old releases that nothing uses.
        json: One JSON document on standard output, nothing else.
        yes: Ask nothing, and take files of unusual size.
        sandbox: To the miniature of the cluster on this machine.
    """

    cluster: str = ""
    project: str = ""
    check: bool = False
    dirty: bool = False
    prune: bool = False
    json: bool = False
    yes: bool = False
    sandbox: bool = False


def run(request: Request) -> int:
    """Bring a project's commit to a cluster.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: What stopped it; the release that was current still is.
    """
    began = time.monotonic()
    found = target.find(request.cluster, request.project, sandbox=request.sandbox)
    project, door = found.project, found.door
    assert project is not None  # noqa: S101 find raises where there is none
    opened = _asked(door)
    with git.chosen(project.root, project.outputs, dirty=request.dirty) as commit:
        file = memories.file(door.cluster, project.name)
        memory, key = memories.remembered(file), memories.key(project, commit, door.cluster)
        deploy = _Deploy(door, project, commit, memory if memory.key == key else Memory(memory.commits), request)
        if not opened():
            door.ensure()
        answer = deploy.do()
        if not request.check:
            memories.remember(file, memory, commit, key, deploy.made)
    result = Result(deploy.made, commit, answer, door, time.monotonic() - began)
    if request.prune:
        from rookery.project import prune

        result.pruned = prune.prune(door, project.name, check=request.check)
    print(json.dumps(result.document(request), indent=2) if request.json else "\n".join(result.lines(request)))
    return 0


def _asked(door: "Door") -> Callable[[], bool]:
    """Ask whether the connection is open while other things are looked at; what is given back waits for the answer."""
    answers: list[bool] = []

    def ask() -> None:
        with suppress(RookeryError, OSError):  # `ensure` says it
            answers.append(door.is_open())

    thread = Thread(target=ask, daemon=True)
    thread.start()

    def answer() -> bool:
        thread.join()
        return answers == [True]

    return answer


class _Deploy:
    """One deploy: what is known already is enough, or more is made and sent."""

    def __init__(self, door: "Door", project: "Project", commit: "Commit", memory: Memory, request: Request) -> None:
        self.door, self.project, self.commit, self.memory, self.request = door, project, commit, memory, request
        self.made = memory.made or self._make()
        self._whole = memory.made is None

    def _make(self) -> Made:
        from rookery.project import make  # dear to import, and where nothing is new nothing is made

        return make.make(self.project, self.commit, self.door.cluster, large=self.request.yes)

    def do(self) -> Answer:
        """Tell the cluster what is wanted; where that is not enough, send what it lacks."""
        sure = self._whole and self.memory.commits and not self.request.check
        answer, said = self._ask(self._goods(self.memory.commits) if sure else None)
        if answer.stop == "need":
            answer, said = self._ask(self._goods(answer.all("have")))
        if answer.stop:
            from rookery.project.refused import refused

            raise refused(self.door.cluster, self.project.name, answer, said)
        return answer

    def _goods(self, there: Sequence[str]) -> Goods:
        """What to send a cluster that has some commits already."""
        if not self._whole:
            self.made, self._whole = self._make(), True
        if self.commit.id in there:
            return Goods(self.made.files)
        bases = git.known(self.commit.root, there)
        return Goods(self.made.files, git.pack(self.commit, bases), tuple(bases), tuple(git.boundary(self.commit)))

    def _ask(self, goods: Goods | None) -> tuple[Answer, str]:
        """Run the script there; its answer, and what else was said."""
        script, data = release.script(self.made.order, check=self.request.check, goods=goods)
        name = self.door.cluster.name
        with _Progress(f"{name}: {self.project.name}") as progress:
            if len(data) > 2_000_000:
                progress.heard(f"doing: sending {len(data) / 1e6:.0f} MB")
            done = self.door.run(script=script, input=data, check=False, heard=progress.heard if goods else None)
        answer = release.read(done.stdout)
        if not answer.state and not answer.stop:
            last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            raise RookeryError(
                f"{name}: the deploy broke off there (exit status {done.exit}): {last}", hint="the same command again"
            )
        return answer, done.stderr


class _Progress:
    """What is being done there, on a terminal, from when there is something that takes time."""

    def __init__(self, title: str) -> None:
        self._title, self._stack = title, ExitStack()
        self._screen: Screen | None = None

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def heard(self, line: str) -> None:
        """Take a line of standard error: `doing: …` begins something, the rest is what programs say of it."""
        doing = line.startswith("doing: ")
        if not sys.stderr.isatty() or not (doing or self._screen):
            return
        from rookery import report

        if self._screen is None:
            self._screen = self._stack.enter_context(report.Screen(report.Story([self._title]), file=sys.stderr))
        self._screen.say(self._title, report.clean(line.removeprefix("doing: "))[:100])


@dataclass
class Result:
    """What came of a deploy, for the person."""

    made: Made
    commit: "Commit"
    answer: Answer
    door: "Door"
    seconds: float
    pruned: "Pruned | None" = None

    def environments(self) -> dict[str, dict[str, str]]:
        """By kind: how it stands (`ready`, `built`, `missing`), where, and the seconds it took to build."""
        seconds = dict(fact.split(" ", 1) for fact in self.answer.all("seconds"))
        found = {}
        for fact in self.answer.all("environment"):
            kind, state, path = fact.split(" ", 2)
            found[kind] = {"state": state, "path": path, **({"seconds": seconds[kind]} if kind in seconds else {})}
        return found

    def document(self, request: Request) -> dict[str, Any]:
        """For --json."""
        return {
            "cluster": self.door.cluster.name,
            "project": self.made.order.name,
            "commit": self.commit.id,
            "dirty": self.commit.dirty,
            "check": request.check,
            "state": self.answer.state,
            "release": self.answer.one("release"),
            "before": self.answer.one("before"),
            "environments": self.environments(),
            "scripts": list(self.made.scripts),
            "own_scripts": list(self.made.own),
            "links_outwards": dict(self.made.outwards),
            "differs": self.answer.all("differs"),
            "kept": self.answer.one("kept"),
            "pruned": self.pruned.document() if self.pruned else None,
            "seconds": round(self.seconds, 2),
        }

    def lines(self, request: Request) -> Iterator[str]:
        """For a person."""
        for line in self._lines(request):
            yield _clean(line)

    def _lines(self, request: Request) -> Iterator[str]:
        release_path = self.answer.one("release")
        yield self._headline(request)
        if self.commit.dirty:
            yield f"  uncommitted  {git.listed(self.commit.changes)}"
        yield f"  release      {release_path}"
        for kind, facts in self.environments().items():
            yield f"  {'Python' if kind == 'python' else 'R':<12} {_ENVIRONMENT[facts['state']].format(**facts)}"
        if self.made.scripts and self.answer.state != "same":
            yield f"  scripts      {git.listed(self.made.scripts)}"
        if self.made.own:
            yield f"  yours        {git.listed(self.made.own)}: the commit's own, not rendered from rookery.yml"
        for link, goal in self.made.outwards.items():
            yield f"  beware       {link} is a link to {goal}, which is not part of the project"
        for path in self.answer.all("differs"):
            yield f"  differs      {path}"
        if kept := self.answer.one("kept"):
            yield f"  changed      files of the release had been changed there, and were put right; yours are in {kept}"
        if self.pruned:
            yield from self.pruned.lines()
        yield from self._following(request)

    def _headline(self, request: Request) -> str:
        what = f"{self.made.order.name} {self.commit.id[:10]}" + (" (with uncommitted changes)" * self.commit.dirty)
        name, took = self.door.cluster.name, f"({self.seconds:.1f} s)"
        if self.answer.state == "same":
            return f"nothing to do: {name} has {what} already {took}"
        if request.check:
            return f"{_CHECKED[self.answer.state].format(what=what, name=name)}; nothing was written {took}"
        return f"{_DONE[self.answer.state].format(what=what, name=name)} {took}"

    def _following(self, request: Request) -> Iterator[str]:
        from rookery.program import invocation, is_guided

        if is_guided():
            return
        flags = f"--cluster {self.door.cluster.name}{' --sandbox' if self.door.cluster.sandbox else ''}"
        if request.check and self.answer.state != "same":
            yield f"  next         {invocation()} deploy {flags}{' --dirty' if self.commit.dirty else ''}"
        elif self.made.jobs:
            yield f"  next         {invocation()} submit {self.made.jobs[0]} {flags}"


_ENVIRONMENT = {
    "ready": "{path} (there already)",
    "built": "{path} (built in {seconds} s)",
    "missing": "{path} (to be built)",
}
_DONE = {
    "new": "{what} is on {name}",
    "there": "{what} is current on {name} again",
    "mended": "{what} on {name} is as it should be again",
}
_CHECKED = {
    "new": "{what} would be brought to {name}",
    "there": "{what} is on {name} already, and would become current",
    "other": "the release of {what} on {name} would be put right",
}


def _clean(line: str) -> str:
    """A line that is fit for a terminal; rich, which knows how, is slow to import."""
    if line.isprintable():
        return line
    from rookery import report

    return report.clean(line.encode(errors="surrogateescape").decode(errors="backslashreplace"))
