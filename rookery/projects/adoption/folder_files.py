"""List the files of a folder, without what is no part of a project: environments, caches, other repositories."""

import os
from pathlib import Path
from typing import Final

from rookery.projects.adoption.facts import FolderFiles
from rookery.projects.first_commit import BUILDING

SKIPPED: Final = frozenset({
    ".git", "__pycache__", "node_modules", "site-packages", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", ".tox", ".nox", ".Rproj.user", ".snakemake", ".idea", "packrat", "renv", ".eggs",
})  # fmt: skip
"""Folders that hold no code of the user's."""

CROWDED: Final = 5_000
"""Entries of one folder from which it holds data."""

MOST: Final = 50_000
"""Files that are looked at, over all folders."""


def listed(root: Path) -> FolderFiles:
    """Return the files below a folder; links are files, and are not followed.

    Args:
        root: The folder.
    """
    sizes: dict[str, int] = {}
    crowded, environments, repositories, projects = [], [], [], []
    for parent, folders, files in os.walk(root):
        here = Path(parent).relative_to(root).as_posix() if Path(parent) != root else ""
        if here and ("pyvenv.cfg" in files or "conda-meta" in folders):
            environments.append(here)
            folders.clear()
        elif here and (".git" in folders or ".git" in files):
            repositories.append(here)
            folders.clear()
        elif here and (len(files) + len(folders) > CROWDED or len(sizes) + len(files) > MOST):
            crowded.append(here)
            folders.clear()
        else:
            projects += [here] * (bool(here) and "rookery.yml" in files)
            folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith(BUILDING))
            sizes |= {_joined(here, name): _size(Path(parent, name)) for name in sorted(files)}
            links = [name for name in folders if Path(parent, name).is_symlink()]
            sizes |= {_joined(here, name): 0 for name in links}
            folders[:] = [name for name in folders if name not in links]
    return FolderFiles(sizes, tuple(crowded), tuple(environments), tuple(repositories), tuple(projects))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:
        return 0


def text_of(file: Path, most: int = 1_000_000) -> str:
    """Return a file's text, as far as it is text; "" for a link, and where it is very large or can't be read.

    Args:
        file: The file.
        most: Bytes that it may have.
    """
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > most:
            return ""
        return file.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return ""
