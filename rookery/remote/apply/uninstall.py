"""Remove installed tools: what commands made, and what the tools have left in rookery's own folder since.

What the user has made with those tools (environments, tools and Pythons of their own, R packages) stays and is named.
"""

import glob
import os
from typing import Dict, List, Optional

from rookery.remote.apply import disk, restore
from rookery.remote.apply.paths import is_inside, portable
from rookery.remote.apply.records import Entry, real_of
from rookery.remote.apply.restore import LEFT, REMOVED, UndoContext

# In rookery's own folder on the storage (…/rookery/x86_64): where tools put what the user has them make. Everything
# else there is installed by rookery, or a cache.
_MADE_WITH_TOOLS = ("virtualenvs", "environments", "tools", "pipx/venvs", "bin")
_KNOWN = {"bin", "cache", "share", "python", "pipx", *(name.split("/")[0] for name in _MADE_WITH_TOOLS)}

_OF_USER = ("/.config/rookery", "/.local/state/rookery")


def is_prefix(entry: Entry) -> bool:
    """Return whether an entry is rookery's own folder on the storage: …/rookery/x86_64, say.

    Beside it, …/rookery/home holds moved folders of the home, which nothing but their own undo takes away. In
    ~/.config/rookery and ~/.local/state/rookery are files of the user's own.
    """
    above, name = os.path.split(entry["path"])
    made = (entry["kind"], entry["before"]["type"]) == ("directories", "absent")
    is_rookerys = os.path.basename(above) == "rookery" and not above.endswith(_OF_USER)
    return made and is_rookerys and name != "home"


def prefix(undo: UndoContext, entry: Entry) -> None:
    """Remove rookery's own folder on the storage, unless something of the user's is in it."""
    folder = real_of(entry)
    undo.act(lambda: _clear_up(folder))
    if undo.type_of(folder) != "dir":
        restore.directory(undo, entry)
        return
    made = _made_with_tools(undo, folder)
    if made and not undo.purge:
        for name in ("cache", "share", "pipx/.cache", "pipx/logs"):
            if undo.type_of(os.path.join(folder, name)) == "dir":
                undo.remove(os.path.join(folder, name))
        note = "it has things you made with the tools ({}); --purge removes them too"
        undo.tell(entry, LEFT, note.format(_some(made)))
        return
    undo.remove(folder, at_once=True)
    undo.settle(entry, REMOVED, "including what you made in it: " + _some(made) if made else "")


def _made_with_tools(undo: UndoContext, folder: str) -> List[str]:
    made = [name for name in undo.names(folder) if name not in _KNOWN]
    for inner in _MADE_WITH_TOOLS:
        path = os.path.join(folder, inner)
        names = undo.names(path) if undo.type_of(path) == "dir" else []
        made += [inner + "/" + name for name in names if not name.startswith(".")]
    return [portable(name) for name in made]


def _some(names: List[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def cover(undo: UndoContext, entries: List[Entry]) -> Dict[str, List[str]]:
    """Return the folders that are removed whole, without a look into them; with the user's own Pythons in each."""
    covering = {}
    for entry in entries:
        path = real_of(entry)
        if (entry["kind"], entry["before"]["type"]) == ("commands", "absent") and disk.type_of(path) == "dir":
            own = _own_pythons(undo, path)
            if undo.purge or not own:
                covering[path] = own
    return covering


def command(undo: UndoContext, entry: Entry, covering: Dict[str, List[str]]) -> None:
    """Undo what a command made."""
    path, before = real_of(entry), entry["before"]
    kind = undo.type_of(path)
    undo.act(lambda: _clear_up(path))
    is_covered = any(path != folder and is_inside(path, folder) for folder in covering)
    if is_covered or kind == "absent":
        undo.settle(entry)
    elif before["type"] == "absent":
        _remove(undo, entry, path, kind, covering)
    elif before["type"] == "dir":
        _take_out(undo, entry, path)
        undo.settle(entry)
    elif kind == "file" and disk.digest(undo.read(path)) == before.get("digest"):
        undo.settle(entry)
    elif kind == "file" and restore.is_written(entry, undo.read(path)):
        undo.put_back(entry)
    else:
        undo.leave(entry, "you have changed it since")


def _remove(undo: UndoContext, entry: Entry, path: str, kind: str, covering: Dict[str, List[str]]) -> None:
    if kind == "dir" and path not in covering:
        note = "it has Pythons of your own ({}); --purge removes them too"
        undo.tell(entry, LEFT, note.format(_some(_own_pythons(undo, path))))
    elif kind == "dir" or _is_tool(undo, path) or not _is_other(path, kind, entry["after"]):
        undo.remove(path, at_once=True)
        own = covering.get(path)
        undo.settle(entry, REMOVED, "including Pythons of your own: " + _some(own) if own else "")
    else:
        undo.leave(entry, "you have changed it since")


def _is_other(path: str, kind: str, after: "dict[str, str]") -> bool:
    """Return whether a small file or a link is not what the command made."""
    if kind == "file" and "digest" in after:
        return disk.digest(disk.read(path) or b"") != after["digest"]
    return kind == "link" and "target" in after and portable(os.readlink(path)) != after["target"]


def _is_tool(undo: UndoContext, path: str) -> bool:
    """Return whether a path is in rookery's own folder, where tools renew themselves."""
    return any(is_prefix(entry) and is_inside(path, real_of(entry)) for entry in undo.ledger.entries)


def _own_pythons(undo: UndoContext, folder: str) -> List[str]:
    """Return the versions in a pyenv that rookery did not put there."""
    versions = folder if os.path.basename(folder) == "versions" else os.path.join(folder, "versions")
    if not os.path.isdir(versions) or not os.path.isdir(os.path.join(os.path.dirname(versions), "libexec")):
        return []
    ours = {real_of(entry) for entry in undo.ledger.entries if entry["kind"] == "commands"}
    return [portable(name) for name in sorted(os.listdir(versions)) if os.path.join(versions, name) not in ours]


def _take_out(undo: UndoContext, entry: Entry, folder: str) -> None:
    """Remove from a folder that was there before what the command put in, where it is nothing of the user's."""
    came: Optional[List[str]] = entry["after"].get("came")
    if came is None:
        stood = entry["before"].get("children")
        is_ours = any(
            other["path"] == entry["path"] and other["before"]["type"] == "absent" for other in undo.ledger.entries
        )
        came = [name for name in undo.names(folder) if name not in stood] if stood is not None else []
        came = undo.names(folder) if stood is None and is_ours else came
    for name in came:
        path = os.path.join(folder, name)
        if undo.type_of(path) == "dir":
            _prune(undo, path)
        elif undo.type_of(path) != "absent" and not glob.glob(os.path.join(folder, "../versions/*/bin", name)):
            undo.remove(path)  # a shim of pyenv's, say, unless another Python has that program as well


def _prune(undo: UndoContext, folder: str) -> None:
    """Remove what is empty in a folder, and the folder itself if nothing is left."""
    for name in undo.names(folder):
        if undo.type_of(os.path.join(folder, name)) == "dir":
            _prune(undo, os.path.join(folder, name))
    if not undo.names(folder):
        undo.remove(folder)


def _clear_up(path: str) -> None:
    """Remove what a killed command or undo has left beside a path."""
    folder, name = os.path.split(path)
    disk.sweep(disk.gone_of(path))
    stage = os.path.join(folder, ".rookery-stage-" + name)
    disk.clear(stage)
