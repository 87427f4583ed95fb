"""Drop-ins: any value comes through, silently, under `set -eu`. tests/clusters asks the same of the other shells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from drop_ins import (
    FOLDERS,
    SHELLS,
    START,
    VALUES,
    Reader,
    Shell,
    check_architecture,
    check_defaults,
    check_path,
    check_values,
)
from hypothesis import HealthCheck, given, settings

from rookery.remote.apply import shells
from rookery.remote.apply.problem import Problem

here = pytest.mark.parametrize("shell", [SHELLS["sh"], SHELLS["bash"]], ids=["sh", "bash"])


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def environment_after(shell: Shell, text: str, times: int) -> dict[str, str]:
        dropin, script = tmp_path / "drop-in", tmp_path / "script"
        dropin.write_text(text, encoding="utf-8", newline="")
        script.write_text(f". {dropin}\n" * times + "env -0\n")
        done = subprocess.run([*shell.argv, str(script)], env=START, capture_output=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (0, b"")
        return dict(line.split("=", 1) for line in done.stdout.decode().split("\0")[:-1])

    return environment_after


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    folders = [tmp_path / folder[1:] for folder in FOLDERS]
    for folder in folders:
        folder.mkdir(parents=True)
    return list(map(str, folders))


@pytest.fixture
def foreign(tmp_path: Path) -> str:
    if os.geteuid():
        return "/usr"
    (tmp_path / "foreign").mkdir()
    os.chown(tmp_path / "foreign", 4711, 0)
    return str(tmp_path / "foreign")


@here
@given(values=VALUES)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_value_comes_through(read: Reader, shell: Shell, values: list[str]) -> None:
    check_values(read, shell, values)


@here
def test_folders_come_to_the_front_of_path_once(read: Reader, shell: Shell, own: list[str], foreign: str) -> None:
    check_path(read, shell, own, foreign)


@here
@pytest.mark.parametrize("is_this", [True, False])
def test_other_architectures_are_left_alone(read: Reader, shell: Shell, own: list[str], is_this: bool) -> None:
    check_architecture(read, shell, own, is_this=is_this)


@here
def test_a_default_stands_back_for_what_the_site_has_set(read: Reader, shell: Shell) -> None:
    check_defaults(read, shell)


def test_an_empty_path_gets_no_empty_folder(own: list[str]) -> None:
    text = shells.drop_in("sh", "python", {}, own[:1])
    done = subprocess.run(["/bin/sh", "-euc", f'unset PATH; {text} printf %s "$PATH"'], capture_output=True, check=True)
    assert done.stdout.decode() == own[0]


@pytest.mark.parametrize(
    ("variables", "path"), [({"A B": "x"}, []), ({"1A": "x"}, []), ({"A": "\0"}, []), ({}, ["/a:b"])]
)
def test_what_no_shell_can_hold_is_refused(variables: dict[str, str], path: list[str]) -> None:
    with pytest.raises(Problem):
        shells.drop_in("sh", "python", variables, path)
