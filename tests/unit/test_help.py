"""What `--list` and each command's `--help` say changes only where that is meant."""

import subprocess
import sys

import snapshots

SHOW = """
import os, sys
os.environ['COLUMNS'] = '80'
sys.argv = ['rookery']
from rookery.cli import program

shown = program.program()
namespace = shown.namespace
for line in [["--list"], *([name, "--help"] for name in sorted(namespace.task_names))]:
    print(f"$ rookery {' '.join(line)}", flush=True)
    shown.run(["rookery", *line], exit=False)
"""


def test_every_help() -> None:
    """In a process of its own, since Invoke gives a task's help out once."""
    completed = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    assert completed.stdout.count("$ rookery ") > 25
    snapshots.same("help.txt", completed.stdout)
