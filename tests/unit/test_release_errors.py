"""An environment that could not be built: the last lines of its log, where the whole log is, and each thing once."""

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from user_home import at_home

from rookery.clusters.cluster import Cluster
from rookery.core import invocation
from rookery.projects import release_errors, release_protocol

LOG = "/home/ada/projects/demo/state/environment-demo-05e0.log"
STOP = f"before {'a' * 40}\nfree 1024 /home/ada\nstop build venv {LOG}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def failed(cluster: Cluster, log: str, before: str = "doing: taking in the commit\nnoise\n") -> list[str]:
    stderr = f"{before}doing: building the venv environment from requirements.txt\n{log}"
    return str(release_errors.refused(cluster, "demo", release_protocol.read(STOP), stderr)).splitlines()


def test_the_last_20_lines_stand_below_and_then_the_log(hec: Cluster) -> None:
    log = "".join(f"line {number}\n" for number in range(30)) + "ERROR: No matching distribution for iniconfig==99\n\n"
    first, *lines, last = failed(hec, log)
    assert first == f"hec: can't build the venv environment. {release_errors.STILL}"
    assert lines == [*(f"  | line {number}" for number in range(11, 30)), f"  | {log.splitlines()[-2]}"]
    assert last == (
        "  next: ssh -t -F ~/.config/rookery/ssh_config hec less projects/demo/state/environment-demo-05e0.log"
        "   # shows the full log"
    )


def test_the_reason_is_told_where_the_last_lines_do_not_have_it(hec: Cluster) -> None:
    first, *_ = failed(hec, "error: no compiler\n" + "line\n" * 25)
    assert first.startswith("hec: can't build the venv environment: error: no compiler. ")


@pytest.mark.parametrize(
    ("log", "says", "hint"),
    [
        ("OSError: No space left on device\n", "can't build the venv environment: no space left (", "quota"),
        (
            "Could not resolve host: pypi.org\n",
            "can't build the venv environment: the download failed. ",
            "run the same command again later",
        ),
    ],
)
def test_other_hints_leave_the_log_to_a_line(hec: Cluster, log: str, says: str, hint: str) -> None:
    first, *lines, last = failed(hec, log)
    assert says in first
    assert lines == [f"  | {log.strip()}", f"  | (full log on hec: {LOG})"]
    assert hint in last


def test_of_several_reasons_the_one_of_the_program_itself_is_told(hec: Cluster) -> None:
    first, *_ = failed(hec, "make: *** [broken.ts] Error 1\n" + "line\n" * 25 + "error: not installed: broken\n")
    assert first == f"hec: can't build the venv environment. {release_errors.STILL}", "it is in the last lines"


def test_a_version_that_no_mirror_has_is_no_failed_download(hec: Cluster) -> None:
    log = "Warning: could not resolve dependencies for foreach 1.4.9\n- [foreach]: failed to find source\n"
    assert "download" not in failed(hec, log)[0]


def test_what_programs_write_is_made_safe_and_not_rewritten(hec: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["rookery"])
    log = "10 %\r50 %\r100 %\x1b[0m done\nrun invoke build to see\n"
    stderr = f"doing: building the venv environment from requirements.txt\n{log}"
    error = release_errors.refused(hec, "demo", release_protocol.read(STOP), stderr)
    assert error.details == ("100 % done", "run invoke build to see")
    assert "  | run invoke build to see" in invocation.explain(error).splitlines()


def test_other_steps_have_no_lines(hec: Cluster) -> None:
    answer = release_protocol.read(f"before {'a' * 40}\nstop pack\n")
    assert str(release_errors.refused(hec, "demo", answer, "fatal: bad object\n")).splitlines() == [
        f"hec: can't unpack the commit: fatal: bad object. {release_errors.STILL}",
        "  next: run the same command again",
    ]


def test_the_first_deploy_has_no_release_before(hec: Cluster) -> None:
    answer = release_protocol.read("before \nstop pack\n")
    first, _ = str(release_errors.refused(hec, "demo", answer, "fatal: bad object\n")).splitlines()
    assert first == "hec: can't unpack the commit: fatal: bad object."


@pytest.mark.parametrize(
    ("modules", "ends"),
    [("none", "in rookery.yml, and commit"), ("lmod", "cluster_modules: {conda: [MODULE]} for hec in your inventory")],
)
def test_without_conda_there_is_uv_or_a_module(hec: Cluster, modules: str, ends: str, tmp_path: Path) -> None:
    there = replace(hec, data={**hec.data, "cluster_module_system": modules})
    answer = release_protocol.read(f"before \nstop build conda {LOG}\n")
    first, last = str(release_errors.refused(there, "demo", answer, f"error: {release_errors.NO_CONDA}\n")).splitlines()
    assert first == "hec: can't build the conda environment: neither mamba nor conda is installed."
    assert last.startswith(r"  next: grep -qs '^\[project\]' pyproject.toml || printf '\n[project]\nname")
    assert last.endswith(ends)
    assert release_errors.NO_CONDA in release_protocol.text("ways.sh")
    begin, _, rest = last.removeprefix("  next: ").partition("; ")
    assert rest.startswith("uv add PACKAGES   # ")
    for text in ("", "[tool.black]", '[project]\nname = "demo"\n'):
        (tmp_path / "pyproject.toml").write_text(text)
        subprocess.run(begin, shell=True, check=True, cwd=tmp_path)
        assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["name"] == "demo"
