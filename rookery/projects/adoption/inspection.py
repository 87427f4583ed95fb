"""Inspect a folder: everything that a proposal is made of, read once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from rookery.projects import config
from rookery.projects.adoption import (
    batch_scripts,
    environments,
    folder_files,
    git_facts,
    large_data,
    programs,
    secret_files,
)
from rookery.projects.adoption.facts import FolderFacts, FolderFiles
from rookery.projects.adoption.ignore_lines import CANDIDATES
from rookery.projects.packages import pyproject

RESULTS: Final = ("results", "result", "output", "outputs", "out", "figures", "figs", "plots", "tables")
LOGS: Final = ("slurm_logs", "logs", "log")
ALWAYS_COMMITTED: Final = (config.NAME, pyproject.NAME, *config.PYTHON_LOCKS, *config.R_LOCKS, "requirements.in")
"""What `init` and the commands that it shows write, and `deploy` takes from the commit."""

_LARGEST_SECRET: Final = 1_000_000


def inspect(root: Path) -> FolderFacts:
    """Return what is in a folder.

    Args:
        root: The folder.

    Raises:
        RookeryError: git can't use the repository that is there.
    """
    files = folder_files.listed(root)
    every = programs.read(root, files.sizes)
    scripts = batch_scripts.find(root, files.sizes.items())
    texts = [*(program.text for program in every), *(script.text for script in scripts)]
    outputs = _outputs(files, texts, batch_scripts.log_folders(scripts))
    asked = [
        *CANDIDATES,
        *ALWAYS_COMMITTED,
        *(f"{folder}/x" for folder in (*RESULTS, *LOGS, *files.environments)),
        *files.crowded,
        *files.sizes,
    ]
    git = git_facts.look(root, asked)
    fresh = [path for path, size in files.sizes.items() if path not in git.ignored and size <= _LARGEST_SECRET]
    python_locks = environments.locks(root, files, config.PYTHON_LOCKS)
    r_locks = environments.locks(root, files, config.R_LOCKS)
    unlocked = environments.unlocked(root, files)
    listing = python_locks[0][1] if python_locks else next(iter(unlocked), "pyproject.toml")
    r_package = environments.r_package(root, files)
    runnable = programs.runnable(every, environments.package_folders(files), r_package=bool(r_package))
    runs = {program.kind for program in runnable}
    if scripts and not any("nbconvert" in script.text for script in scripts):
        runs.discard("notebook")  # which gets no job beside job scripts
    return FolderFacts(
        root=root,
        files=files,
        git=git,
        scripts=tuple(scripts),
        foreign=tuple(batch_scripts.foreign(root, files.sizes.items())),
        programs=tuple(program for program in runnable if program.path not in {script.path for script in scripts}),
        python_locks=python_locks,
        r_locks=r_locks,
        unlocked=unlocked,
        pyproject=environments.read_pyproject(root, files),
        hashes=environments.has_hashes(root),
        package=environments.python_package(root, files),
        r_package=r_package,
        packages=environments.listed_packages(root, listing),
        unlisted=environments.unlisted(
            root,
            files,
            every,
            python=environments.lists_python(root, files),
            r=r_locks[0][1] if r_locks else "",
            runs=runs,
        ),
        notebooks="notebook" in runs,
        outputs=outputs,
        beside=programs.written_beside(runnable),
        data=tuple(
            replace(entry, is_used=any(PurePosixPath(entry.path).name in text for text in texts))
            for entry in large_data.find(files, git.tracked, outputs)
        ),
        secrets=dict(secret_files.find(root, fresh)),
    )


def _outputs(files: FolderFiles, texts: Sequence[str], logs: Sequence[str]) -> tuple[str, ...]:
    """Return the folders for results and logs that are there, or that programs and job scripts name."""
    known = (*RESULTS, *(folder for folder in logs if folder not in (*RESULTS, *LOGS)), *LOGS)
    there = {name for path in files.sizes if (name := path.partition("/")[0]) in known and "/" in path}
    there |= {name for name in files.crowded if name in known}
    suffixes = {
        name: {PurePosixPath(path).suffix.lower() for path in files.sizes if path.startswith(f"{name}/")}
        for name in there
    }
    plain = {name for name in there if not suffixes[name] & (large_data.CODE - {".tex"})}
    return tuple(
        name for name in known if name in plain or (name in programs.mentioned(texts, [name]) and name not in there)
    )
