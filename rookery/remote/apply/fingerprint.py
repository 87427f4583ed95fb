"""Write down everything that a comparison of a home depends on, at the end of a whole run.

fingerprint_check.py of the next run reads it.
"""

import builtins
import contextlib
import os
from typing import Any, Callable, Iterator, List, Set, Tuple

from rookery.remote.apply import disk, fingerprint_check, verify
from rookery.remote.apply.ledger import state_folder
from rookery.remote.apply.paths import native

Noted = Set[Tuple[str, str]]

# what a run looks at things with, and what of its answer counts
_LOOKS = (
    (os, "stat", fingerprint_check.STAT),
    (os, "lstat", fingerprint_check.LSTAT),
    (os, "readlink", fingerprint_check.LSTAT),
    (os, "listdir", fingerprint_check.LIST),
)


def write_down(home: str) -> None:
    """Verify the home once more, and note what was looked at; nothing, where a full run would find something to do."""
    file = os.path.join(state_folder(home), "seen")
    disk.discard(file)
    noted: Noted = set()
    with _traced(noted):
        result = verify.verified(home)
        is_traced = _notices_all(home, noted)
    if result["drift"] or result["untold"] or not result["complete"] or not is_traced:
        return
    own = {os.path.join(state_folder(home), name) for name in ("lease.json", "lock", "seen")}
    looks = sorted((how, path) for how, path in noted if path not in own)
    looks += [(fingerprint_check.TEST, native(path)) for path in dict.fromkeys(result["tests"])]
    text = os.fsencode(
        "\0".join("{}\t{}\t{}".format(how, fingerprint_check.see(how, path), path) for how, path in looks)
    )
    disk.write(file, disk.digest(text).encode() + b"\n" + text, 0o600)


def _notices_all(home: str, noted: Noted) -> bool:
    """Return whether this Python's library looks at files only by ways that are recorded here."""
    for number, look in enumerate((os.path.exists, os.path.isdir, os.path.isfile, os.path.lexists, os.path.islink)):
        path = os.path.join(home, ".rookery-none-{}".format(number))
        look(path)
        if not {(fingerprint_check.STAT, path), (fingerprint_check.LSTAT, path)} & noted:
            return False
        noted.difference_update([(fingerprint_check.STAT, path), (fingerprint_check.LSTAT, path)])
    path = os.path.join(home, ".rookery-none")
    os.path.realpath(path)
    noticed = (fingerprint_check.LSTAT, path) in noted
    noted.discard((fingerprint_check.LSTAT, path))
    return noticed


@contextlib.contextmanager
def _traced(noted: Noted) -> Iterator[None]:
    """Note each path that is looked at, and how."""
    originals: List[Tuple[Any, str, Any]] = [(module, name, getattr(module, name)) for module, name, _ in _LOOKS]
    originals.append((builtins, "open", builtins.open))
    kinds = {name: how for _, name, how in _LOOKS}

    def noting(how: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(path: Any = ".", *rest: Any, **more: Any) -> Any:
            if isinstance(path, (str, bytes)):
                noted.add((how, os.path.abspath(os.fsdecode(path))))
            return act(path, *rest, **more)

        return wrapper

    try:
        for module, name, act in originals:
            setattr(module, name, noting(kinds.get(name, fingerprint_check.READ), act))
        yield
    finally:
        for module, name, act in originals:
            setattr(module, name, act)
