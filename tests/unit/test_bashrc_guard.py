"""The guard above a ~/.bashrc that ends the shell, as bash itself takes it."""

import os
import subprocess
from pathlib import Path

import pytest

from rookery.homes import bashrc_guard

BLOCK = "# >>> rookery shell >>>\nexport FOUND=yes\n# <<< rookery shell <<<\n"
EXITS = '[ -z "$PS1" ] && exit\n'


def rescued(home: Path) -> str:
    """Put the guard there; the text of ~/.bashrc afterwards."""
    environment = {**os.environ, "HOME": str(home)}
    completed = subprocess.run(
        ["sh", "-c", bashrc_guard._SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert completed.stdout.endswith("rookery-guarded\n")
    return (home / ".bashrc").read_text()


def carried_out(home: Path) -> bool:
    """Whether a command that sshd would have bash run is carried out."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    line = ["bash", "--norc", "-c", f". {home}/.bashrc; echo done"]
    completed = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    return completed.stdout == "done\n"


@pytest.mark.parametrize(
    "text", [EXITS, BLOCK + EXITS, f"# mine\n{BLOCK}# more\n{EXITS}", f"{EXITS}{BLOCK}", EXITS + "# no line end"]
)
def test_commands_are_carried_out_from_then_on(tmp_path: Path, text: str) -> None:
    """Also where rookery's block is there already, of a home that had no need of a guard."""
    bashrc = tmp_path / ".bashrc"
    bashrc.write_text(text)
    bashrc.chmod(0o640)
    assert not carried_out(tmp_path)
    after = rescued(tmp_path)
    assert carried_out(tmp_path)
    assert after.startswith("# >>> rookery shell >>>\n")
    assert after.count("rookery shell") == 2
    assert after.partition("# <<< rookery shell <<<\n")[2] == text.replace(BLOCK, "")
    assert ("FOUND" in after) == ("FOUND" in text)
    assert bashrc.stat().st_mode & 0o777 == 0o640
    assert rescued(tmp_path) == after
