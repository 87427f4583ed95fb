"""Remove versions of the project's input data from this cluster, but for those that a release or a job uses."""

import contextlib
import json
import os
import re
from typing import Any, Dict, List, Set, Tuple

from rookery.remote import frame
from rookery.remote.data import store
from rookery.remote.data.partial import Partial
from rookery.remote.data.store import DataStore, Version
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import run

_GONE = ".removed-"
"""What the name of a version begins with that is being removed: cut off, it is no half a version."""


def _remove(request: Dict[str, Any]) -> Dict[str, Any]:
    data = DataStore(request["project"])
    paths = store.chosen(data, request["paths"])
    used = store.users_of(data, paths)
    queued = _queued() if request["slurm"] else []
    chosen = [
        version for path in paths for version in data.versions(path) if version.digest.startswith(request["digest"])
    ]
    kept = [] if request["force"] else [version for version in chosen if used.get((version.path, version.digest))]
    removed = [version for version in chosen if version not in kept]
    begun = [path for path in paths if not request["digest"] and Partial(data.place(path), path).size()]
    is_refused = bool(kept) and not request["unused"]
    answer = {
        "state": "used" if is_refused else "removed",
        "removed": [_entry(version) for version in removed],
        "kept": [
            {
                "path": version.path,
                "digest": version.digest,
                "used": used[version.path, version.digest],
                "jobs": _jobs({use["commit"] for use in used[version.path, version.digest]}, queued),
            }
            for version in kept
        ],
        "partial": begun,
    }
    if not (is_refused or request["check"]):
        for path in paths:
            _act(data, path, [version for version in removed if version.path == path], path in begun, request["who"])
    return answer


def _entry(version: Version) -> Dict[str, Any]:
    return {"path": version.path, "digest": version.digest, "size": version.about.get("size", 0)}


def _queued() -> List[Tuple[str, str]]:
    """Return number and commit of each job of this user's that waits or runs in a release.

    Raises:
        Answer: Slurm does not say.
    """
    code, out, err = run(["squeue", "--noheader", "--user", str(os.getuid()), "--format=%A %Z"], 30)
    if code:
        said = (err.strip().splitlines() or ["exit status %d" % code])[-1]
        raise Answer("unknown", said="Slurm does not say which jobs use the data (%s)" % said)
    return re.findall(r"^([0-9]+) .*/releases/([0-9a-f]{40})", out, re.MULTILINE)


def _jobs(commits: Set[str], queued: List[Tuple[str, str]]) -> List[Dict[str, str]]:
    jobs = {(number, commit) for number, commit in queued if commit in commits}
    return [{"number": number, "commit": commit} for number, commit in sorted(jobs, key=lambda job: int(job[0]))]


def _act(data: DataStore, path: str, removed: List[Version], is_begun: bool, who: str) -> None:
    """Remove versions of a data set, and what has arrived of another; the latest is the newest of those that stay."""
    place = data.place(path)
    if not os.path.isdir(place):
        return
    with store.alone(place, who):
        left = [version for version in data.versions(path) if version.digest not in {each.digest for each in removed}]
        if data.latest(path) not in {version.digest for version in left}:
            if left:
                data.switch(path, left[0].digest)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(place, "latest"))
        for version in removed:
            os.rename(version.folder, os.path.join(place, _GONE + version.digest))
        for name in os.listdir(place):
            if name.startswith(_GONE):
                store.discard(os.path.join(place, name))
        if is_begun:
            Partial(place, path).close()
        if not left and not Partial(place, path).size():
            store.discard(place)


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: `project`; `paths` of data sets, None for all; `digest`, the beginning of a version's, or ""; `unused`:
            leave those that are used, rather than refuse; `force`: remove those, too; `check`: remove nothing; `slurm`:
            jobs run under Slurm here; `who` asks for it.
    """
    frame.tell(json.dumps(store.answered(_remove, request)))
