"""What decides a project's environment, and what can't be in one that releases share."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from repositories import commit_all

from rookery.core.errors import RookeryError
from rookery.projects import commit, environment, tree_checks
from rookery.projects.model import Environment, Project


def wanted(
    root: Path, files: dict[str, str], python: str = "none", r: str = "none", **data: Any
) -> tuple[environment.RequiredEnvironment, ...]:
    """The environments of a commit with these files."""
    for name, text in files.items():
        (root / name).write_text(text)
    commit_all(root)
    project = Project(root, "survival", ("penguins",), Environment(python, r), (), {})
    cluster: Any = SimpleNamespace(data=data)
    with commit.chosen(root) as chosen:
        return environment.required(project, chosen, tree_checks.read_tree(chosen), cluster)


def test_the_lock_decides_and_other_files_do_not(tmp_path: Path) -> None:
    first = wanted(tmp_path, {"uv.lock": "a = 1", "a.py": "1", "pyproject.toml": "a = 1"}, "uv")
    assert first == wanted(tmp_path, {"a.py": "2", "pyproject.toml": "[tool.ruff]"}, "uv")
    assert first != (other := wanted(tmp_path, {"uv.lock": "a = 2"}, "uv"))
    assert other != wanted(tmp_path, {".python-version": "3.12"}, "uv")
    assert first[0].link == ".venv"
    assert first[0].name == f"survival-{first[0].digest}"


def test_python_and_r_are_apart(tmp_path: Path) -> None:
    files = {"requirements.txt": "numpy==2.1.0\n", "r-packages.txt": "foreach==1.5.2\n"}
    python, r = wanted(tmp_path, files, "venv", "library")
    modules = {"cluster_modules": {"r": ["R/4.3.1"]}, "cluster_module_verb": "add"}
    same, other = wanted(tmp_path, {"more.txt": ""}, "venv", "library", **modules)
    assert python == same
    assert r.digest != other.digest, "another R needs another library"
    assert environment.digest((python, r)) == f"{python.digest}+{r.digest}"


def test_files_that_a_requirements_file_names_decide_too(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r base.txt\n",
        "base.txt": "numpy\n--constraint=pins.txt",
        "pins.txt": "numpy==2.1.0",
    }
    first = wanted(tmp_path, files, "venv")
    assert first != wanted(tmp_path, {"pins.txt": "numpy==2.2.0"}, "venv")


def test_a_file_that_is_named_is_beside_the_one_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "needs").mkdir()
    files = {"requirements.txt": "-r ./needs/all.txt", "needs/all.txt": "-r base.txt", "needs/base.txt": "rich==1.0"}
    first = wanted(tmp_path, files, "venv")
    assert first != (second := wanted(tmp_path, {"needs/base.txt": "rich==2.0"}, "venv"))
    assert json.loads(second[0].expected)["versions"] == {"rich": ["2.0"]}


def test_what_only_constrains_versions_is_not_required(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-c pins.txt\n-r base.txt\n",
        "base.txt": "numpy\n",
        "pins.txt": "numpy==2.1\nzoo==1\n",
    }
    [first] = wanted(tmp_path, files, "venv")
    expected = json.loads(first.expected)
    assert (expected["roots"], expected["versions"]["numpy"]) == ([["numpy", [], ""]], ["2.1"])
    [both] = wanted(tmp_path, {"base.txt": "numpy\n--requirement=pins.txt\n"}, "venv")
    assert [root[0] for root in json.loads(both.expected)["roots"]] == ["numpy", "numpy", "zoo"]


@pytest.mark.parametrize(
    ("way", "name", "text"),
    [
        ("uv", "uv.lock", '[[package]]\nname = "lib"\nsource = { editable = "lib" }\n'),
        ("poetry", "poetry.lock", '[package.source]\ntype = "directory"\nurl = "lib"\n'),
        ("venv", "requirements.txt", "numpy\n-e ./lib\n"),
        ("venv", "requirements.txt", "./lib"),
        ("conda", "environment.yml", "dependencies:\n  - pip: [numpy, -e .]\n"),
        ("conda", "environment.yml", "dependencies:\n  - pip:\n    - -e .\n"),
        ("conda", "environment.yml", "dependencies: [python, {pip: ['.[plot]']}] # itself\n"),
        ("conda", "environment.yml", "dependencies: [python, {pip: ['.[plot, dev]']}]\n"),
        ("conda", "environment.yml", "dependencies: [python, {pip: ['./lib[a, b]']}]\n"),
        ("conda", "environment.yml", "dependencies: [python, {pip: ['-e .[a, b]']}]\n"),
        ("venv", "requirements.txt", "./lib[a, b]\n"),
        ("conda", "environment.yml", "dependencies:\n  - pip:\n    - ./lib\n"),
    ],
)
def test_packages_from_folders_of_the_project_are_refused(tmp_path: Path, way: str, name: str, text: str) -> None:
    with pytest.raises(RookeryError, match="releases can't share") as caught:
        wanted(tmp_path, {name: text}, way)
    assert caught.value.hint


def test_the_project_itself_and_packages_from_git_are_fine(tmp_path: Path) -> None:
    wanted(tmp_path, {"uv.lock": '[[package]]\nname = "a"\nsource = { editable = "." }\n'}, "uv")
    wanted(tmp_path, {"requirements.txt": "-e git+https://example.org/x.git#egg=x\nnumpy==2.0\n"}, "venv")
    wanted(tmp_path, {"requirements.txt": "-e .[plot, dev]\nnumpy==2.0\n"}, "venv")


def test_what_conda_refuses_itself_is_left_to_it(tmp_path: Path) -> None:
    odd = "dependencies: [python, {pip: [rich]}]\nvariables: {DAY: 2024-13-45}\n"
    [environment] = wanted(tmp_path, {"environment.yml": odd}, "conda")
    assert environment.expected == ""


@pytest.mark.parametrize(
    "pip",
    [
        "  - pip:\n    - -r needs.txt\n",
        "  - pip:\n    - >-\n      --requirement\n      ./needs.txt\n",
        "  - pip: [-r needs.txt]\n",
        '  - {"pip": ["numpy", "-rneeds.txt"]}\n',
    ],
)
def test_what_conda_s_pip_reads_decides_too(tmp_path: Path, pip: str) -> None:
    files = {"environment.yml": f"dependencies:\n  - python\n{pip}", "needs.txt": "rich==1.0\n"}
    [first] = wanted(tmp_path, files, "conda")
    [second] = wanted(tmp_path, {"needs.txt": "rich==2.0\n"}, "conda")
    assert first.digest != second.digest
    assert json.loads(second.expected)["versions"] == {"rich": ["2.0"]}
    with pytest.raises(RookeryError, match=r"needs.txt installs packages from folders of the project \('-e \.'\)"):
        wanted(tmp_path, {"needs.txt": "-e .\n"}, "conda")


@pytest.mark.parametrize("way", ["uv", "poetry", "venv", "conda"])
def test_a_lock_file_that_is_missing_is_named(tmp_path: Path, way: str) -> None:
    with pytest.raises(RookeryError, match=environment.LOCKS[way][0].replace(".", r"\.")) as caught:
        wanted(tmp_path, {"a.py": ""}, way)
    assert environment.LOCKS[way][0] in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "lock"),
    [
        ("[project]\nname = 'a'\ndependencies = ['numpy']\n", "uv.lock"),
        ("[tool.poetry.dependencies]\npython = '^3.12'\nnumpy = '*'\n", "poetry.lock"),
        ("[project]\ndependencies = ['numpy']\n[tool.poetry]\npackage-mode = false\n", "poetry.lock"),
        (
            "[project]\ndependencies = ['numpy']\n[build-system]\nbuild-backend = 'poetry.core.masonry.api'",
            "poetry.lock",
        ),
        ("[project]\ndependencies = ['numpy']\n[build-system]\nbuild-backend = 'hatchling.build'", "uv.lock"),
        ("[tool.poetry.dependencies]\npython = '^3.12'\nnumpy = {version = '*', optional = true}\n", ""),
        ("[project]\nname = 'a'\n[dependency-groups]\ndev = ['ruff']\n", ""),
        ("[tool.ruff]\n", ""),
        ("", ""),
    ],
)
def test_packages_without_a_lock_file_are_named(tmp_path: Path, text: str, lock: str) -> None:
    assert unlocked(tmp_path, {"pyproject.toml": text} if text else {"a.py": ""}).split(":")[0] == (
        f"pyproject.toml lists packages, but there is no {lock}" if lock else ""
    )
    assert unlocked(tmp_path, {}, ("environment", "python")) == "", "rookery.yml says that there is none"


def unlocked(root: Path, files: dict[str, str], *said: tuple[str, ...]) -> str:
    """The warning of a commit with these files, and keys in rookery.yml."""
    for name, text in files.items():
        (root / name).write_text(text)
    commit_all(root)
    project = Project(root, "survival", ("penguins",), Environment(), (), {}, dict.fromkeys(said, 3))
    with commit.chosen(root) as chosen:
        return environment.unlocked(project, chosen, tree_checks.read_tree(chosen))


DESCRIPTION = "Package: gentoo\nVersion: 1.0\nImports: foreach (>= 1.5), iterators, stats\n"


def test_of_a_description_the_packages_that_it_needs_decide(tmp_path: Path) -> None:
    first = wanted(tmp_path, {"DESCRIPTION": DESCRIPTION}, r="library")
    same = DESCRIPTION.replace("1.0", "2.0").replace("foreach (>= 1.5), iterators", "iterators,\n    foreach (>= 1.5)")
    for text in (same + "Suggests: zoo\n", same.replace("\n", "\r\n"), same.replace("stats", "utils")):
        assert wanted(tmp_path, {"DESCRIPTION": text}, r="library") == first
    for text in (same.replace("1.5", "1.6"), same.replace("stats", "zoo")):
        assert wanted(tmp_path, {"DESCRIPTION": text}, r="library") != first


def test_a_description_that_is_not_of_r_lists_no_packages(tmp_path: Path) -> None:
    with pytest.raises(RookeryError, match=r"no r-packages\.txt") as caught:
        wanted(tmp_path, {"DESCRIPTION": "This is about penguins.\nDepends: on the weather\n"}, r="library")
    assert "r-packages.txt" in str(caught.value.hint)


def test_a_renv_lock_without_what_the_project_imports_is_refused(tmp_path: Path) -> None:
    lock = '{"Packages": {"foreach": {"Version": "1.4"}}}'
    with pytest.raises(RookeryError, match=r"asks for iterators, which is not in renv\.lock; ") as caught:
        wanted(tmp_path, {"DESCRIPTION": DESCRIPTION, "renv.lock": lock}, r="renv")
    install = """Rscript -e 'renv::install(c("iterators", "foreach")); renv::snapshot()'"""
    assert caught.value.hint == f"{install} && git add renv.lock && git commit -m 'Update renv.lock'"


def test_a_list_without_what_the_project_imports_is_refused(tmp_path: Path) -> None:
    files = {"DESCRIPTION": DESCRIPTION, "r-packages.txt": "foreach==1.5.2\n"}
    with pytest.raises(RookeryError, match="asks for iterators, which is not in r-packages"):
        wanted(tmp_path, files, r="library")
    files["DESCRIPTION"] = DESCRIPTION.replace("Package: gentoo\n", "")
    assert "may be out of date" in wanted(tmp_path, files, r="library")[0].warning, "nothing of it is installed"
    wanted(tmp_path, {"r-packages.txt": "foreach==1.5.2\niterators\n", "DESCRIPTION": DESCRIPTION}, r="library")
