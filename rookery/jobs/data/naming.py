"""Find the data sets that a command is about: their paths in the project, and what keeps one from a cluster."""

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.jobs.results.fetch_report import shown
from rookery.projects import config_checks, tree_checks
from rookery.projects.data import scan
from rookery.projects.git_command import git

if TYPE_CHECKING:
    from rookery.projects.data.scan import LocalData
    from rookery.projects.model import Project

NAMED = 5
"""How many faults of a data set are named."""


def of_words(project: "Project", words: Iterable[str]) -> list[str]:
    """Return the paths in the project that were named, by default those of `inputs`.

    Args:
        project: The project.
        words: Paths as they were typed: from here, or from the project's folder.

    Raises:
        RookeryError: One is outside of the project, or can't be an input; or none is named.
    """
    paths = list(dict.fromkeys(_in_project(project, word) for word in words)) or list(project.inputs)
    if not paths:
        raise RookeryError(
            "Missing argument PATH: rookery.yml names no `inputs`.",
            hint="invoke data.push data/raw   # or another folder",
        )
    return paths


def _in_project(project: "Project", word: str) -> str:
    """Return the path in the project that a word means: what there is of that name, from here or from its folder."""
    places = [_place(project, folder / Path(word).expanduser()) for folder in (Path.cwd(), project.root)]
    inside = [place for place in places if place.is_relative_to(project.root) and place != project.root]
    if not inside and project.root.is_relative_to(places[0]):
        raise RookeryError(
            f"{shown(word)} is or holds the project's folder {project.root}, not data in it.",
            hint="move the data into a folder such as data/raw",
        )
    if not inside:
        raise RookeryError(
            f"{shown(word)} is not in the project's folder {project.root}.",
            hint=f"ln -s {shlex.quote(str(places[0]))} {shlex.quote(str(project.root / 'data'))}   "
            "# a link in the project; then push that",
        )
    path = next(filter(os.path.lexists, inside), inside[0]).relative_to(project.root).as_posix()
    if why := config_checks.bad_input(path):
        raise RookeryError(
            f"{shown(path)} can't be a data set: it {why}.", hint="move the data into a folder such as data/raw"
        )
    return path


def to_push(project: "Project", words: Iterable[str]) -> list[str]:
    """Return the paths in the project that were named, as `of_words` does, if releases can have them as inputs.

    Raises:
        RookeryError: One is, holds or is in a folder for outputs, or holds or is in another input, or another of them.
    """
    paths = of_words(project, words)
    for path in paths:
        others = {name: "the input" for name in (*project.inputs, *paths) if name != path}
        others |= dict.fromkeys(project.outputs, "the output folder")
        if clash := next((name for name in others if config_checks.overlap(path, name)), ""):
            raise RookeryError(
                f"{path} can't be used with {others[clash]} {clash}: neither can be inside the other.",
                hint="move the data into a separate folder, or change rookery.yml first",
            )
    return paths


def _place(project: "Project", path: Path) -> Path:
    """Return a path without .. in it; no link is followed but those above the project's folder."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 `resolve` would follow a link to the data
    if not place.is_relative_to(project.root) and place.parent.resolve().is_relative_to(project.root):
        return place.parent.resolve() / place.name
    return place


def scanned(project: "Project", paths: Sequence[str]) -> "list[LocalData]":
    """Return data sets as they are on this computer; refuse those that can't be pushed, all of them at once.

    Raises:
        RookeryError: One is not here, is in git, or has something in it that can't be taken along.
    """
    found, problems, hints = [], [], []
    for path in paths:
        local = scan.scan(project.root, path)
        if local is None:
            problems.append(f"Can't find {path} in {project.root}.")
            hints.append(f"ls {shlex.quote(str(project.root / PurePosixPath(path).parent))}")
            continue
        if tracked := git(project.root, "ls-files", "-z", "--", path, check=False).split(b"\0")[:-1]:
            problems.append(
                f"{path} is in git ({len(tracked):,} file{'s' * (len(tracked) != 1)}). Input data must not be in git."
            )
            hints.append(tree_checks.untracking(path, is_folder=not local.is_file))
        if local.faults:
            named = "; ".join(f"{shown(name or path)}: {shown(why)}" for name, why in local.faults[:NAMED])
            more = len(local.faults) - NAMED
            problems.append(
                f"{path} has files that can't be pushed: {named}{f'; and {more} more' if more > 0 else ''}."
            )
            hints.append(f"remove or replace them, then run the same command again   # in {shlex.quote(path)}")
        elif not local.entries:
            problems.append(f"{path} is empty.")
            hints.append("put the data into it, then run the same command again")
        found.append(local)
    if problems:
        raise RookeryError("\n".join(problems), hint=hints[0])
    return found


def is_ignored(project: "Project", path: str) -> bool:
    """Return whether git ignores a path, or there is no git."""
    inside = git(project.root, "rev-parse", "--is-inside-work-tree", check=False).strip()
    return inside != b"true" or bool(git(project.root, "check-ignore", "--", path, check=False))
