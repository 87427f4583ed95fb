"""Choose the commit to deploy, by git on this computer. The user's branch, index, stash and objects stay unchanged."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rookery.core import name_lists, written_files
from rookery.core.errors import RookeryError
from rookery.projects import remote_paths
from rookery.projects.git_command import GIT, failure, git, surroundings

SHOWN = 10
"""How many names a message lists before it counts the rest."""

_RESULTS = ("combined", "pictures")
"""What writes files of results into a project besides its outputs (state_files.FOLDERS)."""

_SNAPSHOT = ("rookery", "rookery@localhost")


@dataclass(frozen=True)
class Commit:
    """A commit of a project, or a snapshot of what is not committed yet.

    Attributes:
        root: The project's folder.
        id: 40 hex digits.
        head: The commit that was checked out: the same, or a snapshot's parent.
        folder: The project's folder within the repository; "" where they are the same.
        shallow: The file with where a shallow clone's history ends, if it is one.
        objects: Where a snapshot's own objects are; None for a commit.
        changes: Files that a snapshot has otherwise than its parent.
        results: Tables and pictures in git that `combine` has written anew; a release has them as they were committed.
    """

    root: Path
    id: str
    head: str
    folder: str = ""
    shallow: Path | None = None
    objects: Path | None = None
    changes: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What paths of the project begin with in the repository."""
        return f"{self.folder}/" if self.folder else ""

    @property
    def dirty(self) -> bool:
        """Whether it is a snapshot of uncommitted changes."""
        return self.id != self.head

    def git(self, *arguments: str, input: bytes = b"", check: bool = True) -> bytes:  # noqa: A002 subprocess's name
        """Return the output of a git command in the project's repository, with the snapshot's objects."""
        return git(self.root, *arguments, input=input, check=check, environment=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What git's environment needs besides, so that it finds the snapshot's objects."""
        return _with_objects(self.root, self.objects)


class GitStatus:
    """git's look at a project's files, in the background; the commit that is checked out is known from the start.

    Attributes:
        head: That commit, as if nothing were changed; None where there is none.
    """

    def __init__(self, root: Path, outputs: Sequence[str] = ()) -> None:
        """Start git's look at the files.

        Args:
            root: The project's folder.
            outputs: What of it is on the storage (`Project.linked`), results and input data: no uncommitted changes.
        """
        self._root, self._outputs, self._stack = root, outputs, ExitStack()
        self._commit: Commit | None = None
        output = git(root, "rev-parse", "--show-prefix", "HEAD", "--git-path", "shallow", check=False)
        match = re.fullmatch(r"(.*)\n([0-9a-f]{40})\n(.*)\n", output.decode(errors="surrogateescape"), re.DOTALL)
        self.head = (
            Commit(root, match[2], match[2], match[1].rstrip("/"), (root / match[3]).absolute()) if match else None
        )
        status = [*GIT, "-C", str(root), *_status(outputs)]
        self._process = subprocess.Popen(status, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings())
        self._stack.callback(self._end)

    def commit(self, *, dirty: bool = False) -> Commit:
        """Return the commit to deploy: HEAD where everything is committed, or with `dirty` a snapshot of what is not.

        Args:
            dirty: Take uncommitted changes along.

        Raises:
            RookeryError: There is no repository or no commit, or there are uncommitted changes.
        """
        if self._commit is None:
            self._commit = self._chosen(dirty)
        return self._commit

    def _chosen(self, dirty: bool) -> Commit:
        import tempfile  # noqa: PLC0415 start-up

        out, err = self._process.communicate()
        if self._process.returncode:
            raise failure(self._root, err.decode(errors="replace"))
        head, changes, untracked, _ = _read_status(out)
        if not re.fullmatch(r"[0-9a-f]{40}", head):
            raise _no_commit(self._root, head)
        if self.head is None or head != self.head.id:
            raise RookeryError(
                "Another commit was checked out while rookery read the files.", hint="run the same command again"
            )
        results = self._results(changes, untracked)
        kept = tuple(path for path in changes if path in results)
        changes = [path for path in (*changes, *untracked) if path not in results]
        if not changes:
            return replace(self.head, results=kept) if kept else self.head
        if not dirty:
            raise RookeryError(
                f"There are uncommitted changes: {listed(changes)}.",
                hint="git add -A && git commit -m 'What changed'   # or use --dirty, which marks them as uncommitted",
            )

        scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rookery-"))
        left_out = [*self._outputs, *(path.removeprefix(self.head.prefix).rstrip("/") for path in results)]
        return replace(_snapshot(self.head, left_out, Path(scratch)), changes=tuple(changes), results=kept)

    def _results(self, changes: Iterable[str], untracked: Iterable[str]) -> list[str]:
        """Return those paths that are tables or pictures of `combine`: in git, if they are as it wrote them."""
        assert self.head is not None  # noqa: S101 _chosen has looked
        prefix = self.head.prefix
        return [path for path in changes if _is_result(self._root, path.removeprefix(prefix), unchanged=True)] + [
            path for path in untracked if _is_result(self._root, path.removeprefix(prefix))
        ]

    def close(self) -> None:
        """End git; a snapshot's objects are removed."""
        self._stack.close()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@contextmanager
def chosen(root: Path, outputs: Sequence[str] = (), *, dirty: bool = False) -> Iterator[Commit]:
    """Yield the commit to deploy, as `GitStatus.commit` tells it; a snapshot exists while the block runs."""
    with closing(GitStatus(root, outputs)) as git_status:
        yield git_status.commit(dirty=dirty)


def uncommitted(root: Path, outputs: Sequence[str] = ()) -> tuple[list[str], bool]:
    """Return the changed and the untracked files of a project for `git add`, and whether others are staged as they are.

    The files are named by their paths in its folder. A folder of which git has no file is one of them, with a / at its
    end. `git add` would fail at staged ones that are removed, and at those that git ignores now.

    Args:
        root: The project's folder.
        outputs: What of it is on the storage, as in `GitStatus`.

    Raises:
        RookeryError: git can't say.
    """
    _, changes, untracked, staged = _read_status(git(root, *_status(outputs)))
    prefix = git(root, "rev-parse", "--show-prefix").decode(errors="surrogateescape").removesuffix("\n")
    if any(prefix.startswith(path) for path in untracked):  # git names the folder itself, or one around it
        files = git(root, "ls-files", "-z", "--others", "--exclude-standard").decode(errors="surrogateescape")
        parts = [path.partition("/") for path in files.split("\0") if path]
        return sorted({f"{name}{slash}" for name, slash, _ in parts}), bool(staged)
    named = {*changes} - {*staged} | {*untracked}
    return sorted(path.removeprefix(prefix) for path in named), bool(staged)


def _no_commit(root: Path, head: str) -> RookeryError:
    if head == "(initial)":
        return RookeryError(
            f"The git repository of {root} has no commit yet.", hint="git add -A && git commit -m 'First version'"
        )
    return RookeryError(f"Can't deploy from {root}: rookery does not support git repositories with SHA-256.")


def _pathspec(outputs: Sequence[str], unnamed: Sequence[str] = ()) -> list[str]:
    """Return the project's files, without those that runs make.

    Relative to its folder. What is `unnamed` is not named.
    """
    left_out = [path for path in (remote_paths.KEPT_OUT, *outputs) if path not in unnamed]
    return ["--", ".", *(f":(exclude,literal){path}" for path in left_out)]


def _status(outputs: Sequence[str]) -> list[str]:
    shape = ["--porcelain=v2", "--branch", "-z", "--no-renames"]
    return ["status", *shape, "--untracked-files=normal", "--ignore-submodules=none", *_pathspec(outputs)]


def _is_result(root: Path, path: str, *, unchanged: bool = False) -> bool:
    """Return whether a file is a table or picture that `combine` wrote, or a folder holds nothing else.

    Args:
        root: The project's folder.
        path: The file's, in it.
        unchanged: Whether it must be as `combine` wrote it last.
    """
    if not path.endswith("/"):
        is_ours = written_files.is_unchanged if unchanged else written_files.is_known
        return any(is_ours(kind, root / path) for kind in _RESULTS)
    files = [file for file in (root / path).rglob("*") if not file.is_dir()]
    return bool(files) and all(_is_result(root, str(file.relative_to(root))) for file in files)


def _read_status(out: bytes) -> tuple[str, list[str], list[str], list[str]]:
    """Return HEAD's id, the changed and the untracked paths, from `git status --porcelain=v2 --branch -z`.

    Last come those of the changed paths that are staged as they are.
    """
    head, changes, untracked, staged = "", [], [], []
    for line in out.decode(errors="surrogateescape").split("\0"):
        kind = line[:2]
        if line.startswith("# branch.oid "):
            head = line.removeprefix("# branch.oid ")
        elif kind == "1 ":
            changes.append(line.split(" ", 8)[8])
            staged += changes[-1:] * (line[3] == ".")
        elif kind == "u ":
            changes.append(line.split(" ", 10)[10])
        elif kind == "? ":
            untracked.append(line[2:])
    return head, changes, untracked, staged


def listed(names: Iterable[str]) -> str:
    """Return names of files on one line: the first few, and how many more there are."""
    return name_lists.shortened(map(_readable, names), SHOWN)


def _readable(name: str) -> str:
    """Return a file's name as a user can read and type it."""
    shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return repr(shown) if not shown.isprintable() or " " in shown or "," in shown or shown.startswith("-") else shown


def _snapshot(commit: Commit, outputs: Sequence[str], scratch: Path) -> Commit:
    """Return a commit of the files as they are, with objects and index of its own.

    The same files give the same commit.
    """
    root, head, objects = commit.root, commit.id, scratch / "objects"
    objects.mkdir()
    name, mail = _SNAPSHOT
    when = git(root, "show", "--no-patch", "--format=%ct +0000", head).decode().strip()
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", name), ("EMAIL", mail), ("DATE", when))}  # fmt: skip
    environment = _with_objects(root, objects) | {"GIT_INDEX_FILE": str(scratch / "index")} | people
    git(root, "read-tree", head, environment=environment)
    adding = ["-c", "core.safecrlf=false", "add", "--all", *_pathspec(outputs, _ignored(root, outputs))]
    git(root, *adding, environment=environment)
    tree = git(root, "write-tree", environment=environment).decode().strip()
    message = b"Uncommitted changes, as rookery deployed them\n"
    identity = git(root, "commit-tree", tree, "-p", head, input=message, environment=environment).decode().strip()
    return replace(commit, id=identity, objects=objects)


def _ignored(root: Path, outputs: Sequence[str]) -> list[str]:
    """Return the excluded paths that git ignores anyway.

    `git add` refuses to exclude those explicitly.
    """
    paths = b"".join(os.fsencode(path) + b"\0" for path in (remote_paths.KEPT_OUT, *outputs))
    output = git(root, "check-ignore", "-z", "--stdin", input=paths, check=False)
    return [os.fsdecode(path) for path in output.split(b"\0")]


def _with_objects(root: Path, objects: Path | None) -> dict[str, str]:
    """Return the variables that make git write into a separate folder, and read the repository's too."""
    if objects is None:
        return {}
    quoted = str(_git_path(root, "objects")).replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}


def _git_path(root: Path, name: str) -> Path:
    """Return the path where git keeps something of a repository's; in a worktree, that is elsewhere."""
    path = git(root, "rev-parse", "--git-path", name).decode(errors="surrogateescape").removesuffix("\n")
    return (root / path).absolute()


def short(commit: str, *, dirty: bool) -> str:
    """Return a release's commit as results name it: its first digits; `-dirty` behind those of a snapshot."""
    return f"{commit[:7]}{'-dirty' * dirty}"


def describe(commit: Commit) -> str:
    """Return the commit in a user's words: the nearest tag, or its first digits; `-dirty` for a snapshot."""
    description = commit.git("describe", "--always", "--tags", commit.head).decode(errors="replace").strip()
    return f"{description}-dirty" if commit.dirty else description


def patch(commit: Commit) -> bytes:
    """Return a snapshot's changes to its parent, as `git apply` takes them; nothing for a commit."""
    if not commit.dirty:
        return b""
    flags = ["--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]
    return commit.git("diff", *flags, commit.head, commit.id)


def contents(commit: Commit, identities: Sequence[str]) -> list[bytes]:
    """Return the content of objects, in one call."""
    if not identities:
        return []
    out = commit.git("cat-file", "--batch", input="".join(f"{identity}\n" for identity in identities).encode())
    blobs = []
    for _ in identities:
        header, _, out = out.partition(b"\n")
        size = int(header.split()[2])
        blobs.append(out[:size])
        out = out[size + 1 :]
    return blobs
