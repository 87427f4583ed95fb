"""`deploy`: a commit brought to a cluster as a release, whole or not at all; the link `current` is switched last."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.begun import begun
from rookery.errors import RookeryError
from rookery.project import commit as git
from rookery.project import memory as memories
from rookery.project import release, target
from rookery.project.release import Answer, Goods, Made
from rookery.project.result import Result

if TYPE_CHECKING:
    from rookery.project.commit import Commit
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
    opened = begun(door.is_open)
    with closing(git.Look(project.root, project.outputs)) as look:
        deploy = _Deploy(door, project, look, request)
        answer = deploy.do(opened)
        result = Result(deploy.made, deploy.commit, answer, door, time.monotonic() - began)
        if not request.check:
            deploy.remember()
    if request.prune:
        from rookery.project import prune

        result.pruned = prune.prune(door, project.name, check=request.check)
    print(json.dumps(result.document(request), indent=2) if request.json else "\n".join(result.lines(request)))
    return 0


class _Deploy:
    """One deploy: what is known already is enough, or more is made and sent."""

    def __init__(self, door: "Door", project: "Project", look: git.Look, request: Request) -> None:
        self.door, self.project, self._look, self._request = door, project, look, request
        self._file = memories.file(door.cluster, project.name)
        self._memory = memories.remembered(self._file)
        self._made: Made | None = None

    @property
    def commit(self) -> "Commit":
        """The commit that is deployed; where there is none that can be, it raises."""
        return self._look.commit(dirty=self._request.dirty)

    @property
    def made(self) -> Made:
        """The release as it is wanted; without its files where it was made by an earlier deploy."""
        if self._made is None:
            self._made = self._make(())
        return self._made

    def do(self, opened: Callable[[], bool]) -> Answer:
        """See what the cluster has; where that is not what is wanted, send what it lacks.

        Args:
            opened: Waits until it is known whether the connection is open.
        """
        head, there = self._look.head, self._memory.commits
        known = self._memory.made if head and self._memory.key == self._key(head) else None
        if not opened():
            _ = self.commit  # what is wrong on this side is said before anybody has to log in
            self.door.ensure()
        if self._request.check or not there:
            self._made = known
            answer = self._asked(self.made)
        elif known:  # the question goes out while git still looks for changes
            asked = begun(lambda: self._asked(known))
            if self.commit != head:
                return self._brought(there)
            answer = asked()
            if answer.state:
                self._made = known
        else:
            return self._brought(there)
        return answer if answer.state else self._brought(answer.all("have"))

    def remember(self) -> None:
        """Note what the cluster has now."""
        memories.remember(self._file, self._memory, self.commit, self._key(self.commit), self.made)

    def _key(self, commit: "Commit") -> str:
        return memories.key(self.project, commit, self.door.cluster)

    def _make(self, there: Sequence[str]) -> Made:
        from rookery.project import make  # dear to import, and where nothing is new nothing is made

        return make.make(self.project, self.commit, self.door.cluster, there=there, large=self._request.yes)

    def _asked(self, made: Made) -> Answer:
        """What the cluster says of a release, without anything being done; it `need`s more where that is not there."""
        return self._sent(release.look(made.order, check=self._request.check))

    def _brought(self, there: Sequence[str]) -> Answer:
        """Bring the release to a cluster that has some commits already."""
        head = self._look.head
        ahead = self._request.dirty or not head or head.id not in there
        script = release.deploy(self.project.name, ahead=bool(there) and ahead)
        answer = self._sent(script, lambda: self._parcel(there))
        if answer.state:
            return answer
        have = answer.all("have")  # other commits than were thought; where it has not even those whole, all is sent
        return self._brought(have if have != list(there) else ())

    def _parcel(self, there: Sequence[str]) -> bytes:
        commit = self.commit
        bases = git.known(commit.root, there)
        packed = begun(lambda: b"" if commit.id in there else git.pack(commit, bases))
        self._made = made = self._make(bases)
        pack = packed()
        goods = Goods(made.files, pack, *((tuple(bases), tuple(git.boundary(commit))) if pack else ()))
        return release.parcel(made.order, goods)

    def _sent(self, script: str, parcel: Callable[[], bytes] | None = None) -> Answer:
        """Run a script there; its answer, which is that all is well or that it needs more."""
        name = self.door.cluster.name
        with _Progress(f"{name}: {self.project.name}") as progress:

            def given() -> bytes:
                data = parcel() if parcel else b""
                if len(data) > 2_000_000:
                    progress.heard(f"doing: sending {len(data) / 1e6:.0f} MB")
                return data

            heard = progress.heard if parcel else None
            done = self.door.run(script=script, input=given if parcel else None, check=False, heard=heard)
        answer = release.read(done.stdout)
        if not answer.state and not answer.stop:
            last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            raise RookeryError(
                f"{name}: the deploy broke off there (exit status {done.exit}): {last}", hint="the same command again"
            )
        if answer.stop and answer.stop != "need":
            from rookery.project.refused import refused

            raise refused(self.door.cluster, self.project.name, answer, done.stderr)
        return answer


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
