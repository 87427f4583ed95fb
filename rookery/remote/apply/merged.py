"""Undo a move of rookery 0.1.0 that merged a folder of the home into the storage.

It wrote down what was on the storage before, and which of the home's names were among it; files of the home that
clashed went to a folder `.from-home` beside it. The home gets back everything that was not on the storage before, and
its own version of what clashed. On the storage nothing is removed but what is in the home again, byte for byte.
"""

import os
import stat
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from rookery.remote import strict_json
from rookery.remote.apply import disk, tree_copy
from rookery.remote.apply.paths import native, portable
from rookery.remote.apply.records import Entry
from rookery.remote.apply.relocate import aside_of, is_folder, partial_of
from rookery.remote.apply.restore import LEFT, RESTORED, UndoContext

OF_HOME = ".from-home"
"""What the name of the folder with the home's version of clashes ends with."""

Listing = Dict[str, List[int]]  # by name in a tree, `.` for itself: mode and time of change


class Merge(NamedTuple):
    """The two trees that were merged into one.

    Attributes:
        path: Where the home's was, with a link now.
        to: Where both are.
        stood: The names that were on the storage before; None where they are not known.
        both: Names of the home that were on the storage too, as they were in the home.
    """

    path: str
    to: str
    stood: Optional[Listing]
    both: Listing

    @property
    def of_home(self) -> List[str]:
        """Trees with the home's own version of what clashed: the second is there where a run was cut off."""
        return [tree for tree in (self.to + OF_HOME, aside_of(self.path)) if is_folder(tree)]


def restore(undo: UndoContext, entry: Entry, path: str, to: str) -> None:
    """Give the home its folder back."""
    listings = _listings(undo, entry)
    merge = Merge(path, to, listings.get("stood"), listings.get("both", {}))
    if disk.type_of(path) in ("file", "other") or (os.path.islink(path) and os.path.realpath(path) != to):
        undo.leave(entry, "you have put something else there since; {} was kept".format(undo.roots.show(to)))
        return
    if is_folder(path) and entry["state"] == "done" and entry.get("undo") != "placed":
        places = " and ".join(undo.roots.show(tree) for tree in [to, *merge.of_home])
        undo.leave(entry, "you have put another folder there since; {} was kept".format(places))
        return
    if not is_folder(path) and not is_folder(to) and not merge.of_home and entry.get("undo") != "placed":
        undo.remove(path)
        undo.settle(entry, LEFT, "its files are no longer on the storage ({})".format(undo.roots.show(to)))
        return
    undo.act(lambda: _restore(undo, entry, merge))
    note = "with files added since; what was in {} before setup stays there"
    if merge.stood is None:
        note = "with all files of {}, which are kept there too: it is not known which came from the home"
    undo.settle(entry, RESTORED, note.format(undo.roots.show(to)))


def _listings(undo: UndoContext, entry: Entry) -> Dict[str, Any]:
    """Return what the move wrote down; nothing where it is lost or damaged."""
    name = entry["before"].get("mixed")
    data = disk.read(os.path.join(undo.kept_folder, native(name))) if isinstance(name, str) else None
    try:
        listings = strict_json.loads(data or b"{}")
        is_whole = all(_is_listing(listings[key]) for key in ("stood", "both"))
    except (ValueError, KeyError, TypeError):
        return {}
    return dict(listings) if is_whole else {}


def _is_listing(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(number, int) for number in pair)
        for pair in value.values()
    )


def _restore(undo: UndoContext, entry: Entry, merge: Merge) -> None:
    partial = partial_of(merge.path)
    is_gone = entry["state"] == "done" and entry.get("undo") != "placed" and not os.path.lexists(merge.path)
    if is_gone or os.path.islink(merge.path):
        _gather(merge, partial)
        os.sync()
        entry["undo"] = "placed"  # from here on the copy is whole
        undo.ledger.save()
        disk.discard(merge.path)
    elif entry.get("undo") != "placed" and is_folder(aside_of(merge.path)) and not is_folder(merge.path):
        disk.rename(aside_of(merge.path), merge.path)  # the move was cut off before there was a link
    if entry.get("undo") == "placed" and is_folder(partial):
        if is_folder(merge.path):  # a program has made it anew in this moment
            tree_copy.drain(merge.path, partial)
        disk.rename(partial, merge.path)
    if not is_folder(merge.path):
        disk.make_folder(merge.path)
    for tree in merge.of_home:
        _remove_copies(tree, merge.path, {})
        tree_copy.remove_if_empty(tree)
    if merge.stood is not None and is_folder(merge.to):
        _remove_copies(merge.to, merge.path, merge.stood)
        _stamp(merge.to, {name: merge.stood[name] for name in merge.stood if is_folder(_inside(merge.to, name))})


def _gather(merge: Merge, partial: str) -> None:
    """Copy what the home shall have."""
    disk.sweep(partial)
    if is_folder(merge.to):
        tree_copy.mirror(merge.to, partial)
    else:  # its user has removed it
        disk.make_folder(partial)
    for name in sorted(merge.stood or {}, reverse=True):
        path = _inside(partial, name)
        if name in merge.both:
            continue
        if is_folder(path):
            tree_copy.remove_if_empty(path)
        else:
            disk.discard(path)
    unchanged = [name for name in merge.both if _is_as_it_stood(merge, name)]
    for tree in merge.of_home:
        for name in _names(tree):
            _put_in(_inside(tree, name), _inside(partial, name), partial, merge.path + ".from-storage")
    _stamp(partial, {name: merge.both[name] for name in unchanged})


def _is_as_it_stood(merge: Merge, name: str) -> bool:
    path, stood = _inside(merge.to, name), (merge.stood or {}).get(name)
    return stood is not None and os.path.lexists(path) and (is_folder(path) or os.lstat(path).st_mtime_ns == stood[1])


def _put_in(path: str, goal: str, top: str, apart: str) -> None:
    """Put the home's version of a file in place of the storage's, which stays on the storage."""
    if tree_copy.same_content(path, goal):
        return
    above = goal
    while above != top:
        above = os.path.dirname(above)
        if os.path.lexists(above) and not is_folder(above):
            disk.discard(above)
    if is_folder(goal) and os.listdir(goal):  # it came into the storage's folder of that name since
        aside = apart + goal[len(top) :]
        os.makedirs(os.path.dirname(aside), mode=0o700, exist_ok=True)
        disk.rename(goal, aside)
    disk.clear(goal)
    os.makedirs(os.path.dirname(goal), mode=0o700, exist_ok=True)
    tree_copy.copy(path, goal, tree_copy.usual_groups(path, goal))


def _remove_copies(tree: str, home: str, stay: Listing) -> None:
    """Remove from a tree what is in the home as well, byte for byte, and was not there before."""
    for name in sorted(_names(tree, folders=True), reverse=True):
        path = _inside(tree, name)
        if name in stay:
            continue
        parent = os.path.dirname(path)
        status = os.lstat(parent)
        disk.make_writable(parent)
        if is_folder(path):
            tree_copy.remove_if_empty(path)
        elif tree_copy.same_content(path, _inside(home, name)):
            disk.discard(path)
        os.chmod(parent, stat.S_IMODE(status.st_mode))


def _names(tree: str, folders: bool = False) -> Iterator[str]:
    """Yield names in a tree, as the ledger writes them: of files, and of folders where these are asked for."""
    for folder, names, others in list(os.walk(tree)):
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]
        for name in others + (names if folders else links):
            yield portable(os.path.relpath(os.path.join(folder, name), tree))


def _inside(folder: str, name: str) -> str:
    return os.path.normpath(os.path.join(folder, native(name)))


def _stamp(folder: str, listing: Listing) -> None:
    """Set modes and times, the innermost first."""
    for name in sorted(listing, reverse=True):
        path = _inside(folder, name)
        if disk.type_of(path) in ("file", "dir"):
            mode, mtime = listing[name]
            os.chmod(path, mode)
            os.utime(path, ns=(mtime, mtime))
