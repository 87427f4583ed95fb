"""A project that is itself a Python package, and what a release needs so that its own code is imported under that name.

An environment is shared by all releases with the same lock file, so the project itself is never installed into it. Each
release gets a small virtual environment in front of it (remote/scripts/release/package.py), with the metadata and the
import folders that are decided here, on this computer, without running anything of the project.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.core.errors import RookeryError
from rookery.projects.commit import contents
from rookery.projects.packages import pyproject, python_layout, python_metadata
from rookery.projects.packages.pyproject import Unsupported, table
from rookery.projects.packages.python_metadata import Metadata
from rookery.projects.source_tree import LINK

if TYPE_CHECKING:
    from rookery.projects.commit import Commit
    from rookery.projects.tree_checks import Tree

FOLDER = ".rookery/package"
"""Where a release has the package's metadata."""

FOLDERS_FILE = f"{FOLDER}/import-folders"
"""The file in a release with the folders that `sys.path` needs, one a line."""

_ACTIVATE = """# Written by rookery: puts the project's own code and commands in front of a conda environment. For bash.
release=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export PATH="${release}/.rookery/commands:${PATH}" PYTHONPATH="@FOLDERS@"
"""
_WAY_OUT = {
    "uv": "or, where jobs run its files as they are, set `package = false` under [tool.uv]",
    "poetry": "or, where jobs run its files as they are, set `package-mode = false` under [tool.poetry]",
    "venv": "or, where jobs run its files as they are, remove the project from requirements.txt",
}


@dataclass(frozen=True)
class PythonPackage:
    """The project as a package.

    Attributes:
        metadata: Its name, version, dependencies and commands.
        folders: The folders of the project that `sys.path` needs; `.` is its own.
        generated: Files that a build would have written, by path in the project.
    """

    metadata: Metadata
    folders: tuple[str, ...]
    generated: Mapping[str, str] = field(default_factory=dict)

    def requirements(self, extras: Iterable[str]) -> tuple[str, ...]:
        """Return its dependencies, with those of some extras."""
        more = (requirement for extra in extras for requirement in self.metadata.optional.get(extra, ()))
        return tuple(dict.fromkeys((*self.metadata.requires, *more)))

    def files(self, way: str = "") -> dict[str, str]:
        """Return the files that a release has besides those of the commit, by how its environment is made."""
        texts = {FOLDERS_FILE: "".join(f"{folder}\n" for folder in self.folders)}
        texts |= {f"{FOLDER}/{path}": text for path, text in self.metadata.files().items()}
        if way == "conda":
            paths = [f"${{release}}/{FOLDER}", *(f"${{release}}/{_quoted(folder)}" for folder in self.folders)]
            texts[f"{FOLDER}/activate.sh"] = _ACTIVATE.replace("@FOLDERS@", ":".join(paths))
        return {**texts, **self.generated}


def _quoted(folder: str) -> str:
    """Return a folder as it is between double quotes in a shell."""
    return re.sub(r'([\\"$`])', r"\\\1", folder)


def find(
    commit: "Commit", tree: "Tree", way: str, describe: Callable[[], str], *, is_listed: bool = False
) -> tuple[PythonPackage | None, str]:
    """Return the package that a project is; if it is none but may be meant as one, a warning.

    Args:
        commit: The commit.
        tree: Its files.
        way: How its environment is made.
        describe: Returns what `git describe` says of the commit.
        is_listed: The environment's own file asks for the project itself.

    Raises:
        RookeryError: It is to be installed, and that can't be done without building it.
    """
    document = pyproject.read(commit, tree)
    must = is_listed or _is_required(document, way)
    if not must and not _may_be_meant(document, way):
        return None, ""
    try:
        return _package(document, commit, tree, describe), ""
    except (AttributeError, TypeError) as error:
        raise RookeryError(
            f"{pyproject.NAME} has a value of the wrong type: {error}.", hint=f"edit {pyproject.NAME}, then commit"
        ) from None
    except Unsupported as reason:
        name = table(document, "project").get("name") or table(document, "tool", "poetry").get("name") or "the project"
        if must:
            raise RookeryError(
                f"{name} is a Python package that can't be installed into a release: {reason}.",
                hint=f"move that code into a separate package, and list it among the dependencies; {_WAY_OUT[way]}",
            ) from None
        return None, f"the package {name} is not installed: {reason}" if "build-system" in document else ""


def _is_required(document: Mapping[str, Any], way: str) -> bool:
    """Return whether the way to make the environment installs the project itself, too."""
    if way == "uv":
        return bool(table(document, "tool", "uv").get("package", "build-system" in document))
    poetry = table(document, "tool", "poetry")
    return way == "poetry" and poetry.get("package-mode") is not False and bool(
        poetry.get("packages") or poetry.get("scripts") or table(document, "project", "scripts")
    )  # fmt: skip


def _may_be_meant(document: Mapping[str, Any], way: str) -> bool:
    if way == "poetry":
        return bool(document) and table(document, "tool", "poetry").get("package-mode") is not False
    return way in {"venv", "conda"} and "build-system" in document


def _package(document: Mapping[str, Any], commit: "Commit", tree: "Tree", describe: Callable[[], str]) -> PythonPackage:
    def read(path: str) -> str:
        entry = tree.files.get(path)
        return contents(commit, [entry.id])[0].decode(errors="replace") if entry and entry.mode != LINK else ""

    needs_tags = "version" in table(document, "project").get("dynamic", ())
    metadata = python_metadata.metadata(document, describe() if needs_tags else "", read)
    folders = python_layout.import_folders(document, metadata.name, tree.files)
    generated = python_metadata.generated_files(document, metadata.version) if needs_tags else {}
    missing = {path: text for path, text in generated.items() if path not in tree.files}
    return PythonPackage(metadata, folders, missing)
