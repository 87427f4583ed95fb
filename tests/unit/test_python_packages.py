"""`init`: packages that Python code imports and the file that lists packages lacks."""

import ast
from pathlib import Path

import pytest
from init_folders import empty_folder, proposed, write

from rookery.projects.adoption import python_imports, python_packages
from rookery.projects.adoption.python_packages import PackageList


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return empty_folder(tmp_path, monkeypatch)


UV_LOCK = "[[package]]\nname = 'numpy'\nversion = '2'\n[[package]]\nname = 'in_house'\nversion = '1'\n"
PROJECT = "[project]\nname = 'a'\ndependencies = ['numpy']\n"
LACKING = [
    ("requirements.txt", "numpy==2.0\n", "printf '\\n%s' pandas pillow >>requirements.txt"),
    (
        "requirements.txt",
        "numpy==2.0\n    # via in-house\nin-house==1\n",
        "printf '\\n%s' pandas pillow >>requirements.txt",
    ),
    ("uv.lock", UV_LOCK, "uv add pandas pillow"),
    ("poetry.lock", UV_LOCK, "poetry add pandas pillow"),
    ("environment.yml", "dependencies: [python=3.12, conda-forge::numpy, {pip: [tqdm]}]\n", ""),
    ("pyproject.toml", PROJECT, "uv add pandas pillow"),
    ("pyproject.toml", "[project]\nname = 'a'\n[dependency-groups]\ndev = ['numpy']\n", "uv add pandas pillow"),
    ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.12'\nnumpy = '*'\n", "poetry add pandas pillow"),
]
CODE = "import numpy.linalg\nimport pandas as pd\nfrom PIL import Image\nimport unheard_of, os, tools, lib.x\n"


@pytest.mark.parametrize(("file", "text", "command"), LACKING)
def test_what_the_list_lacks_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, command: str
) -> None:
    write(here, {file: text, "a.py": CODE, "tools.py": "", "lib/x.py": "", "tests/test_a.py": "import rich\n"})
    every = proposed(capsys)["advice"]
    [advice] = [advice for advice in every if "that your code uses" in advice["text"]]  # type: ignore[attr-defined]
    assert advice["text"].startswith(f"{file} lacks Python packages that your code uses (pandas, pillow)")
    assert advice["command"].startswith(command)
    assert bool(advice["command"]) == bool(command)


NOTHING = {
    "all is there": ("requirements.txt", "numpy\nPandas>=2\nPillow\n"),
    "what others bring": ("requirements.txt", "seaborn==0.13\n"),
    "what an unknown package may bring": ("requirements.txt", "numpy\nin-house\n"),
    "what an extra may bring": ("requirements.txt", "dask[complete]\n"),
    "what another file lists": ("requirements.txt", "-r more.txt\nnumpy\n"),
    "conda's own names": ("environment.yml", "dependencies: [python, numpy, matplotlib-base, pandas]\n"),
    "what conda's package brings, unlike that of PyPI": ("environment.yml", "dependencies: [python, geopandas]\n"),
    "all of Anaconda": ("environment.yml", "dependencies: [anaconda]\n"),
    "another package that has the module": (
        "uv.lock",
        UV_LOCK.replace("in_house", "pandas") + "[[package]]\nname = 'pillow-simd'\n",
    ),
    "an empty lock file": ("uv.lock", ""),
    "dependencies that a build finds": ("pyproject.toml", "[project]\nname = 'a'\ndynamic = ['dependencies']\n"),
    "settings of tools alone": ("pyproject.toml", "[tool.ruff]\n"),
    "packages of another tool": ("pyproject.toml", f"{PROJECT}[tool.pixi.dependencies]\npandas = '*'\n"),
    "no TOML": ("pyproject.toml", "[project\n"),
    "no YAML": ("environment.yml", "dependencies: [\n"),
    "a list of another form": ("environment.yml", "dependencies: {numpy: 1}\n"),
}


@pytest.mark.parametrize(("file", "text"), NOTHING.values(), ids=NOTHING)
def test_what_may_be_there_is_not_named(here: Path, capsys: pytest.CaptureFixture[str], file: str, text: str) -> None:
    write(here, {file: text, "a.py": CODE, "tools.py": "", "lib/x.py": ""})
    assert not [text for text in map(str, proposed(capsys)["advice"]) if "that your code uses" in text]  # type: ignore[call-overload]


def test_each_known_package_brings_what_it_brings_by_others() -> None:
    seaborn = PackageList("venv", "requirements.txt", frozenset({"seaborn"}))
    assert python_packages.missing({"PIL", "patsy", "sklearn"}, seaborn) == ("scikit-learn",)
    assert python_packages.missing({"cv2", "pip"}, PackageList("conda", "environment.yml", frozenset({"python"}))) == (
        "opencv-python",
    )
    assert (
        python_packages.missing({"cv2", "torch"}, PackageList("conda", "", frozenset({"py-opencv", "pytorch"}))) == ()
    )


def test_modules_that_code_can_do_without_are_not_needed() -> None:
    code = """
import a.b
from c import d
from . import e
try:
    import f
except ImportError:
    import g
try:
    import h
except ValueError:
    pass
if typing.TYPE_CHECKING:
    import i
else:
    import j
def run():
    import k
try:
    import l
except (KeyError, builtins.ModuleNotFoundError):
    pass
finally:
    import m
"""
    assert sorted(python_imports.needed(ast.parse(code))) == ["a", "c", "h", "j", "k", "m"]
    assert sorted(python_imports.imported(ast.parse(code))) == list("acfghijklm")
