"""Where a project's own Python code can be imported from, as its build backend would say; nothing of it is run."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from rookery.projects.packages.pyproject import Unsupported, table

_COMPILES = ("scikit_build_core", "skbuild", "mesonpy", "maturin", "setuptools_rust", "sipbuild", "enscons")
_COMPILING_REQUIREMENTS = ("cython", "pybind11", "nanobind", "cffi", "setuptools-rust", "scikit-build", "mypy", "numpy")


def import_folders(pyproject: Mapping[str, Any], name: str, files: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that `sys.path` needs; `.` is the project's own.

    Args:
        pyproject: The parsed pyproject.toml.
        name: The package's name.
        files: The paths of the commit's files.

    Raises:
        Unsupported: Only a build can tell, or it compiles something.
    """
    known = set(files)
    build = table(pyproject, "build-system")
    backend = str(build.get("build-backend", "setuptools.build_meta"))
    if "backend-path" in build:
        raise Unsupported(f"its build backend {backend} is code of the project")
    family = backend.partition(".")[0].partition(":")[0]
    _refuse_compiled(pyproject, family, build, known)
    reader = _BACKENDS.get(family)
    if reader is None:
        raise Unsupported(f"rookery does not know its build backend {backend}")
    folders = tuple(dict.fromkeys(_inside(folder) for folder in reader(pyproject, name, known)))
    for folder in folders:
        if not any(path.endswith(".py") for path in known if folder == "." or path.startswith(f"{folder}/")):
            raise Unsupported(f"the commit has no Python files in {folder}/")
    return folders


def _refuse_compiled(pyproject: Mapping[str, Any], family: str, build: Mapping[str, Any], files: set[str]) -> None:
    compiled = sorted(path for path in files if path.endswith((".pyx", ".pxd")))
    if family in _COMPILES:
        raise Unsupported(f"{family} compiles extension modules")
    setuptools = table(pyproject, "tool", "setuptools")
    names = {re.split(r"[^\w.-]", str(requirement), maxsplit=1)[0].lower() for requirement in build.get("requires", ())}
    if needed := sorted(names & set(_COMPILING_REQUIREMENTS)):
        raise Unsupported(f"it compiles extension modules with {needed[0]}")
    if "ext-modules" in setuptools:
        raise Unsupported("it compiles extension modules (ext-modules)")
    if compiled and family in {"setuptools", "hatchling", "poetry"}:
        raise Unsupported(f"{compiled[0]} has to be compiled")
    if table(pyproject, "tool", "poetry").get("build"):
        raise Unsupported("it runs a build script ([tool.poetry.build])")
    hooks = set(table(pyproject, "tool", "hatch", "build", "hooks")) | set(
        table(pyproject, "tool", "hatch", "build", "targets", "wheel", "hooks")
    )
    if others := sorted(hooks - {"vcs", "version"}):
        raise Unsupported(f"it runs a build hook of hatchling ({others[0]})")


def default_folder(name: str, files: set[str]) -> str:
    """Return where a package of this name is by the usual layouts: `src`, or the project's folder.

    Raises:
        Unsupported: It is in neither.
    """
    module = module_name(name)
    for folder, before in (("src", "src/"), (".", "")):
        if any(f"{before}{module}{end}" in files for end in ("/__init__.py", ".py")):
            return folder
    lower = {path.lower() for path in files}
    for folder, before in (("src", "src/"), (".", "")):
        if any(path.startswith(f"{before}{module.lower()}/") and path.endswith(".py") for path in lower):
            return folder
    raise Unsupported(f"the commit has no package {module}: neither src/{module}/ nor {module}/")


def module_name(name: str) -> str:
    """Return the module that a package of this name usually has."""
    return re.sub(r"[-.]+", "_", name)


def _setuptools(pyproject: Mapping[str, Any], name: str, files: set[str]) -> list[str]:
    settings = table(pyproject, "tool", "setuptools")
    folders = settings.get("package-dir")
    if isinstance(folders, dict):
        if set(folders) - {""}:
            raise Unsupported("setuptools' package-dir renames its packages")
        return [str(folders[""])]
    where = table(pyproject, "tool", "setuptools", "packages", "find").get("where")
    if where:
        return [str(folder) for folder in where]
    if isinstance(settings.get("packages"), list) or settings.get("py-modules"):
        return ["."]
    if any(re.fullmatch(r"src/[^/]+(/__init__)?\.py", path) for path in files):
        return ["src"]
    try:
        return [default_folder(name, files)]
    except Unsupported:
        if any(re.fullmatch(r"[^/]+/__init__\.py|[^/]+\.py", path) for path in files):
            return ["."]
        raise


def _hatchling(pyproject: Mapping[str, Any], name: str, files: set[str]) -> list[str]:
    build = table(pyproject, "tool", "hatch", "build")
    wheel = table(pyproject, "tool", "hatch", "build", "targets", "wheel")
    if named := build.get("dev-mode-dirs"):
        return [str(folder) for folder in named]
    for key in ("sources", "force-include"):
        if wheel.get(key) or build.get(key):
            raise Unsupported(f"hatchling's {key} moves its files")
    if packages := wheel.get("packages") or build.get("packages"):
        return [str(PurePosixPath(str(package)).parent) for package in packages]
    return [default_folder(name, files)]


def _uv_build(pyproject: Mapping[str, Any], _name: str, _files: set[str]) -> list[str]:
    settings = table(pyproject, "tool", "uv", "build-backend")
    return [str(settings.get("module-root", "src")) or "."]


def _poetry(pyproject: Mapping[str, Any], name: str, files: set[str]) -> list[str]:
    packages = table(pyproject, "tool", "poetry").get("packages")
    if not packages:
        return [default_folder(name, files)]
    if any("to" in package for package in packages if isinstance(package, dict)):
        raise Unsupported("poetry's packages have a `to`")
    return [str(package.get("from", ".")) for package in packages if isinstance(package, dict)]


def _flit(pyproject: Mapping[str, Any], name: str, files: set[str]) -> list[str]:
    return [default_folder(str(table(pyproject, "tool", "flit", "module").get("name", name)), files)]


def _pdm(pyproject: Mapping[str, Any], _name: str, files: set[str]) -> list[str]:
    settings = table(pyproject, "tool", "pdm", "build")
    if settings.get("run-setuptools") or settings.get("custom-hook"):
        raise Unsupported("it runs a build hook of pdm")
    if "package-dir" in settings:
        return [str(settings["package-dir"])]
    return ["src" if any(path.startswith("src/") for path in files) else "."]


_BACKENDS: Mapping[str, Callable[[Mapping[str, Any], str, set[str]], list[str]]] = {
    "setuptools": _setuptools,
    "hatchling": _hatchling,
    "uv_build": _uv_build,
    "poetry": _poetry,
    "flit_core": _flit,
    "flit_scm": _flit,
    "pdm": _pdm,
}


def _inside(folder: str) -> str:
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or not folder.isprintable():
        raise Unsupported(f"its code is outside the project ({folder})")
    return str(path)
