"""Where a project's input data is kept on a cluster: versions by digest, beside each other.

In $ROOKERY_STORAGE/projects/PROJECT/.data, for each data set a folder, named by its path in the project (%2F for /):

    DIGEST/about.json    what is known of a version: size, when and from where it came
    DIGEST/manifest      its entries (manifest.py)
    DIGEST/files/NAME    the data itself, read-only; releases link to it
    latest               a link to the version that was pushed last
    .partial/            a version that is on its way, and what of it has arrived

A version gets its name when all of it has arrived and was verified.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import stat
import time
from typing import IO, Any, Callable, Dict, Iterator, List, Optional, Tuple

from rookery.remote import strict_json
from rookery.remote.data import data_names, manifest
from rookery.remote.data.manifest import ManifestLine
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import read, run, write

FOLDER = ".data"
"""Where in the project's folder on the storage."""

PATIENCE = 15
"""Seconds for which the end of another push of the same data is waited for: that of one whose laptop is gone."""

_STORAGE = """
cd && . ./.config/rookery/env.sh >/dev/null 2>&1
printf %s "${ROOKERY_STORAGE-${global_storage-}}"
"""
_DIGEST = re.compile(r"^[0-9a-f]{64}$")


class Version:
    """A version of a data set.

    Attributes:
        path: The data set's path in the project.
        digest: The version's digest.
        folder: The version's folder.
    """

    def __init__(self, path: str, folder: str) -> None:
        self.path, self.folder = path, folder
        self.digest = os.path.basename(folder)
        self._about: Optional[Dict[str, Any]] = None

    @property
    def data(self) -> str:
        """The file or folder that releases link to."""
        return os.path.join(self.folder, "files", os.path.basename(self.path))

    @property
    def about(self) -> Dict[str, Any]:
        """What is known of it."""
        if self._about is None:
            self._about = read(os.path.join(self.folder, "about.json"))
        return self._about

    def lines(self) -> List[ManifestLine]:
        """Return its entries; none where the manifest can't be read."""
        try:
            with open(os.path.join(self.folder, "manifest"), "rb") as stream:
                return manifest.parse(stream.read())
        except (OSError, ValueError):
            return []

    def place(self, line: ManifestLine) -> str:
        """Return where an entry is."""
        return self.data if self.about.get("kind") == manifest.FILE else os.path.join(self.data, line.path)


class DataStore:
    """The data sets of a project on this cluster.

    Attributes:
        project: Its name.
        storage: The user's large storage.
        folder: Where they are.
    """

    def __init__(self, project: str) -> None:
        """Find the place; nothing is made.

        Raises:
            Answer: The home is not set up, or by a version of rookery that has set no storage.
        """
        if not os.path.isfile(os.path.expanduser("~/.config/rookery/env.sh")):
            raise Answer("not-set-up")
        _, storage, _ = run(["sh", "-c", _STORAGE])
        if not storage.startswith("/"):
            raise Answer("no-storage")
        self.project, self.storage = project, storage
        self.folder = os.path.join(storage, "projects", project, FOLDER)

    def paths(self) -> List[str]:
        """Return the paths of all data sets, in the project."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(data_names.path(name) for name in names if os.path.isdir(os.path.join(self.folder, name)))

    def place(self, path: str) -> str:
        """Return the folder of a data set."""
        return os.path.join(self.folder, data_names.folder(path))

    def versions(self, path: str) -> List[Version]:
        """Return the versions of a data set, the newest first."""
        folder = self.place(path)
        try:
            names = [name for name in os.listdir(folder) if _DIGEST.match(name)]
        except FileNotFoundError:
            return []
        made = [Version(path, os.path.join(folder, name)) for name in names]
        return sorted(made, key=lambda version: str(version.about.get("when")), reverse=True)

    def latest(self, path: str) -> str:
        """Return the digest of the version that was pushed last; "" for none."""
        try:
            return os.readlink(os.path.join(self.place(path), "latest"))
        except OSError:
            return ""

    def make(self, path: str) -> str:
        """Make the folder of a data set: in a new project, for nobody else's eyes; return it."""
        project = os.path.dirname(self.folder)
        os.makedirs(os.path.dirname(project), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(project, 0o700)
        place = self.place(path)
        os.makedirs(place, exist_ok=True)
        return place

    def switch(self, path: str, digest: str) -> None:
        """Make a version the latest."""
        fresh, link = os.path.join(self.place(path), ".latest"), os.path.join(self.place(path), "latest")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        os.symlink(digest, fresh)
        os.replace(fresh, link)

    def room(self) -> Tuple[int, int]:
        """Return the bytes and the number of files that the file system still takes from this user."""
        facts = os.statvfs(next(place for place in _above(self.folder) if os.path.isdir(place)))
        return facts.f_bavail * facts.f_frsize, facts.f_favail if facts.f_files else 2**50


def _above(path: str) -> Iterator[str]:
    while path != "/":
        yield path
        path = os.path.dirname(path)
    yield path


@contextlib.contextmanager
def alone(folder: str, who: str) -> Iterator[None]:
    """Keep other pushes of the same data away as long as the block lasts.

    Raises:
        Answer: Another one does not end.
    """
    path, end = os.path.join(folder, ".lock"), time.time() + PATIENCE
    while True:
        os.makedirs(folder, exist_ok=True)
        with open(path, "a+", encoding="utf-8") as stream:
            if _is_locked(stream):
                if time.time() > end:
                    stream.seek(0)
                    raise Answer("busy", said=stream.read(300))
                time.sleep(0.1)
            elif _is_there(stream, path):  # else who had the lock has removed the data, and the lock with it
                stream.truncate(0)
                stream.write("%s, since %s UTC" % (who, time.strftime("%H:%M", time.gmtime())))
                stream.flush()
                yield
                return


def _is_locked(stream: IO[str]) -> bool:
    """Return whether somebody else has the lock of a file; if nobody has, it is taken."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        pass
    return False


def _is_there(stream: IO[str], path: str) -> bool:
    """Return whether an open file is the one at its path."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def finish(store: DataStore, path: str, made: str, lines: List[ManifestLine], facts: Dict[str, Any]) -> str:
    """Make what has arrived a version, in one rename, and the latest; return its digest.

    Args:
        store: The project's data.
        path: The data set's path.
        made: The folder with it, on the same file system, that has `files`.
        lines: Its entries, all verified.
        facts: What else is noted of it: kind, size, source.
    """
    digest = manifest.digest(lines, facts["kind"] == manifest.FILE)
    with open(os.path.join(made, "manifest"), "wb") as stream:
        stream.write(manifest.text(lines))
        stream.flush()
        os.fsync(stream.fileno())
    about = {
        "version": 1,
        "path": path,
        "digest": digest,
        "files": sum(line.kind == manifest.FILE for line in lines),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "node": socket.gethostname(),
    }
    write(os.path.join(made, "about.json"), json.dumps(dict(about, **facts)) + "\n")
    goal = os.path.join(store.place(path), digest)
    if os.path.isdir(goal):  # made by another computer meanwhile
        discard(made)
    else:
        os.rename(made, goal)
        protect(os.path.join(goal, "files"))
    store.switch(path, digest)
    return digest


def protect(folder: str) -> None:
    """Take the right to write away from all folders: a job that added a file would change what others read."""
    for place, _, _ in os.walk(folder):
        os.chmod(place, stat.S_IMODE(os.lstat(place).st_mode) & ~0o222)


def discard(folder: str) -> None:
    """Remove a folder of ours, also where nobody may write to it."""
    for place, _, _ in os.walk(folder):
        os.chmod(place, stat.S_IMODE(os.lstat(place).st_mode) | 0o700)
    shutil.rmtree(folder)


def users_of(store: DataStore, paths: List[str]) -> Dict[Tuple[str, str], List[Dict[str, Any]]]:
    """Return the releases that link to each version, by path and digest; of copies of the project, too."""
    used: Dict[Tuple[str, str], List[Dict[str, Any]]] = {}
    top = os.path.expanduser("~/projects")
    for project in _listed(top):
        releases = os.path.join(top, project, "releases")
        current = _goal(os.path.join(top, project, "current"))
        for commit in _listed(releases):
            if not re.match(r"^[0-9a-f]{40}$", commit):
                continue
            for path in paths:
                # by its end alone: the storage may have been reached by another path then
                inner = os.path.join("/projects", store.project, FOLDER, data_names.folder(path), "")
                _, is_version, rest = _goal(os.path.join(releases, commit, path)).partition(inner)
                if is_version:
                    digest = rest.partition("/")[0]
                    entry = {"project": project, "commit": commit, "current": current == "releases/" + commit}
                    used.setdefault((path, digest), []).append(entry)
    return used


def _listed(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _goal(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def answered(act: Callable[[Dict[str, Any]], Dict[str, Any]], request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the answer of a function, or the one that it raised; an error of the file system is one, too."""
    try:
        return act(request)
    except Answer as answer:
        return dict(answer.document)
    except OSError as error:
        return {"state": "broken", "errno": error.errno or 0, "said": str(error)}


def chosen(store: DataStore, paths: Optional[List[str]]) -> List[str]:
    """Return the data sets that are asked for; all where none is named."""
    return store.paths() if paths is None else paths


def loads(line: bytes) -> Dict[str, Any]:
    """Return a JSON object of the stream.

    Raises:
        ValueError: It is none.
    """
    value = strict_json.loads(line)
    if not isinstance(value, dict):
        raise strict_json.MalformedError("it is not an object")
    return value
