"""The commands that add packages of Python to what a folder's environment is made from."""

import re
import shlex
from collections.abc import Sequence
from typing import Final

from rookery.projects.adoption.facts import FolderFacts
from rookery.projects.packages import pyproject

_TAKEN_BY_UV: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]*[A-Za-z0-9])?")
"""Names of folders that `uv init` makes a project's name of (uv 0.13)."""


def adding(facts: FolderFacts, project: str, lock: str, packages: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what adds packages, and the files that it changes.

    Args:
        facts: The folder.
        project: The project's name.
        lock: The file that the environment is made from.
        packages: The packages.
    """
    names, listed = shlex.join(packages), " and ".join(packages)
    if lock in {"uv.lock", "poetry.lock"}:
        add = f"{lock.removesuffix('.lock')} add {names}"
        return f"{_beginning(facts, project, lock)}{add}", (pyproject.NAME, lock)
    if lock != "requirements.txt":
        return f"edit {lock}: add {listed} to its dependencies", (lock,)
    append = rf"printf '\n%s' {names} >>"  # to a file whose last line may have no end
    if not facts.hashes:
        return f"{append}{lock}", (lock,)
    source = "requirements.in"
    if source in facts.files.sizes:
        return f"{append}{source} && uv pip compile --generate-hashes {source} -o {lock}", (source, lock)
    own = (pyproject.NAME,) if facts.pyproject is not None else ()
    return f"edit the file that {lock} is compiled from: add {listed}, then compile it again", (*own, lock)


def _beginning(facts: FolderFacts, project: str, lock: str) -> str:
    """Return what comes before `add`: what makes a pyproject.toml, or one that can list packages."""
    if facts.pyproject is None:
        name = "" if _TAKEN_BY_UV.fullmatch(facts.root.name) else f" --name {project}"
        return f"uv init --bare{name} && " if lock == "uv.lock" else ""
    if "project" in facts.pyproject or pyproject.table(facts.pyproject, "tool", "poetry"):
        return ""
    return f"{pyproject.beginning(project)} && "
