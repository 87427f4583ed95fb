"""Run a tracker's own program with the project's environment on this computer."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console, process_group

if TYPE_CHECKING:
    from rookery.projects.model import Project

TIMEOUT = 1800
"""Seconds for one run: wandb tries for hours where its server does not answer."""

_PATIENCE = 10
"""Seconds that a program which is ended has to do so by itself."""


class SlowToolError(Exception):
    """The error for a program that took too long, and was ended."""


def argv(project: "Project", words: Sequence[str]) -> list[str]:
    """Return the command line: with uv or Poetry where the project has one of them; else the program on PATH.

    Args:
        project: The project.
        words: The program and its arguments.
    """
    kind = project.environment.python
    if kind == "uv" and shutil.which("uv"):
        return ["uv", "run", "--project", str(project.root), *words]
    if kind == "poetry" and shutil.which("poetry"):
        return ["poetry", "--directory", str(project.root), "run", *words]
    return list(words)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a program without a terminal; return its exit status, and what it printed, fit for a terminal.

    Args:
        command: Its command line.
        folder: Where it is run.
        environment: Variables that are set besides.

    Raises:
        SlowToolError: It took too long.
    """
    try:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        return 127, f"{command[0]} is not installed on this computer"
    try:
        output = process.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        process_group.end(process, _PATIENCE)
        raise SlowToolError from None
    except BaseException:
        process_group.end(process, _PATIENCE)
        raise
    return process.returncode, console.clean(output)


def reason(output: str, code: int) -> str:
    """Return why a program failed, as it says itself: its last line about an error, or else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    if not code and not errors:
        return "exit status 0, but the run is not marked as uploaded"
    return (errors or lines or [f"exit status {code}"])[-1][:300]
