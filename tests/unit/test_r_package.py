"""A project that is an R package, from its DESCRIPTION alone, and lists of R packages beside it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from repositories import commit_all

from rookery.core.errors import RookeryError
from rookery.projects import commit, tree_checks
from rookery.projects.locks import r_packages, reading
from rookery.projects.locks.reading import LockContents
from rookery.projects.packages import r_package

DESCRIPTION = "Package: gentoo\nVersion: 1.0\nImports: stats\n"


def found(root: Path, *files: str, text: str = DESCRIPTION, way: str = "library", other: str = "") -> tuple[str, str]:
    """The package of a project with this DESCRIPTION and these files, for the login node and another architecture."""
    (root / "DESCRIPTION").write_bytes(text.encode())
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("")
    commit_all(root)
    with commit.chosen(root) as chosen:
        return r_package.find(chosen, tree_checks.read_tree(chosen), way, ["", other])


@pytest.mark.parametrize(
    ("text", "files", "way", "name"),
    [
        (DESCRIPTION, ["NAMESPACE"], "library", "gentoo"),
        (DESCRIPTION.replace("\n", "\r\n"), ["NAMESPACE"], "renv", "gentoo"),
        (DESCRIPTION, ["NAMESPACE"], "none", ""),
        (DESCRIPTION, ["analysis.R"], "library", ""),
        ("Imports: stats\n", ["NAMESPACE"], "library", ""),
        ("What Package: gentoo is\n", ["NAMESPACE"], "library", ""),
    ],
)
def test_what_is_a_package(tmp_path: Path, text: str, files: list[str], way: str, name: str) -> None:
    assert found(tmp_path, *files, text=text, way=way) == (name, "")


def test_a_package_without_a_namespace_is_named(tmp_path: Path) -> None:
    name, warning = found(tmp_path, "R/count.R")
    assert name == ""
    assert "gentoo is not installed: the commit has no NAMESPACE" in warning


def test_compiled_code_is_refused_for_nodes_of_another_architecture(tmp_path: Path) -> None:
    assert found(tmp_path, "NAMESPACE", "src/count.c") == ("gentoo", "")
    with pytest.raises(RookeryError, match=r"compiled code \(src/\), which can't be installed for aarch64") as caught:
        found(tmp_path, "NAMESPACE", "src/count.c", other="aarch64")
    assert "r: none" in str(caught.value.hint)


NEEDS = "Package: tidal\nVersion: 0.1\nDepends: R (>= 4.1), stats\nImports:\n    foreach (>= 1.5.0),\n    iterators\n"
RENV: dict[str, Any] = {
    "R": {"Version": "4.3.1"},
    "Packages": {
        "foreach": {"Package": "foreach", "Version": "1.5.2", "Source": "Repository"},
        "iterators": {"Package": "iterators", "Version": "1.0-14", "Source": "Repository"},
    },
}
LACKS = "DESCRIPTION asks for dplyr, which is not in {}"


@pytest.mark.parametrize(
    ("text", "says", "is_sure"),
    [
        (NEEDS, "", True),
        (NEEDS.replace("\n", "\r\n"), "", True),
        ("", "", True),
        (NEEDS.replace("iterators", "iterators, dplyr, MASS"), LACKS, True),
        (NEEDS + "LinkingTo: dplyr\n", LACKS, True),
        (
            NEEDS.replace("iterators", "iterators, dplyr").replace("stats", "zoo").replace("1.5.0", "1.10"),
            "DESCRIPTION asks for zoo, dplyr, which are not in {0}; "
            "DESCRIPTION asks for foreach >= 1.10, and {0} has 1.5.2",
            True,
        ),
        ("Imports: dplyr\n", LACKS, False),
        ("What this is.\nImports: dplyr\n", "", True),
    ],
)
@pytest.mark.parametrize("lock", ["renv.lock", "r-packages.txt"])
def test_lists_of_r_packages_and_description(lock: str, text: str, says: str, is_sure: bool) -> None:
    listed = "foreach == 1.5.2 # for loops\r\n\r\niterators\r\n"
    versions = r_packages.in_renv(RENV) if lock == "renv.lock" else r_packages.in_list(listed)
    compared = r_packages.compare(lock, versions, text)
    assert (compared.says, compared.is_sure) == (says.format(lock), is_sure)


def test_packages_that_a_list_lacks_are_refused_with_the_command_that_adds_them(tmp_path: Path) -> None:
    compared = r_packages.compare(r_packages.LIST, {}, NEEDS)
    command = r_packages.adding(compared.missing)
    with pytest.raises(
        RookeryError, match=r"^r-packages\.txt is out of date: DESCRIPTION asks for foreach, it"
    ) as caught:
        reading.refuse_stale("library", r_packages.LIST, LockContents("", compared.says, remedy=command))
    assert caught.value.hint == f"{command} && git add r-packages.txt && git commit -m 'Update r-packages.txt'"
    for before in ("zoo", "zoo\n", ""):
        (tmp_path / r_packages.LIST).write_text(before)
        subprocess.run(command, shell=True, cwd=tmp_path, check=True)
        versions = r_packages.in_list((tmp_path / r_packages.LIST).read_text())
        assert set(versions) == {"foreach", "iterators", *before.split()}


def test_a_package_that_a_list_has_too_old_is_a_line_to_edit() -> None:
    compared = r_packages.compare(r_packages.LIST, {"foreach": "1.4", "iterators": ""}, NEEDS)
    assert (compared.missing, compared.outdated) == ((), ("foreach",))


def test_lines_of_a_list_that_are_no_package_are_named() -> None:
    text = "foreach == 1.5.2 # for loops\n\ndata.table\nzoo >= 1.8\nrstudio/renv\n"
    with pytest.raises(RookeryError) as caught:
        r_packages.in_list(text)
    first, second = caught.value.message.splitlines()
    assert first == "r-packages.txt:4: 'zoo >= 1.8' is no package"
    assert second == "r-packages.txt:5: 'rstudio/renv' is no package"


def test_what_a_renv_lock_must_bring() -> None:
    assert r_packages.expected(RENV) == "foreach 1.5.2\niterators 1.0-14\n"
