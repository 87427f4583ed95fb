"""Read what a folder says of its packages: lock files, the lists that they are made from, and packages it is itself."""

import re
import sys
import tomllib
from collections.abc import Container, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rookery.projects import config
from rookery.projects.adoption import notebooks
from rookery.projects.adoption.facts import FolderFiles, PackageFacts, Program
from rookery.projects.adoption.folder_files import text_of
from rookery.projects.adoption.programs import names
from rookery.projects.locks import requirements_file
from rookery.projects.locks.requirement import normalised
from rookery.projects.packages import description, pyproject
from rookery.projects.packages.pyproject import table

_SPELT: Final = {
    "sklearn": "scikit-learn", "skimage": "scikit-image", "cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml",
    "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "Bio": "biopython", "dotenv": "python-dotenv",
    "mpl_toolkits": "matplotlib", "pkg_resources": "setuptools", "git": "gitpython", "igraph": "igraph",
}  # fmt: skip
"""Modules of Python whose packages have other names."""


def locks(root: Path, files: FolderFiles, known: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the ways to make an environment, each with its lock file; the one that is used first.

    Args:
        root: The folder.
        files: The folder's.
        known: The way of each lock file, the first that is used first.
    """
    return tuple(
        (way, name) for name, way in known.items() if name in files.sizes and config.lists_packages(root / name)
    )


def unlocked(root: Path, files: FolderFiles) -> dict[str, str]:
    """Return the files that list packages and have no lock file beside them, each with the command that writes one."""
    found: dict[str, str] = {}
    has_python = bool(locks(root, files, config.PYTHON_LOCKS))
    document = read_pyproject(root, files) or {}
    if not has_python and (command := pyproject.lock_command(document, groups=True)):
        found["pyproject.toml"] = command
    if "Pipfile" in files.sizes and not has_python:
        found["Pipfile"] = "pipenv requirements > requirements.txt"
    if "setup.py" in files.sizes and not has_python and "pyproject.toml" not in files.sizes:
        found["setup.py"] = "uv pip compile setup.py -o requirements.txt"
    return found


def read_pyproject(root: Path, files: FolderFiles) -> dict[str, Any] | None:
    """Return what a folder's pyproject.toml says; None where there is none."""
    return _toml(root / pyproject.NAME) if pyproject.NAME in files.sizes else None


def lists_python(root: Path, files: FolderFiles) -> bool:
    """Return whether a file lists Python packages; a pyproject.toml may have settings of tools alone."""
    document = read_pyproject(root, files) or {}
    is_built = "build-system" in document  # from a setup.cfg, say
    others = locks(root, files, config.PYTHON_LOCKS) or not {"Pipfile", "setup.py"}.isdisjoint(files.sizes)
    return bool(others) or is_built or _of_project(document) is not None


def has_hashes(root: Path) -> bool:
    """Return whether a folder's requirements.txt has hashes."""
    return bool(re.search(r"(?:^|\s)--(?:hash|require-hashes)\b", text_of(root / "requirements.txt", 20_000_000)))


def python_package(root: Path, files: FolderFiles) -> PackageFacts | None:
    """Return the Python package that a folder is; None where it is none, or lists packages alone."""
    document = read_pyproject(root, files) or {}
    project, poetry = table(document, "project"), table(document, "tool", "poetry")
    name = str(project.get("name") or poetry.get("name") or "")
    commands = tuple({**table(poetry, "scripts"), **table(project, "scripts")})
    built = "build-system" in document or bool(poetry) or table(document, "tool", "uv").get("package") is True
    if not name or not built or poetry.get("package-mode") is False:
        return None
    source = "src" if any(path.startswith("src/") and path.endswith(".py") for path in files.sizes) else ""
    modules = _modules(files, source)
    if not modules:
        return None
    prefix = f"{source}/" if source else ""
    runnable = tuple(module for module in modules if f"{prefix}{module}/__main__.py" in files.sizes)
    return PackageFacts(name, commands, source, modules, runnable)


def package_folders(files: FolderFiles) -> tuple[str, ...]:
    """Return the folders that are Python packages, by their __init__.py."""
    folders = (PurePosixPath(path).parent for path in files.sizes if path.endswith("__init__.py"))
    return tuple(sorted(str(folder) for folder in folders if str(folder) != "."))


def r_package(root: Path, files: FolderFiles) -> str:
    """Return the name of the R package that a folder is; "" for none."""
    text = text_of(root / description.NAME)
    if not description.is_of_r(text) or not any(path.startswith("R/") for path in files.sizes):
        return ""
    return description.fields(text).get("Package", "")


def listed_packages(root: Path, lock: str) -> frozenset[str] | None:
    """Return the Python packages that a file lists, by their normalised names; None where it may not list all.

    Args:
        root: The folder.
        lock: The lock file, or without one the pyproject.toml, which need not be there.
    """
    if lock in {"uv.lock", "poetry.lock"}:
        entries = _toml(root / lock).get("package")
        listed = entries if isinstance(entries, list) else []
        return frozenset(normalised(str(entry.get("name"))) for entry in listed if isinstance(entry, dict))
    if lock == "requirements.txt":
        text = text_of(root / lock)
        if re.search(r"^\s*(?:-r|--requirement|-e|--editable|https?:|git\+|\.)", text, re.MULTILINE):
            return None
        return frozenset(name for name, *_ in requirements_file.expected([text])["roots"])
    if lock in {"environment.yml", "environment.yaml"}:
        return _of_conda(text_of(root / lock))
    return _of_project(_toml(root / lock)) if lock == "pyproject.toml" and (root / lock).is_file() else None


def _of_project(document: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the packages that a pyproject.toml lists; None where it has settings of tools alone."""
    poetry = table(document, "tool", "poetry")
    if "project" not in document and not poetry and not pyproject.lock_command(document, groups=True):
        return None
    lists = [table(document, "project").get("dependencies"), *table(document, "dependency-groups").values()]
    texts = ["\n".join(map(str, each)) for each in lists if isinstance(each, list)]
    groups = [table(poetry, "group", name, "dependencies") for name in table(poetry, "group")]
    named = {normalised(name) for group in (table(poetry, "dependencies"), *groups) for name in group}
    return frozenset(named.union(name for name, *_ in requirements_file.expected(texts)["roots"]))


def _of_conda(text: str) -> frozenset[str] | None:
    """Return the packages that an environment.yml lists; None where it may not list all."""
    import yaml

    try:
        found = requirements_file.conda(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if re.search(r"^\s*-\s+[\"']?(?:-r|--requirement)\b", text, re.MULTILINE):
        return None
    return frozenset(normalised(name) for name, *_ in (*found["conda"], *found["roots"]))


def unlisted(  # noqa: PLR0913 all that decides
    root: Path, files: FolderFiles, programs: Iterable[Program], *, python: bool, r: str, runs: Container[str]
) -> dict[str, tuple[str, ...]]:
    """Return the packages that the code uses and no file lists, by language.

    Args:
        root: The folder.
        files: Its files.
        programs: Its code.
        python: Whether a file lists Python packages.
        r: The lock file of its R packages; "" for none.
        runs: What jobs run: `notebook` and `rmarkdown` need packages themselves.
    """
    every, found = list(programs), {}
    own = {PurePosixPath(path).stem for path in files.sizes if path.endswith(".py")}
    own |= {part for folder in package_folders(files) for part in PurePosixPath(folder).parts}
    own |= {PurePosixPath(path).parent.name for path in files.sizes if path.endswith(".py")}
    used = names(every, frozenset({"python", "notebook"}))
    foreign = [_SPELT.get(name, name) for name in used if name not in own and name not in sys.stdlib_module_names]
    foreign += notebooks.NEEDED if "notebook" in runs else ()
    if not python and foreign:
        found["python"] = tuple(sorted(set(foreign), key=str.lower))
    listed_r = text_of(root / r, 20_000_000) if r else ""
    own_r = {r_package(root, files)} | description.BASE | description.RECOMMENDED
    used_r = [name for name in names(every, frozenset({"r", "rmarkdown"})) if name not in own_r]
    used_r += ["rmarkdown"] if "rmarkdown" in runs else []
    listed_r += "\n".join(description.dependencies(text_of(root / description.NAME)))
    missing_r = [name for name in used_r if not re.search(rf"\b{re.escape(name)}\b", listed_r)]
    if missing_r:
        found["r"] = tuple(sorted(set(missing_r), key=str.lower))
    return found


def _modules(files: FolderFiles, source: str) -> tuple[str, ...]:
    """Return the packages at the top of a folder of modules."""
    depth = 2 if source else 1
    folders = (PurePosixPath(folder) for folder in package_folders(files))
    named = [
        folder.name for folder in folders if len(folder.parts) == depth and (not source or folder.parts[0] == source)
    ]
    return tuple(sorted(name for name in named if name not in {"tests", "test", "docs"}))


def _toml(file: Path) -> dict[str, Any]:
    """Return what a TOML file says; nothing where it is none."""
    try:
        return tomllib.loads(text_of(file, 20_000_000))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
