"""Outputs with a folder for each run: `results/{run}` in rookery.yml."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Final

RUN: Final = "{run}"
"""What stands for the run's number in an output."""


def folder(output: str) -> str:
    """Return the folder that an output is linked by: what is before the folder of a run; "" where that is nothing."""
    parts = PurePosixPath(output).parts
    return str(PurePosixPath(*parts[: next((at for at, part in enumerate(parts) if RUN in part), len(parts))]))


def of_outputs(outputs: Iterable[str]) -> tuple[str, ...]:
    """Return the outputs that have a folder for each run."""
    return tuple(output for output in outputs if RUN in output)


def of_run(run_folders: Iterable[str], run: str) -> list[str]:
    """Return the folders of a run.

    Args:
        run_folders: Outputs with {run} in them.
        run: The run's number.
    """
    return [output.replace(RUN, run) for output in run_folders]


def run_of(path: str, run_folders: Sequence[str]) -> str:
    """Return the number of the run in whose folder a file is; "" where it is in no run's.

    Args:
        path: The file's, in the project's folder on the cluster.
        run_folders: Outputs with {run} in them.
    """
    if not run_folders:
        return ""
    match = _pattern(tuple(run_folders)).match(path)
    return next(filter(None, match.groups()), "") if match else ""


@cache
def _pattern(run_folders: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"{re.escape(output).replace(re.escape(RUN), '([0-9]+)')}/" for output in run_folders))
