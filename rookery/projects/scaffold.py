"""`new`: a project that works at once, of templates/project/: git, a seeded simulation as an array, tests, a lock file.

It is made beside its place and moved there when it is whole, its first commit included.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rookery.clusters import set_up_note
from rookery.clusters.config import profile
from rookery.core import invocation, paths
from rookery.core.errors import RookeryError
from rookery.projects.git_command import UNBURIED, surroundings
from rookery.projects.options import NewOptions
from rookery.projects.scripts import partition

LANGUAGES = {"python": ("uv", "poetry"), "r": ("library", "renv")}
"""For each language the ways to write down its packages, the usual one first."""

TRACKERS = ("mlflow", "wandb")

LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "library": "r-packages.txt", "renv": "renv.lock"}
"""The file that each way writes them to."""

LONGEST = 50
"""Characters of a name: it becomes part of paths on clusters."""

_RESERVED = {"numpy", "pytest", "mlflow", "mlflow-skinny", "wandb", "con", "nul", "aux", "prn"}
"""Names of what the project needs itself, which tools refuse or mix up, and of what Windows can't write."""


def run(request: NewOptions) -> int:
    """Make the project in a folder of its name, here.

    Raises:
        RookeryError: The name or a choice can't be, something stands there already, or there is no git.
    """
    made = make(request)
    _tell(made.request, made.outer, made.signed)
    return 0


@dataclass(frozen=True)
class NewProject:
    """A project that was begun.

    Attributes:
        request: What was asked for, with every choice filled in.
        outer: The git repository that it lies in; "" for none.
        signed: What there is to know of its first commit (see `_commit`).
    """

    request: NewOptions
    outer: str
    signed: str


def make(request: NewOptions, folder: Path | None = None) -> NewProject:
    """Make the project in a folder of its name, and say nothing of it.

    Args:
        request: What is asked for.
        folder: Where its folder is to be; by default here.

    Raises:
        RookeryError: As `run`.
    """
    wanted, place = checked(request), folder or Path.cwd()
    target = place / wanted.name
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise RookeryError(
            f"{wanted.name} is here already, and not empty.", hint=f"{invocation.invocation()} new ANOTHER-NAME"
        )
    require_git()
    outer = _git(place, "rev-parse", "--show-toplevel").stdout.strip()
    with tempfile.TemporaryDirectory(prefix=f".{wanted.name}.", dir=place) as temporary:
        building = Path(temporary) / wanted.name
        fill(wanted, building)
        if wanted.track:
            _lock(wanted, building)
        signed = _commit(building, wanted.author)
        building.replace(target)
    return NewProject(wanted, outer, signed)


def checked(request: NewOptions) -> NewOptions:
    """Return the request with its choices filled in.

    Raises:
        RookeryError: One of them can't be.
    """
    name, again = request.name, f"{invocation.invocation()} new {suggested(request.name)}"
    if not re.fullmatch(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?", name) or len(name) > LONGEST:
        what = f"at most {LONGEST} letters, digits, - and _, a letter first and no - or _ last"
        raise RookeryError(f"{name!r} can't be a project's name: {what}.", hint=again)
    if name.lower().replace("_", "-") in _RESERVED:
        raise RookeryError(f"{name} is the name of something else that projects use.", hint=f"{again}-study")
    if request.lang not in LANGUAGES:
        raise RookeryError(f"There is no --lang {request.lang!r}. There are: python, r.", hint=f"{again} --lang r")
    locks = LANGUAGES[request.lang]
    if request.lock not in {"", *locks}:
        what = f"--lock {request.lock!r} is nothing for {request.lang}. There are: {', '.join(locks)}."
        raise RookeryError(what, hint=f"{again} --lang {request.lang} --lock {locks[0]}")
    if request.track and (request.track not in TRACKERS or request.lang != "python"):
        what = "--track is for Python." if request.track in TRACKERS else f"There is no --track {request.track!r}."
        raise RookeryError(f"{what} There are: {', '.join(TRACKERS)}.", hint=f"{again} --track {TRACKERS[0]}")
    return replace(request, lock=request.lock or locks[0], clusters=",".join(_clusters(request.clusters)))


def suggested(name: str) -> str:
    """Return a name like the one given that can be."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", name)[:LONGEST].strip("-_")
    plain = re.sub(r"^[^A-Za-z]+", "", plain)
    return plain or "my-study"


def _clusters(given: str) -> list[str]:
    """Return the clusters named; else those that are set up, else all that run jobs.

    Raises:
        RookeryError: One is not known.
    """
    known = profile.names()
    names = list(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
    if unknown := [name for name in names if name not in known]:
        raise RookeryError(
            f"There is no cluster {unknown[0]!r}. There are: {', '.join(known)}.",
            hint=f"{invocation.invocation()} clusters.list",
        )
    if names:
        return names
    with_slurm = [name for name in known if _runs_jobs(name)]
    return [name for name in with_slurm if set_up_note.when(name, sandbox=False)] or with_slurm or known


def _runs_jobs(name: str) -> bool:
    try:
        return profile.load(name, own_ssh=False).scheduler == "slurm"
    except RookeryError:  # a profile with a mistake: told of where that cluster is meant
        return False


def fill(request: NewOptions, target: Path) -> None:
    """Write the project's files.

    What a template's name ends in decides: .j2 is filled in and taken off; what another lock or tracker needs is left
    out; `dot-` in front is a dot.
    """
    import jinja2

    source = paths.root() / "templates" / "project" / request.lang
    names = request.clusters.split(",")
    sites = [profile.load(name) for name in names]
    editor = (sites[0].data.get("cluster_policies") or {}).get("vscode")
    variables = {
        "name": request.name,
        "package": re.sub(r"[-_]+", "-", request.name).lower(),
        "lock": request.lock,
        "clusters": names,
        "gpu_clusters": [site.name for site in sites if partition.takes_gpu_jobs_alone(site)],
        "editor": editor not in {"forbidden", "unsupported"},
        "track": request.track,
        "invoke": invocation.invocation(),
    }
    jinja = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False  # noqa: S701
    )  # fmt: skip
    for file in sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        place = _place(file.relative_to(source), request)
        if place is None:
            continue
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".j2":
            text = jinja.from_string(text).render(variables)
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        (target / place).write_text(text, encoding="utf-8")
    shutil.copyfile(paths.root() / "templates" / "rookery.schema.json", target / ".rookery.schema.json")


def _place(path: Path, request: NewOptions) -> Path | None:
    """Where a template goes in the project; None where it is not for this one."""
    name = path.name.removesuffix(".j2")
    if name in LOCKS.values() and name != LOCKS[request.lock]:
        return None
    if name.startswith("tracking-"):
        return path.with_name("tracking.py") if name == f"tracking-{request.track}.py" else None
    return Path(*(re.sub(r"^dot-", ".", part) for part in path.with_name(name).parts))


def _lock(request: NewOptions, folder: Path) -> None:
    """Write the lock file anew: what comes for the tracker is not in the one that the template has.

    Raises:
        RookeryError: The tool is not here, or can't.
    """
    ways = {
        "uv": [["uv", "lock", "--quiet"]],
        "poetry": [["poetry", "lock", "--no-interaction"], ["uvx", "poetry", "lock", "--no-interaction"]],
    }
    command = next((one for one in ways[request.lock] if shutil.which(one[0])), None)
    if command is None:
        tools = "uv" if request.lock == "uv" else f"{request.lock} or uv"
        what = f"To lock the packages of --track, {tools} must be on this computer."
        raise RookeryError(what, hint="https://docs.astral.sh/uv/#installation   # then the same command")
    (folder / LOCKS[request.lock]).unlink()
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode or not (folder / LOCKS[request.lock]).is_file():
        last = ((done.stderr.strip() or done.stdout.strip()).splitlines() or ["no reason was given"])[-1]
        raise RookeryError(
            f"{command[0]} could not lock the packages of --track: {last}", hint="the same command without --track"
        )


def _commit(folder: Path, author: tuple[str, str]) -> str:
    """Make the repository and its first commit.

    Args:
        folder: The project's.
        author: Name and address that the repository is told where git knows none; empty for a stand-in.

    Returns:
        What there is to know of the commit: "" where it is the user's own; "unknown" where git does not know who
        that is and a stand-in signed; else git's own reason for making none.
    """
    branch = [] if _git(folder.parent, "config", "init.defaultBranch").stdout.strip() else ["init.defaultBranch=main"]
    begun = _git(folder, "init", "--quiet", settings=branch)
    if begun.returncode:
        raise RookeryError(f"git init failed: {_last(begun)}")
    known = _git(folder, "config", "user.name").ok and _git(folder, "config", "user.email").ok
    if not known and all(author):
        told = [_git(folder, "config", f"user.{key}", one) for key, one in zip(("name", "email"), author, strict=True)]
        known = all(one.ok for one in told)
    stand_in = [] if known else ["user.name=New project", "user.email=new-project@localhost", "commit.gpgSign=false"]
    _git(folder, "add", "--all")
    done = _git(folder, "commit", "--quiet", "--message", f"Begin {folder.name}", settings=stand_in)
    if not done.ok:
        return _last(done)
    return "" if known else "unknown"


@dataclass(frozen=True)
class _Done:
    returncode: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.returncode == 0


def _git(folder: Path, *arguments: str, settings: Sequence[str] = ()) -> _Done:
    """Return what a git command in a folder gives; the user's own settings and name hold, these besides."""
    given = [part for setting in settings for part in ("-c", setting)]
    done = subprocess.run(
        ["git", *UNBURIED, *given, "-C", str(folder), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=surroundings("GIT_AUTHOR_", "GIT_COMMITTER_"),
    )
    return _Done(done.returncode, done.stdout, done.stderr)


def _last(done: _Done) -> str:
    return ((done.stderr.strip() or done.stdout.strip()).splitlines() or [f"exit status {done.returncode}"])[-1]


def require_git() -> None:
    """See that there is git.

    Raises:
        RookeryError: There is none.
    """
    if not shutil.which("git"):
        raise RookeryError("There is no git on this computer, and projects are kept in it.", hint=_install("git"))


def _install(what: str) -> str:
    return f"sudo apt install {what}   # Debian, Ubuntu; xcode-select --install on a Mac"


def _tell(request: NewOptions, outer: str, signed: str) -> None:
    """Say what there is, what is to be minded, and the commands that lead to a result."""
    invoke = invocation.invocation()
    kind = {"python": "a Python", "r": "an R"}[request.lang]
    print(f"{request.name} is ready: {kind} project for {request.clusters.replace(',', ', ')}, in git.")
    if outer:
        print(f"  mind    it lies inside another git repository, {outer}, which will see it as a stranger")
    if signed == "unknown":
        print("  mind    git does not know you, so a stand-in signed the first commit. Tell it, then sign it yourself:")
        print('            git config --global user.name "YOUR NAME"')
        print('            git config --global user.email "YOU@EXAMPLE.AC.UK"')
        print(f"            git -C {request.name} commit --amend --reset-author --no-edit")
    elif signed:
        print(f"  mind    git made no commit ({signed}); commit before you deploy:")
        print(f"            git -C {request.name} commit -m 'First version'   # --no-gpg-sign where signing fails")
    steps = (f"cd {request.name}", "deploy", "submit simulate --wait", "fetch", "combine")
    for number, step in enumerate(steps):
        print(f"  next    {step if number == 0 else f'{invoke} {step}'}")
