"""What a job starts with: a login shell's environment, without what start-up files change in programs."""

import fnmatch
import os
import subprocess
from pathlib import Path

import pytest

from rookery.remote.slurm import basics, variables

PROFILE = """
export PYTHONPATH=/x SBATCH_ARRAY_INX=1-2 SBATCH_ACCOUNT=birds CDPATH=/ TAR_OPTIONS=-z HOME=/tmp R_LIBS_USER=/mine
export LD_LIBRARY_PATH="{home}:/nowhere/lib" SLURM_CONF=/etc/slurm.conf
export PIP_INDEX_URL=https://example.org/simple mine=kept
umask 027
set -u; export SHELLOPTS
echo noise; printf 'more noise'
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".config/rookery").mkdir(parents=True)
    (tmp_path / ".config/rookery/env.sh").write_text("export R_LIBS_USER=/storage/R UV_CACHE_DIR=/storage/uv\n")
    (tmp_path / ".bash_profile").write_text(PROFILE.format(home=tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if variables.matches(name, variables.ALL)]:
        monkeypatch.delenv(name)
    return tmp_path


def test_a_job_starts_with_the_login_shell_s_environment_made_clean(home: Path) -> None:
    start = basics.login()
    assert start.umask == 0o027
    assert start.environment["HOME"] == str(home)
    assert start.environment["mine"] == "kept"
    assert start.environment["R_LIBS_USER"] == "/storage/R"
    assert start.environment["LD_LIBRARY_PATH"] == "/nowhere/lib"
    assert start.environment["SLURM_CONF"] == "/etc/slurm.conf"
    assert start.environment["PIP_INDEX_URL"].startswith("https://")
    gone = {"PYTHONPATH", "SBATCH_ARRAY_INX", "CDPATH", "TAR_OPTIONS", "SHELLOPTS"}
    assert not gone & start.environment.keys()
    assert variables.named(start.left) == [
        "HOME=/tmp",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "R_LIBS_USER",
        "SBATCH_ARRAY_INX=1-2",
    ]


@pytest.mark.parametrize(("given", "options"), [({}, ["--account=birds"]), ({"account": "fish"}, [])])
@pytest.mark.usefixtures("home")
def test_an_account_counts_where_the_job_gives_none(given: dict[str, str], options: list[str]) -> None:
    environment = basics.login().environment
    assert variables.granted(environment, given) == options
    assert "SBATCH_ACCOUNT" not in environment


def test_a_script_s_own_account_is_seen() -> None:
    for line in ("#SBATCH -A birds", "#SBATCH --account=birds", "#SBATCH --account birds", "#SBATCH -Abirds"):
        assert basics.directives(f"#!/bin/sh\n{line}\n")["account"] == "birds"


def test_an_account_that_a_login_shell_ends_before_leaves_ours(home: Path) -> None:
    (home / ".bash_profile").write_text("exit 3\n")
    assert basics.login().environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("pattern", [*variables.ALL, *variables.KEPT])
def test_patterns_mean_the_same_to_sh_and_to_python(pattern: str) -> None:
    names = [
        "GIT_DIR",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "ENV",
        "LS_COLORS",
        "PYTHONPATH",
        "SLURM_CONF",
        "HOME",
        "UV_INDEX_A_B",
    ]
    loop = f"for name; do case $name in {pattern}) echo $name ;; esac; done"
    found = subprocess.run(["sh", "-c", loop, "sh", *names], check=True, capture_output=True, text=True).stdout
    assert found.split() == [name for name in names if fnmatch.fnmatchcase(name, pattern)]
