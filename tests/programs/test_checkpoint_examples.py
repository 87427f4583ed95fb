"""The programs of a new project that show how to write a checkpoint: stopped and killed at any moment."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates/project"
STEPS = 800_000


def source(path: str) -> str:
    return (TEMPLATES / path).read_text(encoding="utf-8")


@pytest.fixture
def reference(tmp_path: Path) -> float:
    (tmp_path / "whole").mkdir()
    program = [sys.executable, TEMPLATES / "python/checkpoint.py", tmp_path / "whole", tmp_path / "whole.csv"]
    subprocess.run([*program, str(STEPS)], check=True)
    return value(tmp_path / "whole.csv")


def value(table: Path) -> float:
    return float(table.read_text(encoding="utf-8").splitlines()[1].split(",")[1])


def test_python_continues_after_signals_and_kills_and_ends_with_the_same_result(
    tmp_path: Path, reference: float
) -> None:
    program = tmp_path / "checkpoint.py"
    # a checkpoint every hundredth of a second, so that kills come in the middle of one
    program.write_text(source("python/checkpoint.py").replace("SECONDS = 600", "SECONDS = 0.01"))
    chance, parts = random.Random(7), 0
    while not (tmp_path / "out.csv").exists():
        ignoring = "trap '' USR1; exec \"$@\""  # as the job script has it until the program handles the signal
        process = subprocess.Popen(
            ["sh", "-c", ignoring, "sh", sys.executable, program, tmp_path, tmp_path / "out.csv", str(STEPS)]
        )
        time.sleep(0.1 + 0.4 * chance.random())
        kind = chance.choice((signal.SIGUSR1, signal.SIGTERM, signal.SIGKILL))
        os.kill(process.pid, kind)
        process.wait()
        parts += 1
        assert parts < 100, "it does not get on"
        assert process.returncode in {0, 75, -signal.SIGKILL, -signal.SIGTERM}, "a checkpoint was not whole"
    assert parts > 1
    assert value(tmp_path / "out.csv") == reference


@pytest.mark.skipif(not shutil.which("Rscript"), reason="no R here")
def test_r_continues_when_the_file_appears(tmp_path: Path, reference: float) -> None:
    stop, parts = tmp_path / "stop", 0
    program = ["Rscript", "--vanilla", str(TEMPLATES / "r/checkpoint.R"), str(tmp_path), str(tmp_path / "out.csv")]
    environment = {**os.environ, "ROOKERY_STOP": str(stop)}
    while not (tmp_path / "out.csv").exists():
        if parts < 2:
            stop.touch()  # after its first steps
        else:
            stop.unlink(missing_ok=True)
        done = subprocess.run([*program, str(STEPS)], env=environment, check=False)
        assert done.returncode == (75 if parts < 2 else 0)
        parts += 1
    assert parts == 3
    assert value(tmp_path / "out.csv") == reference
