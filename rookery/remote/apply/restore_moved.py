"""Bring a moved folder back whole from the storage to where it was, with what has come into it since."""

import os
from typing import List, NamedTuple, Tuple

from rookery.remote.apply import disk, merged, weigh
from rookery.remote.apply.paths import native, portable
from rookery.remote.apply.problem import Problem, explain
from rookery.remote.apply.records import Entry, is_merged, real_of
from rookery.remote.apply.relocate import aside_of, carry, is_folder, is_sealed, revert
from rookery.remote.apply.restore import LEFT, REMOVED, RESTORED, UndoContext, remake


class Places(NamedTuple):
    """Where a folder was, with a link to it now, and where it is."""

    path: str
    to: str


def places(back: UndoContext, entry: Entry) -> Places:
    """Return the places of a move."""
    return Places(real_of(entry), back.roots.follow(native(str(entry["after"]["target"]))))


def needs(back: UndoContext, entries: List[Entry], grain: int) -> List[Tuple[str, float]]:
    """Where what must come back will be, and how many MB of it; what can't come back is noted in `back.obstacles`."""
    needed = []
    for entry in entries:
        place = places(back, entry)
        source = next((path for path in (place.to, aside_of(place.to)) if is_folder(path)), "")
        if not source or not _comes_back(back, entry, place):
            continue
        try:
            load = weigh.weigh(source, grain)
        except OSError as error:
            back.obstacles[entry["path"]] = explain(error).message
        except Problem as problem:
            back.obstacles[entry["path"]] = problem.message
        else:
            needed.append((os.path.dirname(place.path), load.bytes / 1e6))
    return needed


def move(back: UndoContext, entry: Entry) -> None:
    """Bring a folder back into the home, where it was."""
    place = places(back, entry)
    stays = back.roots.show(place.to)
    obstacle = back.obstacles.get(entry["path"])
    if obstacle:
        back.tell(entry, LEFT, "it stays in {}, and linked: {}".format(stays, portable(obstacle)))
        return
    if is_merged(entry):
        merged.restore(back, entry, place.path, place.to)
        return
    if entry["state"] == "planned":
        back.act(lambda: _end_interrupted(place))
    if _comes_back(back, entry, place):
        back.take_away(place.to, lambda: _bring_back(entry, place))
        back.settle(entry, RESTORED, "with what has come into it since")
    elif not _is_our_link(place):
        _leave(back, entry, place)
    elif entry["before"]["type"] == "link" or _led_to_users(entry):
        _drop_hollow(back, entry, place)  # the link led to nothing
        back.put_back(entry, "what is in {} stays there".format(stays))
    else:
        back.remove(place.path)
        _drop_hollow(back, entry, place)
        gone = entry["before"]["type"] == "dir"
        note = "what was in it is not on the storage any more ({})".format(stays) if gone else ""
        back.settle(entry, LEFT if gone else REMOVED, note)


def _end_interrupted(place: Places) -> None:
    """Bring a move that was cut off to its end, or to before it where its copy is not whole."""
    if is_sealed(place.path, place.to):
        carry(place.path, place.to, leave_link=True)
    elif not is_folder(aside_of(place.to)):
        revert(place.path, place.to)


def _comes_back(back: UndoContext, entry: Entry, place: Places) -> bool:
    """Whether there is a folder to bring back: rookery's link leads to it, or it is on its way."""
    if is_folder(aside_of(place.to)) or (entry["state"] == "planned" and is_sealed(place.path, place.to)):
        return True
    if not _is_our_link(place) or back.type_of(place.to) != "dir" or _led_to_users(entry):
        return False
    before: str = entry["before"]["type"]
    return before == "dir" or (before == "absent" and bool(back.names(place.to)))


def _is_our_link(place: Places) -> bool:
    return disk.type_of(place.path) == "link" and os.path.realpath(place.path) == place.to


def _led_to_users(entry: Entry) -> bool:
    """Whether the link was made to a folder of the user's own, which stood on the storage before."""
    return bool(entry["before"]["type"] != "dir" and entry["before"].get("to") == "dir")


def _bring_back(entry: Entry, place: Places) -> None:
    carry(place.to, place.path, leave_link=False)
    _remake(entry, place)


def _remake(entry: Entry, place: Places) -> None:
    """Make the empty folder of the user's that a moved folder took the place of."""
    there = entry["before"].get("there")
    if isinstance(there, dict) and not os.path.lexists(place.to) and os.path.isdir(os.path.dirname(place.to)):
        remake(place.to, there)


def _leave(back: UndoContext, entry: Entry, place: Places) -> None:
    """Nothing is brought back: something else than rookery's link stands there."""
    if disk.type_of(place.path) == entry["before"]["type"] or is_folder(aside_of(place.path)):
        _drop_hollow(back, entry, place)
        back.act(lambda: _remake(entry, place))
        back.settle(entry)
        return
    stays = back.roots.show(place.to)
    back.leave(entry, "you have put something else there since; {} stays as it is".format(stays))


def _drop_hollow(back: UndoContext, entry: Entry, place: Places) -> None:
    if entry["before"].get("to") == "absent" and back.type_of(place.to) == "dir" and not back.names(place.to):
        back.remove(place.to)
