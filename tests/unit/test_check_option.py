"""--check of commands that change something on this computer alone: they say what they would do, and write nothing."""

from pathlib import Path

import pytest
from user_home import at_home

from rookery.clusters.ssh.connection import Connection
from rookery.core import preferences
from rookery.homes import login
from rookery.homes.options import LogoutOptions
from rookery.jobs.lint import run as lint
from rookery.jobs.options import LintOptions
from rookery.support import config_command
from rookery.support.options import ConfigSetOptions, ConfigUnsetOptions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return at_home(tmp_path, monkeypatch)


def test_config(capsys: pytest.CaptureFixture[str]) -> None:
    config_command.set_(ConfigSetOptions("color", "never", check=True))
    assert capsys.readouterr().out == "Would set: color = never\n"
    assert not preferences.file().exists()
    config_command.set_(ConfigSetOptions("color", "never"))
    before = preferences.file().read_text()
    config_command.unset(ConfigUnsetOptions("color", check=True))
    assert capsys.readouterr().out.endswith("Would remove color\n")
    assert preferences.file().read_text() == before


def test_lint_fix(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "#!/bin/bash\n#SBATCH --partition=PenguinPartition\n#SBATCH --mem=1G\nRScript work.R\n"
    (home / "job.sh").write_text(text)
    assert lint.run(LintOptions(files=("job.sh",), cluster="penguins", fix=True, check=True)) == 1
    assert capsys.readouterr().out.startswith("job.sh:4: would fix RK601")
    assert (home / "job.sh").read_text() == text


def test_logout(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = home / ".config/rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text("all:\n  hosts:\n    hec:\n")
    (inventory / "host_vars/hec.yml").write_text("cluster_user: ada\n")

    def never(_: Connection) -> bool:
        raise AssertionError

    monkeypatch.setattr(Connection, "is_open", lambda _: True)
    monkeypatch.setattr(Connection, "close", never)
    assert login.logout(LogoutOptions("hec", check=True)) == 0
    assert capsys.readouterr().out == "hec: would close the connection\n"
