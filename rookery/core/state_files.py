"""Keep data on this computer between commands, in rookery's state folder.

A JSON file with unexpected content is named once and skipped.
"""

import json
import os
import shlex
from pathlib import Path
from typing import Any

from rookery.core import atomic_files, console, paths
from rookery.core.shapes import MismatchError, Shape
from rookery.remote import strict_json

FOLDERS = {
    "ansible": "what Ansible writes while it runs",
    "checks": "PROJECT-DIGEST/CLUSTER.json: commits whose tests have passed",
    "clusters": "CLUSTER.json: the last successful `setup` of a cluster, and what its login node is like",
    "cohort": "digests of the pages that `cohort` wrote",
    "combined": "digests of the tables that `combine` wrote",
    "copies": "NAME-DIGEST/: a copy of a project at a commit, and copy.json, which says what it was made from",
    "deploys": "USER@HOST:PORT/PROJECT.json: the releases and commits of a project on a cluster",
    "exported": "digests of the files that `export` wrote",
    "failures": "logs of unexpected errors",
    "fetched": "PROJECT-DIGEST.json: the files that `fetch` downloaded; .offered: it has proposed lines for .gitignore;"
    " .coming: what it is about to write",
    "known_hosts": "the clusters' host keys",
    "locks": "which commands are running",
    "modules": "CLUSTER.json: all modules of a cluster, as `clusters.add` or `clusters.check` found them",
    "node": "keys to log in to running jobs",
    "onboard": "CLUSTER.json: the first project that `onboard` made",
    "pictures": "digests of the pictures that `combine` and `scale` drew",
    "rendered": "digests of the scripts that `render` wrote",
    "sandbox": "the same for miniatures, and their files",
    "scaling": "PROJECT-scale-JOB-CLUSTER-DIGEST.json: what `scale` has measured",
    "services": "CLUSTER.NAME.json: the port and the token of a service that `serve` opened here",
    "unfinished": "PROJECT-DIGEST/CLUSTER.JOB.json: how far `run` has come, until the results are here",
    "used": "CLUSTER.json: what the last runs there have used, with which `lint` compares what a job requests",
    "vscode.json": "what rookery wrote into the settings of editors on this computer",
}
"""The contents of the state folder."""

_named: set[str] = set()


def place(name: str, *inner: str, sandbox: bool = False) -> Path:
    """Return the path of something in the state folder.

    Args:
        name: One of FOLDERS.
        inner: Names below it.
        sandbox: Of a miniature.

    Raises:
        KeyError: Nothing there has that name.
    """
    if name not in FOLDERS:
        raise KeyError(name)
    return Path(paths.state_dir(), *(["sandbox"] if sandbox else []), name, *inner)


def save(path: Path, document: Any) -> None:
    """Put a JSON file in place, whole or not at all.

    Raises:
        OSError: It can't be written.
    """
    atomic_files.write(path, json.dumps(document, default=str) + "\n")


def load(path: os.PathLike[str] | str, shape: Shape, *, advice: str = "", most: int = strict_json.MOST_BYTES) -> Any:
    """Return a file's data; None where there is none, or where it can't be used, which is said on standard error.

    Args:
        path: The file.
        shape: What it may hold.
        advice: What to do about one that can't be used; by default, to remove it.
        most: Bytes that it may have.
    """
    try:
        return shape(strict_json.read(path, most))
    except FileNotFoundError:
        return None
    except (OSError, strict_json.MalformedError, MismatchError) as error:
        name_once(path, reason(error), advice)
        return None


def reason(error: Exception) -> str:
    """Return why a file can't be used, as the end of a sentence."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"unexpected content ({error})" if isinstance(error, MismatchError) else str(error)


def name_once(path: os.PathLike[str] | str, why: str, advice: str = "") -> None:
    """Say that a file is skipped; once in a process, however often it is read."""
    shown = os.fsencode(path).decode(errors="backslashreplace")
    if shown in _named:
        return
    _named.add(shown)
    remedy = advice or f"rm {shlex.quote(shown)}   # rookery makes a new one"
    console.note(f"Skipped {shown}: {why}.", f"  next: {remedy}")
