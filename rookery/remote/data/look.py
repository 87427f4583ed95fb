"""Say which input data of a project is on this cluster, and what of a version that is on its way has arrived."""

import json
import os
import stat
from typing import Any, Dict, List, Tuple

from rookery.remote import frame
from rookery.remote.data import manifest, store
from rookery.remote.data.partial import Partial
from rookery.remote.data.store import DataStore, Version


def _look(request: Dict[str, Any]) -> Dict[str, Any]:
    data = DataStore(request["project"])
    paths = store.chosen(data, request["paths"])
    used = store.users_of(data, paths)
    free, files = data.room()
    answer = {
        "state": "listed",
        "folder": data.folder,
        "storage": data.storage,
        "free": free,
        "free_files": files,
        "sets": [_data_set(data, path, used) for path in paths],
    }
    if request["push"]:
        [path] = paths
        arrived = Partial(data.place(path), path)
        answer["staged"] = [[name, size, digest] for name, (size, digest) in sorted(arrived.whole().items())]
        answer["begun"] = [[name, size] for name, size in sorted(arrived.begun().items())]
        answer["known"] = sorted({pair for known in data.paths() for pair in _known(data, known)})
    return answer


def _data_set(data: DataStore, path: str, used: Dict[Tuple[str, str], List[Dict[str, Any]]]) -> Dict[str, Any]:
    latest = data.latest(path)
    versions = [
        dict(
            _fit(version),
            digest=version.digest,
            latest=version.digest == latest,
            used=used.get((path, version.digest), []),
        )
        for version in data.versions(path)
    ]
    arrived = Partial(data.place(path), path)
    return {"path": path, "versions": versions, "partial": arrived.size(), "source": arrived.source().get("url", "")}


def _fit(version: Version) -> Dict[str, Any]:
    about = version.about
    return {key: about[key] for key in ("kind", "size", "files", "when", "source") if key in about}


def _known(data: DataStore, path: str) -> List[Tuple[int, str]]:
    """Return the size and the digest of each file of a data set's versions."""
    pairs = []
    for version in data.versions(path):
        for line in version.lines():
            if line.kind == manifest.FILE:
                try:
                    status = os.lstat(version.place(line))
                except OSError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    pairs.append((status.st_size, line.digest))
    return pairs


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: `project`; `paths` of data sets, None for all; `push`: whether the one that is named is to be pushed.
    """
    frame.tell(json.dumps(store.answered(_look, request)))
