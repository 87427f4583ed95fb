"""Usage errors: command lines that can't be read, and output that nobody reads."""

import os
import subprocess
import sys

import pytest

from rookery.cli import program as cli
from rookery.cli.lean_invoke import Program


@pytest.mark.parametrize(
    ("line", "says", "following"),
    [
        ("nwe x", "There is no command 'nwe' (did you mean new?).", "rookery --list"),
        ("sandbx.up", "There is no command 'sandbx.up' (did you mean sandbox.up?).", "rookery --list"),
        ("--lsit", "There is no flag '--lsit' (did you mean --list?).", "rookery --help"),
        ("setup --clutser hec", "setup has no flag '--clutser' (did you mean --cluster?).", "rookery setup --help"),
        ("setup -z", "setup has no flag '-z'.", "rookery setup --help"),
        ("setup hec", "setup takes clusters by --cluster.", "rookery setup --cluster hec"),
        ("deploy it's", 'deploy has no use for "it\'s".', "rookery deploy --help"),
        ("setup --cluster", "--cluster of setup is given without a value.", "rookery setup --help"),
        ("login --accept-host-key", "--accept-host-key of login is given without a value.", "rookery login --help"),
        ("new", "new wants to know more: NAME.", "rookery new NAME   # rookery new --help tells of it"),
        ("cancel", "cancel wants to know more: JOB.", "rookery cancel JOB   # rookery cancel --help tells of it"),
    ],
)
def test_what_is_wrong_and_what_to_run_next(
    line: str, says: str, following: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["rookery"])
    program = Program(name="rookery", binary="rookery", namespace=cli.namespace())
    program.run(["rookery", *line.split()], exit=False)
    assert capsys.readouterr().err == f"{says}\n  next: {following}\n"


@pytest.mark.parametrize("line", ["--list", "setup --help", "clusters.show hec --json"])
def test_behind_head_a_command_ends_without_a_word(line: str) -> None:
    read, write = os.pipe()
    os.close(read)
    completed = subprocess.run(
        [sys.executable, "-m", "rookery", *line.split()],
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=write, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(write)
    assert (completed.returncode, completed.stderr) == (141, b"")
