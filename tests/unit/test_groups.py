"""A group's name, such as `config`: what it does alone, with --help, and before a word that is none of its commands."""

import pytest

from rookery.cli import program as cli


def run(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr("sys.argv", ["rookery"])
    cli.program().run(["rookery", *line.split()], exit=False)
    output = capsys.readouterr()
    return output.out, output.err


@pytest.mark.parametrize(
    "line", ["completion", "completion --help", "completion -h", "--help completion", "help completion"]
)
def test_its_commands_are_listed(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = run(line, capsys, monkeypatch)
    assert not err
    assert [text.split()[0] for text in out.splitlines() if text.startswith("  ")] == [
        "completion.install",
        "completion.show",
        "completion.remove",
    ]


@pytest.mark.parametrize("group", ["config", "sandbox", "clusters"])
def test_the_help_says_what_it_means_alone(
    group: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = run(f"{group} --help", capsys, monkeypatch)
    assert out.endswith(f"\n`rookery {group}` means {group}.list.\n")


def test_alone_it_means_its_list(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("config", capsys, monkeypatch)[0].startswith("cluster: not set")


@pytest.mark.parametrize("line", ["help config.set", "help config set", "config set --help", "config.set -h"])
def test_the_help_of_one_of_its_commands(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(line, capsys, monkeypatch)[0].startswith("Usage: rookery config.set KEY [VALUE] [options]\n")


@pytest.mark.parametrize(
    ("line", "says", "following"),
    [
        ("completion instal zsh", "'completion instal' (did you mean completion.install?)", "completion.install zsh"),
        ("config st color never", "'config st' (did you mean config.set?)", "config.set color never"),
        ("clusters penguins", "'clusters penguins'", "clusters --help"),
        ("vscode frobnicate", "'vscode frobnicate'", "vscode --help"),
        ("completion --check", "'completion --check'", "completion --help"),
    ],
)
def test_what_is_none_of_its_commands(
    line: str, says: str, following: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(line, capsys, monkeypatch)[1] == f"Unknown command {says}.\n  next: rookery {following}\n"
