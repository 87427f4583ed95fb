"""A version of a data set that is on its way: what of it has arrived, across pushes that were cut off.

A file is written under its own name. The journal names those that are whole and verified, each with the size and time
that it had then; any other is a beginning, which the next push continues, and whose digest is checked at its end.
"""

import contextlib
import json
import os
import stat
from typing import IO, Any, Dict, Iterator, Optional, Tuple

from rookery.remote.data import store
from rookery.remote.slurm.basics import read, write


class Partial:
    """What has arrived of a version.

    Attributes:
        folder: Its folder, which becomes the version.
        data: The file or folder in it.
    """

    def __init__(self, place: str, path: str) -> None:
        """Find it; nothing is made.

        Args:
            place: The data set's folder.
            path: The data set's path in the project.
        """
        self.top = os.path.join(place, ".partial")
        self.folder = os.path.join(self.top, "version")
        self.data = os.path.join(self.folder, "files", os.path.basename(path))
        self._journal = os.path.join(self.top, "journal")
        self._source = os.path.join(self.top, "source.json")
        self._stream: Optional[IO[str]] = None

    def make(self) -> None:
        """Make its folders."""
        os.makedirs(os.path.dirname(self.data), exist_ok=True)

    def source(self) -> Dict[str, Any]:
        """Return the `url` that what is here was downloaded from, and its `validator`; nothing where it was pushed."""
        return read(self._source)

    def note_source(self, url: str, validator: str) -> None:
        """Note where what arrives from now on comes from; "" where it is pushed.

        Args:
            url: The address.
            validator: What tells this version of the file from others to the server; "" for nothing.
        """
        if url:
            write(self._source, json.dumps({"url": url, "validator": validator}))
        elif os.path.exists(self._source):
            os.unlink(self._source)

    def place(self, name: str) -> str:
        """Return where an entry goes; "" means the data set itself, a single file."""
        return os.path.join(self.data, name) if name else self.data

    def whole(self) -> Dict[str, Tuple[int, str]]:
        """Return size and digest of each file that has arrived whole, by its path in the data set."""
        noted: Dict[str, Tuple[int, str]] = {}
        with contextlib.suppress(FileNotFoundError), open(self._journal, "rb") as stream:
            for line in stream:
                try:
                    entry = store.loads(line)
                    name, size, moment, digest = (entry[key] for key in ("path", "size", "mtime", "digest"))
                    status = os.lstat(self.place(name))
                except (OSError, ValueError, KeyError):  # a line that was cut off, or a file that is gone
                    continue
                if stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (size, moment):
                    noted[name] = size, digest
                else:
                    noted.pop(name, None)
        return noted

    def begun(self) -> Dict[str, int]:
        """Return the size of each file that has arrived in part, by its path in the data set."""
        whole = self.whole()
        return {name: size for name, size in self._files() if name not in whole and size}

    def size(self) -> int:
        """Return the bytes that have arrived."""
        return sum(size for _, size in self._files())

    def _files(self) -> Iterator[Tuple[str, int]]:
        with contextlib.suppress(OSError):
            status = os.lstat(self.data)
            if stat.S_ISREG(status.st_mode):
                yield "", status.st_size
        for folder, _, names in os.walk(self.data):
            for name in names:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    if stat.S_ISREG(status.st_mode):
                        yield os.path.relpath(path, self.data), status.st_size

    def note(self, name: str, digest: str) -> None:
        """Note that a file is whole."""
        status = os.lstat(self.place(name))
        entry: Dict[str, Any] = {"path": name, "size": status.st_size, "mtime": status.st_mtime_ns, "digest": digest}
        if self._stream is None:
            self._stream = open(self._journal, "a", encoding="utf-8")  # noqa: SIM115 until the program ends
            if self._stream.tell():
                self._stream.write("\n")  # behind a line that was cut off
        self._stream.write(json.dumps(entry) + "\n")
        self._stream.flush()

    def keep_only(self, names: Dict[str, Any]) -> None:
        """Remove what is not in the data set: left by a push of other files that was cut off."""
        if "" in names:
            return
        for folder, folders, files in os.walk(self.data, topdown=False):
            for name in files + [each for each in folders if os.path.islink(os.path.join(folder, each))]:
                path = os.path.join(folder, name)
                if os.path.relpath(path, self.data) not in names:
                    os.unlink(path)
            relative = os.path.relpath(folder, self.data)
            if folder != self.data and relative not in names and not os.listdir(folder):
                os.rmdir(folder)

    def close(self) -> None:
        """Remove all that is left of it."""
        if self._stream:
            self._stream.close()
        if os.path.isdir(self.top):
            store.discard(self.top)
