"""Write files from a cluster into a project's folder: which are new, which are the user's own, where they go.

Nothing is written through a symbolic link, nor under a final name before it is whole.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rookery.core import state_files
from rookery.core.errors import RookeryError
from rookery.jobs import run_facts, run_record
from rookery.jobs.results.archive import File
from rookery.projects import fetched_files, run_folders
from rookery.projects.fetched_files import alike

STAGE = ".rookery-fetch"
"""Folder in an output in which files are kept until they are whole; left by a run that was killed, it is removed."""

OUTSIDE = "outside of the outputs"
TAKEN = "reserved name"

NO_RECORD = "not the name of a run record"
LONG = "a name in its path is too long"
TWICE = "the cluster lists it twice"

_NAMES = {
    run_record.FOLDER: re.compile(rf"{run_record.NUMBER.pattern}(?:\.[A-Za-z0-9_.\-]{{1,200}})?\.json"),
    run_facts.FOLDER: run_facts.LOCAL,
}
"""What files are called in folders of rookery's own."""

_RUNS = f"{run_record.FOLDER}/"

_TAKEN = {".git", STAGE}
"""Names, in small letters, that nothing from a cluster may have: git would do what a folder of that name tells it."""

_LONGEST_NAME = 255
"""Bytes of a file's name that file systems take."""


@dataclass
class Plan:
    """What is to be done with each file.

    Attributes:
        bring: Files to fetch.
        updated: Paths of those of them that replace an older version here.
        here: How many are here already.
        kept: Files here that are not fetch's, with the reason.
        refused: Files that can't be written here, with the reason.
        beside: Files that go to a folder of this cluster's, since another cluster's have their names here.
    """

    bring: list[File] = field(default_factory=list)
    updated: set[str] = field(default_factory=set)
    here: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes to be fetched."""
        return sum(file.size for file in self.bring)


class Arrivals:
    """A project's folder, and the note of what fetch has written into it.

    Attributes:
        refused: What came and could not be used, with why.
    """

    def __init__(self, root: Path, cluster: str, folders_of_runs: Sequence[str] = ()) -> None:
        """Read the note, and look which of the files in it are here as they came.

        A note that can't be read counts as empty, so that everything here counts as the user's.

        Args:
            root: The project's folder.
            cluster: The cluster that files come from, as Cluster.label names it.
            folders_of_runs: Outputs with {run} in them.
        """
        self.root, self.cluster, self._run_folders = root, cluster, folders_of_runs
        self._top = os.fspath(root)
        self._note, self._coming = fetched_files.note(root), fetched_files.coming(root)
        self._expected: dict[str, fetched_files.Note] = {}
        self._folders: dict[str, str] = {}
        self._absent: set[str] = set()
        self._known = fetched_files.known(root)
        self._noted = dict(self._known) if self._note.exists() else None
        self._unchanged = fetched_files.unchanged(root, self._known)
        self._others_runs = self._runs_of_others()
        self.refused: list[tuple[str, str]] = []
        self._stages: set[str] = set()

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Yield the files of this cluster that are here as they came, and their sizes."""
        for path, (cluster, _, size) in self._unchanged.items():
            if cluster == self.cluster:
                yield path, int(size)

    def expect(self, files: Iterable[File]) -> None:
        """Note what is about to be written, for the case that this process is killed before `close`."""
        self._expected |= {file.path: [self.cluster, file.mtime, file.size] for file in files}
        state_files.save(self._coming, self._expected)

    def plan(self, files: Iterable[File], outputs: Iterable[str]) -> Plan:
        """Decide for each file whether to fetch it; nothing is written.

        Args:
            files: What there is on the cluster.
            outputs: The folders that files may go to, besides runs/.
        """
        plan, paths_seen = Plan(), set[str]()
        allowed = (*(f"{output}/" for output in outputs), _RUNS)
        for listed in files:
            path, file = self._local(listed.path, outputs), listed
            if path != listed.path:
                file = listed._replace(path=path)
                if not run_facts.is_one(path):
                    plan.beside.append(path)
            why = self._unfit(path, allowed) or (TWICE if path in paths_seen else "")
            paths_seen.add(path)
            if why:
                plan.refused.append((path, why))
                continue
            if self._is_as_it_came(file):
                plan.here += not run_facts.is_one(path)
            else:
                self._compare(plan, file)
        return plan

    def _is_as_it_came(self, file: File) -> bool:
        """Return whether a file was fetched from here, and has changed neither there nor here since."""
        cluster, mtime, size = self._unchanged.get(file.path, ("", 0, 0))
        return cluster == self.cluster and alike(file.size, file.mtime, int(size), int(mtime))

    def _local(self, path: str, outputs: Iterable[str]) -> str:
        """Return where a file goes: its path, or beside it where another cluster's file of this name is, or was.

        A run's folder goes there whole.
        """
        if path.startswith(_RUNS):
            return run_facts.local(path, self.cluster) if run_facts.is_one(path) else self._local_record(path)
        if self._others_runs and run_folders.run_of(path, self._run_folders) in self._others_runs:
            return beside(path, self.cluster, outputs)
        known = self._known.get(path)
        if known and known[0] == self.cluster:
            return path
        own_place = beside(path, self.cluster, outputs)
        if self._known.get(own_place, [""])[0] == self.cluster:
            return own_place
        return own_place if known and os.path.lexists(f"{self._top}/{path}") else path

    def _runs_of_others(self) -> set[str]:
        """Return the numbers of runs in whose folders other clusters' files are here."""
        folders = self._run_folders
        others = (path for path, (cluster, *_) in self._known.items() if cluster != self.cluster) if folders else ()
        return {
            run
            for path in others
            if (run := run_folders.run_of(path, folders)) and os.path.lexists(f"{self._top}/{path}")
        }

    def _local_record(self, path: str) -> str:
        """Return where a run's record goes: clusters may give two runs the same number."""
        name = path.rpartition("/")[2]
        is_own = self._known.get(path, [""])[0] == self.cluster
        if is_own or not os.path.lexists(f"{self._top}/{path}") or not _NAMES[run_record.FOLDER].fullmatch(name):
            return path
        if run_record.find(self.root, name.partition(".")[0], self.cluster):
            return path
        return f"{run_record.FOLDER}/{name.removesuffix('.json')}.{self.cluster}.json"

    def _compare(self, plan: Plan, file: File) -> None:
        """Decide about a file by what has its name here."""
        if file.path.rpartition("/")[0] in self._absent:
            plan.bring.append(file)
            return
        try:
            status = os.lstat(f"{self._top}/{file.path}")
        except FileNotFoundError:
            plan.bring.append(file)
            return
        except OSError as error:
            plan.refused.append((file.path, error.strerror or "can't read it"))
            return
        if not stat.S_ISREG(status.st_mode):
            what = "folder" if stat.S_ISDIR(status.st_mode) else "link or special file"
            plan.refused.append((file.path, f"a {what} is in its place"))
        elif alike(status.st_size, status.st_mtime_ns, file.size, file.mtime) or _is_record(file.path):
            plan.here += not run_facts.is_one(file.path)
            self._known[file.path] = [self.cluster, file.mtime, file.size]
        else:
            cluster, mtime, size = self._known.get(file.path, ["", -1, -1])
            if not alike(status.st_size, status.st_mtime_ns, int(size), int(mtime)):
                plan.kept.append((file.path, "changed here" if cluster else "not fetched by rookery"))
            elif cluster != self.cluster:
                plan.kept.append((file.path, f"fetched from {cluster}"))
            elif file.mtime < status.st_mtime_ns - fetched_files.TICK:
                plan.kept.append((file.path, "newer than the cluster's"))
            else:
                plan.bring.append(file)
                plan.updated.add(file.path)

    def _unfit(self, path: str, allowed: tuple[str, ...]) -> str:
        """Return why a path can't be written to; "" where it can."""
        folder, _, name = path.rpartition("/")
        if why := _name_unfit(name) if path.startswith(allowed) else OUTSIDE:
            return why
        if folder in _NAMES and not _NAMES[folder].fullmatch(name):
            return NO_RECORD
        return self._folder_unfit(folder)

    def _folder_unfit(self, folder: str) -> str:
        """Return why a folder can't be written to: its name, or a link or file on the way; each is checked once."""
        if folder not in self._folders:
            above, _, name = folder.rpartition("/")
            why = _name_unfit(name) or (self._folder_unfit(above) if above else "")
            self._folders[folder] = why or self._link(folder)
        return self._folders[folder]

    def _link(self, folder: str) -> str:
        """Return why a folder can't be written to by itself; "" where it can, or where there is none yet."""
        try:
            is_folder = stat.S_ISDIR(os.lstat(f"{self._top}/{folder}").st_mode)
        except FileNotFoundError:
            self._absent.add(folder)
            return ""
        except OSError as error:
            return error.strerror or "can't read it"
        return "" if is_folder else f"{folder} is a link or not a folder here"

    def take(self, coming: Iterable[tuple[File, Iterable[bytes]]]) -> Iterator[File]:
        """Write files as they come; yield each when it is in place, whole.

        Args:
            coming: The files with their content.

        Raises:
            RookeryError: This computer can't hold them.
        """
        made_folders: set[str] = set()
        try:
            for file, sent in coming:
                folder, _, name = file.path.rpartition("/")
                content, why = _checked(sent, folder, name)
                if why:
                    self.refused.append((file.path, why))
                    continue
                if folder not in made_folders:
                    (self.root / folder).mkdir(parents=True, exist_ok=True)
                    made_folders.add(folder)
                size = self._put(file, content)
                self._known[file.path] = [self.cluster, file.mtime, size]
                yield file
        except OSError as error:
            raise RookeryError(f"Can't write the fetched files here: {error.strerror or error}.") from error

    def _put(self, file: File, content: Iterable[bytes]) -> int:
        """Write a file beside its final path, then rename it; by descriptor, since there may be thousands.

        Returns:
            Its size.
        """
        stage = f"{self._top}/{file.path.partition('/')[0]}/{STAGE}"
        if stage not in self._stages:
            shutil.rmtree(stage, ignore_errors=True)
            Path(stage).mkdir(mode=0o700)
            self._stages.add(stage)
        fresh = f"{stage}/file"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        size = 0
        try:
            for piece in content:
                size += len(piece)
                view = memoryview(piece)
                while view:
                    view = view[os.write(handle, view) :]
            os.utime(handle, ns=(file.mtime, file.mtime))
        finally:
            os.close(handle)
        os.replace(fresh, f"{self._top}/{file.path}")  # noqa: PTH105
        return size

    def close(self) -> None:
        """Write the note where it has changed, and remove partial files."""
        for stage in self._stages:
            shutil.rmtree(stage, ignore_errors=True)
        self._stages.clear()
        if self._known != self._noted:
            state_files.save(self._note, self._known)
        self._coming.unlink(missing_ok=True)


def beside(path: str, cluster: str, outputs: Iterable[str]) -> str:
    """Return the path of a cluster's file in a folder of its own: results/hec/a.csv for results/a.csv."""
    output = next((output for output in outputs if path.startswith(f"{output}/")), "")
    return f"{output}/{cluster}{path.removeprefix(output)}" if output else path


def without_cluster(path: str, cluster: str, outputs: Iterable[str]) -> str:
    """Return the path on the cluster of a file that may be in a folder of its own here."""
    output = next((output for output in outputs if path.startswith(f"{output}/{cluster}/")), "")
    return f"{output}/{path.removeprefix(f'{output}/{cluster}/')}" if output else path


def _name_unfit(name: str) -> str:
    """Return why nothing from a cluster may have a name; "" where it may."""
    if name in {"", ".", ".."}:
        return OUTSIDE
    if name.lower() in _TAKEN:
        return TAKEN
    is_long = len(name) * 4 > _LONGEST_NAME and len(os.fsencode(name)) > _LONGEST_NAME
    return LONG if is_long else ""


def _is_record(path: str) -> bool:
    """Return whether a path is that of a run's record: it does not change once it is written."""
    return path.rpartition("/")[0] == run_record.FOLDER


def _checked(content: Iterable[bytes], folder: str, name: str) -> tuple[Iterable[bytes], str]:
    """Return the content of a file, and why it is invalid where it is a run's record or facts; "" where it is not."""
    faults = {run_record.FOLDER: run_record.fault, run_facts.FOLDER: run_facts.fault}
    if folder not in faults:
        return content, ""
    pieces, left = [], run_record.LARGEST
    for piece in content:
        left -= len(piece)
        if left < 0:
            return [], "too large for a run record"
        pieces.append(piece)
    return pieces, faults[folder](b"".join(pieces), name)
