"""The packages of a release's environments, with their versions, as their folders name them: nothing is started.

An environment does not change once it is built, so the list is kept in it.
"""

import contextlib
import glob
import json
import os
import re
from typing import Any, Dict

from rookery.remote.slurm.basics import read, write

KEPT = ".rookery-packages.json"
"""The list, in the environment's folder."""

Packages = Dict[str, Dict[str, str]]


def of_release(stamp: Dict[str, Any]) -> Packages:
    """Return the packages of a release's environments: their versions, by kind (`python`, `r`) and name.

    Args:
        stamp: What the release is.
    """
    paths = (stamp.get("environment") or {}).get("paths") or {}
    found: Packages = {}
    for kind in ("python", "r"):  # for nodes of another architecture, the same from the same lock
        folders = [str(path) for name, path in sorted(paths.items()) if name.partition("-")[0] == kind]
        if folders:
            found[kind] = of_environment(kind, folders[0])
    return found


def of_environment(kind: str, folder: str) -> Dict[str, str]:
    """Return the packages of an environment.

    Args:
        kind: `python` or `r`.
        folder: The environment's.
    """
    kept = read(os.path.join(folder, KEPT)).get("packages")
    if isinstance(kept, dict) and all(isinstance(part, str) for part in [*kept, *kept.values()]):
        return kept
    with contextlib.suppress(OSError):
        packages = dict(sorted((_python if kind == "python" else _r)(folder).items()))
        if packages:
            write(os.path.join(folder, KEPT), json.dumps({"version": 1, "packages": packages}))
        return packages
    return {}


def _python(folder: str) -> Dict[str, str]:
    found = {}
    for path in glob.glob(os.path.join(glob.escape(folder), "conda-meta", "*.json")):
        parts = os.path.basename(path)[: -len(".json")].rsplit("-", 2)
        if len(parts) == 3:
            found[parts[0]] = parts[1]
    for site in glob.glob(os.path.join(glob.escape(folder), "lib*", "python*", "site-packages")):
        for name in os.listdir(site):
            match = re.match(r"^(.+?)-([0-9][^-]*)(?:-py[0-9.]+)?\.(?:dist|egg)-info\Z", name)
            if match:
                found[re.sub(r"[-_.]+", "-", match.group(1)).lower()] = match.group(2)
    return found


def _r(folder: str) -> Dict[str, str]:
    found = {}
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            with open(os.path.join(folder, name, "DESCRIPTION"), encoding="utf-8", errors="replace") as stream:
                match = re.search(r"^Version: *(\S+)", stream.read(100000), re.MULTILINE)
            if match:
                found[name] = match.group(1)
    return found
