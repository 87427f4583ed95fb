"""The work of one declaration: what is compared, changed and reported.

Each kind compares first, then calls `change` with the state before, the state after, and the function that makes the
change. In check mode only that function is left out, which makes check mode and its diff exact.
"""

import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set

from rookery.remote.apply import disk
from rookery.remote.apply.disk_space import DiskSpace
from rookery.remote.apply.ledger import Ledger
from rookery.remote.apply.paths import Roots, portable
from rookery.remote.apply.problem import Problem


class Thing(NamedTuple):
    """The subject of one item of a declaration."""

    kind: str
    path: str
    what: str


class Work:
    """The work of one declaration.

    Attributes:
        roots: Where rookery may write.
        ledger: What it wrote before.
        disk_space: What fits where.
        check: Whether only to report what would change.
        outcomes: An outcome for each thing, as the contract has them.
        diffs: What changed, as Ansible shows it.
        blocks_written: The files in which this declaration's block is by now.
        observations: By command, what the answer of its test depends on, as it is now.
        earlier_observations: The same at the last test: where it has not changed, the test need not run.
    """

    def __init__(self, roots: Roots, ledger: Ledger, disk_space: DiskSpace, check: bool = False) -> None:
        self.roots = roots
        self.disk_space = disk_space
        self.ledger = ledger
        self.check = check
        self.changed = False
        self.outcomes: List[Dict[str, str]] = []
        self.diffs: List[Dict[str, str]] = []
        self.blocks_written: Set[str] = set()  # a file may have several names, and a role one block in it
        self.observations: Dict[str, Dict[str, str]] = {}
        self.earlier_observations: Dict[str, Dict[str, str]] = {}
        self._imagined: Dict[str, bytes] = {}  # in check mode: the content that a path would have by now

    def tell(self, thing: Thing, state: str, note: str = "") -> None:
        """Add an outcome."""
        path = portable(thing.path)
        self.outcomes.append({"kind": thing.kind, "path": path, "what": thing.what, "state": state, "note": note})

    def present(self, thing: Thing, note: str = "") -> None:
        """Note that a thing is as declared."""
        if not self.check:
            self.ledger.confirm(thing.kind, thing.path)
        self.tell(thing, "present", note)

    def change(self, thing: Thing, state: str, diff: Dict[str, str], act: Callable[[], None], note: str = "") -> None:
        """Make a change, or in check mode report that it would be made."""
        self.changed = True
        if not self.check:
            act()
        self.diffs.append(diff)
        self.tell(thing, "would-change" if self.check else state, note)

    def read(self, real: str) -> Optional[bytes]:
        """Return the content of a file, as changed so far, also in check mode."""
        return self._imagined[real] if real in self._imagined else disk.read(real)

    def put(
        self,
        thing: Thing,
        data: bytes,
        mode: Optional[int] = None,
        note: str = "",
        after: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Give a file this content, links followed; its mode stays, unless one is given.

        Args:
            thing: The file.
            data: Its content.
            mode: Its permission bits.
            note: What to tell besides.
            after: What else the ledger must know of the change.
        """
        real = self.roots.follow(thing.path)
        old, old_mode = self.read(real), disk.mode_of(real)
        new_mode = mode if mode is not None else disk.default_mode() if old_mode is None else old_mode
        if old == data and old_mode in (new_mode, None):
            self.present(thing, note)
            return

        def act() -> None:
            self.make_folders(os.path.dirname(real))
            new_state = dict(after or {}, type="file", mode="{:04o}".format(new_mode), digest=disk.digest(data))
            with self.ledger.change(thing.kind, thing.path, real, new_state):
                disk.write(real, data, new_mode)

        if self.check:
            self._imagined[real] = data
        if old == data:
            diff = self.diff(thing.path, "mode {:04o}\n".format(old_mode or 0), "mode {:04o}\n".format(new_mode))
        else:
            diff = self.diff(thing.path, _readable(old), _readable(data))
        self.change(thing, "made" if old is None else "changed", diff, act, note)

    def keep(self, path: str, data: bytes) -> str:
        """Keep a copy of the user's bytes; return the note that says where."""
        if not self.check:
            self.ledger.keep(path, data)
        return "the earlier version is kept in " + self.roots.show(self.ledger.kept(path, data))

    def make_folders(self, folder: str) -> None:
        """Make a folder and those above it, each of them in the ledger."""
        missing = []
        while not os.path.isdir(folder):
            if os.path.lexists(folder):
                raise Problem("{} must be a folder".format(self.roots.show(folder)))
            missing.append(folder)
            folder = os.path.dirname(folder)
        self.ledger.confirm("directories", folder)  # a killed run may have made it and not said so
        for path in reversed(missing):
            with self.ledger.change("directories", path, path, {"type": "dir"}):
                disk.make_folder(path)

    def diff(self, path: str, before: str, after: str) -> Dict[str, str]:
        """Return a difference, as Ansible's callbacks print it."""
        header = portable(path)
        return {"before_header": header, "after_header": header, "before": before, "after": after}


def _readable(data: Optional[bytes]) -> str:
    if data is None:
        return ""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "{} bytes that are not UTF-8 text, sha256 {}\n".format(len(data), disk.digest(data))
