"""Whether a Python need be installed, as roles/python/files/install-python.sh tells it."""

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "roles/python/files/install-python.sh"


def check(folder: Path) -> tuple[int, list[str]]:
    """Its exit code for 3.13, and what it says that its answer depends on."""
    environment = {"PATH": "/usr/bin:/bin", "UV_PYTHON_INSTALL_DIR": str(folder / "python")}
    argv = ["sh", str(SCRIPT), "/no/such/uv", "3.13", str(folder / "pyenv"), "--check"]
    completed = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return completed.returncode, [line.rpartition("/")[2] for line in completed.stdout.splitlines()]


def test_a_python_of_pyenvs_will_do_unless_a_job_that_compiles_it_was_cut_off(tmp_path: Path) -> None:
    assert check(tmp_path)[0] != 0, "there is no pyenv yet"
    pyenv = tmp_path / "pyenv/bin/pyenv"
    pyenv.parent.mkdir(parents=True)
    pyenv.write_text('#!/bin/sh\n[ "$1 $2" = "latest 3.13" ] && echo 3.13.1\n')
    pyenv.chmod(0o755)
    sees = ["python", ".rookery-building-3.13", "pyenv", "versions"]
    assert check(tmp_path) == (1, sees), "it is new, and need not be asked"
    (tmp_path / "pyenv/versions").mkdir()
    assert check(tmp_path) == (0, sees)
    (tmp_path / "pyenv/.rookery-building-3.13").touch()
    code, sees = check(tmp_path)
    assert code != 0
    assert sees == [], "nothing is said, so the next setup asks again"
