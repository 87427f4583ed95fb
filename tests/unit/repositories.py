"""Git repositories made for a test."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]

QUICK = "[init]\n\ttemplateDir =\n[maintenance]\n\tauto = false\n"
"""Settings of git with which it copies no examples of hooks, and starts no second git after each commit."""


def new_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """git in a new repository at `tmp_path/code`, with a user's name and no settings of this machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "gitconfig").write_text(f"[user]\n\tname = A\n\temail = a@b.c\n[init]\n\tdefaultBranch = main\n{QUICK}")
    root = tmp_path / "code"
    root.mkdir()

    def run(*arguments: str, cwd: Path = root) -> str:
        completed = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
        assert completed.returncode == 0, completed.stderr
        return completed.stdout.strip()

    run("init", "-q")
    return run


def with_one_commit(git: Git, tmp_path: Path) -> Path:
    """Make the first commit in that repository; its folder."""
    code = tmp_path / "code"
    (code / "rookery.yml").write_text("name: x\n")
    (code / "a.py").write_text("1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    return code


def commit_all(root: Path) -> None:
    """Commit all files of a folder, which is a repository from then on."""
    settings = ("-c", "user.name=a", "-c", "user.email=a", "-c", "maintenance.auto=false")
    begin = [] if (root / ".git").exists() else [["init", "-q", "--template="]]
    for arguments in (*begin, ["add", "-A"], [*settings, "commit", "-qm", "x", "--allow-empty"]):
        subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)
