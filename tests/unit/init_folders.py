"""Folders with code on which `init` is tried."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from repositories import QUICK
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.projects.adoption import command
from rookery.projects.options import InitOptions

SIMULATE = "import csv\n\nif __name__ == '__main__':\n    open('results/a.csv', 'w')\n"


def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of a user whom git knows."""
    home = at_home(tmp_path / "home", monkeypatch)
    monkeypatch.setenv("ROOKERY_CALLED_AS", "invoke")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text(f"[user]\n\tname = Ada\n\temail = ada@example.ac.uk\n{QUICK}")
    work = tmp_path / "my study"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by their paths in a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


def proposed(capsys: pytest.CaptureFixture[str], **options: object) -> dict[str, object]:
    """What `--json` says; nothing may be written."""
    before = sorted(Path().rglob("*"))
    capsys.readouterr()
    assert command.run(InitOptions(cluster="penguins", json=True, check=True, **options)) == 0
    assert sorted(Path().rglob("*")) == before
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def refused(options: InitOptions) -> RookeryError:
    with pytest.raises(RookeryError) as caught:
        command.run(options)
    return caught.value
