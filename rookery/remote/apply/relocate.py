"""Move a folder of the home whole to a place of rookery's own on the storage, and link to it from where it was.

Nothing is ever merged: everything else on the storage is left alone. The folder stays whole until its copy is whole. A
run may be killed anywhere; the next one continues:

    copy       source -> target.rookery-partial
    set aside  source -> source.rookery-aside
    copy       once more, so that the copy holds exactly what was set aside
    seal       target.rookery-partial -> target
    link       source -> target, or for undo the link at `target` has gone before the seal
    drain      source.rookery-aside is removed; what programs wrote to it meanwhile goes to the target first
"""

import contextlib
import os
from typing import Any, Dict, Set

from rookery.remote.apply import disk, tree_copy, weigh
from rookery.remote.apply.paths import is_inside, native, portable
from rookery.remote.apply.problem import Problem, explain, filesystem_of
from rookery.remote.apply.records import is_merged
from rookery.remote.apply.work import Thing, Work

_ROUNDS = 10  # of draining after programs that go on writing


def move(work: Work, item: Dict[str, Any]) -> None:
    """Move a folder to the storage, and leave a link where it was.

    Args:
        work: The work of this declaration.
        item: `path` and `storage`. ~/.cache goes to STORAGE/rookery/home/.cache, a place of rookery's own; where the
            home has none, the link leads to STORAGE/.cache, if the user has that, and unless `adopt` is false.
    """
    move = _Move(work, item)
    move.finish_interrupted()
    obstacle = move.obstacle()
    if move.is_done():
        work.present(move.thing)
    elif obstacle:
        work.tell(move.thing, "kept", obstacle)
    else:
        move.carry_out()


class _Move:
    """A folder that shall be on the storage, and what is in the places that it takes."""

    def __init__(self, work: Work, item: Dict[str, Any]) -> None:
        path = work.roots.expand(item["path"])
        # what 0.1.0 declared, and left in the home, has `to` instead: STORAGE/.cache
        storage = work.roots.expand(item["storage"] if "storage" in item else os.path.dirname(item["to"]))
        inner = os.path.relpath(path, work.roots.home) if is_inside(path, work.roots.home) else os.path.basename(path)
        to = os.path.join(storage, "rookery/home", inner)
        self.work = work
        self.path = path
        self.source = work.roots.place(path)
        self.target = work.roots.follow(to)
        self.existing = os.path.join(storage, os.path.basename(path)) if item.get("adopt", True) else self.target
        self.entry = work.ledger.find("moves", path)
        self.shown = work.roots.show(path)
        self.thing = Thing("moves", path, item.get("what") or "{} on {}".format(self.shown, work.roots.show(to)))
        self.load = weigh.Load(0, 0)

    def finish_interrupted(self) -> None:
        """Finish what a killed undo, or a run of an older rookery to another place, has begun."""
        if self.entry is None or self.work.check:
            return
        former = os.path.realpath(native(str(self.entry["after"]["target"])))
        if is_folder(aside_of(former)):
            carry(self.work.roots.follow(former), self.source, leave_link=False)
        elif former != self.target and not is_merged(self.entry) and is_folder(aside_of(self.source)):
            carry(self.source, self.work.roots.follow(former), leave_link=True)
        elif former != self.target:
            disk.sweep(partial_of(former))
        if os.path.realpath(self.source) == former and not is_folder(aside_of(former)):
            disk.sweep(partial_of(self.source))  # what an undo had copied back

    def is_done(self) -> bool:
        """Return whether the folder is on the storage already."""
        real = os.path.realpath(self.source)
        if is_folder(aside_of(self.source)) or not os.path.isdir(real):
            return False
        return real in (self.target, os.path.realpath(self.existing))

    def obstacle(self) -> str:
        """Return why the folder stays as it is; "" where it can be moved, or a link made."""
        stands, aside = disk.type_of(self.source), aside_of(self.source)
        if stands == "link":
            return self._link_obstacle()
        if stands not in ("absent", "dir"):
            return "{} is not a folder; it was kept".format(self.shown)
        if not is_folder(aside):
            return self._folder_obstacle() if stands == "dir" else ""
        if self.entry is None or not is_merged(self.entry):
            return ""
        return "{} has files that an older rookery had not moved yet; undo restores them".format(
            self.work.roots.show(aside)
        )

    def _link_obstacle(self) -> str:
        real = os.path.realpath(self.source)
        is_to_be_made = real == os.path.realpath(self.existing) and not os.path.lexists(self.existing)
        if real == self.target or is_to_be_made:
            return ""
        leads_to = self.work.roots.show(os.readlink(self.source))
        missing = "" if os.path.exists(self.source) else ", which does not exist"
        return "{} is a link to {}{}; it was kept".format(self.shown, leads_to, missing)

    def _folder_obstacle(self) -> str:
        real, target = os.path.realpath(self.source), self.work.roots.show(self.target)
        if is_inside(self.target, real) or is_inside(real, self.target):
            return "{} stays in the home: it contains {}, or is inside it".format(self.shown, target)
        if self.entry is not None and is_merged(self.entry):
            return "{} stays in the home: its undo was interrupted; run undo again first".format(self.shown)
        if self._is_empty_again():
            return ""
        if is_folder(self.target) and os.listdir(self.target):
            return "{} stays in the home: {} already has files, and folders are not merged".format(self.shown, target)
        return self._cannot_be_copied()

    def _is_empty_again(self) -> bool:
        """Return whether an empty folder took the place of rookery's link: then a link can take its place again."""
        return self.entry is not None and is_folder(self.target) and not os.listdir(self.source)

    def _cannot_be_copied(self) -> str:
        try:
            self.load = weigh.weigh(self.source)
        except OSError as error:
            reason = explain(error).message
        except Problem as problem:
            reason = problem.message
        else:
            return ""
        return "{} stays in the home: {}".format(self.shown, portable(reason))

    def carry_out(self) -> None:
        """Move the folder, or make the link where there is none."""
        stands = disk.type_of(self.source)
        target = self._link_target(stands)
        self.work.disk_space.require([(target, self.load.bytes / 1e6)], "moving " + self.shown)
        before = {"absent": "", "dir": "folder, {} files, {:.1f} MB\n".format(*self._size())}
        diff = self.work.diff(self.path, before.get(stands, "link\n"), "link to {}\n".format(portable(target)))
        sockets: Set[str] = set()
        state = "made" if stands == "absent" else "changed"
        self.work.change(self.thing, state, diff, lambda: sockets.update(self._carry_out(stands, target)))
        self.work.outcomes[-1]["note"] = self._note(stands, sockets)

    def _carry_out(self, stands: str, target: str) -> Set[str]:
        ledger, aside = self.work.ledger, aside_of(self.source)
        is_empty = stands == "dir" and self._is_empty_again()
        moving = is_folder(aside) or (stands == "dir" and not is_empty)
        extra: Dict[str, Any] = {"to": "absent" if moving else disk.type_of(target)}
        if moving and is_folder(target) and not is_folder(aside):
            extra["there"] = disk.snapshot(target)  # it is empty, and undo makes it again
        self.work.make_folders(os.path.dirname(target))
        ledger.note_folder(os.path.dirname(target))
        with ledger.change("moves", self.path, self.source, {"type": "link", "target": portable(target)}, extra):
            if is_empty:
                os.rmdir(self.source)
            elif moving and is_folder(target) and not is_folder(aside):
                os.rmdir(target)  # it is empty
            sockets = carry(self.source, target, leave_link=True) if moving else set()
            _link(self.source, target)
        return sockets

    def _size(self) -> "tuple[int, float]":
        return self.load.files, self.load.bytes / 1e6

    def _link_target(self, stands: str) -> str:
        """Return where the link will lead: to the user's own folder on the storage where the home has none."""
        if stands == "link":
            return os.path.realpath(self.source)
        ours = is_folder(aside_of(self.source)) or is_folder(self.target)
        if stands == "absent" and not ours and os.path.isdir(self.existing):
            with contextlib.suppress(Problem):  # it leads out of the storage
                return self.work.roots.follow(self.existing)
        return self.target

    def _note(self, stands: str, sockets: Set[str]) -> str:
        notes = []
        if stands == "dir" and self.existing != self.target and os.path.lexists(self.existing):
            notes.append("kept {}, which existed already".format(self.work.roots.show(self.existing)))
        if sockets:
            notes.append("skipped sockets of running programs: " + ", ".join(sorted(sockets)[:3]))
        return "; ".join(notes)


def carry(source: str, target: str, *, leave_link: bool) -> Set[str]:
    """Move a folder whole to an empty place, or one with only a link to it; continue a killed run's move.

    Args:
        source: The folder.
        target: Where it goes.
        leave_link: Whether a link to the target takes its place.

    Returns:
        Sockets that were left out.

    Raises:
        OSError: It can't be copied; the source is as it was.
        Problem: Programs go on writing to it.
    """
    sockets: Set[str] = set()
    for _ in range(_ROUNDS):  # programs may make the folder anew in the moments in which none is there
        if not is_folder(target) or is_folder(partial_of(target)):
            sockets |= _copy(source, target)
        elif leave_link and is_folder(source):
            tree_copy.drain(source, target)
        elif leave_link and not os.path.islink(source):
            _link(source, target)
        elif not is_folder(aside_of(source)) or tree_copy.drain(aside_of(source), target):
            return sockets
    raise Problem(
        "programs keep writing to {}, which is being moved to {}".format(source, filesystem_of(target)),
        "stop them, then run the same command again",
    )


def revert(source: str, target: str) -> None:
    """Undo a move that was killed before its copy was sealed: the folder is where it was, the copy is gone."""
    aside = aside_of(source)
    if is_folder(aside):
        if is_folder(source):  # a program has made it anew
            tree_copy.drain(source, aside)
        disk.rename(aside, source)
    disk.sweep(partial_of(target))


def is_sealed(source: str, target: str) -> bool:
    """Return whether a move that was cut off has its whole copy in place."""
    return is_folder(target) and not is_folder(partial_of(target)) and is_folder(aside_of(source))


def is_folder(path: str) -> bool:
    """Return whether a path is a folder, and not a link to one."""
    return disk.type_of(path) == "dir"


def partial_of(target: str) -> str:
    """Return the name of a copy that is not whole yet."""
    return target + ".rookery-partial"


def aside_of(source: str) -> str:
    """Return the name of a folder that has been copied, or is about to be, and waits for its removal."""
    return source + ".rookery-aside"


def _copy(source: str, target: str) -> Set[str]:
    """Copy the folder, set it aside, and put the copy in place."""
    aside, partial = aside_of(source), partial_of(target)
    try:
        if is_folder(source) and not is_folder(aside):
            sockets = tree_copy.mirror(source, partial)
            disk.rename(source, aside)
        elif is_folder(source):
            tree_copy.drain(source, aside)
        sockets = tree_copy.mirror(aside, partial)
        if is_folder(target):  # made by a program while none was there
            tree_copy.drain(target, partial)
    except (OSError, Problem):
        revert(source, target)
        raise
    os.sync()
    if os.path.islink(target):
        disk.discard(target)
    disk.rename(partial, target)
    return sockets


def _link(path: str, target: str) -> None:
    if not is_folder(target):
        disk.make_folder(target)
    if not os.path.islink(path) or os.path.realpath(path) != target:
        disk.link(path, target)
