"""Read a ledger's file, upgrade it to the newest form, and check it for undo before anything is done.

Version 1 had `entries` alone. Version 2 added `folders` (the times of folders that rookery wrote in), `made` (the
folders above its own that it made), `storage` (where it was allowed to write, besides the home) and `left`. In
version 3 a moved folder has a place of its own on the storage; before, it was merged into the storage (`is_merged`).
"""

import json
import os
import re
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

from rookery.remote import strict_json
from rookery.remote.apply import disk
from rookery.remote.apply.paths import Roots, is_inside, native, portable
from rookery.remote.apply.problem import Problem

VERSION = 3
KINDS = ("directories", "moves", "links", "files", "blocks", "json", "environment", "commands")
_TYPES = {"order": int, "role": str, "kind": str, "path": str, "state": str, "before": dict, "after": dict}
_BEFORE = ("absent", "file", "dir", "link", "other")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_MODE = re.compile(r"[0-7]{4}\Z")

Entry = Dict[str, Any]


class LedgerRecord(NamedTuple):
    """The content of a ledger's file.

    Attributes:
        entries: Every change, the oldest first.
        folders: By path: `mtime` before rookery wrote in it, and as rookery left it (`ours`; None where not known).
        made: Folders above rookery's own that it made.
        storage: The storage folders of the runs so far.
        left: Files that undo left, as the user had changed them: `path`, and the copy of the old content (`kept`).
        version: The version that the file is of; 0 where there is none.
    """

    entries: List[Entry]
    folders: Dict[str, Dict[str, Any]]
    made: List[str]
    storage: List[str]
    left: List[Dict[str, str]]
    version: int


def read(file: str) -> LedgerRecord:
    """Return the ledger in a file.

    Raises:
        Problem: It is damaged, or from a newer rookery.
    """
    data = disk.read(file)
    if data is None:
        return LedgerRecord([], {}, [], [], [], 0)
    try:
        document = strict_json.loads(data)
        version = document["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(file) from error
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _damaged(file)
    if version > VERSION:
        raise Problem(
            "{} was written by a newer rookery (format {}; this one reads up to {})".format(file, version, VERSION),
            "update rookery on this laptop",
        )
    if version == 1:
        document.update(folders={}, made=[], storage=[], left=[])
    if not _is_whole(document):
        raise _damaged(file)
    return LedgerRecord(
        document["entries"], document["folders"], document["made"], document["storage"], document["left"], version
    )


def real_of(entry: Entry) -> str:
    """Return the path of an entry's thing, as this Python names files."""
    return native(str(entry.get("real") or entry["path"]))


def folders_of(entry: Entry) -> List[str]:
    """Return the folders in which the change of an entry makes or removes a name."""
    places = [real_of(entry)] + ([native(str(entry["after"]["target"]))] if entry["kind"] == "moves" else [])
    return [os.path.dirname(place) for place in places]


def is_merged(entry: Entry) -> bool:
    """Return whether rookery 0.1.0 merged a folder of the home into the storage, which is not done any more."""
    before = entry["before"]
    return before["type"] == "dir" and before.get("to") == "dir" and not entry.get("arrived")


def render(record: LedgerRecord) -> str:
    """Return the text of a ledger's file, in the newest version."""
    document = {
        "version": VERSION,
        "entries": record.entries,
        "folders": record.folders,
        "made": record.made,
        "storage": record.storage,
        "left": record.left,
    }
    return json.dumps(document, indent=1) + "\n"


def _is_whole(document: Dict[str, Any]) -> bool:
    """Return whether all of a ledger is of the type that it should be."""
    try:
        entries = all(isinstance(entry[key], kind) for entry in document["entries"] for key, kind in _TYPES.items())
        folders = all(
            isinstance(times["mtime"], int)
            and isinstance(times["ours"], (int, type(None)))
            and isinstance(times.get("want", 0), int)
            for times in document["folders"].values()
        )
        lists = all(isinstance(document[key], list) for key in ("entries", "made", "storage", "left"))
        paths = [*document["made"], *document["storage"]]
        paths += [left[key] for left in document["left"] for key in ("path", "kept")]
    except (KeyError, TypeError, AttributeError):
        return False
    return entries and folders and lists and all(isinstance(path, str) and "\0" not in path for path in paths)


def _damaged(file: str) -> Problem:
    return Problem(
        "the ledger {} is damaged, so nothing was changed".format(file),
        "mv {0} {0}.damaged   # on the cluster, then run the same command again; undo loses its record".format(file),
    )


def doubts(record: LedgerRecord, roots: Roots) -> Optional[str]:
    """Return the first thing in a ledger that no rookery would have written there.

    Undo goes by one without such alone.
    """
    keys = set()
    for number, entry in enumerate(record.entries, 1):
        fault = _fault(entry, roots)
        key = (entry["role"], entry["kind"], entry["path"])
        if fault is None and key in keys:
            fault = "duplicate entry"
        if fault is not None:
            return "entry {} ({}): {}".format(number, entry["path"][:200], fault)
        keys.add(key)
    for path in record.storage:
        if not os.path.isabs(path) or os.path.normpath(path) != path or path.strip("/") == "":
            return "{} can't be a storage folder".format(path[:200])
    for path in [*record.folders, *record.made]:
        if not _is_ours(path, roots):
            return "{} is outside the home and the storage".format(path[:200])
    if len({entry["order"] for entry in record.entries}) != len(record.entries):
        return "two entries have the same number"
    return None


def _fault(entry: Entry, roots: Roots) -> Optional[str]:
    before, after = entry["before"], entry["after"]
    if entry["kind"] not in KINDS:
        return "unknown kind {!r}".format(entry["kind"][:40])
    if entry["state"] not in ("planned", "done"):
        return "unknown state {!r}".format(entry["state"][:40])
    if before.get("type") not in _BEFORE:
        return "the earlier content has an unknown type"
    paths = [entry["path"], entry.get("real", entry["path"])]
    if entry["kind"] == "moves":
        paths.append(after.get("target"))
    outside = [path for path in paths if path == portable(roots.home) or not _is_ours(path, roots)]
    if outside:
        return "{} is outside the home and the storage".format(str(outside[0])[:200])
    if entry["kind"] == "moves" and (is_inside(paths[0], paths[2]) or is_inside(paths[2], paths[0])):
        return "a folder can't be moved into itself"
    return None if _fits(before) and _fits(after) and _are_texts(entry.get("written", [])) else "invalid values"


def _fits(state: Dict[str, Any]) -> bool:
    """Return whether the state of a thing has the form that it should have."""
    kept = state.get("kept", "")
    return (
        isinstance(kept, str)
        and "/" not in kept
        and kept not in (".", "..")
        and _DIGEST.match(str(state.get("digest", "0" * 64))) is not None
        and _MODE.match(str(state.get("mode", "0755"))) is not None
        and isinstance(state.get("mtime", 0), int)
        and isinstance(state.get("group", 0), int)
        and isinstance(state.get("target", ""), str)
        and isinstance(state.get("values", {}), dict)
        and all(_are_texts(state.get(key, [])) for key in ("children", "came", "stood"))
        and (state.get("type") != "file" or ("digest" in state and ("kept" in state or "mtime" not in state)))
    )


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _is_ours(path: Any, roots: Roots) -> bool:
    """Return whether a path is in the home or on the storage: as it is written, and where its folder leads."""
    if not isinstance(path, str) or "\0" in path:
        return False
    path = native(path)
    if not os.path.isabs(path) or os.path.normpath(path) != path:
        return False
    named: Iterable[str] = [roots.home, *roots.allowed]
    if not any(is_inside(path, folder) and path != folder for folder in named):
        return path in named  # the home itself may be a folder whose time is known
    try:
        roots.place(path)
    except Problem:
        return False
    return True
