"""The table that a job makes of what a profiler of Python wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.jobs.profiling import profilers, top
from rookery.jobs.profiling.top import HotSpot
from rookery.remote import profile_report

SLOW = """\
import time


def wait(depth):
    return wait(depth - 1) if depth else time.sleep(0.2)


wait(3)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release with a program, and a folder that a profiler writes into."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "profile").mkdir()
    return tmp_path / "profile"


def table(folder: Path) -> list[HotSpot]:
    profile_report.main(str(folder))
    return top.read((folder / "top.tsv").read_text())[1]


def test_functions_of_cprofile_with_their_calls(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "cProfile", "-o", folder / "1.prof", "slow.py"], check=True)
    first, *others = table(folder)
    assert (first.place, first.calls) == ("built-in", 1)
    assert "sleep" in first.name
    (recursive,) = [spot for spot in others if spot.name == "wait"]
    assert (recursive.place, recursive.calls) == ("slow.py:4", 4)
    assert recursive.own < recursive.total
    assert recursive.total > 0.15


def test_lines_of_py_spy_are_read_from_the_program(folder: Path) -> None:
    path = Path("slow.py").absolute()
    stacks = [
        f"<module> ({path}:8);wait ({path}:5);wait ({path}:5) 19",
        f"<module> ({path}:8) 1",
        "process 12:x 3",
        "?",
    ]
    (folder / "1.raw").write_text("\n".join(stacks))
    code = "return wait(depth - 1) if depth else time.sleep(0.2)"
    assert table(folder) == [
        HotSpot(0.19, 0.19, 0, "slow.py:5", code), HotSpot(0.01, 0.2, 0, "slow.py:8", "wait(3)")
    ]  # fmt: skip


def test_lines_of_scalene_are_read_from_the_program(folder: Path) -> None:
    """It escapes them, for its own page."""
    Path("slow.py").write_text("while 1 < 2:\n    pass\n")
    shares = {"n_cpu_percent_python": 25.0, "n_cpu_percent_c": 24.0, "n_sys_percent": 1.0}
    lines = [
        {**shares, "lineno": 1, "line": "while 1 \\u003c 2:\n"},
        {**dict.fromkeys(shares, 0.0), "lineno": 2, "line": "    pass\n"},
    ]
    files = {str(Path("slow.py").absolute()): {"lines": lines}}
    (folder / "1.json").write_text(json.dumps({"elapsed_time_sec": 4.0, "files": files}))
    assert table(folder) == [HotSpot(2.0, 2.0, 0, "slow.py:1", "while 1 < 2:")]


def test_what_is_installed_is_named_by_its_package() -> None:
    assert profile_report.place("/e/lib/python3.12/site-packages/numpy/core.py", 7) == "numpy/core.py:7"
    assert profile_report.place("/e/lib/python3.12/json/decoder.py", 7) == "json/decoder.py:7"
    assert profile_report.place("<string>", 1) == "<string>:1"
    assert profile_report.place("~", 0) == "built-in"


def test_py_spy_gets_the_python_itself_not_a_script_that_starts_it(folder: Path) -> None:
    """Such as pyenv's: py-spy finds no Python in it, and gives up."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in {"python3": f'exec {sys.executable} "$@"', "py-spy": 'shift 9; echo "$@"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    command = profilers.profiled("python3 -u slow.py", profilers.PROFILERS["py-spy"], "profile")
    done = subprocess.run(
        ["sh", "-c", command.rpartition("\n")[0]],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [sys.executable, "-u", "slow.py"]
