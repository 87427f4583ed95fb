"""Read a commit's lock file: what its environment must have, and whether the lock is older than the project file.

A large lock file takes some tenths of a second to parse, so what it says is kept by its text.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.core import cache
from rookery.core.errors import RookeryError
from rookery.projects.commit import contents, listed
from rookery.projects.locks import poetry_lock, r_packages, requirements_file, uv_lock
from rookery.projects.packages import description, pyproject

if TYPE_CHECKING:
    from rookery.projects.commit import Commit
    from rookery.projects.tree_checks import Tree

_PROJECT_FILE = {
    "uv": pyproject.NAME,
    "poetry": pyproject.NAME,
    "renv": description.NAME,
    "library": description.NAME,
}
_LOCK_AGAIN = {
    "uv": "uv lock",
    "poetry": "poetry lock",
    "renv": "Rscript -e 'renv::snapshot()'",
    "library": f"edit {r_packages.LIST}",
}
_FORMAT = "4"


@dataclass(frozen=True)
class LockContents:
    """What a lock file says.

    Attributes:
        expected: What the environment must have, as the check on the cluster reads it; "" where nothing can be said.
        stale: In what the lock is older than the project file; "" where it is not.
        is_sure: Whether that is certain.
        remedy: The command that brings it up to date; "" for the usual one.
    """

    expected: str = ""
    stale: str = ""
    is_sure: bool = True
    remedy: str = ""


def read(  # noqa: PLR0913, PLR0917
    commit: "Commit",
    tree: "Tree",
    way: str,
    lock: str,
    included: Sequence[str] = (),
    constraints: Sequence[str] = (),
) -> LockContents:
    """Return what a lock file of a commit says.

    Args:
        commit: The commit.
        tree: Its files.
        way: How the environment is made.
        lock: The lock file's path.
        included: Further files that list packages.
        constraints: Those that give versions alone.

    Raises:
        RookeryError: The file can't be parsed.
    """
    project_file = _PROJECT_FILE.get(way, "")
    names = [lock, *([project_file] if project_file in tree.files else []), *included, *constraints]
    texts = [text.decode(errors="replace") for text in contents(commit, [tree.files[name].id for name in names])]
    kept = cache.entry("locks", __version__, _FORMAT, way, str(len(constraints)), *texts)
    try:
        return LockContents(**json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        pass
    try:
        listing = len(names) - len(constraints)
        found = _parsed(way, lock, texts[:listing], texts[listing:], has_project_file=project_file in tree.files)
    except (AttributeError, KeyError, TypeError, ValueError):
        return LockContents()  # it is of another form than its tool writes, which will say so itself
    cache.keep(kept, json.dumps(found.__dict__), most=20)
    return found


def pip_lines(name: str, text: str) -> str:
    """Return what an environment.yml has pip install, as the text of a requirements.txt.

    Args:
        name: The file.
        text: Its text.

    Raises:
        RookeryError: It is not YAML.
    """
    kept = cache.entry("pip", __version__, text)
    with suppress(OSError, ValueError):
        return kept.read_text(encoding="utf-8")
    try:
        lines = "\n".join(requirements_file.of_pip(_yaml(name, text)))
    except ValueError:  # a date that there is not, or the like: conda will say so itself
        return ""
    cache.keep(kept, lines, most=20)
    return lines


def refuse_folders(name: str, folders: Sequence[str]) -> None:
    """Refuse packages that a file has installed from folders of the project, which environments are not tied to.

    Args:
        name: The file.
        folders: Its lines that ask for one.

    Raises:
        RookeryError: There are any.
    """
    if folders:
        raise RookeryError(
            f"{name} installs packages from folders of the project ({listed(folders)}), which releases can't share.",
            hint="remove them from the file, and set PYTHONPATH to their folder under the job's `environment`",
        )


def refuse_stale(way: str, lock: str, found: LockContents) -> str:
    """Refuse a lock file that is certainly older than the project file; return a warning where it may be.

    Raises:
        RookeryError: It is.
    """
    if not found.stale:
        return ""
    remedy = found.remedy or _LOCK_AGAIN[way]
    if not found.is_sure:
        return f"{lock} may be out of date: {found.stale} (to update it: {remedy})"
    separator = ", then:" if remedy.startswith("edit ") else " &&"
    raise RookeryError(
        f"{lock} is out of date: {found.stale}.",
        hint=f"{remedy}{separator} git add {lock} && git commit -m 'Update {lock}'",
    )


def _parsed(
    way: str, lock: str, texts: Sequence[str], constraints: Sequence[str], *, has_project_file: bool
) -> LockContents:
    project_text = texts[1] if has_project_file else ""
    if way in {"uv", "poetry"}:
        module: Any = uv_lock if way == "uv" else poetry_lock
        document, project = pyproject.parsed(lock, texts[0]), pyproject.parsed(pyproject.NAME, project_text)
        stale = module.stale(document, project) if project else ""
        is_sure = way == "uv" or poetry_lock.is_known(texts[0])
        return LockContents(_json(lock, module.expected(document, project)), stale, is_sure)
    if way == "venv":
        return LockContents(_json(lock, requirements_file.expected(texts, constraints)))
    if way == "conda":
        document = _yaml(lock, texts[0])
        return LockContents(_json(lock, requirements_file.conda(document, texts[1:], constraints)))
    return _r(lock, texts[0], project_text)


def _r(lock: str, text: str, described: str) -> LockContents:
    """Return what a renv.lock or a list of R packages says."""
    if lock == description.NAME:
        return LockContents()
    if lock == r_packages.LIST:
        compared = r_packages.compare(lock, r_packages.in_list(text), described)
        remedy = r_packages.adding(compared.missing) if compared.missing and not compared.outdated else ""
        return LockContents("", compared.says, compared.is_sure, remedy)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise RookeryError(f"{lock} is not JSON: {error}.", hint=f"{_LOCK_AGAIN['renv']} && git commit -a") from None
    compared = r_packages.compare(lock, r_packages.in_renv(document), described)
    needed = (*compared.missing, *compared.outdated)
    remedy = r_packages.installing(needed) if needed else ""
    return LockContents(r_packages.expected(document), compared.says, compared.is_sure, remedy)


def _json(lock: str, values: Mapping[str, Any]) -> str:
    return json.dumps({"lock": lock, **values}, separators=(",", ":"))


def _yaml(name: str, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RookeryError(f"{name} is not YAML: {' '.join(str(error).split())}.", hint=f"edit {name}") from None
