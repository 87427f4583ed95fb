"""List the files of a data set on this computer, and say which of them can't be taken to a cluster."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rookery.remote.data import manifest


@dataclass(frozen=True, slots=True)
class DataEntry:
    """A file, a link, or an empty folder of a data set.

    Attributes:
        path: In the data set, "" where that is a single file; bytes that are not UTF-8 are kept as surrogates.
        kind: file, link or folder.
        size: Bytes.
        mtime: Nanoseconds since 1970.
        inode: Its number in the file system.
        executable: Whether its owner may run it.
        goal: Where a link leads to.
    """

    path: str
    kind: str
    size: int = 0
    mtime: int = 0
    inode: int = 0
    executable: bool = False
    goal: str = ""


@dataclass(frozen=True)
class LocalData:
    """A data set on this computer.

    Attributes:
        path: In the project.
        place: Where it is; what a link in the project leads to.
        entries: What is in it, sorted by path.
        faults: Paths of what can't be taken along, each with why.
        link: What the path in the project is a link to; "" where it is none.
    """

    path: str
    place: Path
    entries: tuple[DataEntry, ...]
    faults: tuple[tuple[str, str], ...] = ()
    link: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a single file."""
        return self.place.is_file()

    @property
    def files(self) -> list[DataEntry]:
        """Its files alone."""
        return [entry for entry in self.entries if entry.kind == manifest.FILE]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(entry.size for entry in self.entries)

    def file(self, entry: DataEntry) -> str:
        """Return where a file of it is."""
        return f"{self.place}/{entry.path}" if entry.path else os.fspath(self.place)


def scan(root: Path, path: str) -> LocalData | None:
    """Return a data set of a project; None where it is not on this computer.

    Args:
        root: The project's folder.
        path: A file or folder in it, or a link to one.
    """
    named = root / path
    try:
        place = named.resolve(strict=True)
    except OSError:
        return None
    link = os.fspath(place) if named.is_symlink() else ""
    faults: list[tuple[str, str]] = []
    listed = _inside if place.is_dir() else _one
    found = listed("", os.fspath(place), faults)
    entries = sorted(found, key=lambda entry: os.fsencode(entry.path))
    return LocalData(path, place, tuple(entries), tuple(sorted(faults)), link)


def _inside(above: str, folder: str, faults: list[tuple[str, str]]) -> Iterator[DataEntry]:
    """Yield what is in a folder; the folder itself where that is nothing."""
    try:
        with os.scandir(folder) as listed:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in listed]
    except OSError as error:
        faults.append((above or ".", (error.strerror or str(error)).lower()))
        return
    if not names and above:
        yield DataEntry(above, manifest.FOLDER)
    for name, is_folder in names:
        path = f"{above}/{name}" if above else name
        yield from (_inside if is_folder else _one)(path, f"{folder}/{name}", faults)


def _one(path: str, place: str, faults: list[tuple[str, str]]) -> Iterator[DataEntry]:
    """Yield a file or link, or note why it can't be taken along."""
    try:
        status = os.lstat(place)
    except OSError as error:
        faults.append((path, (error.strerror or str(error)).lower()))
        return
    if stat.S_ISLNK(status.st_mode):
        goal = os.readlink(place)  # noqa: PTH115 names that are not UTF-8 stay as they are
        if why := _unfit(path, goal, place):
            faults.append((path, why))
        else:
            yield DataEntry(path, manifest.LINK, goal=goal)
    elif not stat.S_ISREG(status.st_mode):
        faults.append((path, "neither a file, a folder nor a link"))
    elif not os.access(place, os.R_OK):
        faults.append((path, "you may not read it"))
    else:
        executable = bool(status.st_mode & stat.S_IXUSR)
        yield DataEntry(path, manifest.FILE, status.st_size, status.st_mtime_ns, status.st_ino, executable)


def _unfit(path: str, goal: str, place: str) -> str:
    """Return why a link can't be taken along; "" where it leads to something else in the data set."""
    whole = os.path.normpath(f"{path}/../{goal}")
    if goal.startswith("/") or whole == ".." or whole.startswith("../"):
        return f"a link to {goal}, outside of the data: replace it with the file"
    return "" if Path(place).exists() else f"a link to {goal}, which does not exist"
