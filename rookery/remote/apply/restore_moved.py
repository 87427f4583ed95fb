"""Move a folder back whole from the storage to where it was, with what was added to it since."""

import os
from typing import List, NamedTuple, Tuple

from rookery.remote.apply import disk, merged, weigh
from rookery.remote.apply.paths import native, portable
from rookery.remote.apply.problem import Problem, explain
from rookery.remote.apply.records import Entry, is_merged, real_of
from rookery.remote.apply.relocate import aside_of, carry, is_folder, is_sealed, revert
from rookery.remote.apply.restore import LEFT, REMOVED, RESTORED, UndoContext, remake


class Places(NamedTuple):
    """The old place of a folder, where there is a link now, and its place on the storage."""

    path: str
    to: str


def places(undo: UndoContext, entry: Entry) -> Places:
    """Return the places of a move."""
    return Places(real_of(entry), undo.roots.follow(native(str(entry["after"]["target"]))))


def needs(undo: UndoContext, entries: List[Entry], grain: int) -> List[Tuple[str, float]]:
    """Return where what must come back will be, and how many MB; what can't is noted in `undo.obstacles`."""
    needed = []
    for entry in entries:
        place = places(undo, entry)
        source = next((path for path in (place.to, aside_of(place.to)) if is_folder(path)), "")
        if not source or not _comes_back(undo, entry, place):
            continue
        try:
            load = weigh.weigh(source, grain)
        except OSError as error:
            undo.obstacles[entry["path"]] = explain(error).message
        except Problem as problem:
            undo.obstacles[entry["path"]] = problem.message
        else:
            needed.append((os.path.dirname(place.path), load.bytes / 1e6))
    return needed


def move(undo: UndoContext, entry: Entry) -> None:
    """Bring a folder back into the home, where it was."""
    place = places(undo, entry)
    stays = undo.roots.show(place.to)
    obstacle = undo.obstacles.get(entry["path"])
    if obstacle:
        undo.tell(entry, LEFT, "it stays in {}, with a link to it: {}".format(stays, portable(obstacle)))
        return
    if is_merged(entry):
        merged.restore(undo, entry, place.path, place.to)
        return
    if entry["state"] == "planned":
        undo.act(lambda: _end_interrupted(place))
    if _comes_back(undo, entry, place):
        undo.take_away(place.to, lambda: _bring_back(entry, place))
        undo.settle(entry, RESTORED, "with files added since")
    elif not _is_our_link(place):
        _leave(undo, entry, place)
    elif entry["before"]["type"] == "link" or _led_to_users(entry):
        _drop_hollow(undo, entry, place)  # the link led to nothing
        undo.put_back(entry, "the files in {} stay there".format(stays))
    else:
        undo.remove(place.path)
        _drop_hollow(undo, entry, place)
        gone = entry["before"]["type"] == "dir"
        note = "its files are no longer on the storage ({})".format(stays) if gone else ""
        undo.settle(entry, LEFT if gone else REMOVED, note)


def _end_interrupted(place: Places) -> None:
    """Finish a killed move, or undo it where its copy is not whole."""
    if is_sealed(place.path, place.to):
        carry(place.path, place.to, leave_link=True)
    elif not is_folder(aside_of(place.to)):
        revert(place.path, place.to)


def _comes_back(undo: UndoContext, entry: Entry, place: Places) -> bool:
    """Return whether there is a folder to bring back: rookery's link leads to it, or it is on its way."""
    if is_folder(aside_of(place.to)) or (entry["state"] == "planned" and is_sealed(place.path, place.to)):
        return True
    if not _is_our_link(place) or undo.type_of(place.to) != "dir" or _led_to_users(entry):
        return False
    before: str = entry["before"]["type"]
    return before == "dir" or (before == "absent" and bool(undo.names(place.to)))


def _is_our_link(place: Places) -> bool:
    return disk.type_of(place.path) == "link" and os.path.realpath(place.path) == place.to


def _led_to_users(entry: Entry) -> bool:
    """Return whether the link was made to a folder of the user's own, which was on the storage before."""
    return bool(entry["before"]["type"] != "dir" and entry["before"].get("to") == "dir")


def _bring_back(entry: Entry, place: Places) -> None:
    carry(place.to, place.path, leave_link=False)
    _remake(entry, place)


def _remake(entry: Entry, place: Places) -> None:
    """Make the empty folder of the user's again that a moved folder took the place of."""
    replaced = entry["before"].get("there")
    if isinstance(replaced, dict) and not os.path.lexists(place.to) and os.path.isdir(os.path.dirname(place.to)):
        remake(place.to, replaced)


def _leave(undo: UndoContext, entry: Entry, place: Places) -> None:
    """Report that nothing is brought back: something else than rookery's link is there."""
    if disk.type_of(place.path) == entry["before"]["type"] or is_folder(aside_of(place.path)):
        _drop_hollow(undo, entry, place)
        undo.act(lambda: _remake(entry, place))
        undo.settle(entry)
        return
    stays = undo.roots.show(place.to)
    undo.leave(entry, "you have put something else there since; {} was kept".format(stays))


def _drop_hollow(undo: UndoContext, entry: Entry, place: Places) -> None:
    if entry["before"].get("to") == "absent" and undo.type_of(place.to) == "dir" and not undo.names(place.to):
        undo.remove(place.to)
