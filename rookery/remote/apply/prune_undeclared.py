"""Undo what a role wrote once and declares no longer; what the user changed is left.

Installed tools and moved folders stay: removing those is for `undo`, which asks first.
"""

import os
from typing import Any, Dict, List, Set, Tuple

from rookery.remote.apply.paths import portable
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.records import Entry, real_of
from rookery.remote.apply.work import Thing, Work

_KINDS = ("links", "files", "blocks", "json", "environment", "directories")


def remove(work: Work, declaration: Dict[str, Any]) -> None:
    """Undo what this role's whole declaration no longer has."""
    entries = _undeclared(work, declaration)
    if entries:
        _take_back(work, entries)


def _take_back(work: Work, entries: List[Entry]) -> None:
    from rookery.remote.apply import restore

    undo, count = restore.UndoContext(work.roots, work.ledger, work.disk_space, work.check), 0
    for entry in sorted(entries, key=lambda entry: -int(entry["order"])):
        folder = os.path.dirname(real_of(entry))
        if not work.check:
            work.ledger.note_folder(folder)
        restore.KINDS[entry["kind"]](undo, entry)
        if not work.check:
            work.ledger.settle_folder(folder)
        for outcome in undo.outcomes[count:]:
            thing = Thing(entry["kind"], real_of(entry), outcome["what"])
            if outcome["state"] == restore.LEFT:
                work.tell(thing, "kept", "no longer needed, but " + outcome["note"])
                continue
            work.changed = True
            note = "no longer needed: " + outcome["state"]
            work.diffs.append(work.diff(thing.path, "as rookery wrote it\n", outcome["state"] + "\n"))
            work.tell(thing, "would-change" if work.check else "changed", note)
        count = len(undo.outcomes)


def _undeclared(work: Work, declaration: Dict[str, Any]) -> List[Entry]:
    """Return the entries to undo; of folders those that hold nothing else."""
    declared, places = _declared(work, declaration)
    entries: List[Entry] = []
    gone: Set[str] = set()
    for entry in sorted(work.ledger.entries, key=lambda entry: (entry["kind"] == "directories", -len(real_of(entry)))):
        real, kind = real_of(entry), entry["kind"]
        is_declared = (kind, entry["path"]) in declared or (kind, real) in places
        if entry["role"] != work.ledger.role or kind not in _KINDS or is_declared:
            continue
        if entry["after"].get("by"):
            continue  # a command's, which may not run again
        is_folder = kind == "directories" and os.path.isdir(real)
        is_in_use = is_folder and not gone.issuperset(os.path.join(real, name) for name in os.listdir(real))
        if not is_in_use and _may_be_written(work, real):
            entries.append(entry)
            gone.add(real)
    return entries


def _declared(work: Work, declaration: Dict[str, Any]) -> "Tuple[Set[Tuple[str, str]], Set[Tuple[str, str]]]":
    """Return kind and path of all that is declared, and kind and place: a file may have got another name."""
    paths = []
    for kind in _KINDS:
        items = declaration.get(kind, [])
        for item in [items] if isinstance(items, dict) else items:
            if kind == "environment":
                from rookery.remote.apply import shells

                name = "~/.config/rookery/env.d/{}.{}"
                paths += [(kind, name.format(item["name"], shell)) for shell in item.get("shells", shells.FORMS)]
            else:
                paths.append((kind, item["path"]))
    full = [(kind, work.roots.expand(path)) for kind, path in paths]
    places = {(kind, os.path.realpath(path)) for kind, path in full if kind != "links"}
    return {(kind, portable(path)) for kind, path in full}, places


def _may_be_written(work: Work, real: str) -> bool:
    try:
        work.roots.place(real)
    except Problem:
        return False
    return True
