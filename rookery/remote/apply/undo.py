"""Restore a home as it was before rookery, by its ledger alone: in reverse order, each thing noted when it is done.

If a run is killed, the next one continues. Nothing is begun where the ledger is not one that a rookery wrote,
or where the home has too little room for what must come back.
"""

import contextlib
import glob
import os
import pwd
import shutil
import time
from typing import Any, Dict, List, Optional

from rookery.remote.apply import disk, jobs, presence, process, records, reply, restore, restore_moved, uninstall
from rookery.remote.apply.disk_space import DiskSpace
from rookery.remote.apply.lease import Lease
from rookery.remote.apply.ledger import Ledger, finish_interrupted, state_folder
from rookery.remote.apply.paths import Roots, is_inside, native, portable
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.records import Entry, real_of
from rookery.remote.apply.restore import UndoContext

_STANDS_ON = {"python_tools": "python"}  # the first one's tools run on the second one's Python
_STAYS = ("ledger.json", "kept", "made", "lock", "lease.json")  # of rookery's state, unless it is purged

_KINDS = {**restore.KINDS, "moves": restore_moved.move}

Payload = Dict[str, Any]


def main(payload: Payload) -> None:
    """Carry out the laptop's request, and answer."""
    reply.main(UndoSession, payload)


class UndoSession:
    """A request of the laptop to undo a home.

    Its payload: `run` (id, who, laptop), `storage` (where rookery may write), `space` (MB left of a quota, by path),
    `grain` (bytes that the smallest file takes in the home), `check`, `only` (roles; all where empty), `purge`.
    """

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.home = reply.home_folder()
        self.undo: Optional[UndoContext] = None
        self.found = False
        self.notes: List[str] = []

    def run(self) -> Dict[str, Any]:
        """Undo the home, or in check mode report what would be undone."""
        if not self.payload["check"]:
            finish_interrupted(self.home)
        if not os.path.isdir(state_folder(self.home)):
            return self.result()
        if self.payload["check"]:
            self._take_back(None)
            return self.result()
        with Lease(self.home, self.payload["run"]) as lease:
            try:
                self._take_back(lease)
            finally:
                if os.path.exists(os.path.join(state_folder(self.home), "ledger.json")):
                    with contextlib.suppress(OSError):  # what went wrong counts more, and a lease runs out
                        lease.release()
        return self.result()

    def result(self) -> Dict[str, Any]:
        """Return what was done so far."""
        outcomes = self.undo.outcomes if self.undo else []
        return {"found": self.found, "outcomes": outcomes, "notes": self.notes}

    def _take_back(self, lease: Optional[Lease]) -> None:
        payload = self.payload
        ledger = Ledger(self.home, "undo", payload["run"]["id"])
        roots = Roots(self.home, [*payload["storage"], *ledger.record.storage])
        fault = records.doubts(ledger.record, roots)
        if fault is not None:
            raise Problem("the ledger {} is damaged, so nothing was changed: {}".format(ledger.file, fault))
        self.undo = undo = UndoContext(roots, ledger, DiskSpace(payload["space"]), payload["check"], payload["purge"])
        restore.record_guards(undo)
        _record_python(undo)
        entries = _chosen(undo, payload["only"])
        self.found = bool(ledger.entries or ledger.record.left or payload["purge"])
        presence.require(undo, entries)
        needed = restore_moved.needs(undo, [entry for entry in entries if entry["kind"] == "moves"], payload["grain"])
        undo.disk_space.require(needed, "moving folders back from the storage")
        if not payload["only"]:
            self.notes += _end_jobs(self.home, undo.check)
        if undo.check:
            self.notes += _warnings(self.home)
        times = _Times(undo, entries)
        covering = uninstall.cover(undo, entries)
        for entry in sorted(entries, key=lambda entry: -int(entry["order"])):
            if lease is not None:
                lease.renew()
            if entry["kind"] == "moves":
                times.put_back()  # those in the folder go with it
            _take(undo, entry, covering)
        if not payload["only"]:
            self._clear_state(undo)
        times.put_back()
        self._end(undo, times)

    def _end(self, undo: UndoContext, times: "_Times") -> None:
        """End an undo: nothing is left to take back; or something is, and the ledger stays.

        Raises:
            Problem: A folder could not be brought back.
        """
        if undo.obstacles and not undo.check:
            times.forget()
            stays = "; ".join("{} stays on the storage: {}".format(*pair) for pair in sorted(undo.obstacles.items()))
            raise Problem(stays, "fix that, then run the same command again")
        if self.payload["purge"]:
            self._purge(undo)
            times.put_back()
        elif not undo.check:
            times.forget()

    def _clear_state(self, undo: UndoContext) -> None:
        """Remove what rookery remembers besides the ledger."""
        folder = state_folder(self.home)
        for name in sorted(os.listdir(folder)):
            if name not in _STAYS:
                undo.remove(os.path.join(folder, name))

    def _purge(self, undo: UndoContext) -> None:
        """Remove all that is rookery's, but for copies of files whose place has other content of the user's now."""
        folder, record = state_folder(self.home), undo.ledger.record
        wanted = {native(left["kept"]) for left in record.left}
        kept = os.listdir(undo.kept_folder) if os.path.isdir(undo.kept_folder) else []
        needed = sorted(wanted.intersection(kept))
        if needed:
            note = "kept {}: it has the only copies of {} of your earlier files; rm -r it when you no longer need them"
            self.notes.append(note.format(undo.roots.show(undo.kept_folder), len(needed)))
        if undo.check:
            return
        if needed:
            for name in [name for name in kept if name not in needed]:
                disk.clear(os.path.join(undo.kept_folder, name))
            for name in [name for name in os.listdir(folder) if name != "kept"]:
                disk.clear(os.path.join(folder, name))
            return
        top = folder
        above = [native(path) for path in record.made]
        while os.path.dirname(top) in above and os.listdir(os.path.dirname(top)) == [os.path.basename(top)]:
            top = os.path.dirname(top)
        want = record.folders.get(portable(os.path.dirname(top)), {}).get("want")
        disk.rename(top, disk.gone_of(top) + ("" if want is None else "-{}".format(want)))
        finish_interrupted(self.home)


class _Times:
    """Times of folders that are not rookery's, before rookery wrote in them."""

    def __init__(self, undo: UndoContext, entries: List[Entry]) -> None:
        self.undo = undo
        self.folders = undo.ledger.record.folders
        if undo.check:
            return
        touched = {folder for entry in entries for folder in records.folders_of(entry)}
        touched |= {native(path) for path in self.folders}
        for folder in touched:
            known = self.folders.get(portable(folder), {})
            if os.path.isdir(folder) and undo.roots.has_own(folder) and "want" not in known:
                now = os.stat(folder).st_mtime_ns
                known = dict({"mtime": now, "ours": now}, **known)
                ours = known["ours"] in (None, now) or undo.ledger.was_cut_off_in(folder)
                known["want"] = known["mtime"] if ours else now
                self.folders[portable(folder)] = known
        undo.ledger.save()

    def put_back(self) -> None:
        """Restore the folders' times, and note them as rookery's."""
        if self.undo.check:
            return
        for path, known in list(self.folders.items()):
            folder, want = native(path), known.get("want")
            if not os.path.isdir(folder):
                del self.folders[path]
            elif want is not None:
                os.utime(folder, ns=(want, want))
                known["ours"] = want

    def forget(self) -> None:
        """Remove the record of times, at the end of an undo."""
        for known in self.folders.values():
            known.pop("want", None)
        self.undo.ledger.save()


def _take(undo: UndoContext, entry: Entry, covering: Dict[str, List[str]]) -> None:
    real = real_of(entry)
    if os.path.isdir(os.path.dirname(real)):
        undo.act(lambda: disk.discard(disk.beside(real)))
    if entry["kind"] == "commands":
        uninstall.command(undo, entry, covering)
    elif uninstall.is_prefix(entry):
        uninstall.prefix(undo, entry)
    else:
        _KINDS[entry["kind"]](undo, entry)


def _chosen(undo: UndoContext, only: List[str]) -> List[Entry]:
    """Return the entries to undo.

    Raises:
        Problem: A role is named that did nothing here, or that another one depends on.
    """
    entries = undo.ledger.entries
    roles = list(dict.fromkeys(entry["role"] for entry in entries))
    for role in only:
        if role not in roles:
            known = ", ".join(roles) or "none"
            raise Problem("role {} has nothing to undo in this home; roles that have: {}".format(role, known))
    chosen = [entry for entry in entries if not only or entry["role"] in only]
    rest = [entry for entry in entries if entry not in chosen]
    for entry in chosen:
        above = sorted({other["role"] for other in rest if _stands_on(other, entry)})
        if above:
            raise Problem(
                "can't undo {} alone: {} need{} it".format(
                    entry["role"], ", ".join(above), "s" if len(above) == 1 else ""
                ),
                "undo them together: use --tags " + ",".join(sorted({*only, *above})),
            )
    return list(chosen)


def _stands_on(entry: Entry, other: Entry) -> bool:
    """Return whether what one role did needs what the other did."""
    if _STANDS_ON.get(entry["role"]) == other["role"]:
        return True
    if other["role"] == "shell" and entry["kind"] == "environment":
        return True  # no shell would read it
    holds = other["kind"] in ("moves", "commands") or uninstall.is_prefix(other)
    places = [real_of(other)] + ([native(str(other["after"]["target"]))] if other["kind"] == "moves" else [])
    path = real_of(entry)
    return holds and any(path != place and is_inside(path, place) for place in places)


def _record_python(undo: UndoContext) -> None:
    """Enter a Python that rookery installed before there was a ledger in the ledger, with its folders."""
    path = os.path.join(state_folder(undo.roots.home), "python")
    entries = undo.ledger.entries
    if disk.type_of(path) != "link":
        return
    python = os.path.realpath(path)
    head, separator, _ = python.partition("/rookery/")
    folder = os.path.join(head, "rookery", python[len(head) + len(separator) :].split("/")[0])
    things = [
        ("directories", os.path.dirname(folder)),
        ("directories", folder),
        ("directories", os.path.join(folder, "bin")),
        ("commands", os.path.join(folder, "python")),
        ("commands", os.path.join(folder, "bin/uv")),
        ("commands", path),
    ]
    lowest = min([0] + [entry["order"] for entry in entries])
    known = {entry["path"] for entry in entries if entry["before"]["type"] == "absent"}
    for number, (kind, place) in enumerate(things):
        if separator and portable(place) not in known:
            entry = {"order": lowest - len(things) + number, "role": "cluster", "kind": kind, "path": portable(place)}
            entry.update(state="done", before={"type": "absent"}, after={"type": "made"}, run="", when="")
            entries.append(entry)


def _warnings(home: str) -> List[str]:
    """Return warnings for the user, before anything is done."""
    notes = []
    if shutil.which("squeue"):
        user = pwd.getpwuid(os.getuid()).pw_name
        finished = process.run(["squeue", "--noheader", "--user=" + user, "--format=%j"], {}, 20)
        count = sum(not name.startswith("rookery-") for name in finished.lines) if finished.code == 0 else 0
        if count:
            notes.append("{} of your jobs are pending or running; those that use these tools will fail".format(count))
    projects = os.path.join(home, "projects")
    deployed = glob.glob(os.path.join(glob.escape(projects), "*/repository.git"))
    if deployed:
        names = ", ".join(sorted(portable(os.path.basename(os.path.dirname(path))) for path in deployed))
        notes.append("kept ~/projects, your work: " + names)
    return notes


def _end_jobs(home: str, check: bool) -> List[str]:
    """End the Slurm jobs of a killed setup; return a note on each."""
    notes = []
    folder = os.path.join(state_folder(home), "jobs")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for key in [name[:-3] for name in names if name.endswith(".sh")]:
        job = jobs.attached(home, key)
        if job is None or jobs.state(job)["state"] not in ("pending", "running"):
            continue
        notes.append(
            "{} Slurm job {} of an interrupted setup".format("would end" if check else "ended", job.text("id"))
        )
        if not check:
            process.run(["scancel", job.text("id")], {}, 60)
            deadline = time.monotonic() + 60
            while jobs.state(job)["state"] in ("pending", "running") and time.monotonic() < deadline:
                time.sleep(0.5)
    return notes
