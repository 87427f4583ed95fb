"""How a deploy opens: git looks at the project's files, and the cluster is asked what is probably the question.

Where a command is one that deployed before, from the same folder, that begins before the rest of rookery is imported,
rookery.yml and the cluster's profile are read, which takes longer than the cluster takes to answer. What was begun so
holds only if what is read then says the same.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rookery import __version__, ahead, files, strict_json
from rookery.begun import begun
from rookery.cluster import Cluster
from rookery.errors import RookeryError
from rookery.project import headstart, talk
from rookery.project import memory as memories
from rookery.project.commit import Look, Packing
from rookery.project.talk import Talk
from rookery.ssh import Door

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rookery.project.spec import Project

KEPT = 100
"""How many commands are remembered."""


class Opening:
    """A deploy that has begun, and has changed nothing yet.

    Attributes:
        look: git's look at the files.
        memory: What this computer knows of the project on the cluster.
        file: Where it keeps that.
        is_open: Whether the connection is open; nothing is asked before it is.
        looked: The question whether the release of the commit that is checked out is there; None where not asked.
        brought: A release that is being brought; None where none is.
        ahead: Whether that is one of a commit that is probably new there.
        packing: What goes over for it, if HEAD it is.
    """

    def __init__(  # noqa: PLR0913 all that it depends on
        self, door: Door, name: str, root: Path, outputs: "Sequence[str]", *, ask: bool = True, dirty: bool = False
    ) -> None:
        """Begin.

        Args:
            door: The cluster's.
            name: The project's name.
            root: Its folder.
            outputs: Its folders of results.
            ask: Ask the cluster already.
            dirty: Uncommitted changes go along.
        """
        opened = begun(door.is_open)
        self.look = Look(root, outputs)
        self.file = memories.file(door.cluster, name)
        self.memory = memories.remembered(self.file)
        self.looked: Talk | None = None
        self.brought: Talk | None = None
        self.ahead = False
        self.packing: Packing | None = None
        self.is_open = opened()
        head, there, made = self.look.head, self.memory.commits, self.memory.made
        if not (ask and self.is_open and head and made):
            return
        if made.order.commit == head.id:
            self.looked = talk.look(door, made.order)
        else:
            self.ahead = dirty or head.id not in there
            self.brought = talk.bring(door, name, ahead=self.ahead)
            self.packing = Packing(head, there)

    def close(self) -> None:
        """End what is not ended."""
        self.look.close()
        for each in (self.looked, self.brought):
            if each:
                each.stop()


class Early:
    """An opening on the strength of what the same command was about before."""

    def __init__(self) -> None:
        """Begin, where there is such a one."""
        self._opening: Opening | None = None
        self._file: Path | None = None
        self._for: list[object] = []
        self._told: Any
        try:
            self._for, self._file = headstart.here(), Path(headstart.file())
            self._told = strict_json.read(self._file)
            about = self._about = self._told["about"] if self._told["for"] == self._for else {}
            cluster = Cluster(**about["cluster"], data=MappingProxyType({}), variables=MappingProxyType({}))
            door = Door(cluster, Path(about["config"]))
            self._stamp = _stamp(door)
            name, root, outputs = about["name"], Path(about["root"]), about["outputs"]
            with suppress(RookeryError):  # whatever is wrong is said when it is known for sure
                self._opening = Opening(door, name, root, outputs, dirty=bool(about["dirty"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._told = self._about = None
        finally:
            ahead.drop()

    @property
    def typed(self) -> dict[str, Any] | None:
        """What the command line says, where it was read before, by the same rookery."""
        typed = self._told.get("typed") if self._opening and self._told.get("reader") == _reader() else None
        return typed if isinstance(typed, dict) else None

    def opening(self, project: "Project", door: Door, *, dirty: bool) -> Opening | None:
        """What was begun, if that is what is meant.

        Args:
            project: The project as it is.
            door: The cluster's door as it is.
            dirty: Whether uncommitted changes go along.
        """
        if self._about != _about(project, door, dirty=dirty) or self._stamp != _stamp(door):
            self.close()  # what comes in its place would wait for it
            return None
        return self._opening

    def remember(
        self, project: "Project", door: Door, memory: Path, brought: Talk | None, typed: Mapping[str, Any]
    ) -> None:
        """Note what the same command can begin with the next time.

        Args:
            project: The project.
            door: The cluster's door.
            memory: Where it is kept what is known of the project there.
            brought: How a commit that was new there was brought now; None where none was.
            typed: What the command line says.
        """
        if self._file is None:  # the folder that one stands in is gone
            return
        told = self._told or {}
        about = _about(project, door, dirty=bool(typed["dirty"]))
        bring = door.again(brought.running) if brought else None
        if about == self._about and (not bring or _is_same(bring, told.get("bring"))):
            bring = told.get("bring")
        now = {"for": self._for, "about": about, "memory": str(memory), "bring": bring}
        now |= {"typed": dict(typed) if _is_plain(sys.argv[2:], typed) else None, "reader": _reader()}
        if now != told:
            files.write(self._file, json.dumps(now))
            files.trim(self._file.parent, KEPT)

    def close(self) -> None:
        """End what was begun."""
        if self._opening:
            self._opening.close()


_early: list[Early] = []


def begin() -> dict[str, Any] | None:
    """Begin what this command probably deploys; what the command line says, where that is known."""
    _early.append(Early())
    return _early[0].typed


def early() -> Early:
    """What was begun, once; the next deploy of the same command begins anew."""
    if not _early:
        begin()
    return _early.pop()


def _is_plain(words: "Sequence[str]", typed: Mapping[str, Any]) -> bool:
    """Whether a command line says nothing but this, in words that leave no doubt: no other command follows, say.

    Args:
        words: What comes behind `deploy`.
        typed: What was read in it.
    """
    before = ""
    for word in words:
        name, _, value = word.partition("=")
        flag = {"-c": "cluster", "-p": "project"}.get(name, name.removeprefix("--"))
        if name.startswith("-"):
            if not typed.get(flag) or (value and value != typed[flag]):
                return False
            before = "" if value or typed[flag] is True else flag
        elif not before or typed[before] != word:
            return False
        else:
            before = ""
    return True


def _reader() -> list[Any]:
    """What changes when the command line may be read in another way."""
    status = Path(__file__).parents[1].joinpath("commands/project.py").stat()
    return [__version__, status.st_size, status.st_mtime_ns]


def _is_same(one: dict[str, Any], other: Any) -> bool:
    """Whether a command is the same as one that is remembered, but for their marks."""
    try:
        plain = [json.dumps(each).replace(each["mark"], "") for each in (one, other)]
    except (KeyError, TypeError):
        return False
    return plain[0] == plain[1]


def _about(project: "Project", door: Door, *, dirty: bool) -> dict[str, Any]:
    """All that an opening depends on, as JSON gives it back."""
    names = {each.name for each in fields(door.cluster)} - {"data", "variables"}
    options = [list(option) for option in door.cluster.ssh_options]
    return {
        "dirty": dirty,
        "name": project.name,
        "root": str(project.root),
        "outputs": list(project.outputs),
        "cluster": {name: getattr(door.cluster, name) for name in sorted(names)} | {"ssh_options": options},
        "config": str(door.config_file),
    }


def _stamp(door: Door) -> tuple[int, int]:
    """What changes when the ssh_config does."""
    status = door.config_file.stat()
    return status.st_ino, status.st_mtime_ns
