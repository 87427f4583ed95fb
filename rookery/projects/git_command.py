"""Run git so that it changes nothing the user would see, and runs none of their hooks."""

import errno
import os
import re
import shlex
import subprocess
from pathlib import Path

from rookery.core.errors import RookeryError


def git(
    root: Path,
    *arguments: str,
    input: bytes = b"",  # noqa: A002 subprocess's name for it
    check: bool = True,
    environment: dict[str, str] | None = None,
) -> bytes:
    """Return the output of a git command that writes nothing the user would see, and runs no hooks of theirs.

    Raises:
        RookeryError: There is no git here, or it failed (with `check`); in git's own words.
    """
    try:
        completed = subprocess.run(
            [*GIT, "-C", str(root), *arguments],
            input=input,
            capture_output=True,
            check=False,
            env=surroundings() | (environment or {}),
        )
    except FileNotFoundError:
        raise missing() from None
    if check and completed.returncode:
        raise failure(root, completed.stderr.decode(errors="replace"))
    return completed.stdout


UNBURIED = ("-c", "safe.bareRepository=explicit")
"""Take no folder of a project for a repository: one that looks like a bare one can name programs that git runs."""

GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *UNBURIED)


def missing() -> RookeryError:
    """Return the error where there is no git."""
    return RookeryError("git is not installed on this computer.", hint="install git: https://git-scm.com/downloads")


def surroundings(*kept: str) -> dict[str, str]:
    """Return the environment for git, without variables of a hook, which would lead it to another repository.

    Args:
        kept: What names of git's own begin with that hold all the same, such as GIT_AUTHOR_.
    """

    def holds(key: str) -> bool:
        return not key.startswith("GIT_") or key in _KEPT or key.startswith(kept)

    variables = {key: value for key, value in os.environ.items() if holds(key)}
    return variables | {"LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}


_KEPT = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"}


def failure(root: Path, stderr: str) -> RookeryError:
    """Return the error that explains why git failed, for a user who has just met it."""
    lines = [line for line in stderr.splitlines() if line.strip()] or ["no reason given"]
    why = re.sub(r"^(fatal|error): ", "", next((line for line in lines if line.startswith("fatal:")), lines[-1]))
    if os.strerror(errno.ENOSPC) in stderr:
        return RookeryError(
            f"No space left on this computer to write {root}.",
            hint="df -h ~   # free some space, then run the same command again",
        )
    if match := re.search(r"Unable to create '(.+\.lock)': File exists", stderr):
        return RookeryError(
            f"{match[1]} exists: another git command is running in {root}, or one was killed.",
            hint=f"rm {shlex.quote(match[1])}   # if no git command is running there",
        )
    if "cannot use bare repository" in stderr:
        return RookeryError(
            f"{root} looks like a bare git repository inside another one; git does not use it, for your safety.",
            hint=f"ls {shlex.quote(str(root))}   # then remove HEAD, config, objects and refs from it",
        )
    if "not a git repository" in stderr:
        return RookeryError(
            f"{root} is not in a git repository, so there is no commit to deploy.",
            hint=f"cd {shlex.quote(str(root))} && git init && git add -A && git commit -m 'First version'",
        )
    if "dubious ownership" in stderr:
        folder = shlex.quote(_toplevel(stderr) or str(root))
        return RookeryError(
            f"git does not trust the repository {root}, because another user owns it: {why}",
            hint=f"git config --global --add safe.directory {folder}   # if you trust it",
        )
    return RookeryError(f"git failed in {root}: {why}")


def _toplevel(stderr: str) -> str:
    match = re.search(r"repository at '(.+)'", stderr)
    return match[1] if match else ""
