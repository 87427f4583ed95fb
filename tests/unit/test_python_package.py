"""A project that is a Python package, from its pyproject.toml alone: nothing of it is run."""

from pathlib import Path

import pytest
from repositories import commit_all

from rookery.core.errors import RookeryError
from rookery.projects import commit, tree_checks
from rookery.projects.packages import python_metadata, python_package
from rookery.projects.packages.python_package import PythonPackage

PROJECT = '[project]\nname = "my-study"\nversion = "1.2"\n'


def built_by(backend: str, requires: str = "") -> str:
    return f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'


def found(
    root: Path, text: str, *files: str, way: str = "uv", is_listed: bool = False, describe: str = "abc"
) -> tuple[PythonPackage | None, str]:
    """The package of a project with this pyproject.toml and these files; a file's text may come after a colon."""
    (root / "pyproject.toml").write_text(text)
    for file in files:
        name, _, content = file.partition(":")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    commit_all(root)
    with commit.chosen(root) as chosen:
        return python_package.find(chosen, tree_checks.read_tree(chosen), way, lambda: describe, is_listed=is_listed)


HATCH, SETUPTOOLS = built_by("hatchling.build"), built_by("setuptools.build_meta")
POETRY, UV, MATURIN = built_by("poetry.core.masonry.api"), built_by("uv_build"), built_by("maturin")
DYNAMIC = '[project]\nname = "my-study"\ndynamic = ["version"]\n'
SRC, FLAT = "src/my_study/__init__.py", "my_study/__init__.py"


@pytest.mark.parametrize(
    ("text", "files", "folders"),
    [
        (UV, [SRC], ("src",)),
        (UV + '[tool.uv.build-backend]\nmodule-root = ""\n', [FLAT], (".",)),
        (HATCH, [SRC], ("src",)),
        (HATCH, [FLAT], (".",)),
        (HATCH + '[tool.hatch.build.targets.wheel]\npackages = ["lib/a"]\n', ["lib/a/b.py"], ("lib",)),
        (SETUPTOOLS, [SRC], ("src",)),
        (SETUPTOOLS, ["other/__init__.py"], (".",)),
        (SETUPTOOLS + '[tool.setuptools.packages.find]\nwhere = ["py"]\n', ["py/a.py"], ("py",)),
        (SETUPTOOLS + '[tool.setuptools]\npackage-dir = {"" = "l"}\n', ["l/a.py"], ("l",)),
        (built_by("flit_core.buildapi"), ["my_study.py"], (".",)),
        (built_by("pdm.backend"), [SRC], ("src",)),
        (POETRY, [SRC], ("src",)),
        (POETRY + '[tool.poetry]\npackages = [{include="a", from="x"}]\n', ["x/a/b.py"], ("x",)),
        ("[tool.uv]\npackage = true\n", [SRC], ("src",)),
    ],
)  # fmt: skip
def test_where_the_code_is(tmp_path: Path, text: str, files: list[str], folders: tuple[str, ...]) -> None:
    package, warning = found(tmp_path, PROJECT + text, *files)
    assert package
    assert (package.folders, warning) == (folders, "")
    assert package.files()[".rookery/package/import-folders"] == "".join(f"{folder}\n" for folder in folders)
    assert "Name: my-study\nVersion: 1.2\n" in package.files()[".rookery/package/my_study-1.2.dist-info/METADATA"]


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        (PROJECT + MATURIN, [SRC], "maturin compiles extension modules"),
        (PROJECT + built_by("scikit_build_core.build"), [SRC], "scikit_build_core compiles"),
        (PROJECT + built_by("setuptools.build_meta", "Cython>=3"), [SRC], "extension modules with cython"),
        (PROJECT + SETUPTOOLS, [SRC, "src/my_study/fast.pyx"], r"fast\.pyx has to be compiled"),
        (PROJECT + built_by("mine") + 'backend-path = ["."]\n', [SRC], "mine is code of the project"),
        (PROJECT + built_by("other.backend"), [SRC], "does not know its build backend other.backend"),
        (PROJECT + HATCH, ["other.py"], "has no package my_study"),
        (PROJECT + UV, [FLAT], "no Python files in src/"),
        (PROJECT + HATCH + "[tool.hatch.build.hooks.custom]\n", [SRC], r"build hook of hatchling \(custom"),
        (PROJECT + SETUPTOOLS + '[tool.setuptools]\npackage-dir = {"" = "../x"}\n', [SRC], "outside the project"),
        (DYNAMIC + SETUPTOOLS, [SRC], "only its build can tell its version"),
        (PROJECT + '[project.scripts]\nrun = "no colon"\n' + UV, [SRC], "its command run is 'no colon'"),
    ],
)  # fmt: skip
def test_what_only_a_build_can_tell_is_refused_with_the_way_out(
    tmp_path: Path, text: str, files: list[str], reason: str
) -> None:
    with pytest.raises(RookeryError, match=reason) as caught:
        found(tmp_path, text, *files)
    assert "`package = false` under [tool.uv]" in str(caught.value.hint)


def test_a_project_of_scripts_alone_is_none(tmp_path: Path) -> None:
    assert found(tmp_path, PROJECT, "a.py") == (None, "")
    assert found(tmp_path, PROJECT + MATURIN + "[tool.uv]\npackage = false\n") == (None, "")
    poetry = '[tool.poetry]\nname = "my-study"\nversion = "1"\n' + POETRY
    package, _ = found(tmp_path, poetry, "a.py", way="poetry")
    assert package is None, "poetry install --no-root is all that its owner can have run"
    assert found(tmp_path, SETUPTOOLS, SRC, way="none") == (None, "")


def test_beside_a_requirements_file_it_is_installed_where_that_can_be_done(tmp_path: Path) -> None:
    assert found(tmp_path, "[tool.ruff]\n", SRC, way="venv") == (None, "")
    package, _ = found(tmp_path, PROJECT + UV, way="venv")
    assert package
    package, warning = found(tmp_path, PROJECT + MATURIN, way="venv")
    assert package is None
    assert warning == "the package my-study is not installed: maturin compiles extension modules"
    with pytest.raises(RookeryError, match="maturin"):
        found(tmp_path, PROJECT + MATURIN, way="venv", is_listed=True)


@pytest.mark.parametrize(
    ("text", "file", "version"),
    [
        ('[tool.hatch.version]\npath = "src/my_study/__init__.py"\n', f"{SRC}:__version__ = '4.1'", "4.1"),
        (
            '[tool.setuptools.dynamic]\nversion = {attr = "my_study.__version__"}\n',
            f"{SRC}:__version__: str = '4.2'",
            "4.2",
        ),
        ('[tool.setuptools.dynamic]\nversion = {file = "VERSION"}\n', "VERSION:4.3\n", "4.3"),
        ('[tool.hatch.version]\nsource = "vcs"\n', "x:", "2.0.1.dev3+gabcdef0"),
    ],
)  # fmt: skip
def test_versions_that_are_elsewhere(tmp_path: Path, text: str, file: str, version: str) -> None:
    backend = "hatchling.build" if "hatch" in text else "setuptools.build_meta"
    document = DYNAMIC + built_by(backend) + text
    package, _ = found(tmp_path, document, SRC, file, describe="v2.0.0-3-gabcdef0")
    assert package
    assert package.metadata.version == version


@pytest.mark.parametrize(
    ("described", "version"),
    [
        ("v1.2.3", "1.2.3"),
        ("study-1.2", "1.2"),
        ("1.2.3-4-g0a1b2c3", "1.2.4.dev4+g0a1b2c3"),
        ("v1-dirty", "2.dev0"),
        ("0a1b2c3", "0.1.dev0+g0a1b2c3"),
    ],
)
def test_versions_from_tags(described: str, version: str) -> None:
    assert python_metadata.from_tag(described) == version


def test_a_version_file_that_a_build_would_write_is_written(tmp_path: Path) -> None:
    text = DYNAMIC + built_by("setuptools.build_meta", "setuptools_scm")
    text += '[tool.setuptools_scm]\nversion_file = "src/my_study/_version.py"\n'
    package, _ = found(tmp_path, text, SRC, describe="v1.2")
    assert package
    names: dict[str, object] = {}
    exec(package.files()["src/my_study/_version.py"], names)
    assert (names["version"], names["version_tuple"]) == ("1.2", (1, 2))


def test_metadata_is_what_pythons_own_reader_understands(tmp_path: Path) -> None:
    import importlib.metadata

    text = (
        PROJECT
        + 'dependencies = ["numpy>=2"]\n[project.optional-dependencies]\nplot = ["x>1; sys_platform != \'a\'", "y"]\n'
        '[project.scripts]\nmy-study = "my_study.cli:app.run"\n[project.entry-points."pytest11"]\nz = "my_study.z"\n'
        + UV
    )
    package, _ = found(tmp_path, text, SRC)
    assert package
    for path, content in package.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    [distribution] = importlib.metadata.distributions(path=[str(tmp_path / ".rookery/package")])
    assert (distribution.name, distribution.version) == ("my-study", "1.2")
    assert distribution.requires == ["numpy>=2", "x>1; (sys_platform != 'a') and extra == 'plot'", "y; extra == 'plot'"]
    assert {(entry.group, entry.name, entry.value) for entry in distribution.entry_points} == {
        ("console_scripts", "my-study", "my_study.cli:app.run"),
        ("pytest11", "z", "my_study.z"),
    }
