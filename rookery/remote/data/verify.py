"""Read the project's input data on this cluster again, and compare its digests."""

import hashlib
import json
import os
import stat
import sys
from typing import Any, Dict, Iterator, List, Tuple

from rookery.remote import frame
from rookery.remote.data import manifest, store
from rookery.remote.data.data_names import PROGRESS
from rookery.remote.data.manifest import ManifestLine
from rookery.remote.data.store import DataStore, Version

PIECE = 1 << 20
MOST = 1000
"""How many faults of a version are named; of others only the number."""

_OFTEN = 16 << 20

CHANGED, MISSING, ADDED, MANIFEST = "changed", "missing", "added", "manifest"
"""What can be wrong with an entry; the last with the manifest itself."""


class Reader:
    """A reader of files that says how far it is; a file that several versions share is read once."""

    def __init__(self) -> None:
        self._known: Dict[Tuple[int, int], str] = {}
        self._unsaid = 0

    def digest(self, path: str) -> str:
        """Return a file's digest.

        Raises:
            OSError: It can't be read.
        """
        with open(path, "rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            key = status.st_dev, status.st_ino
            if key in self._known:
                self._say(status.st_size)
                return self._known[key]
            digest = hashlib.sha256()
            while True:
                piece = stream.read(PIECE)
                if not piece:
                    break
                digest.update(piece)
                self._say(len(piece))
        self._known[key] = digest.hexdigest()
        return self._known[key]

    def _say(self, count: int) -> None:
        self._unsaid += count
        if self._unsaid >= _OFTEN:
            sys.stderr.write("%s%d\n" % (PROGRESS, self._unsaid))
            sys.stderr.flush()
            self._unsaid = 0


def faults(version: Version, reader: Reader) -> Iterator[Tuple[str, str]]:
    """Yield what is wrong with a version: the path of an entry, and the kind of fault."""
    lines = version.lines()
    is_file = version.about.get("kind") == manifest.FILE
    if not lines or manifest.digest(lines, is_file) != version.digest:
        yield "", MANIFEST
        return
    for line in lines:
        place = version.place(line)
        if not os.path.lexists(place):
            yield line.path, MISSING
        elif not _is_same(line, place, reader):
            yield line.path, CHANGED
    if not is_file:
        known = {line.path for line in lines}
        known |= {os.path.dirname(path) for path in known}  # a folder may be empty since what was in it is missing
        yield from ((path, ADDED) for path in _inside(version.data) if path not in known)


def _is_same(line: ManifestLine, place: str, reader: Reader) -> bool:
    try:
        if line.kind == manifest.FOLDER:
            return os.path.isdir(place) and not os.path.islink(place)
        if line.kind == manifest.LINK:
            return manifest.of_link(os.readlink(place)) == line.digest
        return stat.S_ISREG(os.lstat(place).st_mode) and reader.digest(place) == line.digest
    except OSError:
        return False


def _inside(data: str) -> Iterator[str]:
    """Yield the paths of all files, links and empty folders."""
    for folder, folders, files in os.walk(data):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*files, *links]:
            yield os.path.relpath(os.path.join(folder, name), data)
        if not folders and not files and folder != data:
            yield os.path.relpath(folder, data)


def _verify(request: Dict[str, Any]) -> Dict[str, Any]:
    data, reader = DataStore(request["project"]), Reader()
    verified: List[Dict[str, Any]] = []
    for path in store.chosen(data, request["paths"]):
        for version in data.versions(path):
            wrong = list(faults(version, reader))
            about = version.about
            verified.append(
                {
                    "path": path,
                    "digest": version.digest,
                    "files": about.get("files", 0),
                    "size": about.get("size", 0),
                    "faults": wrong[:MOST],
                    "count": len(wrong),
                }
            )
    return {"state": "verified", "sets": verified}


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: `project`; `paths` of data sets, None for all.
    """
    frame.tell(json.dumps(store.answered(_verify, request)))
