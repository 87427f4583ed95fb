"""A folder carried back from storage to where it was, with what has come into it since.

What is on the storage stays whole until everything has arrived in the home. A run may be killed anywhere; the next one
goes on:

    copy     to -> path.rookery-partial
    place    the link is removed, path.rookery-partial -> path   (`undo: placed` is in the ledger from before this)
    sweep    what appeared or changed meanwhile goes to `path` as well, then `to` is removed

On one filesystem `to` itself takes the place of the link. Where the folder was put among files that stood at the
destination before, those stay there (`mixed` in the ledger tells what was whose).
"""

import errno
import json
import os
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from converger import carry, disk
from converger.paths import native, portable
from converger.problem import Problem, filesystem_of
from converger.records import Entry, real_of
from converger.takeback import LEFT, REMOVED, RESTORED, Back

_ROUNDS = 10  # of sweeping after programs that go on writing

Listing = Dict[str, List[int]]


class Way(NamedTuple):
    """The places of a move that is taken back.

    Attributes:
        path: Where the folder was, and a link is now.
        to: Where it is.
        partial: What is on its way back.
        aside: What a move that was cut off has left beside `path`.
        clashes: What the move put apart, since something else of that name stood at the destination.
        stood: What stood at the destination before, by name in it.
        both: What of the home's had the name of something that stood there.
    """

    path: str
    to: str
    partial: str
    aside: str
    clashes: str
    stood: Listing
    both: Listing


def way_of(back: Back, entry: Entry) -> Way:
    """The way back of a move."""
    path = real_of(entry)
    target = back.roots.follow(native(entry["after"]["target"]))
    told: Dict[str, Any] = {}
    if entry["before"].get("mixed"):
        data = disk.read(os.path.join(back.kept_folder, native(entry["before"]["mixed"])))
        if data is None:
            raise Problem(
                "what of {} came from the home is not known any more: its list in {} is gone".format(
                    back.roots.show(target), back.roots.show(back.kept_folder)
                ),
                "carry back by hand what is yours, then run the same command again",
            )
        told = json.loads(data.decode())
    elif _is_untold(entry) and os.path.isdir(target):
        everything = carry.listing(target)
        told = {"stood": everything, "both": everything}
    return Way(
        path,
        target,
        path + ".rookery-partial",
        path + ".rookery-aside",
        target + ".from-home",
        told.get("stood", {}),
        told.get("both", {}),
    )


def _is_untold(entry: Entry) -> bool:
    """Whether two folders became one without a list of what was whose, as the ledger's version 1 had it."""
    before = entry["before"]
    both = before["type"] == "dir" and before.get("to") == "dir"
    return both and not entry.get("arrived") and not before.get("mixed")


def needs(back: Back, entries: List[Entry], grain: int) -> List[Tuple[str, float]]:
    """Where what must come back will be, and how many MB of it; what is on one filesystem needs no room."""
    needed = []
    for entry in entries:
        way = way_of(back, entry)
        if _stays(back, entry, way) or _is_rename(back, entry, way) or not os.path.isdir(way.to):
            continue
        load = carry.weigh(way.to, grain)
        needed.append((os.path.dirname(way.path), load.bytes / 1e6))
    return needed


def move(back: Back, entry: Entry) -> None:
    """A folder is in the home again, where it was."""
    way = way_of(back, entry)
    if entry["state"] == "planned":
        back.act(lambda: _unmove(entry, way))
    if _stays(back, entry, way):
        _leave(back, entry, way)
        return
    there, came_from_home = back.type_of(way.to) == "dir", entry["before"]["type"] == "dir"
    has_content = there and (came_from_home or bool(back.names(way.to)))
    if entry.get("undo") != "placed" and not has_content:
        _drop_link(back, entry, way)
        return
    back.act(lambda: _carry_back(back, entry, way))
    note = "with what has come into it since"
    if _is_untold(entry):
        note = "with all that is in {}, where it stays as well: what came from the home can't be told from the rest"
    back.settle(entry, RESTORED, note.format(back.roots.show(way.to)))


def _stays(back: Back, entry: Entry, way: Way) -> bool:
    """Whether there is nothing to carry: the link is not rookery's any more, or leads to what stood there before."""
    if entry.get("undo") == "placed":
        return False
    if disk.type_of(way.path) != "link" or os.path.realpath(way.path) != way.to:
        return not (back.check and entry["state"] == "planned" and disk.type_of(way.aside) == "dir")
    before = entry["before"]
    stood_alone = before["type"] != "dir" and before.get("to") == "dir"
    return bool(stood_alone or before["type"] == "link")


def _leave(back: Back, entry: Entry, way: Way) -> None:
    """Nothing is carried; a link of rookery's goes all the same."""
    before, kind = entry["before"], disk.type_of(way.path)
    if kind == "link" and os.path.realpath(way.path) == way.to:
        back.put_back(entry, "what is in {} stays there".format(back.roots.show(way.to)))
    elif kind == before["type"]:
        _drop_hollow_destination(back, entry, way)
        back.settle(entry)
    else:
        back.leave(entry, "you have put something else there since; {} stays as it is".format(back.roots.show(way.to)))


def _drop_link(back: Back, entry: Entry, way: Way) -> None:
    """Nothing is to be carried: nothing was there before and nothing has come since, or what was there is gone."""
    back.remove(way.path)
    _drop_hollow_destination(back, entry, way)
    if entry["before"]["type"] == "dir":
        back.settle(entry, LEFT, "what was in it is not on the storage any more ({})".format(back.roots.show(way.to)))
        return
    back.settle(entry, REMOVED)


def _drop_hollow_destination(back: Back, entry: Entry, way: Way) -> None:
    if entry["before"].get("to") == "absent" and back.type_of(way.to) == "dir" and not back.names(way.to):
        back.remove(way.to)


def _is_rename(back: Back, entry: Entry, way: Way) -> bool:
    """Whether the folder can take the place of the link as it is: one filesystem, and one quota."""
    if not os.path.isdir(way.to) or way.stood or os.path.ismount(way.to) or entry.get("undo") == "copied":
        return False
    if back.room.area(way.to)[0] != back.room.area(os.path.dirname(way.path))[0]:
        return False
    return os.stat(way.to).st_dev == os.lstat(os.path.dirname(way.path)).st_dev


def _unmove(entry: Entry, way: Way) -> None:
    """Bring a move that was cut off to where it can be taken back: to before it, or to its end."""
    disk.sweep(way.to + ".rookery-partial")
    if disk.type_of(way.aside) != "dir":
        if disk.type_of(way.path) == "dir" and entry["before"]["type"] == "dir" and entry.get("undo") != "placed":
            _forget_copy(entry, way)
        return
    if disk.type_of(way.path) == "absent":
        disk.rename(way.aside, way.path)
        _forget_copy(entry, way)
        return
    report = carry.Report(way.clashes)
    carried = carry.over(way.aside, way.to, carry.NEWER if entry.get("arrived") else carry.NEVER, report)
    carry.remove(way.aside, carried)


def _forget_copy(entry: Entry, way: Way) -> None:
    """Remove from the destination what was copied there, where the original still is whole."""
    if not way.stood:
        if os.path.isdir(way.to) and carry.is_copy(way.to, way.path):
            disk.sweep(way.to)
        _restore_destination(entry, way)
        return
    for name in sorted(carry.listing(way.to), reverse=True):
        if name not in way.stood:
            disk.clear(os.path.join(way.to, name))
    disk.sweep(way.clashes)
    _restore_destination(entry, way)


def _carry_back(back: Back, entry: Entry, way: Way) -> None:
    if entry.get("undo") != "placed":
        whole = _is_rename(back, entry, way)
        if not whole:
            _copy(way)
        entry["undo"] = "placed"
        back.ledger.save()
        _place(back, entry, way)
    elif disk.type_of(way.path) != "dir":
        _place(back, entry, way)
    elif disk.type_of(way.partial) == "dir":  # some program made the folder anew in this moment
        carry.over(way.partial, way.path, carry.NEWER, carry.Report(way.path + ".from-storage"))
        disk.sweep(way.partial)
    if os.path.isdir(way.to):
        _sweep(way)
    _restore_destination(entry, way)


def _copy(way: Way) -> None:
    disk.sweep(way.partial)
    carry.over(way.to, way.partial, carry.ALWAYS, carry.Report(way.clashes), _stayers(way))
    _add_clashed(way)


def _place(back: Back, entry: Entry, way: Way) -> None:
    """What is whole takes the place of the link: the copy, or the folder on the storage itself."""
    disk.discard(way.path)
    try:
        disk.rename(way.partial if disk.type_of(way.partial) == "dir" else way.to, way.path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        disk.link(way.path, way.to)  # two parts of one filesystem that share no files
        entry["undo"] = "copied"
        _copy(way)
        entry["undo"] = "placed"
        back.ledger.save()
        _place(back, entry, way)


def _stayers(way: Way) -> Callable[[str], bool]:
    """What stays at the destination: what stood there and was not the home's as well."""
    return lambda name: portable(name) in way.stood and portable(name) not in way.both


def _add_clashed(way: Way) -> None:
    """What the move had put apart gets its name back; folders and files of both their old modes and times."""
    if os.path.isdir(way.clashes):
        carry.over(way.clashes, way.partial, carry.ALWAYS, carry.Report(way.clashes))
    for name in carry.listing(way.partial):
        if name in way.stood and name not in way.both and os.path.isdir(os.path.join(way.partial, native(name))):
            _drop_hollow(os.path.join(way.partial, native(name)))
    _stamp(way.partial, way.both)


def _drop_hollow(folder: str) -> None:
    """A folder that only stood at the destination, unless something has come into it since."""
    if os.path.isdir(folder) and not any(files for _, _, files in os.walk(folder)):
        disk.sweep(folder)


def _stamp(folder: str, listing: Listing) -> None:
    """Give modes and times, the innermost first."""
    for name in sorted(listing, reverse=True):
        path = os.path.normpath(os.path.join(folder, native(name)))
        if disk.type_of(path) in ("file", "dir"):
            mode, mtime = listing[name]
            os.chmod(path, mode)
            os.utime(path, ns=(mtime, mtime))


def _sweep(way: Way) -> None:
    """Carry what appeared meanwhile, and remove the storage side, but for what stood there before."""
    for _ in range(_ROUNDS):
        report = carry.Report(way.path + ".from-storage")
        carried = carry.over(way.to, way.path, carry.NEWER, report, _stayers(way)) if not way.stood else {}
        os.sync()
        if way.stood:
            _remove_all_but(way)
            return
        if carry.remove(way.to, carried):
            return
    raise Problem(
        "programs go on writing to {}, which is on its way to {}".format(way.to, filesystem_of(way.path)),
        "end them, then run the same command again",
    )


def _remove_all_but(way: Way) -> None:
    """Remove from the destination what did not stand there before, and what the move had put apart."""
    for folder, names, files in os.walk(way.to, topdown=False):
        for name in files + names:
            path = os.path.join(folder, name)
            inner = os.path.relpath(path, way.to)
            if portable(inner) not in way.stood and os.path.lexists(os.path.join(way.path, inner)):
                disk.clear(path)
    disk.sweep(way.clashes)


def _restore_destination(entry: Entry, way: Way) -> None:
    """The destination is as it was before the move."""
    there = entry["before"].get("there")
    if entry["before"].get("to") == "dir" and not os.path.isdir(way.to):
        disk.make_folder(way.to)
    if way.stood and os.path.isdir(way.to):
        _stamp(
            way.to, {name: way.stood[name] for name in way.stood if os.path.isdir(os.path.join(way.to, native(name)))}
        )
    elif there is not None and os.path.isdir(way.to):
        _stamp(way.to, {".": [int(there["mode"], 8), there["mtime"]]})
