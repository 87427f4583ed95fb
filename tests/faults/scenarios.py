"""A home, what is done to it, and what must hold whatever happens to a run: nothing lost, and undo exact."""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import random
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from home_helpers import Login
from home_snapshots import Seen, Snapshot, contents, differences, look
from injection import Fault, Machine, Outcome, run
from random_home import EDITED, GROUP, MOVED, USER, Generator, Part, build, clear
from undo_helpers import declarations, full

from rookery.remote import apply
from rookery.remote.apply import main, reply, undo

STATE = "home/.local/state/rookery"

for _module in pkgutil.iter_modules(apply.__path__):  # once, and not in every fork
    importlib.import_module(f"rookery.remote.apply.{_module.name}")


class BrokenError(AssertionError):
    """Something that must hold did not."""


@dataclass(frozen=True)
class Action:
    """One run: `setup`, `undo`, `purge` (undo with --purge), or `write`, a new file of the user's in a moved folder."""

    verb: str
    fault: Fault | None = None
    clock: float = 0

    def __str__(self) -> str:
        return self.verb + (f" ({self.fault.kind} at {self.fault.at:.4f})" if self.fault else "")


@dataclass(frozen=True)
class Case:
    """A home and what is done to it; the first setup and the first undo are without a fault, and measure the others."""

    parts: list[Part]
    actions: list[Action]
    umask: int
    lacks: frozenset[str] = frozenset()

    @property
    def is_exact(self) -> bool:
        """Whether the same happens each time."""
        return not any(action.fault and action.fault.kind == "sudden" for action in self.actions)


@dataclass
class Count:
    """What was tried."""

    homes: int = 0
    runs: int = 0
    kills: int = 0
    full: int = 0

    def add(self, other: Count) -> None:
        """Add what another one has counted."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def case(rng: random.Random) -> Case:
    """A random case."""
    parts = Generator(rng).home()
    setups, undos = ([_fault(rng) for _ in range(rng.randrange(4))] for _ in range(2))
    actions = [Action("setup", fault) for fault in setups]
    if rng.random() < 0.7:
        actions.append(Action("setup"))
    if rng.random() < 0.3:
        actions.insert(rng.randrange(len(actions) + 1), Action("write"))
    actions += [Action(rng.choice(("undo", "purge")), fault) for fault in undos]
    if rng.random() < 0.3:
        actions += [Action("setup", _fault(rng)), Action("setup"), Action("purge", _fault(rng))]
    actions.append(Action(rng.choice(("undo", "purge"))))
    actions = [replace(action, clock=rng.choice((*(0,) * 8, 4e7, -4e7, 2e10))) for action in actions]
    lacks = frozenset(name for name in ("links", "attributes", "locks") if rng.random() < 0.05)
    return Case(parts, actions, rng.choice((0o022, 0o022, 0o002, 0o077)), lacks)


def _fault(rng: random.Random) -> Fault:
    kind = rng.choice(("kill",) * 7 + ("full",) * 2 + ("sudden",))
    return Fault(kind, rng.random(), rng.choice((1, 2, 10_000)))


@dataclass
class Trial:
    """One case being carried out in a folder.

    Attributes:
        login: The home and the storage.
        count: What was tried so far.
        before: What stood there at first.
        usual: What came of a setup and of an undo to which nothing happened.
        written: Files that the user has written meanwhile, and what is in them.
    """

    case: Case
    top: Path
    count: Count
    login: Login = field(init=False)
    before: Snapshot = field(init=False)
    usual: dict[str, Outcome] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        build(self.case.parts, self.top)
        self.login = Login.__new__(Login)
        self.login.home, self.login.storage = self.top / "home", self.top / "storage"
        self.before = look(self.top)
        self.contents = contents(self.top)
        self.edited = self._edited()
        self.written_in: set[str] = set()
        places = ("home", "storage", "storage/rookery", "storage/rookery/home")
        handed_down = [entry for name, entry in self.before.items() if name in places and "s" in entry.kind[6].lower()]
        self.usual_groups = {GROUP, *(entry.owner[1] for entry in handed_down)}
        self.count.homes += 1

    def carry_out(self) -> None:
        """Do one thing after the other, and see that all holds.

        Raises:
            BrokenError: It does not.
        """
        first = [Action("setup"), Action("purge")]
        for number, action in enumerate(first + self.case.actions):
            try:
                self._do(action)
            except AssertionError as error:
                place = f"first {action}" if number < 2 else f"action {number - 2}, {action}"
                raise BrokenError(f"{place}: {error}") from error

    def _do(self, action: Action) -> None:
        if action.verb == "write":
            self._write()
            return
        outcome = self._run(action)
        self._see_that_nothing_is_lost()
        if action.fault:
            self._note_a_lost_time(action)
            return
        if action.verb == "setup":
            self._see_that_it_is_set_up(outcome)
        else:
            self._see_that_it_is_as_before(purged=action.verb == "purge", answer=outcome.answer)

    def _run(self, action: Action) -> Outcome:
        kind = "setup" if action.verb == "setup" else "undo"
        work = self._set_up if kind == "setup" else lambda: self._take_back(purge=action.verb == "purge")
        machine = Machine(self.case.lacks, action.clock)
        outcome = run(self.top, work, machine, action.fault, self.usual.get(kind))
        self.usual.setdefault(kind, outcome)
        self.count.runs += 1
        if action.fault:
            self.count.kills += outcome.answer is None
            self.count.full += action.fault.kind == "full"
        answers = outcome.answer if isinstance(outcome.answer, list) else [outcome.answer or {}]
        mistakes = [answer["exception"] for answer in answers if "exception" in answer]
        assert not mistakes, "it ended with an exception:\n" + mistakes[0]
        return outcome

    def _set_up(self) -> list[dict[str, Any]]:
        os.umask(self.case.umask)
        return [
            main.answer(self.login.payload(full(declaration), role=role)) for role, declaration in declared(self.login)
        ]

    def _take_back(self, *, purge: bool) -> Any:
        os.umask(self.case.umask)
        payload = {"run": {"id": "undo-1", "who": "sam", "laptop": "teapot"}, "storage": [str(self.login.storage)]}
        payload |= {"space": {}, "grain": 1, "check": False, "only": [], "purge": purge}
        return reply.answer(undo.UndoSession, payload)

    def _note_a_lost_time(self, action: Action) -> None:
        """Only a purge that is killed between its last two steps leaves nobody who knows the time of a folder."""
        parts = (self.top / STATE, *(self.top / STATE).parents)
        made, above = next(pair for pair in pairwise(parts) if str(pair[1].relative_to(self.top)) in self.before)
        left = made.exists() or any(above.glob(".rookery-*"))
        if action.verb == "purge" and not left:
            self.written_in.add(str(above.relative_to(self.top)))

    def _write(self) -> None:
        """A program of the user's writes to each folder that was moved, by its name in the home."""
        for name in MOVED:
            folder = self.top / "home" / name
            moved = self.before.get(f"home/{name}")
            if moved and moved.kind[0] == "d" and folder.is_dir() and moved.kind[:4] == "drwx":
                path = folder / f"written-{len(self.written)}"
                path.write_bytes(os.fsencode(f"{path} {len(self.written)}"))
                os.chown(path, folder.stat().st_uid, folder.stat().st_gid)
                self.written[f"home/{name}/{path.name}"] = path.read_bytes()
                self.written_in.add(f"home/{name}")

    def _see_that_nothing_is_lost(self) -> None:
        expected = self.contents | {hashlib.sha256(data).hexdigest() for data in self.written.values()}
        missing = expected - contents(self.top)
        names = [name for name, entry in self.before.items() if entry.content in missing] + sorted(self.written)
        assert not missing, f"the content is gone of one of {names}"

    def _see_that_it_is_set_up(self, outcome: Outcome) -> None:
        """What could not be done is what could not be done the first time."""
        messages = [[str(answer.get("msg")) for answer in run.answer] for run in (self.usual["setup"], outcome)]
        assert messages[0] == messages[1], f"it ended otherwise than the first setup: {messages[1]}, not {messages[0]}"

    def _see_that_it_is_as_before(self, *, purged: bool, answer: dict[str, Any]) -> None:
        could_begin = not all("failed" in usual for usual in self.usual["setup"].answer)
        assert "failed" not in answer or not could_begin, f"it failed: {answer.get('msg')}"
        after = look(self.top)
        for name, data in self.written.items():
            entry = after.pop(name, None)
            assert entry, f"{name} is not there any more"
            assert entry.content == hashlib.sha256(data).hexdigest(), f"{name} holds something else"
        self.written = {}
        changes = differences(self._comparable(self.before, purged=purged), self._comparable(after, purged=purged))
        left = [item for item in answer["outcomes"] if item["state"] == "left"]
        assert not changes, "undo is not exact:\n  " + "\n  ".join(changes[:12]) + f"\n  left: {left}"

    def _comparable(self, snapshot: Snapshot, *, purged: bool) -> Snapshot:
        """What must be the same; the rest is named in docs/explanation/undo.md."""
        comparable = {}
        for name, entry in snapshot.items():
            if self._is_let_go(name, entry, purged=purged):
                continue
            names = frozenset(other for other in entry.names if tree_of(other) == tree_of(name))
            owner = entry.owner
            if entry.kind[0] == "l" or (tree_of(name) and owner[1] in self.usual_groups):
                owner = (owner[0], GROUP)  # the group of a link means nothing
            comparable[name] = entry._replace(names=names, owner=owner)
            if name in self.edited or (tree_of(name) and "links" in self.case.lacks):
                comparable[name] = comparable[name]._replace(names=frozenset())
            is_made_anew = name.startswith("storage/rookery/home/")
            if name in self.edited or is_made_anew or (tree_of(name) and "attributes" in self.case.lacks):
                comparable[name] = comparable[name]._replace(attributes=())
            if name in self.written_in or (owner[0] != USER and entry.kind[0] == "d"):
                comparable[name] = comparable[name]._replace(mtime=0)
        return comparable

    def _is_let_go(self, name: str, entry: Seen, *, purged: bool) -> bool:
        if entry.kind[0] == "s" and tree_of(name) != "":
            return True  # sockets of programs
        return not purged and (name == STATE or name.startswith(STATE + "/") or STATE.startswith(name + "/"))

    def _edited(self) -> set[str]:
        """Files that rookery writes to, by all of their names."""
        paths = (os.path.realpath(self.top / "home" / name) for name in EDITED)
        edited = {f"home/{name}" for name in EDITED} | {os.path.relpath(path, self.top) for path in paths}
        return edited | {other for name in edited & self.before.keys() for other in self.before[name].names}


def tree_of(name: str) -> str:
    """The folder that is moved whole with a path in it; "" for what is in none."""
    return next((moved for moved in MOVED if name == f"home/{moved}" or name.startswith(f"home/{moved}/")), "")


def declared(login: Login) -> list[tuple[str, dict[str, Any]]]:
    """What the roles declare: those of tests/unit/undo_helpers.py, and start-up files of other programs."""
    tops = [{"path": f"~/{name}", "content": "ours", "position": "top"} for name in (".Rprofile", ".tmux.conf")]
    others = [{"path": f"~/{name}", "content": "ours", "create": False} for name in (".zshenv", ".cshrc")]
    return [*declarations(login), ("tmux", {"blocks": tops + others})]


def fails(case: Case, top: Path, count: Count) -> str:
    """What does not hold in this case; "" where all does."""
    try:
        Trial(case, top, count).carry_out()
    except BrokenError as broken:
        return str(broken)
    finally:
        clear(top)
    return ""
