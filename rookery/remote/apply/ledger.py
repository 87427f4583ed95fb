"""The ledger: what was made or changed, and what was there before.

An entry is written (`planned`) before its change is made, and `done` after it. So after a `kill -9` the ledger
still knows the home as it was at first: the `before` of the first change to a path is never written over.
"""

import contextlib
import os
import re
import time
from typing import Any, Dict, Iterable, Iterator, List, Optional

from rookery.remote.apply import disk, records
from rookery.remote.apply.paths import Roots, is_inside, native, portable
from rookery.remote.apply.records import Entry

_SMALL = 1 << 20  # bytes of a file that a command made, up to which it is recognised by its content
_TICK = 10_000_000  # nanoseconds that the times of two changes made at once may differ by
_MANY = 5000  # names in a folder that a command adds to, up to which they are written down


def state_folder(home: str) -> str:
    """Return the folder where rookery keeps what it remembers of a home."""
    return os.path.join(home, ".local/state/rookery")


def make_state_folder(home: str) -> str:
    """Return the same folder, made if need be; only the user may look in.

    A file `made` in it tells undo which folders above it were made with it (lines `made PATH`), and the time of the
    one that they were made in: `time BEFORE AFTER PATH`, in nanoseconds. It comes with them, in one rename.
    """
    folder = state_folder(home)
    missing = [folder]
    while not os.path.isdir(os.path.dirname(missing[0])):
        missing.insert(0, os.path.dirname(missing[0]))
    if os.path.isdir(folder):
        return folder
    top, parent = missing[0], os.path.dirname(missing[0])
    finish_interrupted(home)
    before = os.stat(parent).st_mtime_ns
    temporary = "{}-{}".format(disk.beside(top), before)
    inner = temporary + folder[len(top) :]
    disk.step()
    os.makedirs(inner)
    os.chmod(inner, 0o700)
    note = "".join("made {}\n".format(portable(path)) for path in missing[:-1])
    times = "time {} {} {}\n".format(before, "{}", portable(parent))
    _write_note(inner, note + times.format("-"))
    try:
        disk.rename(temporary, top)
    except OSError:
        if not os.path.isdir(folder):
            raise
        return folder  # another run made it in this moment
    _write_note(folder, note + times.format(os.stat(parent).st_mtime_ns))
    return folder


def finish_interrupted(home: str) -> None:
    """Remove what a killed run has left of rookery's own folder: half made, or half removed by a purge.

    The name of each such folder ends with the time that the folder around it shall have.
    """
    top = state_folder(home)
    while len(top) > len(home):
        parent = os.path.dirname(top)
        if os.access(parent, os.R_OK | os.W_OK):  # nothing was made in a folder that can't be written to
            _discard(parent, os.path.basename(disk.beside(top)) + "-", unfinished=True)
            _discard(parent, os.path.basename(disk.gone_of(top)), unfinished=False)
        top = parent


def _discard(parent: str, start: str, *, unfinished: bool) -> None:
    for name in [name for name in os.listdir(parent) if name.startswith(start)]:
        path, wanted = os.path.join(parent, name), name[len(start) :].lstrip("-")
        alone = not unfinished or os.stat(parent).st_mtime_ns <= os.stat(path).st_mtime_ns + _TICK
        disk.sweep(path)
        if wanted.isdigit() and alone:  # no other program has written there since
            os.utime(parent, ns=(int(wanted), int(wanted)))


def _write_note(folder: str, note: str) -> None:
    disk.write(os.path.join(folder, "made"), note.encode("utf-8", "surrogateescape"), 0o600)


class Ledger:
    """The ledger of one home, as one role writes to it.

    Attributes:
        entries: Every change, the oldest first. Besides what the contract names an entry holds `written`
            (digests of the files or blocks that rookery put there) and, where a link was followed, `real` (the file
            that it led to).
    """

    def __init__(self, home: str, role: str, run: str, storage: Iterable[str] = ()) -> None:
        """Read the ledger.

        Args:
            home: The home folder.
            role: The role that writes to it.
            run: The run.
            storage: Where this run may write besides the home.

        Raises:
            Problem: It is damaged, or from a newer rookery.
        """
        self.home = home
        self.role = role
        self.run = run
        self.file = os.path.join(state_folder(home), "ledger.json")
        record = records.read(self.file)
        self.entries = record.entries
        self._saved = records.render(record) if record.version == records.VERSION else ""
        self.record = self._with_note(record)
        known = record.storage
        known += [folder for folder in dict.fromkeys(storage) if folder and folder not in known]
        self._roots = Roots(home, known)

    def find(self, kind: str, path: str) -> Optional[Entry]:
        """Return the entry of this role for a path, if it made or changed it."""
        wanted = (self.role, kind, portable(path))
        return next((entry for entry in self.entries if (entry["role"], entry["kind"], entry["path"]) == wanted), None)

    def plan(
        self, kind: str, path: str, real: str, after: Dict[str, Any], extra: Optional[Dict[str, Any]] = None
    ) -> Entry:
        """Write down a change before it is made; a copy of the old content is kept.

        Args:
            kind: The kind of the declaration that asks for it.
            path: What is changed, as declared.
            real: The same with links followed, where a link is followed for it.
            after: The state after the change.
            extra: What else belongs to `before`; all of it, where its type is in it.
        """
        entry = self.find(kind, path)
        if entry is None:
            order = 1 + max((entry["order"] for entry in self.entries), default=0)
            extra = extra or {}
            before = extra if "type" in extra else dict(self._before(real), **extra)
            entry = {"order": order, "role": self.role, "kind": kind, "path": portable(path), "before": before}
            if real != path:
                entry["real"] = portable(real)
            self.note_folder(os.path.dirname(real))
            self.entries.append(entry)
        else:
            self.note_folder(os.path.dirname(real))
        mark = after.get("block", after.get("digest"))
        if mark is not None:
            entry["written"] = ([*entry.get("written", []), mark])[-5:]
        entry.pop("undo", None)  # an undo that was cut off has been overtaken
        entry.update(after=dict(after), run=self.run, when=time.strftime("%Y-%m-%dT%H:%M:%S%z"), state="planned")
        self.save()
        return entry

    @contextlib.contextmanager
    def change(
        self, kind: str, path: str, real: str, after: Dict[str, Any], extra: Optional[Dict[str, Any]] = None
    ) -> Iterator[Entry]:
        """Plan a change, have it made in the block, then mark it `done` (which reaches the disk with the next save)."""
        entry = self.plan(kind, path, real, after, extra)
        yield entry
        entry["state"] = "done"
        self._settle(entry)

    def note_folder(self, folder: str) -> None:
        """Write down the time of a folder before something in it changes, so that undo can put it back."""
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if not self._roots.has_own(folder):
            return
        path, folders = portable(folder), self.record.folders
        if is_inside(folder, state_folder(self.home)) or any(
            entry["before"].get("type") == "absent" and path in (entry["path"], entry.get("real"))
            for entry in self.entries
        ):
            return
        now = os.stat(folder).st_mtime_ns
        known = folders.setdefault(path, {"mtime": now, "ours": now})
        if "want" in known:  # an undo that was cut off has been overtaken
            known.update(mtime=known.pop("want"), ours=now)
        if known["ours"] not in (None, now) and not self.was_cut_off_in(folder):
            known["mtime"] = now  # another program wrote in it since

    def was_cut_off_in(self, folder: str) -> bool:
        """Return whether a killed run may have changed something in a folder without noting it."""
        return any(entry["state"] == "planned" and folder in records.folders_of(entry) for entry in self.entries)

    def steady_folders(self) -> List[str]:
        """Return the folders that nobody wrote in since rookery did: what changes in them now is a command's doing."""
        return [
            path
            for path, known in self.record.folders.items()
            if os.path.isdir(native(path)) and os.stat(native(path)).st_mtime_ns == known["ours"]
        ]

    def settle_folder(self, folder: str) -> None:
        """Write down the time of a folder as rookery leaves it."""
        known = self.record.folders.get(portable(folder))
        if known is not None and os.path.isdir(folder):
            known["ours"] = os.stat(folder).st_mtime_ns

    def _settle(self, entry: Entry) -> None:
        for folder in records.folders_of(entry):
            self.settle_folder(folder)

    def confirm(self, kind: str, path: str) -> None:
        """Note that all is as declared: a change that a killed run had planned was made after all."""
        entry = self.find(kind, path)
        if entry is None:
            return
        if entry["state"] == "planned":
            self._settle(entry)
        entry["state"] = "done"

    def plan_made(self, path: str) -> Entry:
        """Write down that a command will make something, with the names that are in it where it is a folder."""
        names = os.listdir(path) if disk.type_of(path) == "dir" else []
        listed = disk.type_of(path) == "dir" and len(names) <= _MANY
        if listed:
            self.note_folder(path)
        extra = {"children": sorted(map(portable, names))} if listed else {}
        return self.plan("commands", path, path, {"type": "made"}, extra)

    def confirm_made(self, path: str) -> None:
        """Note what a command has made: undo needs it to tell that from what the user makes of it later."""
        entry = self.find("commands", path)
        if entry is None:
            return
        if entry["state"] == "planned":
            kind = disk.type_of(path)
            if kind == "file" and os.path.getsize(path) <= _SMALL:
                entry["after"]["digest"] = disk.digest(disk.read(path) or b"")
            elif kind == "dir" and "children" in entry["before"]:
                stood = set(entry["before"]["children"])
                entry["after"]["came"] = sorted(set(map(portable, os.listdir(path))) - stood)
                self.settle_folder(path)
            elif kind == "link":
                entry["after"]["target"] = portable(os.readlink(path))
        self.confirm("commands", path)

    def is_foreign(self, kind: str, path: str, data: bytes) -> bool:
        """Return whether others wrote these bytes since rookery first wrote to this path."""
        entry = self.find(kind, path)
        known = [] if entry is None else [*entry.get("written", []), entry["before"].get("digest")]
        return entry is not None and disk.digest(data) not in known

    def kept(self, path: str, data: bytes) -> str:
        """Return the path where a copy of these bytes is kept, or would be."""
        name = "{}-{}".format(os.path.basename(path).lstrip(".") or "file", disk.digest(data)[:16])
        return os.path.join(os.path.dirname(self.file), "kept", name)

    def keep(self, path: str, data: bytes) -> str:
        """Keep a copy of what is at `path`."""
        copy = self.kept(path, data)
        folder = os.path.dirname(copy)
        make_state_folder(self.home)
        if not os.path.isdir(folder):
            disk.make_folder(folder, 0o700)
        if not os.path.exists(copy):
            disk.write(copy, data, 0o600)
        return copy

    def drop(self, entry: Entry) -> None:
        """Drop an entry: its thing is as it was, or the user's by now."""
        self.entries.remove(entry)
        self.save()

    def save(self) -> None:
        """Write the ledger, if it has changed."""
        text = self._text()
        if text != self._saved and (self.entries or self._saved):
            make_state_folder(self.home)
            disk.write(self.file, text.encode(), 0o600)
            self._saved = text

    def _text(self) -> str:
        return records.render(self.record)

    def _before(self, real: str) -> Dict[str, Any]:
        before = disk.snapshot(real)
        if before["type"] == "file":
            before["kept"] = portable(os.path.basename(self.keep(real, disk.read(real) or b"")))
        return before

    def _with_note(self, record: records.LedgerRecord) -> records.LedgerRecord:
        """Return the record, with the folders that the file `made` names: they came before the ledger."""
        note = disk.read(os.path.join(os.path.dirname(self.file), "made")) or b""
        for line in note.decode("utf-8", "surrogateescape").splitlines():
            word, _, rest = line.partition(" ")
            if word == "made" and rest not in record.made:
                record.made.append(rest)
            match = re.match(r"time (\d+) (\d+|-) (.+)", line)
            if match:
                times = {"mtime": int(match[1]), "ours": None if match[2] == "-" else int(match[2])}
                record.folders.setdefault(match[3], times)
        return record
