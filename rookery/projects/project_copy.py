"""Make a copy of a project at one commit, under another name, to deploy and submit it beside the project itself.

The copy is a git repository in the state folder that reads the project's objects, so it takes the room of its files
alone. What is shared by name on a cluster, such as environments, is that of the project (`Project.origin`).
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, locking, paths, state_files, yaml_document
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblems
from rookery.projects import config, copy_note, deploy_cache, release_protocol
from rookery.projects.copy_note import INSIDE, CopyNote
from rookery.projects.git_command import git

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.model import Project

Changes = Mapping[str, Mapping[str, Any]]
"""Values of jobs' keys, by job and key; None takes a key away."""

_OWN_FILES = ("**/runs/.submitting-*", "**/runs/[0-9]*.json")
"""What submissions from a copy write into it, which is no part of its commits."""


def make(
    project: "Project",
    name: str,
    commit: str = "HEAD",
    *,
    outputs_per_release: bool = False,
    discard: str | None = None,
) -> "Project":
    """Return a copy of a project at a commit; the one that an earlier command has made, where it is of that commit.

    One of another commit is made anew, unless something was submitted from it.

    Args:
        project: The project.
        name: The copy's name, such as simulation-reproduce-41.
        commit: The commit, as git names it.
        outputs_per_release: Give each of its releases its own outputs, so that they can run side by side.
        discard: The command that cancels what was submitted from it and removes it, for a hint.

    Raises:
        RookeryError: The commit is not here, there is no rookery.yml in it, or a copy of another one is in use.
    """
    identity = _identity(project.root, commit)
    place = folder(project, name)
    with _locked(place):
        note = _whole(project, place)
        if note is None or note.commit != identity:
            if note and _is_used(place):
                what = f"{name} is a copy of commit {note.commit[:7]}, from which jobs were submitted"
                raise RookeryError(f"{what} to {', '.join(note.clusters)}.", hint=discard)
            on = note.clusters if note else ()  # its releases there are removed with the new one's
            wanted = CopyNote(name, project.name, str(project.root), "", identity, "", on, outputs_per_release)
            note = _make(project, place, wanted)
    return config.load(place / INSIDE / note.folder)


def folder(project: "Project", name: str) -> Path:
    """Return the folder of a project's copy; what a command has to remember of it goes beside the repository there."""
    return state_files.place("copies", f"{name}-{paths.digest(project.root, 8)}")


def find(project: "Project", name: str) -> "Project | None":
    """Return a project's copy that an earlier command has made; None where there is none."""
    place = folder(project, name)
    if not (place.exists() or _new(place).exists()):
        return None  # without a lock file
    with _locked(place):
        note = _whole(project, place)
    return config.load(place / INSIDE / note.folder) if note else None


def find_used(project: "Project", name: str) -> "Project | None":
    """Return a project's copy from which something was submitted, or may have been, with the files of its commit.

    Where there is none, `make` returns one of any commit.
    """
    copy = find(project, name)
    return change(copy, {}) if copy and is_used(copy) else None


def is_used(copy: "Project") -> bool:
    """Return whether something was submitted from a copy, or may have been: a submission's answer is not here yet."""
    return _is_used(_folder(copy))


def _is_used(place: Path) -> bool:
    repository = place / INSIDE
    patterns = [f":(glob){pattern}" for pattern in _OWN_FILES]
    # those in git are records of the project's own runs
    return repository.exists() and bool(git(repository, "ls-files", "--others", "--", *patterns))


def change(copy: "Project", changes: Changes) -> "Project":
    """Change keys of a copy's jobs, in a commit on top of the one that it was made from; return the copy as it is then.

    The same changes make the same commit.

    Args:
        copy: The copy.
        changes: The changes. A key that a job sets for a single cluster is changed for all.

    Raises:
        RookeryError: There is no such job, or rookery.yml would be wrong.
    """
    note = _note(copy)
    repository = _folder(copy) / INSIDE
    _remove_locks(repository)
    git(repository, "reset", "--quiet", "--soft", note.commit)
    beside = _folder(copy) / config.NAME  # not in the repository; who is killed here leaves a whole file there
    beside.write_bytes(git(copy.root, "show", f"{note.commit}:./{config.NAME}"))
    beside.write_text(_changed(beside, changes), encoding="utf-8")
    beside.replace(copy.root / config.NAME)
    git(repository, "add", "--all")
    when = git(repository, "show", "--no-patch", "--format=%ct +0000", note.commit).decode().strip()
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "rookery"), ("EMAIL", "rookery@localhost"), ("DATE", when))}  # fmt: skip
    message = f"Changed by rookery: {', '.join(changes)}\n".encode()
    how = ["--quiet", "--no-verify", "--no-gpg-sign", "--allow-empty", "--cleanup=verbatim", "--file=-"]
    git(repository, "commit", *how, input=message, environment=people)
    return config.load(copy.root)


def check_out(copy: "Project", commit: str, *, patch: bytes = b"", inputs: Mapping[str, str]) -> "Project":
    """Give a copy the files of a commit of the project, whatever it had; return the copy as it is then.

    Args:
        copy: The copy.
        commit: The commit.
        patch: Uncommitted changes, as `git apply` takes them; they stay uncommitted.
        inputs: Digests of input data by its path, where rookery.yml may name another version.

    Raises:
        RookeryError: The commit is not here, the patch does not apply, or there is no rookery.yml in it.
    """
    place = _folder(copy)
    repository = place / INSIDE
    _remove_locks(repository)
    git(repository, "checkout", "--quiet", "--force", "--detach", commit)
    # what the patch of an earlier time added is ignored again, where it also changed .gitignore
    git(repository, "clean", "--quiet", "-ffdx", *(f"--exclude={pattern}" for pattern in _OWN_FILES))
    if patch:
        git(repository, "apply", "--binary", "--whitespace=nowarn", "-", input=patch)
    copy_note.save(place, replace(_note(copy), inputs=dict(inputs)))
    return config.load(copy.root)


def note_cluster(copy: "Project", label: str) -> None:
    """Note that a copy is being deployed to a cluster, where it is to be removed again.

    Args:
        copy: The copy.
        label: The cluster, as Cluster.label names it.
    """
    note = _note(copy)
    if label not in note.clusters:
        copy_note.save(_folder(copy), replace(note, clusters=(*note.clusters, label)))


def remove(copy: "Project", connection: "Connection | None" = None) -> None:
    """Remove a copy with its releases and results on a cluster; here, once it is on no cluster any more.

    Args:
        copy: The copy.
        connection: A cluster that it may be on, open; None where it was never deployed.

    Raises:
        RookeryError: A job still uses it there, or the cluster does not say whether one does.
    """
    note, place = _note(copy), _folder(copy)
    if connection is not None:
        _remove_there(connection, note)
        left = tuple(label for label in note.clusters if label != connection.cluster.label)
        note = replace(note, clusters=left)
        copy_note.save(place, note)
        deploy_cache.file(connection.cluster, note.name).unlink(missing_ok=True)
    if not note.clusters:
        (place / copy_note.FILE).unlink(missing_ok=True)  # first: what is half removed is no copy
        for path in (place, _new(place), _old(place)):
            shutil.rmtree(path, ignore_errors=True)
        _lock(place).unlink(missing_ok=True)


def _remove_there(connection: "Connection", note: CopyNote) -> None:
    slurm = "1" if connection.cluster.scheduler == "slurm" else "0"
    values = {"name": note.name, "origin": note.origin, "slurm": slurm}
    script = release_protocol.program(values, "locked.sh", "remove.sh")
    with console.waiting(f"Removing {note.name} from {connection.cluster.name}"):
        done = connection.run(script=script, check=False)
    answer = release_protocol.read(done.stdout)
    if not answer.state:
        raise _refused(connection, note, answer.stop, done.stderr)


def _refused(connection: "Connection", note: CopyNote, why: str, stderr: str) -> RookeryError:
    word, _, rest = why.partition(" ")
    what = f"{connection.cluster.name}: {note.name} was not removed"
    last = console.clean((rest.strip() or stderr.strip() or "no output").splitlines()[-1])
    reasons = {
        "used": f"job {last} still uses it",
        "slurm": f"Slurm does not answer whether a job uses it: {last}",
        "busy": f"a deploy is running ({last})",
        "foreign": f"{last} is not a release of a copy of {note.origin}",
    }
    hints = {"used": f"invoke cancel {last.split()[0]}   # or wait until it has ended"} if word == "used" else {}
    hint = hints.get(word, "run the same command again later")
    return RookeryError(f"{what}: {reasons.get(word, last)}.", hint=hint)


def _identity(root: Path, commit: str) -> str:
    found = git(root, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{commit}^{{commit}}", check=False)
    if not found.strip():
        raise RookeryError(f"Commit {commit[:12]} is not in the repository {root}.", hint="git fetch --all")
    return found.decode().strip()


def _lock(place: Path) -> Path:
    return place.with_name(f".{place.name}.lock")


def _new(place: Path) -> Path:
    """Return the folder in which a copy is made; with a note in it, it is whole, and comes in place of the old one."""
    return place.with_name(f".{place.name}.new")


def _old(place: Path) -> Path:
    """Return where a copy goes that another one has replaced, to be deleted."""
    return place.with_name(f".{place.name}.old")


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    with paths.writing_state(place.parent), locking.waited(_lock(place)):
        yield


def _whole(project: "Project", place: Path) -> CopyNote | None:
    """Return the note of a copy, None where there is none; what a killed command has begun is finished first.

    Where the files are lost, they are made again: the note alone knows the clusters that have releases of the copy.
    """
    if (_new(place) / copy_note.FILE).exists():
        _replace(place)
    for rest in (_new(place), _old(place)):
        shutil.rmtree(rest, ignore_errors=True)
    note = copy_note.read(place) if place.exists() else None
    return _make(project, place, note) if note and not (place / INSIDE).exists() else note


def _make(project: "Project", place: Path, note: CopyNote) -> CopyNote:
    """Make a copy beside the place where it belongs, then put it there: one that is there stays until then."""
    new = _new(place)
    try:
        note = _build(project, new / INSIDE, note)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    copy_note.save(new, note)
    _replace(place)
    return note


def _replace(place: Path) -> None:
    """Put the new copy in place of an old one; killed between any two steps, it is continued by the next command."""
    old = _old(place)
    if place.exists():
        place.rename(old)
    _new(place).rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _build(project: "Project", repository: Path, note: CopyNote) -> CopyNote:
    """Make the repository of a copy and its files; return the note with the project's folder in it, and the time."""
    repository.mkdir(parents=True)
    where = ["--show-prefix", "--git-path", "objects", "--git-path", "shallow"]
    prefix, objects, shallow = (
        git(project.root, "rev-parse", *where).decode(errors="surrogateescape").removesuffix("\n").split("\n")
    )
    git(repository, "init", "--quiet", "--template=")
    inner = repository / ".git"
    (inner / "objects/info").mkdir(exist_ok=True)
    (inner / "objects/info/alternates").write_bytes(os.fsencode((project.root / objects).resolve()) + b"\n")
    (inner / "info").mkdir(exist_ok=True)
    (inner / "info/exclude").write_text("".join(f"{pattern}\n" for pattern in _OWN_FILES))
    if (project.root / shallow).is_file():
        shutil.copy(project.root / shallow, inner / "shallow")
    git(repository, "checkout", "--quiet", "--detach", note.commit)
    note = replace(note, folder=prefix.rstrip("/"), when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    if not (repository / note.folder / config.NAME).is_file():
        raise RookeryError(f"Commit {note.commit[:7]} has no {config.NAME} in {project.root.name}.")
    return note


def _remove_locks(repository: Path) -> None:
    """Remove the locks of a git that was killed with the command that ran it; one command at a time uses a copy."""
    for name in ("index.lock", "HEAD.lock"):
        (repository / ".git" / name).unlink(missing_ok=True)


def _changed(file: Path, changes: Changes) -> str:
    """Return the text of a rookery.yml with keys of jobs changed."""
    import yaml

    document = yaml_document.read(file, config.DIALECT, FileProblems())
    data = dict(document.data)
    jobs = {name: dict(job) for name, job in dict(data.get("jobs") or {}).items()}
    for name, values in changes.items():
        if name not in jobs:
            raise RookeryError(f"Unknown job {name!r} in {file}. Jobs: {', '.join(jobs)}.")
        job = jobs[name]
        own = {
            cluster: {key: value for key, value in dict(settings).items() if key not in values}
            for cluster, settings in dict(job.get("clusters") or {}).items()
        }
        job["clusters"] = {cluster: settings for cluster, settings in own.items() if settings} or None
        jobs[name] = {key: value for key, value in {**job, **values}.items() if value is not None}
    data["jobs"] = jobs
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1_000_000))


def _note(copy: "Project") -> CopyNote:
    note = copy_note.of(copy.root)
    if note is None:
        raise RookeryError(f"{copy.root} is not a copy that rookery made.")
    return note


def _folder(copy: "Project") -> Path:
    place = copy_note.folder_of(copy.root)
    assert place is not None  # noqa: S101 it has a note
    return place
