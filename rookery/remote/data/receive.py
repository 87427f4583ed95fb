"""Receive a version of a data set on standard input, and make it one when all of it is here and verified.

The stream has lines of JSON, each an object with `op`:

    file     `path`, `mtime`, `executable`, `offset` from where it is sent. Pieces follow, each with its length in four
             bytes before it, and after one of no length a line with its `digest`, or `void` where it changed meanwhile
    have     `path`, `digest`, `mtime`, `executable` of a file that is here already: arrived earlier, or in a version
    link     `path` and `goal`
    folder   `path` of an empty one
    end      `digest` of the whole, and `source`

A path of "" means that the data set is a single file. The end of the stream before `end` leaves all that has arrived
for the next one.
"""

import contextlib
import hashlib
import json
import os
import shutil
from io import BufferedReader
from typing import Any, Dict, Iterator, List, Optional

from rookery.remote import frame
from rookery.remote.data import manifest, store
from rookery.remote.data.data_names import FULL
from rookery.remote.data.manifest import PIECE, ManifestLine
from rookery.remote.data.partial import Partial
from rookery.remote.data.store import DataStore
from rookery.remote.slurm.answer import Answer


class Writer:
    """A file that is being written.

    Attributes:
        digest: That of what has been written.
    """

    def __init__(self, handle: int) -> None:
        self.digest = hashlib.sha256()
        self._handle = handle

    def put(self, piece: memoryview) -> None:
        """Write a piece."""
        self.digest.update(piece)
        while piece:
            piece = piece[os.write(self._handle, piece) :]


class Receiver:
    """A push that arrives."""

    def __init__(self, request: Dict[str, Any], stream: BufferedReader) -> None:
        self._store, self._path, self._stream = DataStore(request["project"]), request["path"], stream
        self._who = request["who"]
        self._place = self._store.make(self._path)
        self._partial = Partial(self._place, self._path)
        self._lines: Dict[str, ManifestLine] = {}
        self._again: List[str] = []
        self._buffer, self._size = memoryview(bytearray(PIECE)), 0
        self._index: Optional[Dict[str, List[str]]] = None

    def answer(self) -> Dict[str, Any]:
        """Take the stream to its end."""
        with store.alone(self._place, self._who):
            self._partial.make()
            self._partial.note_source("", "")
            self._arrived = self._partial.whole()
            while True:
                order = self._object()
                if order["op"] == "end":
                    return self._end(order)
                if order["path"] and not manifest.fits(order["path"]):
                    raise ValueError("a path leads out of the data set")
                getattr(self, "_take_" + order["op"])(order)

    def _end(self, order: Dict[str, Any]) -> Dict[str, Any]:
        if self._again:
            return {"state": "again", "paths": self._again}
        is_file = "" in self._lines
        lines = [line._replace(path=os.path.basename(self._path)) if is_file else line for line in self._lines.values()]
        if manifest.digest(lines, is_file) != order["digest"]:
            return {"state": "differs"}
        self._partial.keep_only(self._lines)
        kind = manifest.FILE if is_file else manifest.FOLDER
        facts = {"kind": kind, "size": self._size, "source": order["source"]}
        digest = store.finish(self._store, self._path, self._partial.folder, lines, facts)
        self._partial.close()
        return {"state": "done", "digest": digest}

    def _take_folder(self, order: Dict[str, Any]) -> None:
        self._clear(order["path"], folder=True)
        os.makedirs(self._partial.place(order["path"]), exist_ok=True)
        self._lines[order["path"]] = ManifestLine(order["path"], manifest.FOLDER, "")

    def _take_link(self, order: Dict[str, Any]) -> None:
        self._clear(order["path"])
        place = self._partial.place(order["path"])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place)
        os.symlink(order["goal"], place)
        self._lines[order["path"]] = ManifestLine(order["path"], manifest.LINK, manifest.of_link(order["goal"]))

    def _take_have(self, order: Dict[str, Any]) -> None:
        path, digest = order["path"], order["digest"]
        size, arrived = self._arrived.get(path, (0, ""))
        if arrived != digest:
            source = self._unchanged(digest)
            if not source:
                self._again.append(path)
                return
            self._clear(path)
            place = self._partial.place(path)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            try:
                os.link(source, place)
            except OSError as error:
                if error.errno in FULL:
                    raise
                shutil.copyfile(source, place)
                os.chmod(place, mode(order))
                os.utime(place, ns=(order["mtime"], order["mtime"]))
            size = os.lstat(place).st_size
            self._partial.note(path, digest)
        elif os.lstat(self._partial.place(path)).st_mode & 0o222:
            os.chmod(self._partial.place(path), mode(order))
        self._size += size
        self._lines[path] = ManifestLine(path, manifest.FILE, digest)

    def _unchanged(self, digest: str) -> str:
        """Return where there is a file with a digest, in any version of the project's data; "" for nowhere.

        It is read: one that was changed by hand since it was pushed is none.
        """
        if self._index is None:
            self._index = {}
            for version in (version for path in self._store.paths() for version in self._store.versions(path)):
                for line in version.lines():
                    if line.kind == manifest.FILE:
                        self._index.setdefault(line.digest, []).append(version.place(line))
        tried = set()
        for place in self._index.get(digest, []):
            with contextlib.suppress(OSError), open(place, "rb", buffering=0) as stream:
                status = os.fstat(stream.fileno())
                if status.st_ino not in tried:
                    tried.add(status.st_ino)
                    found = hashlib.sha256()
                    for piece in iter(lambda: stream.read(PIECE), b""):
                        found.update(piece)
                    if found.hexdigest() == digest:
                        return place
        return ""

    def _take_file(self, order: Dict[str, Any]) -> None:
        path, offset = order["path"], order["offset"]
        self._clear(path)
        place = self._partial.place(path)
        self._arrived.pop(path, None)
        with contextlib.suppress(FileNotFoundError):  # shared with a version, or a link: never written to
            status = os.lstat(place)
            if os.path.islink(place) or status.st_nlink > 1 or not status.st_mode & 0o200:
                os.unlink(place)
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            writer = Writer(handle)
            is_there = _take_beginning(handle, offset, writer)
            for piece in self._pieces():
                writer.put(piece)
            size = os.lseek(handle, 0, os.SEEK_CUR)
            os.ftruncate(handle, size)
            end = self._object()
            if end.get("void") or not is_there or end["digest"] != writer.digest.hexdigest():
                os.unlink(place)
                self._again.append(path)
                return
            os.utime(handle, ns=(order["mtime"], order["mtime"]))
            self._partial.note(path, end["digest"])
            os.fchmod(handle, mode(order))
        finally:
            os.close(handle)
        self._size += size
        self._lines[path] = ManifestLine(path, manifest.FILE, end["digest"])

    def _object(self) -> Dict[str, Any]:
        """Return the next line of the stream."""
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise Answer("cut")
        return store.loads(line)

    def _pieces(self) -> Iterator[memoryview]:
        """Yield the pieces of a file, each in the same buffer."""
        length = bytearray(4)
        while True:
            self._read(memoryview(length))
            if not any(length):
                return
            size = int.from_bytes(length, "big")
            if size > PIECE:
                raise ValueError("a piece is too long")
            piece = self._buffer[:size]
            self._read(piece)
            yield piece

    def _read(self, buffer: memoryview) -> None:
        if self._stream.readinto(buffer) < len(buffer):
            raise Answer("cut")

    def _clear(self, path: str, folder: bool = False) -> None:
        """Make the folders above an entry, and remove what is in the way: left by a push of other files."""
        place = self._partial.data
        parts = path.split("/") if path else []
        for part in ["", *parts[: None if folder else -1]]:
            place = os.path.join(place, part) if part else place
            if path and (os.path.islink(place) or os.path.isfile(place)):
                os.unlink(place)
            if path:
                os.makedirs(place, exist_ok=True)
        last = self._partial.place(path)
        if not folder and os.path.isdir(last) and not os.path.islink(last):
            store.discard(last)


def mode(order: Dict[str, Any]) -> int:
    """Return the permission bits of a file: nobody is to write to it."""
    return 0o555 if order["executable"] else 0o444


def _take_beginning(handle: int, offset: int, writer: Writer) -> bool:
    """Work out the digest of what has arrived of a file earlier; return whether it is that long."""
    left = offset
    while left:
        piece = os.read(handle, min(left, PIECE))
        if not piece:
            return False
        writer.digest.update(piece)
        left -= len(piece)
    return True


def _receive(request: Dict[str, Any]) -> Dict[str, Any]:
    if request["digest"]:  # it is here already
        data = DataStore(request["project"])
        data.switch(request["path"], request["digest"])
        return {"state": "done", "digest": request["digest"]}
    try:
        return Receiver(request, open(0, "rb")).answer()
    except (ValueError, KeyError) as error:
        return {"state": "malformed", "said": str(error)}


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: `project`, the `path` of the data set, `who` pushes it; `digest` of a version that is here already and
            is only to become the latest, else "".
    """
    frame.tell(json.dumps(store.answered(_receive, request)))
