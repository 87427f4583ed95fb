"""Find the data in a folder that is too large for git."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from rookery.projects.adoption.facts import FolderFiles, LargeData

LARGE: Final = 50 * 1024 * 1024
"""Bytes from which a file, or a folder of files without code, is too large for git: GitHub warns from there on."""

CODE: Final = frozenset({
    ".py", ".r", ".rmd", ".qmd", ".ipynb", ".sh", ".sbatch", ".slurm", ".jl", ".c", ".h", ".cpp", ".f90", ".f", ".m",
    ".do", ".stan", ".toml", ".lock", ".tex",
})  # fmt: skip


def find(files: FolderFiles, tracked: frozenset[str], outputs: tuple[str, ...]) -> Iterator[LargeData]:
    """Yield the largest folders that hold only data, and large files beside code.

    Args:
        files: The folder's.
        tracked: Those that git has already.
        outputs: Folders of results, which are not data.
    """
    for path in files.crowded:
        if not _is_within(path, outputs):
            yield LargeData(path, 0, is_folder=True, is_counted=False)
    fresh = {path: size for path, size in files.sizes.items() if not _is_within(path, outputs)}
    yield from _below("", {path: size for path, size in fresh.items() if path not in tracked})
    for path, size in fresh.items():
        if path in tracked and size >= LARGE:
            yield LargeData(path, size, is_folder=False, is_tracked=True)


def _is_within(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _below(folder: str, sizes: Mapping[str, int]) -> Iterator[LargeData]:
    """Yield what is too large of the files in a folder, all of which are given."""
    if sum(sizes.values()) < LARGE:
        return
    if folder and not any(PurePosixPath(path).suffix.lower() in CODE for path in sizes):
        yield LargeData(folder, sum(sizes.values()), is_folder=True)
        return
    within: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        name, slash, _ = path[len(folder) + 1 if folder else 0 :].partition("/")
        inner = f"{folder}/{name}" if folder else name
        if slash:
            within.setdefault(inner, {})[path] = size
        elif size >= LARGE:
            yield LargeData(path, size, is_folder=False)
    for inner, those in within.items():
        yield from _below(inner, those)
