"""A project's software environment: the files that decide it, its digest, and how it is built on the cluster."""

import hashlib
import posixpath
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rookery.core.errors import RookeryError
from rookery.projects.commit import Commit, contents
from rookery.projects.locks import reading as locks
from rookery.projects.model import Environment, Project
from rookery.projects.packages import description, pyproject
from rookery.projects.source_tree import LINK
from rookery.projects.tree_checks import Tree, quoted

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

LOCKS = {
    "uv": ("uv.lock",),
    "poetry": ("poetry.lock",),
    "venv": ("requirements.txt",),
    "conda": ("environment.yml", "environment.yaml"),
    "library": ("r-packages.txt", "DESCRIPTION"),
    "renv": ("renv.lock",),
}
"""The file that lists an environment's packages, for each way to make one; the first that is there."""

_MAKE = {
    "uv": "uv lock",
    "poetry": "poetry lock",
    "venv": "pip freeze > requirements.txt",
    "conda": "conda env export --from-history > environment.yml",
    "library": "echo 'data.table==1.15.4' > r-packages.txt",
    "renv": "Rscript -e 'renv::snapshot()'",
}

# These are built by what a site's modules bring, so another R needs another library.
_BY_MODULES = ("conda", "library", "renv")
# Files besides the lock that change what is built.
_ALSO = {"uv": (".python-version",), "poetry": (), "venv": (".python-version",), "conda": (), "library": (), "renv": ()}

LINKS = {
    "uv": ".venv",
    "poetry": ".venv",
    "venv": ".venv",
    "conda": ".conda",
    "library": ".rlibrary",
    "renv": ".rlibrary",
}
"""The link in a release that leads to the environment."""


@dataclass(frozen=True)
class RequiredEnvironment:
    """An environment that a commit asks for.

    Attributes:
        kind: `python` or `r`.
        way: One of model.PYTHONS or model.RS, other than `none`.
        lock: The file that lists its packages; a path in the project.
        digest: Of everything that decides it.
        name: Its folder's, among the environments on the cluster.
        architecture: The one of the nodes that it is for; "" for the login node's.
        expected: What it must have when it is built, as the check on the cluster reads it.
        warning: What the user should know of its lock file.
    """

    kind: str
    way: str
    lock: str
    digest: str
    name: str
    architecture: str = ""
    expected: str = ""
    warning: str = ""

    @property
    def link(self) -> str:
        """The link in a release that leads to it."""
        return link(self.way, self.architecture)


def link(way: str, architecture: str) -> str:
    """Return the link in a release that leads to an environment: `.venv`, or `.venv-aarch64` for other nodes."""
    return LINKS[way] + (f"-{architecture}" if architecture else "")


def required(  # noqa: PLR0913, PLR0917
    project: Project,
    commit: Commit,
    tree: Tree,
    cluster: "Cluster",
    architectures: Iterable[str] = ("",),
    requirements: Iterable[str] = (),
) -> tuple[RequiredEnvironment, ...]:
    """Return the environments of a commit on a cluster.

    Args:
        project: The project.
        commit: The commit.
        tree: Its files.
        cluster: The cluster.
        architectures: Those of the nodes that the jobs run on; "" is the login node's.
        requirements: The project's own dependencies, where the lock file asks for the project instead.

    Raises:
        RookeryError: The lock file of one is not in the commit, or is older than the project file.
    """
    ways = {"python": project.environment.python, "r": project.environment.r}
    setup = preamble(project.environment, cluster)
    more = {"python": tuple(requirements), "r": ()}
    found = [
        _required(project, commit, tree, kind, way, setup, more[kind]) for kind, way in ways.items() if way != "none"
    ]
    return tuple(replace(environment, architecture=name) for name in architectures for environment in found)


def unlocked(project: Project, commit: Commit, tree: Tree) -> str:
    """Return a warning where pyproject.toml lists packages and no environment is made; "" where rookery.yml says so."""
    if project.environment.python != "none" or ("environment", "python") in project.lines:
        return ""
    command = pyproject.lock_command(pyproject.read(commit, tree))
    if not command:
        return ""
    lock = LOCKS[command.split()[0]][0]
    remedy = f"{command} && git add {lock} && git commit -m 'Add {lock}'"
    return f"{pyproject.NAME} lists packages, but there is no {lock}: jobs run without them (to add it: {remedy})"


def _required(  # noqa: PLR0913, PLR0917
    project: Project, commit: Commit, tree: Tree, kind: str, way: str, setup: str, requirements: tuple[str, ...]
) -> RequiredEnvironment:
    lock = _lock(commit, tree, way)
    if not lock:
        raise RookeryError(
            f"The commit has no {LOCKS[way][0]}, the lock file of the {way} environment.",
            hint=f"{_MAKE[way]} && git add {LOCKS[way][0]} && git commit -m 'Add {LOCKS[way][0]}'",
        )
    deciding = [lock, *(name for name in _ALSO[way] if name in tree.files)]
    _refuse_links(tree, deciding)
    included, constraints = _included(commit, tree, way, lock)
    deciding += included + constraints
    _refuse_links(tree, deciding)
    found = locks.read(commit, tree, way, lock, included, constraints)
    warning = locks.refuse_stale(way, lock, found)
    parts = [
        way,
        setup if way in _BY_MODULES else "",
        *(f"{name} {_content(commit, tree, name)}" for name in sorted(set(deciding))),
        *requirements,
    ]
    digest = hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]
    name = f"{project.origin}-{digest}"
    return RequiredEnvironment(kind, way, lock, digest, name, expected=found.expected, warning=warning)


def _lock(commit: Commit, tree: Tree, way: str) -> str:
    """Return the file that lists an environment's packages; "" where the commit has none."""
    first = next((name for name in LOCKS[way] if name in tree.files), "")
    is_other = (
        first == description.NAME
        and tree.files[first].mode != LINK
        and not description.is_of_r(_text(commit, tree, first))
    )
    return "" if is_other else first


def _content(commit: Commit, tree: Tree, name: str) -> str:
    """Return what of a file decides: of a DESCRIPTION, the packages that it needs; of others, every character."""
    if name != description.NAME:
        return tree.files[name].id
    needed = description.dependencies(_text(commit, tree, name))
    return " ".join(f"{package}>={oldest}" for package, oldest in sorted(needed.items()))


def _text(commit: Commit, tree: Tree, name: str) -> str:
    return contents(commit, [tree.files[name].id])[0].decode(errors="replace")


def _refuse_links(tree: Tree, names: list[str]) -> None:
    """Refuse links: their targets are not in the digest, and may be anything."""
    if linked := [name for name in names if tree.files[name].mode == LINK]:
        raise RookeryError(
            f"{linked[0]} is a symbolic link in the commit; an environment needs the file itself.",
            hint=f"replace the link with the file, then: git add {quoted(linked[0])} && git commit -m 'Replace a link'",
        )


def _included(commit: Commit, tree: Tree, way: str, lock: str) -> tuple[list[str], list[str]]:
    """Return further files that decide: those that a requirements.txt, or conda's pip, names by -r, and by -c alone.

    Raises:
        RookeryError: A package is to be taken from a folder of the project: that would tie the environment, which many
            releases share, to the one that was there first.
    """
    if way not in _FROM_FOLDER:
        return [], []
    included: dict[str, list[str]] = {"r": [], "c": []}
    unread = [lock]
    while unread:
        name = unread.pop()
        text = _text(commit, tree, name)
        text = locks.pip_lines(name, text) if (way, name) == ("conda", lock) else text
        named = re.findall(_FROM_FOLDER[way], text, re.MULTILINE)
        own = _OWN[way] if name == lock else "(?!)"
        locks.refuse_folders(name, [entry for entry in named if "://" not in entry and not re.fullmatch(own, entry)])
        if way in {"venv", "conda"}:
            for option, entry in _REQUIREMENTS.findall(text):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), entry))  # as pip and conda read it
                if path in tree.files and path not in (known := included[option[0]]):
                    known.append(path)
                    unread.append(path)
    return included["r"], [name for name in included["c"] if name not in included["r"]]


# Where pip is told to install a folder, and which extras of it.
_PIP_FOLDER = (
    r"""^[ \t]*["']?((?:(?:-e|--editable)[ =]*\S+|\.{1,2}(?:/\S*)?)(?:\[[^\]\n]*\])?)["']?[ \t]*(?:[ \t]#.*)?$"""
)
# Where a lock file says that a package is a folder of the project.
_FROM_FOLDER = {
    "uv": r'^source = \{ (?:editable|directory) = "([^"]+)"',
    "poetry": r'^type = "directory"\n+url = "([^"]+)"',
    "venv": _PIP_FOLDER,
    "conda": _PIP_FOLDER,
}
# What of that means the project itself, which each release has of its own (packages.python_package).
_OWN = {"uv": r"\.", "poetry": "(?!)", "conda": "(?!)", "venv": r"(?:(?:-e|--editable)[ =]*)?\./?(?:\[([\w., -]*)\])?"}
_REQUIREMENTS = re.compile(r"""^[ \t]*--?(requirement|constraint|r|c)[ =]*([^\s#"']+)""", re.MULTILINE)


def own_extras(commit: Commit, tree: Tree, way: str) -> tuple[str, ...] | None:
    """Return the extras with which a requirements.txt asks for the project itself; None where it does not."""
    lock = LOCKS["venv"][0]
    if way != "venv" or lock not in tree.files:
        return None
    text = _text(commit, tree, lock)
    matches = [re.fullmatch(_OWN[way], entry) for entry in re.findall(_FROM_FOLDER[way], text, re.MULTILINE)]
    own = [match[1] or "" for match in matches if match]
    return tuple(extra.strip() for extras in own for extra in extras.split(",") if extra.strip()) if own else None


def digest(environments: tuple[RequiredEnvironment, ...]) -> str:
    """Return one digest for everything a release's code runs in; "" where that is nothing."""
    return "+".join(dict.fromkeys(environment.digest for environment in environments))


def preamble(environment: Environment, cluster: "Cluster") -> str:
    """Return shell code that makes R and conda available on a site with modules, as job scripts do; else nothing."""
    modules = cluster.data.get("cluster_modules") or {}
    purposes = ["r"] * (environment.r != "none") + ["conda"] * (environment.python == "conda")
    named = [modules[purpose][0] for purpose in purposes if modules.get(purpose)]
    verb = str(cluster.data.get("cluster_module_verb", "load"))
    lines = [f"module {shlex.quote(verb)} {shlex.quote(str(name))}" for name in named]
    return "\n".join([". /etc/profile", *lines] if lines else [])
