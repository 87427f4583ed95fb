"""A folder carried to storage, and linked from where it was.

The original stays whole until everything in it has arrived. A run may be killed anywhere; the next one goes on:

    copy       path -> to.rookery-partial (or into `to` itself, if something is in it: nothing is overwritten)
    arrive     to.rookery-partial -> to
    set aside  path -> path.rookery-aside
    link       path -> to
    sweep      what appeared or changed meanwhile goes to `to` as well; a file in the aside is removed only while it
               still is what was carried; what changed in that moment is carried in the next round
"""

import json
import os
from typing import Any, Dict, NamedTuple

from converger import carry, disk
from converger.paths import is_inside, portable
from converger.problem import Problem, filesystem_of
from converger.records import Entry
from converger.work import Thing, Work

_ROUNDS = 10  # of sweeping after programs that go on writing


class Route(NamedTuple):
    """The places of a move: the folder, its destination, and a name beside each for what is on the way."""

    path: str
    to: str
    partial: str
    aside: str


def move(work: Work, item: Dict[str, Any]) -> None:
    """A folder is on storage, and a link is where it was."""
    path, to = work.roots.expand(item["path"]), work.roots.expand(item["to"])
    source, target = work.roots.place(path), work.roots.follow(to)
    route = Route(source, target, target + ".rookery-partial", source + ".rookery-aside")
    thing = Thing("moves", path, item.get("what") or "{} on {}".format(work.roots.show(path), work.roots.show(to)))
    stands = disk.type_of(source)
    if stands in ("file", "other"):
        raise Problem(
            "{} is not a folder, so it can't be moved to {}".format(work.roots.show(path), to), "move it away"
        )
    _refuse_nesting(work, route, stands)
    unfinished = os.path.isdir(route.aside)
    right = stands == "link" and os.path.realpath(source) == target
    if not unfinished and (
        (right and os.path.isdir(target)) or (stands == "dir" and os.path.realpath(source) == target)
    ):
        work.present(thing)
        return
    if stands == "link" and not right and os.path.exists(source):
        there = work.roots.show(os.readlink(source))
        work.tell(
            thing, "kept", "{} already is a link to {}, and was left as it is".format(work.roots.show(path), there)
        )
        return
    load = carry.weigh(source) if stands == "dir" else carry.Load(0, 0)
    work.room.require([(target, load.bytes / 1e6)], "moving " + work.roots.show(path))
    report = carry.Report(target + ".from-home")

    def act() -> None:
        after = {"type": "link", "target": portable(to)}
        found = _found(work, route) if work.ledger.find("moves", path) is None else {}
        work.make_folders(os.path.dirname(target))
        work.ledger.note_folder(os.path.dirname(target))
        with work.ledger.change("moves", path, source, after, found) as entry:
            _carry_out(work, entry, route, report)
            work.ledger.settle_folder(os.path.dirname(target))

    before = {"absent": "", "dir": "folder, {} files, {:.1f} MB\n".format(load.files, load.bytes / 1e6)}
    diff = work.diff(path, before.get(stands, "link\n"), "link to {}\n".format(to))
    work.change(thing, "made" if stands == "absent" else "changed", diff, act)
    work.outcomes[-1]["note"] = report.note(work.roots)


def _found(work: Work, route: Route) -> Dict[str, Any]:
    """What stood at the destination; and where two folders become one, what was whose."""
    stands = disk.type_of(route.to)
    if stands != "dir":
        return {"to": stands}
    there = disk.snapshot(route.to)
    found = {"to": stands, "there": {"mode": there["mode"], "mtime": there["mtime"]}}
    if disk.type_of(route.path) == "dir" and os.listdir(route.to):
        stood, mine = carry.listing(route.to), carry.listing(route.path)
        told = {"stood": stood, "both": {name: mine[name] for name in mine if name in stood}}
        copy = work.ledger.keep(route.path + ".json", json.dumps(told).encode())
        found["mixed"] = portable(os.path.basename(copy))
    return found


def _refuse_nesting(work: Work, route: Route, stands: str) -> None:
    source = os.path.realpath(route.path) if stands == "dir" else route.path
    if source != route.to and (is_inside(route.to, source) or is_inside(source, route.to)):
        raise Problem("{} can't be moved to {}: one is inside the other".format(work.roots.show(source), route.to))


def _carry_out(work: Work, entry: Entry, route: Route, report: carry.Report) -> None:
    if os.path.isdir(route.path) and not os.path.islink(route.path):
        if os.path.isdir(route.aside):
            _sweep(route, entry, report)  # a killed run's: something made the folder anew before the link was there
        _fill(work, entry, route, report)
        disk.rename(route.path, route.aside)
    if not os.path.isdir(route.to):
        disk.make_folder(route.to)
    if not os.path.islink(route.path) or os.path.realpath(route.path) != route.to:
        disk.link(route.path, route.to)
    if os.path.isdir(route.aside):
        _sweep(route, entry, report)


def _fill(work: Work, entry: Entry, route: Route, report: carry.Report) -> None:
    """Copy everything to the destination; on failure the original is untouched, and what was copied in vain is gone."""
    if os.path.isdir(route.to) and os.listdir(route.to):
        disk.remove_tree(route.partial, ignore_errors=True)
        carry.over(route.path, route.to, carry.NEWER if entry.get("arrived") else carry.NEVER, report)
        return
    try:
        carry.over(route.path, route.partial, carry.ALWAYS, report)
    except (OSError, Problem):
        disk.remove_tree(route.partial, ignore_errors=True)
        raise
    disk.rename(route.partial, route.to)
    entry["arrived"] = (
        True  # what is in `to` from here on came from this folder, so that a newer version may replace it
    )
    work.ledger.save()


def _sweep(route: Route, entry: Entry, report: carry.Report) -> None:
    """Carry what appeared meanwhile, and remove the aside."""
    for _ in range(_ROUNDS):
        carried = carry.over(route.aside, route.to, carry.NEWER if entry.get("arrived") else carry.NEVER, report)
        os.sync()
        if carry.remove(route.aside, carried):
            return
    raise Problem(
        "programs go on writing to {}, which is on its way to {}".format(route.aside, filesystem_of(route.to)),
        "end them, then run the same command again",
    )
