"""Find the versions of the tools that rookery installed: read from folders, as starting each takes long."""

import contextlib
import glob
import os
import re
from typing import Any, Dict, List

from rookery.remote.apply import disk, last_run, process
from rookery.remote.apply.paths import is_inside, native

_PACKAGE = "lib/python3*/site-packages/{0}-*.dist-info"


def installed(home: str, sealed: Dict[str, Any], probed: bytes) -> Dict[str, str]:
    """Return the tools, each with its versions.

    Args:
        home: The home.
        sealed: What the last whole run wrote down.
        probed: What the probe says now: whether others could have replaced the tools, so that none may be run.
    """
    prefix = native(sealed.get("facts", {}).get("prefix", ""))
    pythons = _pythons(os.path.join(home, ".pyenv/versions")) or _pythons(os.path.join(prefix, "python"))
    versions = {"python": " ".join(pythons)}
    for name, venv in (("pipx", "tools/pipx"), ("poetry", "pipx/venvs/poetry")):
        versions[name] = _package(os.path.join(prefix, venv), name)
    versions["R"] = _r(home, sealed)
    if b"\nrookery-fact replaceable " in probed and not is_inside(os.path.realpath(prefix), os.path.realpath(home)):
        return {name: version for name, version in versions.items() if version}
    with contextlib.suppress(OSError):  # uv's version is in no file
        lines = process.run([os.path.join(prefix, "bin/uv"), "--version"], {}, 10).lines
        versions["uv"] = "".join(re.findall(r"uv (\S+)", " ".join(lines))[:1])
    return {name: version for name, version in versions.items() if version}


def _r(home: str, sealed: Dict[str, Any]) -> str:
    """Return the version of the R that the role r asked last."""
    for role, document in last_run.declared(home, sealed.get("run", "")):
        for path in [path for part in document["parts"] for observed in part["sights"].values() for path in observed]:
            if role == "r" and path.endswith("/library/base/DESCRIPTION"):
                text = (disk.read(native(path)) or b"").decode("utf-8", "replace")
                return "".join(re.findall(r"^Version: *(\S+)", text, re.M)[:1])
    return ""


def _pythons(folder: str) -> List[str]:
    names = (re.search(r"\d+\.\d+\.\d+", name) for name in (os.listdir(folder) if os.path.isdir(folder) else []))
    return sorted({name.group() for name in names if name}, key=lambda text: [int(part) for part in text.split(".")])


def _package(venv: str, name: str) -> str:
    folders = glob.glob(os.path.join(glob.escape(venv), _PACKAGE.format(name)))
    return os.path.basename(folders[0])[len(name) + 1 : -len(".dist-info")] if folders else ""
