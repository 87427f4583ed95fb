"""The extras of rookery: libraries that few commands need, installed on request."""

import importlib.util
import shlex
import shutil

from rookery.core import paths

_LIBRARIES = {"plot": "matplotlib", "top": "textual"}
"""Extras in pyproject.toml, each with a library that only it brings."""


def installation(extra: str) -> str:
    """Return the command that installs an extra, into a checkout or beside the installed rookery; others stay.

    Args:
        extra: Its name in pyproject.toml.
    """
    checkout = paths.root()
    if not (checkout / "pyproject.toml").is_file():
        others = {name for name, library in _LIBRARIES.items() if importlib.util.find_spec(library)}
        return f"uv tool install 'rookery-hpc[{','.join(sorted({extra, *others}))}]'"
    own = checkout / ".tools/bin/uv"  # ./try brings it where there is none
    uv = shlex.quote(str(own)) if own.exists() and not shutil.which("uv") else "uv"
    return f"{uv} sync --project {shlex.quote(str(checkout))} --inexact --no-dev --extra {extra}"
