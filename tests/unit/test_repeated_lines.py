"""Hints that repeat the command line as it was typed, with what it lacks: every option is kept."""

from collections.abc import Iterator

import pytest

from rookery.cli import program as cli
from rookery.core import typed_command


@pytest.fixture(autouse=True)
def _no_line_is_left() -> Iterator[None]:
    yield
    assert typed_command.again("--yes") == "run the same command with --yes"


def following(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The command that a refused command line is answered with."""
    monkeypatch.setattr("sys.argv", ["rookery"])
    monkeypatch.setattr("sys.stdin", None)
    cli.program().run(["rookery", *line.split()], exit=False)
    return capsys.readouterr().err.partition("next: rookery ")[2].partition("   #")[0].strip()


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("login --sandbox", "login penguins --sandbox"),
        ("setup --check", "setup penguins --check"),
        ("setup --sandbox --check --tags r", "setup penguins --sandbox --check --tags r"),
        ("onboard --check --yes", "onboard penguins --check --yes"),
        ("vscode.settings --check", "vscode.settings penguins --check"),
        ("vscode settings --check", "vscode.settings penguins --check"),
        ("clusters.guide --check", "clusters.guide penguins --check"),
        ("setup penguins --check --tags r --diff", "setup penguins --check --tags r --diff --user YOUR_USERNAME"),
        ("queue penguins", "login penguins --user YOUR_USERNAME"),
        ("jobs --cluster penguins --all", "login penguins --user YOUR_USERNAME"),
        ("queue --json", "queue --json --cluster penguins"),
        ("jobs 41 --watch", "jobs 41 --watch --cluster penguins"),
        ("lint a.sh --fix", "lint a.sh --fix --cluster penguins"),
        ("shell hec --cpus 0 --gpu", "shell hec --gpu --cpus 1"),
        ("shell hec --time=soon --cpus 2", "shell hec --cpus 2 --time 02:00:00"),
        ("shell hec --memory lots", "shell hec --memory 4G"),
        ("undo --check --sandbox", "undo penguins --check --sandbox"),
        ("undo --dry-run --sandbox", "undo penguins --check --sandbox"),
        ("undo --yes", "undo --help"),
        ("-c hec queue", "queue -c hec"),
        ("-j jobs", "jobs -j"),
        ("-c hec -j queue", "queue -c hec -j"),
        ("kill", "cancel --help"),
    ],
)
def test_the_next_command_keeps_what_was_typed(
    line: str, hint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert following(line, capsys, monkeypatch) == hint


def test_an_option_is_replaced_or_left_out_with_its_value() -> None:
    typed_command.note(
        ["submit", "a", "--tag", "x y", "--check", "--after=b", "-c", "hec"],
        {"--tag": True, "--after": True, "--check": False, "--cluster": True},
        {"-c": "--cluster"},
    )
    try:
        assert typed_command.again("--tag", "z") == "invoke submit a --check --after=b -c hec --tag z"
        assert typed_command.again(without=("--check", "--after")) == "invoke submit a --tag 'x y' -c hec"
        assert typed_command.again("--cluster", "bede", without=("--tag",)) == (
            "invoke submit a --check --after=b --cluster bede"
        )
    finally:
        typed_command.forget()
