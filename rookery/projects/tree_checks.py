"""Read the files of a commit, and check whether it can become a release."""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.projects import fetched_files, gitignore
from rookery.projects.commit import SHOWN, Commit, contents, listed
from rookery.projects.packing import PIECE, Packing
from rookery.projects.source_tree import LINK, TreeEntry

LARGE_MB = 100
"""Megabytes from which a file is thought to be in git by mistake: GitHub's limit (docs.github.com, "large files")."""

DENSEST = 1032
"""How many times its size deflate can at most make of data (zlib.net, "Maximum Compression Factor")."""

# Files that do nothing but make git keep a folder.
_PLACEHOLDERS = (".gitkeep", ".gitignore", ".keep")
_POINTERS = {"lfs": b"version https://git-lfs.github.com/spec/v1", "git-crypt": b"\0GITCRYPT\0"}


@dataclass(frozen=True)
class Tree:
    """The files of a commit in the project's folder.

    Attributes:
        files: By path within the project.
        outwards: Links that lead out of the project, and where to.
    """

    files: dict[str, TreeEntry] = field(default_factory=dict)
    outwards: dict[str, str] = field(default_factory=dict)


def read_tree(commit: Commit) -> Tree:
    """Return the files of a commit, below the project's folder."""
    out = commit.git("ls-tree", "-r", "-z", "--full-tree", f"{commit.id}:{commit.folder}")
    files = {}
    for line in out.decode(errors="surrogateescape").split("\0"):
        if line:
            facts, _, path = line.partition("\t")
            mode, _, identity = facts.split()
            files[path] = TreeEntry(mode, identity)
    links = {path: entry for path, entry in files.items() if entry.mode == LINK}
    goals = dict(zip(links, contents(commit, [entry.id for entry in links.values()]), strict=True))
    out_of_it = {path: os.fsdecode(to) for path, to in goals.items() if _leads_out(path, os.fsdecode(to))}
    return Tree(files, out_of_it)


def _changed(commit: Commit, other: str) -> set[str]:
    """Return the ids of the contents that a commit's files have and another's have not in the same place."""
    out = commit.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", other, commit.id)
    return {line.split()[3].decode() for line in out.split(b"\0") if line.startswith(b":")}


def _leads_out(path: str, goal: str) -> bool:
    whole = os.path.normpath(PurePosixPath(path).parent / goal)
    return goal.startswith("/") or whole == ".." or whole.startswith("../")


def check(
    commit: Commit, tree: Tree, *, outputs: Sequence[str], needed: Iterable[str], inputs: Sequence[str] = ()
) -> None:
    """Refuse a commit that can't become a release.

    Args:
        commit: The commit.
        tree: Its files.
        outputs: The project's folders of results, which are the storage's. Files in them that `fetch` brought are no
            part of the release, and are no obstacle.
        needed: Files that the job scripts are made of.
        inputs: Its input data, which is the storage's, too.

    Raises:
        RookeryError: It can't: with the files that are in the way.
    """
    if modules := [path for path, entry in tree.files.items() if entry.mode == "160000"]:
        raise RookeryError(
            f"The project has git submodules, which rookery does not support: {listed(modules)}.",
            hint=f"git rm --cached {quoted(modules[0])}   # then add its files, or install it as a package",
        )
    if missing := [path for path in needed if path not in tree.files]:
        raise RookeryError(
            f"Not in the commit: {listed(missing)}.",
            hint=f"git add -f {quoted(missing[0])} && git commit -m 'Add files that jobs need'",
        )
    for path in (*outputs, *inputs):
        tracked = [file for file in beneath(tree, path) if not is_placeholder(file)]
        if tracked and (tracked := sorted(set(tracked) - fetched_files.known(commit.root).keys())):
            what = "an output folder" if path in outputs else "input data"
            raise RookeryError(
                f"{path} is {what}, on the cluster's large storage, but the commit has files in it: {listed(tracked)}.",
                hint=untracking(path, is_folder=tracked != [path]),
            )
    _check_reserved(tree, (*outputs, *inputs))
    _check_pointers(commit, tree)


def untracking(path: str, *, is_folder: bool) -> str:
    """Return the command that takes files out of git, and keeps them."""
    return (
        f"printf '\\n%s\\n' {quoted(gitignore.line(path, is_folder=is_folder))} >>.gitignore && git add .gitignore && "
        f"git rm -r --cached {quoted(path)} && git commit -m 'Keep data and results out of git'   # keeps your files"
    )


def check_size(commit: Commit, tree: Tree, packing: Packing | None = None) -> None:
    """Refuse files so large that they are in git by mistake, but for those that the cluster has already.

    Args:
        commit: The commit.
        tree: Its files.
        packing: What of it will be sent to the cluster; all of it where None.

    Raises:
        RookeryError: There are such files.
    """
    if packing and packing.is_small and PIECE * DENSEST < LARGE_MB * 1024 * 1024:
        return
    bases = packing.bases() if packing else []
    fresh = _changed(commit, bases[0]) if bases else None
    files = {path: entry.id for path, entry in tree.files.items() if fresh is None or entry.id in fresh}
    queries = "".join(f"{identity}\n" for identity in files.values()).encode()
    sizes = commit.git("cat-file", "--batch-check=%(objectsize)", input=queries).split() if files else []
    big = {path: int(size) for path, size in zip(files, sizes, strict=True) if int(size) > LARGE_MB * 1024 * 1024}
    if big:
        named = [f"{path} ({size / 1024 / 1024:.0f} MB)" for path, size in big.items()]
        raise RookeryError(
            f"The commit has files over {LARGE_MB} MB: {', '.join(named[:SHOWN])}.",
            hint=f"{typed_command.again('--yes')}   # sends them anyway; better keep data on the large storage",
        )


def is_placeholder(path: str) -> bool:
    """Return whether a file in an output does nothing but make git keep the folder."""
    return PurePosixPath(path).name in _PLACEHOLDERS


def beneath(tree: Tree, folder: str) -> list[str]:
    """Return the files of a commit at a path or below it."""
    below = f"{folder}/"
    return [path for path in tree.files if path.startswith(below) or path == folder]


def _check_reserved(tree: Tree, outputs: Sequence[str]) -> None:
    """Refuse a commit with a file where rookery puts something into a release, or on the way there."""
    own = (".rookery", ".venv", ".conda", ".rlibrary")
    taken = [path for name in own for path in beneath(tree, name)]
    taken += [path for path in tree.files if path.startswith(tuple(f"{name}-" for name in own))]  # .venv-aarch64
    folders = [str(parent) for path in (*outputs, "slurm/x") for parent in PurePosixPath(path).parents]
    taken += [path for path in folders if path in tree.files]
    if taken:
        raise RookeryError(
            f"The commit has files where rookery puts its own in a release: {listed(taken)}.",
            hint=f"git rm -r --cached {quoted(taken[0])} && git commit -m 'Remove files from git'",
        )


def _check_pointers(commit: Commit, tree: Tree) -> None:
    """Refuse files whose content git keeps elsewhere (git-lfs) or encrypted (git-crypt): pointers would arrive."""
    attributes = [entry.id for path, entry in tree.files.items() if path.rpartition("/")[2] == ".gitattributes"]
    if not any(b"filter" in text for text in contents(commit, attributes)) and not commit.folder:
        return
    names = "".join(f"{path}\0" for path in tree.files).encode(errors="surrogateescape")
    fields = (
        commit.git("check-attr", "-z", "--stdin", "filter", input=names).decode(errors="surrogateescape").split("\0")
    )
    filters = dict(zip(fields[::3], fields[2::3], strict=False))
    marked = {path: _POINTERS[name] for path, name in filters.items() if name in _POINTERS}
    texts = contents(commit, [tree.files[path].id for path in marked])
    pointers = [path for (path, mark), text in zip(marked.items(), texts, strict=True) if text.startswith(mark)]
    if pointers:
        raise RookeryError(
            f"The commit has files of {'git-crypt' if filters[pointers[0]] == 'git-crypt' else 'git-lfs'}, "
            f"which rookery does not support: {listed(pointers)}.",
            hint=f"git rm --cached {quoted(pointers[0])} && git commit -m 'Remove files from git'   # keep data on the "
            "cluster's large storage",
        )


def quoted(path: str) -> str:
    """Return a path as a user can type it into a shell."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
