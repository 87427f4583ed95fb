"""Lock files: what an environment must have by them, and when they are certainly older than the project file."""

import contextlib
import io
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.projects.locks import poetry_lock, r_packages, reading, requirements_file, uv_lock
from rookery.projects.locks.reading import LockContents

PROJECT = """
[project]
name = "my-study"
requires-python = ">=3.11"
dependencies = ["numpy>=2.2", "Some_Thing[fast]; sys_platform == 'linux'", "mine @ git+https://example.org/mine"]
[project.optional-dependencies]
plot = ["matplotlib>=3,<4"]
all = ["my-study[plot]"]
[dependency-groups]
test = ["pytest>=8"]
dev = [{include-group = "test"}, "ruff"]
[tool.uv.sources]
mine = { git = "https://example.org/mine" }
"""
UV = """
version = 1
revision = 3
requires-python = ">=3.11"
[[package]]
name = "numpy"
version = "2.3.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "deep", marker = "sys_platform == 'win32'" }, { name = "wide", extra = ["x"] }]
[[package]]
name = "wide"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
[package.optional-dependencies]
x = [{ name = "thin" }]
[[package]]
name = "pytest"
version = "8.0"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "my-study"
version = "0.1"
source = { editable = "." }
dependencies = [{ name = "numpy" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[package.metadata]
requires-dist = [
    { name = "matplotlib", marker = "extra == 'plot'", specifier = "<4,>=3" },
    { name = "mine", git = "https://example.org/mine" },
    { name = "my-study", extras = ["plot"], marker = "extra == 'all'" },
    { name = "numpy", specifier = ">=2.2" },
    { name = "some-thing", extras = ["fast"], marker = "sys_platform == 'linux'" },
]
[package.metadata.requires-dev]
dev = [{ name = "pytest", specifier = ">=8" }, { name = "ruff" }]
test = [{ name = "pytest", specifier = ">=8" }]
"""


def stale(project: str = PROJECT, lock: str = UV) -> str:
    return uv_lock.stale(tomllib.loads(lock), tomllib.loads(project))


def test_a_uv_lock_that_is_as_new_as_its_project() -> None:
    assert stale() == ""
    assert stale(PROJECT + '[tool.ruff]\nline-length = 100\n[build-system]\nrequires = ["x"]\n') == ""
    assert stale(PROJECT.replace(">=3,<4", "<4, >=3.0").replace("[fast]", "[Fast]")) == ""


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"numpy>=2.2"', '"numpy>=2.3"', "pyproject.toml asks for numpy>=2.3, and uv.lock was made for numpy>=2.2"),
        (
            "[fast]",
            "[fast,extra-fast]",
            "asks for some-thing[extra-fast,fast], and uv.lock was made for some-thing[fast]",
        ),
        ("[fast]", "", "asks for some-thing, and uv.lock was made for some-thing[fast]"),
        ('"numpy>=2.2"', '"numpy>=2.2", "pandas"', "asks for pandas, which is not in uv.lock"),
        ('"numpy>=2.2", ', "", "no longer asks for numpy"),
        ('"ruff"', '"ruff", "mypy"', r"asks for mypy, which is not in uv.lock (group dev)"),
        ('"pytest>=8"', '"pytest>=9"', "asks for pytest>=9"),
        ('requires-python = ">=3.11"', 'requires-python = ">=3.12"', "Python 3.12 or newer, uv.lock for 3.11"),
        ('["matplotlib>=3,<4"]', '["seaborn"]', "asks for seaborn"),
    ],
)
def test_a_uv_lock_that_is_older(before: str, after: str, says: str) -> None:
    assert before in PROJECT
    assert says in stale(PROJECT.replace(before, after))


@pytest.mark.parametrize(
    ("project", "lock"),
    [
        (PROJECT.replace('dependencies = ["numpy', 'dynamic = ["dependencies"]\nx = ["numpy'), UV),
        (PROJECT.replace('"numpy>=2.2"', '"numpy>=9"'), UV.replace('editable = "."', 'editable = "sub"')),
        (PROJECT.replace('"numpy>=2.2"', '"numpy>=2.2; python_version < \'3.12\'", "numpy>=2.3"'), UV),
        (PROJECT.replace('mine = {', 'numpy = { index = "x" }\nmine = {').replace('"numpy>=2.2"', '"numpy>=3"'), UV),
        (PROJECT.replace('"numpy>=2.2"', '"numpy>=3"'), UV.partition("[package.metadata]")[0].replace("revision", "x")),
    ],
)  # fmt: skip
def test_where_it_is_not_certain_nothing_is_said(project: str, lock: str) -> None:
    assert stale(project, lock) == ""


def test_a_project_that_had_no_dependencies_yet() -> None:
    lock = 'version = 1\nrevision = 3\n[[package]]\nname = "a"\nversion = "1"\nsource = { virtual = "." }\n'
    assert stale('[project]\nname = "a"\n', lock) == ""
    assert "asks for numpy" in stale('[project]\nname = "a"\ndependencies = ["numpy"]\n', lock)


SOURCE = '[[tool.poetry.source]]\nname="simple"\nurl="https://pypi.org/simple/"\n'
POETRY_1 = f"""[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.11"
numpy = "^2"
[tool.poetry.group.dev.dependencies]
pytest = "^8"
{SOURCE}"""
POETRY_2 = f"""[project]
name = "x"
requires-python = ">=3.11"
dependencies = ["numpy (>=2,<3)"]
[dependency-groups]
dev = ["pytest>=8"]
[tool.poetry]
package-mode = false
{SOURCE}"""


@pytest.mark.parametrize(
    ("project", "digest"),
    [
        (POETRY_1, "cbd363542a90eb35fa53c8805754e9f88b62ec86290563aa3a05189da8d77769"),
        (POETRY_2, "78979ab3be17a113820034c414c4b9db2ca502ba9540f1d7c04c834257dda81a"),
    ],
)
def test_the_digest_of_a_poetry_lock_is_poetrys(project: str, digest: str) -> None:
    """Taken from locks that Poetry 2.5.1 made of these."""
    lock = {"metadata": {"content-hash": digest}}
    assert poetry_lock.stale(lock, tomllib.loads(project)) == ""
    assert poetry_lock.stale(lock, tomllib.loads(project.replace("numpy", "pandas"))) != ""
    assert poetry_lock.stale({}, tomllib.loads(project)) == "", "without a digest, nothing is known"


def test_a_poetry_that_is_not_known_yet_is_only_warned_about() -> None:
    text = "# This file is automatically @generated by Poetry {} and should not be changed by hand.\n"
    assert poetry_lock.is_known(text.format("2.1.3"))
    assert poetry_lock.is_known("[metadata]\n")
    assert not poetry_lock.is_known(text.format("7.0.0"))
    assert "may be out of date: x" in reading.refuse_stale(
        "poetry", "poetry.lock", LockContents("", "x", is_sure=False)
    )
    with pytest.raises(RookeryError, match=r"^uv\.lock is out of date: x\.") as caught:
        reading.refuse_stale("uv", "uv.lock", LockContents("", "x"))
    assert caught.value.hint == "uv lock && git add uv.lock && git commit -m 'Update uv.lock'"


DESCRIPTION = (
    "Package: tidal\nVersion: 0.1\nDepends: R (>= 4.1), stats\nImports:\n    foreach (>= 1.5.0),\n    iterators\n"
)


def site(tmp_path: Path, **versions: str) -> Path:
    """An environment with the metadata of some packages; `a_b` is the name a-b."""
    packages = tmp_path / f"lib/python3.{sys.version_info[1]}/site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    for name, version in versions.items():
        folder = packages / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n\nText\n"
        )
        (packages / f"{name}.py").write_text("1\n")
        (folder / "RECORD").write_text(f"{name}.py,sha256=x,2\n{folder.name}/METADATA,,\n")
    return packages


PROOF = compile(paths.remote("scripts/release/proof.py"), "proof.py", "exec")


def proved(folder: Path, expected: dict[str, Any]) -> str:
    """What the check says of an environment; in this process, since Python takes longer to start than to check."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
        patch.setattr(sys, "argv", ["-c", str(folder)])
        patch.setattr(sys, "stdin", io.StringIO(json.dumps({"lock": "uv.lock", **expected})))
        with pytest.raises(SystemExit) as ended:
            exec(PROOF, {"__name__": "__main__"})
    assert bool(ended.value.code) == bool(said.getvalue())
    return said.getvalue()


def test_what_uv_must_bring(tmp_path: Path) -> None:
    """On this platform: without what is for Windows, with the extra and the group that uv installs unasked."""
    expected = uv_lock.expected(tomllib.loads(UV), tomllib.loads(PROJECT))
    expected["versions"]["thin"] = ["2"]
    packages = site(tmp_path, numpy="2.3.0", wide="1.0", pytest="8.0.0")
    assert proved(tmp_path, expected) == "error: thin 2 of uv.lock is not installed\n"
    site(tmp_path, thin="2", other="9")
    assert proved(tmp_path, expected) == ""
    (packages / "numpy.py").write_text("")
    assert proved(tmp_path, expected) == "error: numpy is incomplete: numpy.py is empty\n"
    (packages / "numpy.py").unlink()
    assert proved(tmp_path, expected) == "error: numpy is incomplete: none of its files is there\n"


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("Name: numpy\nVersion: 2.4.0\n", "error: numpy-2.3.0.dist-info says in its metadata that it is numpy 2.4.0\n"),
        ("Name: other\nVersion: 2.3.0\n", "error: numpy-2.3.0.dist-info says in its metadata that it is other 2.3.0\n"),
        ("", "error: numpy-2.3.0.dist-info has no name and version in its metadata\n"),
    ],
)
def test_metadata_that_disagrees(tmp_path: Path, metadata: str, says: str) -> None:
    packages = site(tmp_path, numpy="2.3.0")
    (packages / "numpy-2.3.0.dist-info/METADATA").write_text(metadata)
    assert says in proved(tmp_path, {"versions": {}, "needs": {}, "roots": []})


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("sys_platform == 'linux' and python_full_version >= '3.6'", True),
        ("python_version < '3.10' or platform_machine == 'x'", False),
        ("(os_name == 'posix' and extra == 'y') or sys_platform == 'linux'", True),
        ("extra == 'extra-3-foo'", False),
        ("python_full_version ~= '3.1'", False),
        ("python_version in '3.11 3.12 3.13 3.14'", True),
        ("implementation_name == 'cpython' and python_full_version == '3.*'", True),
        ("'linux' in sys_platform and platform_system != 'Windows'", True),
        ("python_version >= '3.9.0'", True),
    ],
)
def test_markers(tmp_path: Path, marker: str, holds: bool) -> None:
    """One that can't be evaluated asks for nothing."""
    site(tmp_path)
    said = proved(tmp_path, {"versions": {"numpy": ["1"]}, "needs": {}, "roots": [["numpy", [], marker]]})
    assert said == ("error: numpy 1 of uv.lock is not installed\n" if holds else "")


@pytest.mark.parametrize(
    ("locked", "installed", "same"),
    [
        ("1.0", "1.0.0", True),
        ("2024.01.5", "2024.1.5", True),
        ("1.0-alpha.1", "1.0a1", True),
        ("2.1.0", "2.1.0+cu121", True),
        ("2.1.0+cpu", "2.1.0+cu121", False),
        ("1.10", "1.1", False),
        ("1.0.post1", "1.0-1", True),
        ("1.0rc1", "1.0", False),
    ],
)
def test_versions(tmp_path: Path, locked: str, installed: str, same: bool) -> None:
    site(tmp_path, numpy=installed)
    said = proved(tmp_path, {"versions": {"numpy": [locked]}, "needs": {}, "roots": []})
    assert (said == "") is same, said


def test_what_poetry_must_bring(tmp_path: Path) -> None:
    lock = """
[[package]]
name = "Numpy"
version = "2.3.0"
optional = false
groups = ["main", "dev"]
markers = {main = "sys_platform == 'win32'", dev = "sys_platform == 'linux'"}
[[package]]
name = "sphinx"
version = "8.0"
optional = false
groups = ["docs"]
[[package]]
name = "extra-only"
version = "1"
optional = true
groups = ["main"]
"""
    project = "[tool.poetry.group.docs]\noptional = true\n"
    expected = poetry_lock.expected(tomllib.loads(lock), tomllib.loads(project))
    site(tmp_path)
    assert proved(tmp_path, expected) == "error: numpy 2.3.0 of uv.lock is not installed\n"


def test_what_a_poetry_lock_without_groups_must_bring(tmp_path: Path) -> None:
    lock = """
[[package]]
name = "numpy"
version = "2.3.0"
[package.dependencies]
deep = ">=1"
win = {version = "*", markers = "sys_platform == 'win32'"}
more = {version = "*", optional = true}
""" + "".join(f'[[package]]\nname = "{name}"\nversion = "1"\n' for name in ("deep", "win", "more", "docs"))
    expected = poetry_lock.expected(tomllib.loads(lock), tomllib.loads(POETRY_1))
    site(tmp_path, numpy="2.3.0")
    assert proved(tmp_path, expected) == "error: deep 1 of uv.lock is not installed\n"


def test_what_pip_and_conda_must_bring(tmp_path: Path) -> None:
    text = (
        "--index-url https://x\n-c other.txt\nnumpy==2.3.0 \\\n    --hash=sha256:00\nPandas>=2 # for tables\n"
        "x[y]==1.*; sys_platform == 'win32'\n./local\nhttps://example.org/z.whl\n-e git+https://x#egg=w\n# no==1\n"
    )
    expected = requirements_file.expected([text])
    assert (expected["versions"], [root[0] for root in expected["roots"]]) == (
        {"numpy": ["2.3.0"]},
        ["numpy", "pandas", "x"],
    )
    constrained = requirements_file.expected([text], ["pandas==2.2\nunused==1.0\n"])
    assert constrained == {**expected, "versions": {"numpy": ["2.3.0"], "pandas": ["2.2"], "unused": ["1.0"]}}
    document = {
        "dependencies": [
            "python=3.12",
            "conda-forge::R-base>=4",
            {"pip": ["six==1.17", "tomli; python_version < '3.11'"]},
        ]
    }
    conda = requirements_file.conda(document)
    assert conda["conda"] == [["python", "3.12"], ["r-base", ""]]
    site(tmp_path, six="1.17.0")
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/python-3.13.1-h0_0.json").touch()
    assert proved(tmp_path, conda) == (
        "error: python 3.13.1 is installed, and uv.lock asks for 3.12\nerror: r-base of uv.lock is not installed\n"
    )


KEYS = (
    *("package", "name", "version", "source", "editable", "dependencies", "metadata", "requires-dist", "project"),
    *("tool", "poetry", "uv", "groups", "markers", "group", "dev", "Packages", "Version", "optional"),
)
PLAIN = st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "1", ">=2"])
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
)


@given(lock=VALUES, project=VALUES)
def test_a_lock_of_any_form_is_read_or_says_nothing(lock: Any, project: Any) -> None:
    """What its tool can't have written is left to the tool: `reading.read` takes these errors for that."""
    for module in (uv_lock, poetry_lock):
        with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
            json.dumps(module.expected(lock, project))
            assert isinstance(module.stale(lock, project), str)
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        r_packages.expected(lock)
        assert isinstance(r_packages.compare("renv.lock", r_packages.in_renv(lock), DESCRIPTION).says, str)
