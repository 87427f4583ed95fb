"""The command `new`: a working project from templates/project/: git, a seeded simulation as an array, tests, a lock.

It is made beside its place and moved there when it is whole, its first commit included.
"""

import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rookery.clusters import policies
from rookery.clusters.config import profile
from rookery.core import console, invocation, near_names, paths, preferences, typed_command
from rookery.core.errors import RookeryError
from rookery.projects import chosen_clusters, config, first_commit
from rookery.projects.options import InitOptions, NewOptions
from rookery.projects.scripts import partition

LANGUAGES = {"python": ("uv", "poetry"), "r": ("library", "renv")}
"""For each language the ways to write down its packages, the usual one first."""

TRACKERS = ("mlflow", "wandb")

LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "library": "r-packages.txt", "renv": "renv.lock"}
"""The file that each way writes them to."""

LONGEST = 50
"""Characters of a name: it becomes part of paths on clusters."""

_RESERVED = {"numpy", "pytest", "scipy", "mlflow", "mlflow-skinny", "wandb", "con", "nul", "aux", "prn"}
"""Names of what the project needs itself, which tools refuse or mix up, and of what Windows can't write."""


def run(options: NewOptions) -> int:
    """Make the project in a folder of its name, here.

    Raises:
        RookeryError: The name or a choice is not valid, something is there already, or there is no git.
    """
    if options.check:
        _print_plan(options)
        return 0
    project = make(options)
    _print_summary(project)
    return 0


def _print_plan(options: NewOptions) -> None:
    """Print the files that a project would have."""
    options, given = checked(options), options
    _refuse_what_is_there(given, Path.cwd())
    with tempfile.TemporaryDirectory() as temporary:
        building = Path(temporary)
        fill(options, building)
        paths = sorted(path.relative_to(building) for path in building.rglob("*") if path.is_file())
    print(f"Would create the project {options.name}, with:")
    for path in paths:
        print(f"  {options.name}/{path}")


@dataclass(frozen=True)
class NewProject:
    """A project that was made.

    Attributes:
        options: What was asked for, with every choice filled in.
        outer: The git repository that it lies in; "" for none.
        signed: Who signed its first commit (see `first_commit.make`).
    """

    options: NewOptions
    outer: str
    signed: str


def make(options: NewOptions, folder: Path | None = None) -> NewProject:
    """Make the project in a folder of its name, and print nothing.

    Args:
        options: What is asked for.
        folder: Where its folder is to be; by default here.

    Raises:
        RookeryError: As `run`.
    """
    parent, given = folder or Path.cwd(), options
    options = checked(given)
    project_folder = _refuse_what_is_there(given, parent)
    first_commit.require_git()
    outer = first_commit.git(parent, "rev-parse", "--show-toplevel").stdout.strip()
    with tempfile.TemporaryDirectory(prefix=f".{options.name}.", dir=parent) as temporary:
        building = Path(temporary) / options.name
        fill(options, building)
        if options.track:
            _lock(options, building)
        settings = preferences.values()
        author = options.author if all(options.author) else (settings.get("name", ""), settings.get("email", ""))
        signed = first_commit.make(building, author, f"Begin {options.name}")
        building.replace(project_folder)
    return NewProject(options, outer, signed)


def _refuse_what_is_there(options: NewOptions, parent: Path) -> Path:
    """Return the folder that the project gets, unless something is there, or around it."""
    folder = parent / options.name
    if around := config.enclosing(parent):
        above = shlex.quote(str(around.parent))
        raise RookeryError(
            f"This folder is in the project {around.name}, and projects can't be inside one another.",
            hint=f"cd {above} && {invocation.as_typed(_again(options))}",
        )
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise RookeryError(
            f"{options.name} already exists and is not empty.",
            hint=_again(options, name=suggested(f"{options.name}-2")),
        )
    return folder


def checked(options: NewOptions) -> NewOptions:
    """Return the request with its choices filled in.

    Raises:
        RookeryError: One of them can't be.
    """
    name, other = options.name, suggested(options.name)
    if name and set(name) <= set("./"):
        raise RookeryError(
            "new makes a project in a new folder. For code that is in a folder already, use init.",
            hint=InitOptions("" if Path(name) == Path() else name, cluster=options.cluster).command("init"),
        )
    if not re.fullmatch(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?", name) or len(name) > LONGEST:
        what = f"use at most {LONGEST} letters, digits, - and _, beginning with a letter and not ending with - or _"
        raise RookeryError(f"{name!r} can't be a project's name: {what}.", hint=_again(options, name=other))
    if name.lower().replace("_", "-") in _RESERVED:
        raise RookeryError(
            f"{name} can't be a project's name: projects use it for something else.",
            hint=_again(options, name=f"{other}-study"),
        )
    locks = LANGUAGES[options.language]
    if options.lock not in {"", *locks}:
        what = f"Unknown --lock {options.lock!r} for {options.language}: use {near_names.either(locks)}."
        raise RookeryError(what, hint=_again(options, lock=locks[0]))
    if options.track and options.language != "python":
        raise RookeryError("--track needs a Python project.", hint=_again(options, track=""))
    clusters = chosen_clusters.named_or_usual(options.cluster)
    return replace(options, lock=options.lock or locks[0], cluster=",".join(clusters))


def _again(options: NewOptions, **changes: Any) -> str:
    """Return the same command with changes, as hints have it."""
    return replace(options, **changes).command("new")


def suggested(name: str) -> str:
    """Return a valid name like the one given."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", name)[:LONGEST].strip("-_")
    plain = re.sub(r"^[^A-Za-z]+", "", plain)
    return plain or "my-study"


def fill(options: NewOptions, folder: Path) -> None:
    """Write the project's files.

    What a template's name ends in decides: .j2 is filled in and taken off; what another lock or tracker needs is left
    out; `dot-` in front is a dot.
    """
    import jinja2

    source = paths.root() / "templates" / "project" / options.language
    names = options.cluster.split(",")
    sites = [profile.load(name) for name in names]
    editor = policies.vscode(sites[0].data, job=False)
    variables = {
        "name": options.name,
        "package": re.sub(r"[-_]+", "-", options.name).lower(),
        "lock": options.lock,
        "clusters": names,
        "fewest_gpus": {site.name: gpus for site in sites if (gpus := partition.fewest_gpus(site))},
        "editor": editor not in policies.BARRED,
        "track": options.track,
        "invoke": invocation.invocation(),
    }
    jinja = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False  # noqa: S701
    )  # fmt: skip
    for file in sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        place = _place(file.relative_to(source), options)
        if place is None:
            continue
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".j2":
            text = jinja.from_string(text).render(variables)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    shutil.copyfile(paths.root() / "templates" / "rookery.schema.json", folder / ".rookery.schema.json")


def _place(path: Path, options: NewOptions) -> Path | None:
    """Return where a template goes in the project; None where it is not for this one."""
    name = path.name.removesuffix(".j2")
    if name in LOCKS.values() and name != LOCKS[options.lock]:
        return None
    if name.startswith("tracking-"):
        return path.with_name("tracking.py") if name == f"tracking-{options.track}.py" else None
    return Path(*(re.sub(r"^dot-", ".", part) for part in path.with_name(name).parts))


def _lock(options: NewOptions, folder: Path) -> None:
    """Write the lock file anew: the template's does not have the tracker's packages.

    Raises:
        RookeryError: The tool is not here, or can't.
    """
    ways = {
        "uv": [["uv", "lock", "--quiet"]],
        "poetry": [["poetry", "lock", "--no-interaction"], ["uvx", "poetry", "lock", "--no-interaction"]],
    }
    command = next((candidate for candidate in ways[options.lock] if shutil.which(candidate[0])), None)
    if command is None:
        tools = "uv" if options.lock == "uv" else f"{options.lock} or uv"
        what = f"--track needs {tools} on this computer, to lock its packages."
        raise RookeryError(
            what, hint="install uv (https://docs.astral.sh/uv/#installation), then run the same command again"
        )
    (folder / LOCKS[options.lock]).unlink()
    completed = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if completed.returncode or not (folder / LOCKS[options.lock]).is_file():
        last = ((completed.stderr.strip() or completed.stdout.strip()).splitlines() or ["no reason given"])[-1]
        raise RookeryError(
            f"{command[0]} could not lock the packages of --track: {last}",
            hint=typed_command.again(without=("--track",)),
        )


def _print_summary(project: NewProject) -> None:
    """Print what was made, warnings, and the commands that lead to a result."""
    options = project.options
    invoke = invocation.invocation()
    kind = {"python": "a Python", "r": "an R"}[options.language]
    console.say(f"Created {options.name}: {kind} project in git, for {options.cluster.replace(',', ', ')}.")
    if project.outer:
        console.say(f"  warning  {options.name} is inside another git repository, {project.outer}")
    first_commit.warn(project.signed, f" -C {options.name}")
    steps = (f"cd {options.name}", "deploy", "submit simulate --wait", "fetch", "combine")
    for number, step in enumerate(steps):
        console.say(f"  next     {step if number == 0 else f'{invoke} {step}'}")
