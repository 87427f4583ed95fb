"""Restore files, links, folders, blocks and settings as they were; what the user has changed since is left.

In check mode only the changes themselves are left out; what they would have removed counts as gone.
"""

import json
import os
from typing import Any, Callable, Dict, List, Optional, Set

from rookery.remote.apply import blocks, disk, settings
from rookery.remote.apply.disk_space import DiskSpace
from rookery.remote.apply.ledger import Ledger
from rookery.remote.apply.paths import Roots, native, portable
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.records import Entry, real_of

REMOVED, RESTORED, LEFT = "removed", "restored", "left"

# the digest of the line that rookery/homes/bashrc_guard.py puts into a ~/.bashrc
GUARD = "da950a9a6d37964aeb3be385cbd52bc6254f2107753831fadd18abc9b8eb16f2"


class UndoContext:
    """The context of one undo: what it may change, and its results.

    Attributes:
        roots: Where rookery may write.
        ledger: What it wrote.
        disk_space: What fits where.
        check: Only report what would be done.
        purge: Leave nothing that is rookery's own, whatever is in it.
        obstacles: Why a moved folder can't be brought back, by path.
        outcomes: The result of each thing: `kind`, `path`, `role`, `state` (removed, restored, left), `note`.
    """

    def __init__(self, roots: Roots, ledger: Ledger, disk_space: DiskSpace, check: bool, purge: bool = False) -> None:
        self.roots = roots
        self.disk_space = disk_space
        self.ledger = ledger
        self.check = check
        self.purge = purge
        self.obstacles: Dict[str, str] = {}
        self.outcomes: List[Dict[str, str]] = []
        self._gone: Set[str] = set()
        self._texts: Dict[str, bytes] = {}

    def tell(self, entry: Entry, state: str, note: str = "") -> None:
        """Add an outcome."""
        outcome = {key: entry[key] for key in ("kind", "path", "role")}
        self.outcomes.append(dict(outcome, what=self.roots.show(native(entry["path"])), state=state, note=note))

    def settle(self, entry: Entry, state: str = "", note: str = "") -> None:
        """Drop an entry: it is as it was, or the user's by now, and the ledger need not know of it any longer."""
        if state:
            self.tell(entry, state, note)
        if not self.check:
            self.ledger.drop(entry)

    def leave(self, entry: Entry, why: str) -> None:
        """Leave what is the user's by now. The old content is kept, and named."""
        kept = entry["before"].get("kept", "")
        if kept:
            why += "; the earlier version is in " + self.roots.show(os.path.join(self.kept_folder, native(kept)))
            self.ledger.record.left.append({"path": entry["path"], "kept": kept})
        self.settle(entry, LEFT, why)

    @property
    def kept_folder(self) -> str:
        """The folder with copies of old content."""
        return os.path.join(os.path.dirname(self.ledger.file), "kept")

    def kept(self, entry: Entry) -> Optional[bytes]:
        """Return the old content, where its copy is whole."""
        before = entry["before"]
        data = disk.read(os.path.join(self.kept_folder, native(before.get("kept", "")) or "-"))
        return data if data is not None and disk.digest(data) == before.get("digest") else None

    def type_of(self, path: str) -> str:
        """Return the type of a path after the changes so far."""
        return "absent" if path in self._gone else disk.type_of(path)

    def read(self, path: str) -> bytes:
        """Return a file's content after the changes so far."""
        return self._texts[path] if path in self._texts else disk.read(path) or b""

    def names(self, folder: str) -> List[str]:
        """Return the names in a folder after the changes so far."""
        return sorted(name for name in os.listdir(folder) if os.path.join(folder, name) not in self._gone)

    def act(self, act: Callable[[], None]) -> None:
        """Make a change, but not in check mode."""
        if not self.check:
            act()

    def remove(self, path: str, at_once: bool = False) -> None:
        """Remove a path; a folder disappears atomically where nobody may see half of it."""
        self._gone.add(path)
        self.act(lambda: disk.remove(path) if at_once else disk.clear(path))

    def take_away(self, path: str, act: Callable[[], None]) -> None:
        """Make a change after which nothing is there any more."""
        self._gone.add(path)
        self.act(act)

    def write(self, path: str, data: bytes, mode: int, mtime: Optional[int], group: Optional[int] = None) -> None:
        """Give a file this content and this time."""
        self._texts[path] = data
        self.act(lambda: disk.write(path, data, mode, mtime, group))

    def put_back(self, entry: Entry, note: str = "") -> None:
        """Put the old content in the place of rookery's."""
        real, before = real_of(entry), entry["before"]
        if before["type"] == "file":
            data = self.kept(entry)
            if data is None:
                self.leave(entry, "the copy of the earlier version is missing or was changed")
                return
            group = before.get("group") if self.type_of(real) != "file" else None
            self.write(real, data, self.mode_for(entry, real), before.get("mtime"), group)
        elif before["type"] == "link":
            self.act(lambda: _relink(real, native(before["target"]), before.get("mtime")))
        else:
            self.remove(real)
            if before["type"] == "dir":
                self._gone.discard(real)
                self.act(lambda: remake(real, before))
        self.settle(entry, REMOVED if before["type"] == "absent" else RESTORED, note)

    def mode_for(self, entry: Entry, real: str) -> int:
        """Return a file's old mode, unless the user has changed it since."""
        mode, wrote = disk.mode_of(real), entry["after"].get("mode")
        if mode is not None and wrote is not None and mode != int(wrote, 8):
            return mode
        return int(entry["before"].get("mode", "0644"), 8)


def _relink(path: str, target: str, mtime: Optional[int]) -> None:
    """Restore a link; one that was never replaced is left alone."""
    stands = disk.snapshot(path) if disk.type_of(path) == "link" else {}
    if stands.get("target") != portable(target) or mtime not in (None, stands["mtime"]):
        disk.link(path, target, mtime)


def remake(path: str, before: Dict[str, Any]) -> None:
    """Restore a folder."""
    disk.make_folder(path)
    if "group" in before:
        disk.give_group(path, before["group"])
    os.chmod(path, int(before.get("mode", "0755"), 8))  # that alone, whatever its parent gave it
    if "mtime" in before:
        os.utime(path, ns=(before["mtime"], before["mtime"]))


def is_written(entry: Entry, data: bytes) -> bool:
    """Return whether rookery wrote these bytes."""
    return disk.digest(data) in [*entry.get("written", []), entry["after"].get("digest")]


def file(undo: UndoContext, entry: Entry) -> None:
    """Undo a file that is rookery's own, such as start-pyenv or a drop-in."""
    real, before = real_of(entry), entry["before"]
    kind = undo.type_of(real)
    if kind == "absent":
        _missing(undo, entry)
    elif kind != "file":
        undo.leave(entry, "something else is there now")
    elif disk.digest(undo.read(real)) == before.get("digest"):
        undo.settle(entry)
    elif not is_written(entry, undo.read(real)):
        undo.leave(entry, "you have changed it since")
    else:
        undo.put_back(entry)


def link(undo: UndoContext, entry: Entry) -> None:
    """Undo a link."""
    real, before = real_of(entry), entry["before"]
    kind = undo.type_of(real)
    stands = {"type": kind}
    if kind == "link":
        stands["target"] = portable(os.readlink(real))
    elif kind == "file":
        stands["digest"] = disk.digest(undo.read(real))
    if kind == "link" and stands["target"] == entry["after"].get("target"):
        undo.put_back(entry)
    elif all(before.get(key) == value for key, value in stands.items()):
        undo.settle(entry)
    elif kind == "absent":
        _missing(undo, entry)
    else:
        undo.leave(entry, "something else is there now")


def directory(undo: UndoContext, entry: Entry) -> None:
    """Undo a folder: one that was made is removed when it is empty."""
    real, before = real_of(entry), entry["before"]
    if undo.type_of(real) == "absent":
        undo.settle(entry)
    elif undo.type_of(real) != "dir":
        undo.leave(entry, "something else is there now")
    elif before["type"] == "dir":
        if disk.mode_of(real) == int(entry["after"].get("mode", "0"), 8):
            undo.act(lambda: os.chmod(real, int(before["mode"], 8)))
        undo.settle(entry, RESTORED)
    elif not undo.names(real):
        undo.put_back(entry)
    elif "mode" in entry["after"]:
        undo.tell(entry, LEFT, "it has files of yours: " + contents(undo, real))
    else:
        undo.settle(entry)  # made on the way to something else, and in use by now


def contents(undo: UndoContext, folder: str) -> str:
    """Return the first few names in a folder; through folders that hold nothing but another one."""
    prefix, names = "", undo.names(folder)
    while len(names) == 1 and undo.type_of(os.path.join(folder, names[0])) == "dir":
        prefix, folder = prefix + portable(names[0]) + "/", os.path.join(folder, names[0])
        names = undo.names(folder)
    return prefix + ", ".join(map(portable, names[:5])) + (", …" if len(names) > 5 else "")


def block(undo: UndoContext, entry: Entry) -> None:
    """Undo a block in a file of the user's."""
    real, before = real_of(entry), entry["before"]
    if undo.type_of(real) != "file":
        _missing(undo, entry)
        return
    text = undo.read(real)
    marks = blocks.markers(entry["role"], entry["after"].get("comment", "#"))
    try:
        current = blocks.find(text, marks)
    except Problem as problem:
        undo.leave(entry, "{}; remove the rest of the block by hand".format(problem.message))
        return
    if current is None:
        undo.settle(entry)
        return
    if disk.digest(current.content) not in [*entry.get("written", []), entry["after"].get("block")]:
        undo.leave(entry, "you have changed rookery's lines")
        return
    rest = blocks.take_out(text, marks)
    if not rest and before["type"] == "absent":
        undo.put_back(entry)
    elif disk.digest(rest) == before.get("digest"):
        undo.write(real, rest, undo.mode_for(entry, real), before.get("mtime"))
        undo.settle(entry, RESTORED)
    else:
        status = os.stat(real)
        undo.write(real, rest, status.st_mode & 0o7777, status.st_mtime_ns)
        undo.settle(entry, RESTORED, "rookery's lines only; your changes since are kept")


def json_file(undo: UndoContext, entry: Entry) -> None:
    """Undo a JSON file that rookery shares with the user."""
    real, before = real_of(entry), entry["before"]
    if undo.type_of(real) != "file":
        _missing(undo, entry)
        return
    data = undo.read(real)
    if disk.digest(data) == before.get("digest"):
        undo.settle(entry)
        return
    if is_written(entry, data):
        undo.put_back(entry)
        return
    values = entry["after"].get("values", {})
    try:
        have, had = settings.parse(data), settings.parse(undo.kept(entry) or b"{}")
    except ValueError:
        undo.leave(entry, "it is no longer plain JSON; remove rookery's keys by hand: " + ", ".join(values))
        return
    rest = settings.without(have, values, had)
    is_as_before = json.dumps(rest) == json.dumps(had) if before["type"] == "file" else not rest
    if is_as_before:
        undo.put_back(entry)
    else:
        status = os.stat(real)
        undo.write(real, settings.render(rest, data), status.st_mode & 0o7777, status.st_mtime_ns)
        undo.settle(entry, RESTORED, "rookery's keys only; your settings since are kept")


KINDS: Dict[str, Callable[[UndoContext, Entry], None]] = {
    "directories": directory,
    "links": link,
    "files": file,
    "blocks": block,
    "json": json_file,
    "environment": file,
}
"""What takes back the things of each kind; moved folders and commands are `undo`'s alone."""


def _missing(undo: UndoContext, entry: Entry) -> None:
    if entry["before"]["type"] == "absent":
        undo.settle(entry)
    else:
        undo.leave(entry, "it no longer exists")


def record_guards(undo: UndoContext) -> None:
    """Enter the guard that made this home usable (rookery/homes/bashrc_guard.py) in the ledger.

    It went above the text of ~/.bashrc or ~/.zshenv before there was a ledger; a copy of the file as it was is kept,
    with its time.
    """
    for name in (".bashrc", ".zshenv"):
        _record_guard(undo, name, name[1:] + "-before-rescue")


def _record_guard(undo: UndoContext, name: str, kept: str) -> None:
    copy = os.path.join(undo.kept_folder, kept)
    data = disk.read(copy)
    if data is None:
        return
    path = os.path.join(undo.roots.home, name)
    entries = undo.ledger.entries
    entry = next((known for known in entries if (known["kind"], known["path"]) == ("blocks", portable(path))), None)
    if entry is None:
        if blocks.find(disk.read(path) or b"", blocks.markers("shell")) is None:
            return
        order = min((known["order"] for known in entries), default=1) - 1
        real = portable(os.path.realpath(path))
        entry = {"order": order, "role": "shell", "kind": "blocks", "path": portable(path), "real": real}
        entry.update(state="done", run="", when="", after={"type": "file", "digest": "0" * 64, "block": GUARD})
        entries.append(entry)
    status = os.stat(copy)
    entry["before"] = {
        "type": "file",
        "mode": "{:04o}".format(status.st_mode & 0o7777),
        "mtime": status.st_mtime_ns,
        "digest": disk.digest(data),
        "kept": kept,
    }
    entry["written"] = [*entry.get("written", []), GUARD]
