"""Write a log of each unexpected failure, which may not happen again; `doctor --report` includes the latest."""

import platform
import shlex
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from rookery import __version__
from rookery.core import atomic_files, paths, secret_values, state_files
from rookery.core.errors import RookeryError

KEPT = 10
"""How many of them are kept."""


def folder() -> Path:
    """Return the folder with the logs."""
    return state_files.place("failures")


def write(error: Exception) -> Path | None:
    """Write a log of a failure; return the file, or None where it can't be written.

    Versions, the command line without what looks like a secret, and the traceback: no values of variables.
    """
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    before = ["", *(word if word.startswith("--") and "=" not in word else "" for word in words)]
    typed = shlex.join(str(secret_values.hidden(flag, word)) for flag, word in zip(before, words, strict=False))
    now = time.time_ns()
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09}Z"
    text = secret_values.hidden("", "".join(traceback.format_exception(error)))
    file = folder() / f"{when.replace(':', '')}.txt"
    try:
        with paths.writing_state(folder()):
            versions = f"rookery {__version__}, Python {platform.python_version()}, {platform.platform()}"
            atomic_files.write(file, f"{versions}\n{when}\n$ {typed}\n\n{text}".encode(errors="backslashreplace"))
            atomic_files.trim(folder(), KEPT)
    except (OSError, RookeryError):
        return None
    return file


def latest(most: int = 3) -> list[str]:
    """Return the latest logs, the newest first; one that can't be read is left out.

    Args:
        most: How many.
    """
    files = sorted(folder().glob("*.txt"), reverse=True) if folder().is_dir() else []
    texts = []
    for file in files[:most]:
        with suppress(OSError):
            texts.append(file.read_text(encoding="utf-8", errors="replace")[:20_000])
    return texts
