"""How a deploy opens: git looks at the project's files, and the cluster is asked what is probably the question.

Where a command is one that deployed before, from the same folder, that begins before the rest of rookery is imported,
rookery.yml and the cluster's profile are read, which takes longer than the cluster takes to answer. What was begun so
holds only if what is read then says the same.
"""

import json
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rookery import files, house
from rookery.begun import begun
from rookery.cluster import Cluster
from rookery.errors import RookeryError
from rookery.project import memory as memories
from rookery.project import talk
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
        self.packing: Packing | None = None
        self.is_open = opened()
        head, there, made = self.look.head, self.memory.commits, self.memory.made
        if not (ask and self.is_open and head and made):
            return
        if made.order.commit == head.id:
            self.looked = talk.look(door, made.order)
        else:
            self.brought = talk.bring(door, name, ahead=dirty or head.id not in there)
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
        try:
            key = memories.digest([str(Path.cwd()), sys.argv[1:]])
            self._file = house.state_dir() / "deploys/from" / key[:32]
            self._told = json.loads(self._file.read_text(encoding="utf-8"))
            cluster = Cluster(**self._told["cluster"], data=MappingProxyType({}), variables=MappingProxyType({}))
            door = Door(cluster, Path(self._told["config"]))
            self._stamp = _stamp(door)
            name, root, outputs = self._told["name"], Path(self._told["root"]), self._told["outputs"]
            with suppress(RookeryError):  # whatever is wrong is said when it is known for sure
                self._opening = Opening(door, name, root, outputs, dirty=bool(self._told["dirty"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._told = None

    def opening(self, project: "Project", door: Door, *, dirty: bool) -> Opening | None:
        """What was begun, if that is what is meant.

        Args:
            project: The project as it is.
            door: The cluster's door as it is.
            dirty: Whether uncommitted changes go along.
        """
        if self._told != _told(project, door, dirty=dirty) or self._stamp != _stamp(door):
            self.close()  # what comes in its place would wait for it
            return None
        return self._opening

    def remember(self, project: "Project", door: Door, *, dirty: bool) -> None:
        """Note what the same command can begin with the next time."""
        told = _told(project, door, dirty=dirty)
        if self._file and told != self._told:
            files.write(self._file, json.dumps(told))
            files.trim(self._file.parent, KEPT)

    def close(self) -> None:
        """End what was begun."""
        if self._opening:
            self._opening.close()


_early: list[Early] = []


def begin() -> None:
    """Begin what this command probably deploys."""
    _early.append(Early())


def early() -> Early:
    """What was begun, once; the next deploy of the same command begins anew."""
    if not _early:
        begin()
    return _early.pop()


def _told(project: "Project", door: Door, *, dirty: bool) -> dict[str, Any]:
    """All that an opening depends on."""
    names = {each.name for each in fields(door.cluster)} - {"data", "variables"}
    return {
        "dirty": dirty,
        "name": project.name,
        "root": str(project.root),
        "outputs": list(project.outputs),
        "cluster": {name: getattr(door.cluster, name) for name in sorted(names)},
        "config": str(door.config_file),
    }


def _stamp(door: Door) -> tuple[int, int]:
    """What changes when the ssh_config does."""
    status = door.config_file.stat()
    return status.st_ino, status.st_mtime_ns
