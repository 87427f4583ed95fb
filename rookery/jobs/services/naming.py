"""The names of services: a service's is its job's in Slurm, which is all that is known of it.

So every computer of the user's finds the same service, and none has to remember it.
"""

import re
from typing import TYPE_CHECKING

from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.interactive.compute_node_job import JobCommands
from rookery.jobs.interactive.job_request import SERVICES

if TYPE_CHECKING:
    from rookery.projects.target import Target

_LONGEST = 60


def default(word: str, target: "Target") -> str:
    """Return the name of a service that the user gave none: `lab`, in a project `lab-PROJECT`.

    Args:
        word: The kind of service, or the program.
        target: The cluster, and the project.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", word).strip("-.") or "program"
    return "-".join([plain, *([target.project.name] if target.project else [])])[:_LONGEST]


def checked(name: str) -> str:
    """Return a name that the user gave.

    Raises:
        RookeryError: It can't be part of a job's name.
    """
    if not re.fullmatch(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{_LONGEST - 1}}}", name):
        raise RookeryError(
            f"Invalid value {name!r} of --name: use letters, digits, `-`, `_` and `.`.",
            hint=typed_command.again("--name", "app"),
        )
    return name


def commands(name: str, target: "Target", start: str = "") -> JobCommands:
    """Return what a service's job is called, and the commands that a user has it by.

    Args:
        name: The service's.
        target: The cluster.
        start: The command that starts it, where it is known.
    """
    flags = f" {target.cluster.option}"
    return JobCommands(
        f"{SERVICES}{name}", f"{name} on {target.cluster.name}", start, f"invoke serve.stop {name}{flags}", True
    )
