"""Compare what Python code imports with the packages that a file lists.

A module does not say which package it comes from, nor a list what its packages bring along. So only modules of widely
used packages count, and a list without all dependencies is compared only if each of its packages is one of them: what
is named here is certainly missing, and what is not may be.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from rookery.core.errors import RookeryError
from rookery.projects import config
from rookery.projects.adoption.folder_files import text_of
from rookery.projects.locks import reading, requirements_file
from rookery.projects.locks.requirement import listed, normalised
from rookery.projects.packages import pyproject
from rookery.projects.packages.pyproject import table

SPELT: Final = {
    "sklearn": "scikit-learn", "skimage": "scikit-image", "cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml",
    "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "Bio": "biopython", "dotenv": "python-dotenv",
    "mpl_toolkits": "matplotlib", "pkg_resources": "setuptools", "git": "gitpython", "igraph": "igraph",
}  # fmt: skip
"""Modules of Python whose packages have other names."""

_BRINGS: Final = """
altair: jinja2 jsonschema numpy packaging pandas
arviz: h5py matplotlib numpy packaging pandas scipy xarray
astropy: beautifulsoup4 dask h5py ipython matplotlib numpy packaging pandas pyarrow pyyaml requests scipy tqdm
beautifulsoup4: lxml
biopython: numpy
black: click packaging
bokeh: jinja2 numpy packaging pandas pillow pyyaml
click:
cython:
dask: bokeh click jinja2 numpy packaging pandas psutil pyarrow pyyaml
emcee: numpy
geopandas: click jinja2 matplotlib networkx numpy packaging pandas requests scikit-learn shapely
gitpython:
h5py: numpy
hypothesis: attrs
igraph:
imageio: numpy pillow
ipykernel: ipython packaging psutil python-dateutil
ipython:
jax: numpy scipy
jinja2:
joblib:
jupyter: beautifulsoup4 ipykernel jinja2 nbconvert packaging psutil python-dateutil pyyaml requests
jupyterlab: beautifulsoup4 ipykernel jinja2 nbconvert packaging psutil python-dateutil pyyaml requests
lifelines: matplotlib numpy pandas scipy
lightgbm: numpy scikit-learn scipy
lxml:
matplotlib: numpy packaging pillow python-dateutil
matplotlib-base: matplotlib
mpi4py:
mypy:
nbconvert: beautifulsoup4 jinja2 packaging python-dateutil
networkx: matplotlib numpy pandas scipy
notebook: beautifulsoup4 ipykernel jinja2 nbconvert packaging psutil python-dateutil pyyaml requests
numba: numpy scipy
numexpr: numpy
numpy:
opencv: opencv-python
opencv-contrib-python: numpy opencv-python
opencv-python: numpy
opencv-python-headless: numpy opencv-python
openpyxl:
packaging:
pandas: numpy python-dateutil
patsy: numpy scipy
pillow:
pip:
plotly: numpy packaging pandas
polars:
psutil:
py-opencv: opencv-python
pyarrow: numpy
pymc: arviz matplotlib numpy pandas rich scipy xarray
pytest: packaging
pytest-cov: pytest
python:
python-dateutil:
python-dotenv:
pytorch: torch
pyyaml:
requests:
rich:
ruff:
scikit-image: dask imageio matplotlib networkx numpy packaging pillow scipy
scikit-learn: joblib numpy scipy
scipy: numpy
seaborn: matplotlib numpy pandas scipy statsmodels
setuptools:
shapely: numpy
statsmodels: numpy packaging pandas patsy scipy
sympy:
tables: numexpr numpy packaging
tensorflow: h5py numpy packaging pandas pillow pyyaml requests rich scipy
torch: jinja2 networkx numpy pyyaml sympy
torchvision: numpy pillow requests torch
tqdm:
typer: click rich
wheel:
xarray: numpy packaging pandas
xgboost: numpy pandas scikit-learn scipy
"""
"""Widely used packages, each with those of them that it brings along, from PyPI or from conda, in any version."""

_WITHOUT_MODULES: Final = frozenset({"pip", "python", "setuptools", "wheel"})
"""Those that are there anyway, or that programs do not import."""


@dataclass(frozen=True)
class PackageList:
    """What a file lists of Python packages.

    Attributes:
        way: How an environment is made from it: one of model.PYTHONS.
        file: Its path in the folder.
        names: The packages, normalised.
        is_complete: Whether what these need is listed, too.
    """

    way: str
    file: str
    names: frozenset[str]
    is_complete: bool = False


def read_list(root: Path, lock: str, files: Iterable[str]) -> PackageList | None:
    """Return what a folder lists of Python packages; None where nothing does, or not all of it can be known.

    Args:
        root: The folder.
        lock: The lock file that its environment is made from; "" for none.
        files: Its files.
    """
    there = set(files)
    name = lock or (pyproject.NAME if pyproject.NAME in there else "")
    if not name or (not lock and there & _OTHER_LISTS):
        return None
    way, text = config.PYTHON_LOCKS.get(name, ""), text_of(root / name, 20_000_000)
    try:
        if way in {"uv", "poetry"}:
            packages = pyproject.parsed(name, text)["package"]
            return PackageList(way, name, frozenset(normalised(entry["name"]) for entry in packages), is_complete=True)
        if way == "venv":
            is_complete = re.search(r"^\s*# +via\b", text, re.MULTILINE) is not None  # uv pip compile, pip-compile
            return None if _UNCLEAR.search(text) else PackageList(way, name, _of_pip(text), is_complete)
        if way == "conda":
            document = reading.parsed_yaml(name, text)
            own = (normalised(package) for package, _version in requirements_file.conda(document)["conda"])
            text = "\n".join(requirements_file.of_pip(document))
            is_unclear = not isinstance(document["dependencies"], list) or _UNCLEAR.search(text)
            return None if is_unclear else PackageList(way, name, _of_pip(text).union(own))
        return _of_project(pyproject.parsed(name, text))
    except (RookeryError, AttributeError, KeyError, TypeError, ValueError):  # it is of another form than expected
        return None


_OTHER_LISTS: Final = frozenset({"Pipfile", "setup.py", "setup.cfg"})
_OTHER_TOOLS: Final = frozenset({"pixi", "pdm", "hatch", "flit"})
"""Tools that have tables of their own for packages in a pyproject.toml."""

_UNCLEAR: Final = re.compile(r"^\s*(?:-r|--requirement|-e|--editable|https?:|git\+|\.|[\w.-]+\s*\[)", re.MULTILINE)
"""Lines of a requirements.txt that may bring any package."""


def _of_pip(text: str) -> frozenset[str]:
    return frozenset(name for name, *_ in requirements_file.expected([text])["roots"])


def _of_project(document: Mapping[str, Any]) -> PackageList | None:
    """Return what a pyproject.toml without a lock file lists; None where it may list any package."""
    project, poetry = table(document, "project"), table(document, "tool", "poetry")
    is_elsewhere = "dependencies" in project.get("dynamic", ()) or table(document, "tool").keys() & _OTHER_TOOLS
    if is_elsewhere or not (project or poetry):
        return None
    groups = [*table(project, "optional-dependencies").values(), *table(document, "dependency-groups").values()]
    required = listed([*project.get("dependencies", ()), *(entry for group in groups for entry in group)])
    tables = [poetry, *(group for group in table(poetry, "group").values() if isinstance(group, dict))]
    named = [table(each, key) for each in tables for key in ("dependencies", "dev-dependencies")]
    with_extras = (each.extras or each.url for each in required)
    if any(with_extras) or any(_is_unclear(entry) for each in named for entry in each.values()):
        return None
    names = (*(name for each in named for name in each), *(each.name for each in required))
    return PackageList("poetry" if poetry else "uv", pyproject.NAME, frozenset(map(normalised, names)))


def _is_unclear(entry: object) -> bool:
    """Return whether a dependency of Poetry may bring any package."""
    return not isinstance(entry, str) and not (
        isinstance(entry, dict) and entry.keys() <= {"version", "python", "markers"}
    )


def missing(imported: Iterable[str], packages: PackageList) -> tuple[str, ...]:
    """Return the packages of imported modules that a list certainly lacks.

    Args:
        imported: Modules that code can't run without; none of its own.
        packages: The list.
    """
    brings = _brings()
    if not packages.is_complete and not packages.names <= brings.keys():
        return ()
    there = packages.names.union(*(brings.get(name, frozenset()) for name in packages.names)) - _WITHOUT_MODULES
    wanted = {SPELT.get(module, module) for module in imported} & (brings.keys() - _WITHOUT_MODULES)
    return tuple(sorted(name for name in wanted if not any(name in other or other in name for other in there)))


@cache
def _brings() -> Mapping[str, frozenset[str]]:
    """Return the known packages, each with all that it brings along."""
    lines = (line.partition(":") for line in _BRINGS.split("\n") if line)
    direct = {name: frozenset(others.split()) for name, _, others in lines}

    def all_of(name: str) -> frozenset[str]:
        return frozenset({name}).union(*map(all_of, direct.get(name, ())))

    return {name: all_of(name) for name in direct}
