"""Check that a storage is mounted, before anything on it is called gone.

A network storage that is not mounted is an empty folder, or none. The ledger's things on it would count as removed, be
forgotten, and stay there for good.
"""

import os
import shlex
from typing import List

from rookery.remote.apply import merged
from rookery.remote.apply.paths import is_inside, native, portable
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.records import Entry, real_of
from rookery.remote.apply.restore import UndoContext


def require(undo: UndoContext, entries: List[Entry]) -> None:
    """Refuse to go on where nothing is there of all that the ledger has on a storage.

    An undo that is under way has seen it, and may have taken the last of it back.

    Raises:
        Problem: Nothing of it is there.
    """
    made = [entry for entry in entries if entry["state"] == "done"]
    moved = [native(str(entry["after"]["target"])) for entry in made if entry["kind"] == "moves"]
    folders = [real_of(entry) for entry in made if entry["kind"] == "directories"]
    places = [path + merged.OF_HOME for path in moved] + [real_of(entry) for entry in made]
    under_way = [native(path) for path, known in undo.ledger.record.folders.items() if "want" in known]
    for root in undo.roots.allowed[1:]:
        placed = [path for path in moved + folders + places if is_inside(path, root)]
        if not placed or any(map(os.path.lexists, placed)) or any(is_inside(path, root) for path in under_way):
            continue
        raise Problem(
            "{} is missing, and so is everything else that rookery put on {}".format(
                undo.roots.show(placed[0]), undo.roots.show(root)
            ),
            "check that the storage is mounted, or if you have removed it all, mkdir -p {}; then run the same command "
            "again".format(shlex.quote(portable(placed[0]))),
        )
