"""What is proposed at Tab, and where the shells' functions are put."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.cli import completion
from rookery.core.errors import RookeryError
from rookery.support import completion_command, options

PROJECT = """name: seals
clusters: [hec]
jobs:
  simulate: {command: python simulate.py}
  fit: {command: python fit.py}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "ZDOTDIR"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def proposed(*words: str) -> list[str]:
    return [line.partition("\t")[0] for line in completion.answer(["rookery", *words]).splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("su",), ["submit"]),
        (("sandbox",), ["sandbox.up", "sandbox.list", "sandbox.down"]),
        (("setup", "he"), ["hec", "hex"]),
        (("setup", "hec,pe"), ["hec,penguins"]),
        (("setup", "hec", "pe"), ["penguins"]),
        (("setup", "--cluster", "pe"), ["penguins"]),
        (("setup", "-c", "pe"), ["penguins"]),
        (("setup", "--cluster=pe"), ["--cluster=penguins"]),
        (("setup", "--cluster", "=", "pe"), ["--cluster=penguins"]),  # as bash has it
        (("clusters.add", "arch"), ["archer2"]),
        (("setup", "a"), ["all"]),
        (("setup", "hec,a"), []),
        (("logs", "--cluster", "a"), []),
        (("setup", "--acco"), ["--account"]),
        (("setup", "hec", "--che"), ["--check"]),
        (("setup", "--check", "--che"), []),
        (("sandbox", ""), ["up", "list", "down"]),
        (("sandbox", "up", "pe"), ["penguins"]),
        (("new", "x", "--language", ""), ["python", "r"]),
        (("new", "x", "--language=P"), []),
        (("setup", "--tags", "shell,st"), ["shell,storage"]),
        (("lint", ""), [":files"]),
        (("fetch", "--project", ""), [":directories"]),
        (("docs", "submit-"), ["submit-jobs"]),
        (("config", "set", "color", "a"), ["auto", "always"]),
        (("config", "set", "cluster", "he"), ["hec", "hex"]),
        (("config.set", "cluster", "a"), []),
        (("config.set", "cluster", "pe"), ["penguins"]),
        (("config.set", "email", ""), []),
        (("completion.install", ""), ["bash", "zsh", "fish"]),
        (("completion", "show", "z"), ["zsh"]),
        (("docs", "RK60"), [f"RK60{number}" for number in range(1, 10)]),
        (("docs", "rk601"), ["RK601"]),
        (("sandbox.up", "hec", "--auth", "pass"), ["password", "password+totp"]),
        (("code", "--editor", "code"), ["code", "code-insiders"]),
        (("setup", "penguins", "pe"), []),
        (("setup", "penguins", "hec,p"), []),
        (("-",), ["--help", "--list", "--version", "--debug"]),
        (("--ver",), ["--version"]),
        (("undo", "hec", "-"), ["--cluster", "--check", "--tags", "--purge", "--json", "--yes", "--sandbox"]),
        (("frobnicate", ""), []),
        (("submit", ""), []),
    ],
)
def test_the_next_word(words: tuple[str, ...], expected: list[str]) -> None:
    assert proposed(*words) == expected


def test_jobs_and_runs_of_the_project_here(home: Path) -> None:
    (home / "rookery.yml").write_text(PROJECT)
    assert proposed("submit", "") == ["simulate", "fit"]
    assert proposed("submit", "simulate", "") == ["fit"]
    assert proposed("submit", "--after", "f") == ["fit"]
    assert proposed("cancel", "") == []
    assert proposed("lint", "") == ["simulate", "fit", ":files"]
    assert proposed("lint", "simulate", "f") == ["fit", ":files"]


def test_a_file_that_can_t_be_used_is_no_error_at_tab(home: Path) -> None:
    (home / "rookery.yml").write_text("jobs: [")
    assert proposed("submit", "") == []


@given(st.lists(st.text(max_size=12), max_size=5))
def test_no_line_of_words_makes_it_fail(words: list[str]) -> None:
    completion.answer(["rookery", *words])


def test_installed_twice_it_is_there_once_and_removed_the_file_is_as_before(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = "alias ll='ls -l'\n"
    (home / ".bashrc").write_text(before)
    install = options.CompletionInstallOptions("bash")
    completion_command.install(options.CompletionInstallOptions("bash", check=True))
    assert (home / ".bashrc").read_text() == before
    assert capsys.readouterr().out.splitlines() == [
        "Would write ~/.local/share/rookery/completion/rookery.bash",
        "Would add 3 lines to ~/.bashrc",
    ]
    assert completion_command.install(install) == completion_command.install(install) == 0
    assert (home / ".bashrc").read_text().count("rookery completion >>>") == 1
    assert "up to date" in capsys.readouterr().out
    completion_command.remove(options.CompletionRemoveOptions(check=True))
    assert capsys.readouterr().out.splitlines() == [
        "Would delete ~/.local/share/rookery/completion/rookery.bash",
        "Would remove its lines from ~/.bashrc",
    ]
    completion_command.remove(options.CompletionRemoveOptions())
    assert (home / ".bashrc").read_text() == before
    assert not list((home / ".local/share/rookery/completion").iterdir())


def test_a_start_up_file_that_is_a_link_stays_one(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / "dotfiles/zshrc").write_text("setopt autocd")
    (home / ".zshrc").symlink_to("dotfiles/zshrc")
    completion_command.install(options.CompletionInstallOptions("zsh"))
    assert (home / ".zshrc").is_symlink()
    assert (home / "dotfiles/zshrc").read_text().startswith("setopt autocd\n\n# >>> rookery")


def test_the_login_shell_is_the_one_that_is_meant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    completion_command.install(options.CompletionInstallOptions())
    assert (home / ".config/fish/completions/rookery.fish").is_file()
    with pytest.raises(RookeryError, match=r"^Unknown shell 'tcsh'\. Shells: bash, zsh, fish\."):
        completion_command.install(options.CompletionInstallOptions("tcsh"))


def test_bash_completes(home: Path) -> None:
    """A real bash with the real function; rookery's answer comes from a program that writes down what it is asked."""
    completion_command.install(options.CompletionInstallOptions("bash"))
    program = home / "bin/rookery"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$*" >~/asked\nprintf "hec\\tone cluster\\nhex\\t\\n"\n')
    program.chmod(0o755)
    script = ". ~/.bashrc; COMP_WORDS=(rookery setup h); COMP_CWORD=2; _rookery; printf '%s\\n' \"${COMPREPLY[@]}\""
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    shell = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert shell.stdout.split() == ["hec", "hex"]
    assert shlex.split((home / "asked").read_text()) == ["--complete", "--", "rookery", "setup", "h"]
