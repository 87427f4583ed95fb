"""Directories, links, files and environment drop-ins."""

import os
from typing import Any, Dict, Optional

from rookery.remote.apply import disk, shells
from rookery.remote.apply.problem import Problem
from rookery.remote.apply.work import Thing, Work

Item = Dict[str, Any]


def mode_in(item: Item) -> Optional[int]:
    """Return the permission bits that an item declares, or None."""
    return int(item["mode"], 8) if item.get("mode") else None


def directory(work: Work, item: Item) -> None:
    """Make a folder. An existing one keeps its mode, unless `enforce` is set."""
    path = work.roots.expand(item["path"])
    thing = Thing("directories", path, item.get("what") or "folder " + work.roots.show(path))
    real = work.roots.follow(path)
    mode = mode_in(item)
    is_there = os.path.isdir(real)
    if os.path.lexists(real) and not is_there:
        raise Problem(
            "{} is a file, where a folder is needed".format(work.roots.show(path)),
            "rename or move it, then run the same command again",
        )
    if is_there and (mode is None or not item.get("enforce") or disk.mode_of(real) == mode):
        work.present(thing)
        return

    def act() -> None:
        work.make_folders(os.path.dirname(real))
        after = {"type": "dir", "mode": "{:04o}".format(new_mode)}
        with work.ledger.change(thing.kind, path, real, after):
            if is_there:
                disk.step()
                os.chmod(real, new_mode)
            else:
                disk.make_folder(real, mode)

    new_mode = mode if mode is not None else disk.default_mode(0o777)
    before = "folder, mode {:04o}\n".format(disk.mode_of(real) or 0) if is_there else ""
    diff = work.diff(path, before, "folder, mode {:04o}\n".format(new_mode))
    work.change(thing, "changed" if is_there else "made", diff, act)


def link(work: Work, item: Item) -> None:
    """Make a symbolic link. A file or link in its place is kept; a folder with something in it is left alone."""
    path = work.roots.expand(item["path"])
    target = work.roots.tilde(item["target"])
    real = work.roots.place(path)
    shown = work.roots.show(path)
    thing = Thing("links", path, item.get("what") or "{} -> {}".format(shown, work.roots.show(target)))
    stands = disk.type_of(real)
    old = os.readlink(real) if stands == "link" else ""
    if stands == "link" and old == target:
        work.present(thing)
        return
    is_foreign = stands in ("file", "link") and os.lstat(real).st_uid != os.getuid()
    if stands == "other" or is_foreign or (stands == "dir" and os.listdir(real)):
        work.tell(thing, "kept", "{} already exists and was kept; no link was made".format(shown))
        return
    note = ""
    if stands == "file":
        note = work.keep(real, disk.read(real) or b"")
    elif stands == "link" and work.ledger.find("links", path) is None:
        note = "it was a link to {}; undo restores it".format(work.roots.show(old))

    def act() -> None:
        work.make_folders(os.path.dirname(real))
        with work.ledger.change(thing.kind, path, real, {"type": "link", "target": target}):
            if stands == "dir":
                disk.step()
                os.rmdir(real)
            disk.link(real, target)

    before = {"absent": "", "link": "link to {}\n".format(old)}.get(stands, stands + "\n")
    diff = work.diff(path, before, "link to {}\n".format(target))
    work.change(thing, "made" if stands == "absent" else "changed", diff, act, note)


def file(work: Work, item: Item) -> None:
    """Write the declared content. What somebody else wrote is kept; with `keep: true` it is left in place."""
    path = work.roots.expand(item["path"])
    thing = Thing("files", path, item.get("what") or work.roots.show(path))
    _own(work, thing, item["content"].encode("utf-8", "surrogateescape"), mode_in(item), keep=bool(item.get("keep")))


def environment(work: Work, item: Item) -> None:
    """Write a drop-in with the declared variables and folders on PATH for each shell."""
    variables, defaults = (
        {name: work.roots.tilde(str(value)) for name, value in item.get(key, {}).items()}
        for key in ("variables", "defaults")
    )
    path = [work.roots.tilde(folder) for folder in item.get("path", [])]
    for shell in item.get("shells", shells.FORMS):
        name = "~/.config/rookery/env.d/{}.{}".format(item["name"], shell)
        thing = Thing("environment", work.roots.expand(name), name)
        text = shells.drop_in(shell, work.ledger.role, variables, path, defaults)
        if item.get("architecture"):
            text = shells.only_on(item["architecture"], shell, text)
        _own(work, thing, os.fsencode(text), None, keep=False)


def _own(work: Work, thing: Thing, data: bytes, mode: Optional[int], keep: bool) -> None:
    """Write a file whose whole content is rookery's."""
    real = work.roots.follow(thing.path)
    if os.path.isdir(real):
        raise Problem(
            "{} is a folder, where a file is needed".format(work.roots.show(thing.path)),
            "rename or move it, then run the same command again",
        )
    old = work.read(real)
    known = work.ledger.find(thing.kind, thing.path)
    if mode is None and known is not None and known["before"]["type"] == "absent" and "mode" in known["after"]:
        mode = int(known["after"]["mode"], 8)  # it was rookery that made it, like this
    is_users = old not in (None, data) and (known is None or work.ledger.is_foreign(thing.kind, thing.path, old or b""))
    if keep and old is not None:
        work.tell(thing, "kept" if is_users else "present", "kept your version" if is_users else "")
        return
    work.put(thing, data, mode, work.keep(real, old or b"") if is_users else "")
