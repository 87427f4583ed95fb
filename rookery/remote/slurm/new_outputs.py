"""Sent to a cluster: tell which files a running job has completed, and what it adds to its logs, until it has ended.

A file is taken for whole where neither size nor time has changed for a while. Which process has a file open is not seen
over NFS, and what a login node knows of a file may be a minute old (acregmax of nfs(5)), so a file that looks whole is
opened: then the server is asked. One that changes after all has to be still for twice as long the next time.
"""

import base64
import json
import os
import re
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

from rookery.remote import frame
from rookery.remote.slurm import parts
from rookery.remote.slurm.basics import slurm
from rookery.remote.slurm.forms import ACTIVE

STILL = 10.0
"""Seconds for which a file has not changed when it is taken for whole."""

OLD = 60.0
"""Seconds since a file's time after which it is whole at first sight: file servers' clocks differ by less."""

PAUSE = 3.0
"""Seconds between two looks at least; a look that takes long is followed by a longer pause."""

ASKED = 10.0
"""Seconds between two questions to Slurm."""

PATIENCE = 20
"""Seconds that squeue is given."""

MOST_FILES, MOST_BYTES = 1000, 1 << 21
"""Files, and bytes of logs, of one answer."""

Seen = Tuple[int, int]
"""Size, and time in nanoseconds."""


class WatchedFile:
    """A file of the outputs: how it was when it was last looked at, since when, and how it was told."""

    __slots__ = ("seen", "since", "still", "told")

    def __init__(self, seen: Seen, since: float) -> None:
        self.seen, self.since, self.still = seen, since, STILL
        self.told: Optional[Seen] = None

    def is_whole(self, seen: Seen, now: float) -> bool:
        """Note how the file is now; return whether it is whole and has not been told."""
        if seen != self.seen:
            if self.told == self.seen:
                self.still *= 2
            self.seen, self.since = seen, now
        return self.told != seen and now - self.since >= self.still


class NewOutputs:
    """The files of a job, as they come."""

    def __init__(self, request: Dict[str, Any]) -> None:
        """Prepare it.

        Args:
            request: `base` (the project's folder), `folders` below it, `logs` (a pattern of paths below it, "" for
                none), `here` (bytes of logs that the laptop has already, by path), `job`.
        """
        os.chdir(request["base"])
        self.folders = request["folders"]
        self.jobs = parts.numbers_of([str(int(request["job"]))], parts.chains())
        self.logs = re.compile(request["logs"]) if request["logs"] else None
        self.sent: Dict[str, int] = dict(request["here"])
        self.files: Dict[str, WatchedFile] = {}

    def look(self, now: float) -> Iterator[Dict[str, List[Any]]]:
        """Yield what is new, in portions.

        Args:
            now: The time, of a clock that is never set.
        """
        files: List[Any] = []
        logs: List[Any] = []
        room = MOST_BYTES
        for path, size, mtime in below(self.folders):
            if self.logs and self.logs.match(path):
                whole = size
                while whole != self.sent.get(path, 0):
                    added = self.added(path)
                    if added is None:
                        break
                    logs.append(added)
                    room -= len(added[-1])
                    if room < 0:
                        yield {"files": files, "logs": logs}
                        files, logs, room = [], [], MOST_BYTES
                    whole = max(whole, added[2])
            elif self.is_whole(path, (size, mtime), now):
                files.append([path, size, mtime])
                if len(files) == MOST_FILES:
                    yield {"files": files, "logs": logs}
                    files, logs, room = [], [], MOST_BYTES
        yield {"files": files, "logs": logs}

    def is_whole(self, path: str, seen: Seen, now: float) -> bool:
        """Return whether a file is whole and has not been told; it has been then."""
        file = self.files.get(path)
        if file is None:
            since = now - OLD if time.time() - seen[1] / 1e9 > OLD else now
            file = self.files[path] = WatchedFile(seen, since)
        if not file.is_whole(seen, now):
            return False
        fresh = opened(path)
        if fresh is None or not file.is_whole(fresh, now):
            return False
        file.told = fresh
        return True

    def added(self, path: str) -> Optional[List[Any]]:
        """Return the next piece of a log: its path, where the piece begins and ends, the log's time, the piece.

        None where there is none.
        """
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            begin = self.sent.get(path, 0)
            if os.fstat(handle).st_size < begin:  # emptied and begun anew
                begin = 0
            os.lseek(handle, begin, os.SEEK_SET)
            piece = os.read(handle, MOST_BYTES // 4)
            mtime = os.fstat(handle).st_mtime_ns
        except OSError:
            return None
        finally:
            os.close(handle)
        if not piece and begin == self.sent.get(path, 0):
            return None
        self.sent[path] = begin + len(piece)
        return [path, begin, begin + len(piece), mtime, base64.b64encode(piece).decode("ascii")]

    def has_ended(self) -> bool:
        """Return whether the job has ended; a Slurm that does not answer says nothing of that."""
        out, error = slurm(["squeue", "--noheader", "-t", "all", "-j", ",".join(self.jobs), "-o", "%T"], PATIENCE)
        if error:
            return "Invalid job id" in error
        return not any(state in ACTIVE for state in out.split())


def below(folders: List[str]) -> Iterator[Tuple[str, int, int]]:
    """Yield path, size and time of each file below some folders; links are not followed, but for the folders."""
    waiting = list(folders)
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        yield entry.path, status.st_size, status.st_mtime_ns
        except OSError:  # not there yet, or removed meanwhile
            continue


def opened(path: str) -> Optional[Seen]:
    """Return size and time of a file as the server has them: an NFS client asks it when it opens one (nfs(5))."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
    finally:
        os.close(handle)
    return status.st_size, status.st_mtime_ns


def main(request: Dict[str, Any]) -> None:
    """Answer with what is new until the job has ended or nobody reads any more.

    Args:
        request: What the laptop asks for.
    """
    outputs, asked = NewOutputs(request), 0.0
    while True:
        began = time.monotonic()
        for portion in outputs.look(began):
            # also where nothing is new: it finds out whether anybody still reads
            frame.tell(json.dumps(dict(portion, state="running")))
        if not asked or began - asked >= ASKED:
            asked = began
            if outputs.has_ended():
                return frame.tell(json.dumps({"state": "ended"}))
        time.sleep(max(PAUSE, 5 * (time.monotonic() - began)))
