"""The commit that a deploy is about: git on this side. The user's branch, index, stash and objects stay alike."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rookery.core.background import begun
from rookery.core.errors import RookeryError
from rookery.projects import remote_paths

SHOWN = 10
"""How many names a message lists before it counts the rest."""

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
    """

    root: Path
    id: str
    head: str
    folder: str = ""
    shallow: Path | None = None
    objects: Path | None = None
    changes: tuple[str, ...] = ()

    @property
    def dirty(self) -> bool:
        """Whether it is a snapshot of uncommitted changes."""
        return self.id != self.head

    def git(self, *arguments: str, input: bytes = b"", check: bool = True) -> bytes:  # noqa: A002 subprocess's name
        """Return what a git command says of the project's repository, with the snapshot's objects at hand."""
        return git(self.root, *arguments, input=input, check=check, environment=_with_objects(self.root, self.objects))


def git(
    root: Path,
    *arguments: str,
    input: bytes = b"",  # noqa: A002 subprocess's name for it
    check: bool = True,
    environment: dict[str, str] | None = None,
) -> bytes:
    """Return what a git command prints that writes nothing the user would see, and runs none of their hooks.

    Raises:
        RookeryError: There is no git here, or it failed (with `check`); in git's own words.
    """
    try:
        done = subprocess.run(
            [*_GIT, "-C", str(root), *arguments],
            input=input,
            capture_output=True,
            check=False,
            env=surroundings() | (environment or {}),
        )
    except FileNotFoundError:
        raise _no_git() from None
    if check and done.returncode:
        raise _failed(root, done.stderr.decode(errors="replace"))
    return done.stdout


UNBURIED = ("-c", "safe.bareRepository=explicit")
"""Take no folder of a project for a repository: one that looks like a bare one can name programs that git runs."""

_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *UNBURIED)


def _no_git() -> RookeryError:
    return RookeryError("There is no git on this computer.", hint="install git: https://git-scm.com/downloads")


def surroundings(*kept: str) -> dict[str, str]:
    """Return the environment for git: what a hook that started rookery set would lead it to another repository.

    Args:
        kept: What names of git's own begin with that hold all the same, such as GIT_AUTHOR_.
    """

    def holds(key: str) -> bool:
        return not key.startswith("GIT_") or key in _KEPT or key.startswith(kept)

    mine = {key: value for key, value in os.environ.items() if holds(key)}
    return mine | {"LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}


_KEPT = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"}


def _failed(root: Path, said: str) -> RookeryError:
    """Why git would not, in words for somebody who has just met it."""
    lines = [line for line in said.splitlines() if line.strip()] or ["it gave no reason"]
    why = re.sub(r"^(fatal|error): ", "", next((line for line in lines if line.startswith("fatal:")), lines[-1]))
    if "cannot use bare repository" in said:
        return RookeryError(
            f"{root} is inside a repository and looks like a bare one itself, whose settings could run programs here.",
            hint=f"ls {shlex.quote(str(root))}   # HEAD, config, objects and refs do not belong there",
        )
    if "not a git repository" in said:
        return RookeryError(
            f"{root} is in no git repository, so there is no commit to deploy.",
            hint="git init && git add -A && git commit -m 'First version'   # in that folder",
        )
    if "dubious ownership" in said:
        return RookeryError(
            f"git does not trust the repository of {root}, since it belongs to somebody else: {why}",
            hint=f"git config --global --add safe.directory {_toplevel(said) or root}   # if you do",
        )
    return RookeryError(f"git failed in {root}: {why}")


def _toplevel(said: str) -> str:
    found = re.search(r"repository at '(.+)'", said)
    return found[1] if found else ""


class GitStatus:
    """A look at a project's files, begun; while git goes through them, the commit that is checked out is known already.

    Attributes:
        head: That commit, as if nothing were changed; None where there is none.
    """

    def __init__(self, root: Path, outputs: Sequence[str] = ()) -> None:
        """Begin.

        Args:
            root: The project's folder.
            outputs: Its folders of results, which are no uncommitted changes.
        """
        self._root, self._outputs, self._stack = root, outputs, ExitStack()
        self._commit: Commit | None = None
        said = git(root, "rev-parse", "--show-prefix", "HEAD", "--git-path", "shallow", check=False)
        told = re.fullmatch(r"(.*)\n([0-9a-f]{40})\n(.*)\n", said.decode(errors="surrogateescape"), re.DOTALL)
        self.head = Commit(root, told[2], told[2], told[1].rstrip("/"), (root / told[3]).absolute()) if told else None
        status = [*_GIT, "-C", str(root), *_status(outputs)]
        self._asked = subprocess.Popen(status, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings())
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

        out, err = self._asked.communicate()
        if self._asked.returncode:
            raise _failed(self._root, err.decode(errors="replace"))
        head, changes = _read_status(out)
        if not re.fullmatch(r"[0-9a-f]{40}", head):
            raise _no_commit(self._root, head)
        if self.head is None or head != self.head.id:
            raise RookeryError("Another commit was checked out just now.", hint="the same command again")
        if not changes:
            return self.head
        if not dirty:
            raise RookeryError(
                f"There are uncommitted changes: {listed(changes)}.",
                hint="git add -A && git commit   # or invoke deploy --dirty, which says so in everything it stamps",
            )

        scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rookery-"))
        return replace(_snapshot(self.head, self._outputs, Path(scratch)), changes=tuple(changes))

    def close(self) -> None:
        """End it; a snapshot is gone then."""
        self._stack.close()

    def _end(self) -> None:
        if self._asked.poll() is None:
            self._asked.kill()
        self._asked.communicate()


@contextmanager
def chosen(root: Path, outputs: Sequence[str] = (), *, dirty: bool = False) -> Iterator[Commit]:
    """Give the commit to deploy, as `GitStatus.commit` tells it; a snapshot is there while the block runs."""
    with closing(GitStatus(root, outputs)) as look:
        yield look.commit(dirty=dirty)


def _no_commit(root: Path, head: str) -> RookeryError:
    if head == "(initial)":
        return RookeryError(
            f"The git repository of {root} has no commit yet.", hint="git add -A && git commit -m 'First version'"
        )
    return RookeryError(f"The git repository of {root} names its commits by SHA-256, which rookery does not know.")


def _pathspec(outputs: Sequence[str], unsaid: Sequence[str] = ()) -> list[str]:
    """Return the project's files, without those that runs make.

    Relative to its folder. What is `unsaid` is not named.
    """
    left_out = [path for path in (remote_paths.KEPT_OUT, *outputs) if path not in unsaid]
    return ["--", ".", *(f":(exclude,literal){path}" for path in left_out)]


def _status(outputs: Sequence[str]) -> list[str]:
    shape = ["--porcelain=v2", "--branch", "-z", "--no-renames"]
    return ["status", *shape, "--untracked-files=normal", "--ignore-submodules=none", *_pathspec(outputs)]


def _read_status(out: bytes) -> tuple[str, list[str]]:
    """HEAD's id, and the changed paths, from `git status --porcelain=v2 --branch -z`."""
    head, changes = "", []
    for line in out.decode(errors="surrogateescape").split("\0"):
        kind = line[:2]
        if line.startswith("# branch.oid "):
            head = line.removeprefix("# branch.oid ")
        elif kind == "1 ":
            changes.append(line.split(" ", 8)[8])
        elif kind == "u ":
            changes.append(line.split(" ", 10)[10])
        elif kind == "? ":
            changes.append(line[2:])
    return head, changes


def listed(names: Iterable[str]) -> str:
    """Names on one line: the first few, and how many more there are."""
    every = [_readable(name) for name in names]
    rest = len(every) - SHOWN
    return ", ".join(every[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


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
    made = git(root, "commit-tree", tree, "-p", head, input=message, environment=environment).decode().strip()
    return replace(commit, id=made, objects=objects)


def _ignored(root: Path, outputs: Sequence[str]) -> list[str]:
    """Return what of that which is left out git ignores anyway.

    `git add` refuses to be told to leave that out as well.
    """
    asked = b"".join(os.fsencode(path) + b"\0" for path in (remote_paths.KEPT_OUT, *outputs))
    said = git(root, "check-ignore", "-z", "--stdin", input=asked, check=False)
    return [os.fsdecode(path) for path in said.split(b"\0")]


def _with_objects(root: Path, objects: Path | None) -> dict[str, str]:
    """Return what makes git write into a folder of its own, and read the repository's too."""
    if objects is None:
        return {}
    quoted = str(_git_path(root, "objects")).replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}


def _git_path(root: Path, name: str) -> Path:
    """Where git keeps something of a repository's; in a worktree, that is elsewhere."""
    said = git(root, "rev-parse", "--git-path", name).decode(errors="surrogateescape").removesuffix("\n")
    return (root / said).absolute()


def describe(commit: Commit) -> str:
    """Return the commit in a user's words: the nearest tag, or its first digits; `-dirty` for a snapshot."""
    said = commit.git("describe", "--always", "--tags", commit.head).decode(errors="replace").strip()
    return f"{said}-dirty" if commit.dirty else said


def patch(commit: Commit) -> bytes:
    """Return what a snapshot adds to the commit it stands on, as `git apply` takes it; nothing for a commit."""
    if not commit.dirty:
        return b""
    how = ["--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]
    return commit.git("diff", *how, commit.head, commit.id)


def known(root: Path, commits: Sequence[str]) -> list[str]:
    """Those of some commits that this repository has, and everything before them."""
    if not commits:
        return []
    asked = "".join(f"{each}^{{commit}}\n" for each in commits).encode()
    out = git(root, "cat-file", "--batch-check", input=asked).decode().splitlines()
    return [each for each, line in zip(commits, out, strict=True) if not line.endswith(("missing", "ambiguous"))]


def boundary(commit: Commit) -> list[str]:
    """Where a shallow clone's history ends; nothing in a whole one."""
    path = commit.shallow
    return path.read_text(encoding="ascii").split() if path and path.is_file() else []


class Packing:
    """A commit that is being packed for a cluster.

    Attributes:
        commit: The commit.
        bases: Waits for the commits that it builds on: those that the cluster has and this repository knows.
        pack: Waits for the pack; it is empty where the cluster has the commit itself.
    """

    def __init__(self, commit: Commit, there: Sequence[str]) -> None:
        """Begin.

        Args:
            commit: The commit.
            there: Commits that the cluster has.
        """
        self.commit = commit
        self.bases = begun(lambda: known(commit.root, there))
        self.pack = begun(lambda: b"" if commit.id in there else pack(commit, self.bases()))


def pack(commit: Commit, there: Sequence[str]) -> bytes:
    """Return what the cluster lacks of a commit and its history, as a pack.

    Args:
        commit: The commit.
        there: Commits that the cluster has and this repository knows.
    """
    wanted = "".join(f"{each}\n" for each in (commit.id, *(f"^{each}" for each in there)))
    # looking for what is alike among files that are all new takes five times as long, and saves a hundredth
    how = ["--revs", "--thin", "--stdout", "--delta-base-offset", "-q", *([] if there else ["--window=0"])]
    return commit.git("pack-objects", *how, input=wanted.encode())


def contents(commit: Commit, identities: Sequence[str]) -> list[bytes]:
    """Return the content of objects, in one call."""
    if not identities:
        return []
    out = commit.git("cat-file", "--batch", input="".join(f"{each}\n" for each in identities).encode())
    found = []
    for _ in identities:
        header, _, out = out.partition(b"\n")
        size = int(header.split()[2])
        found.append(out[:size])
        out = out[size + 1 :]
    return found
