"""What the user who runs a test has: a home, and files of an inventory of their own in it."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from rookery.core import preferences


def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `home` the home of the person who runs the test, with a short private folder for sockets."""
    home.mkdir(parents=True, exist_ok=True)
    sockets = Path(f"/tmp/rk-{os.getpid()}")
    sockets.mkdir(mode=0o700, exist_ok=True)
    atexit.register(shutil.rmtree, sockets, ignore_errors=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", shared_cache())
    monkeypatch.setattr(preferences, "values", cache(preferences.values.__wrapped__))  # those of this home
    return home


@cache
def shared_cache() -> str:
    """A cache for the tests of one process: to fill an empty one with rookery's own files takes longer than most tests.

    Its entries are named by all that they depend on, so no test sees another's.
    """
    folder = tempfile.mkdtemp(prefix="rookery-cache-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def own_inventory(home: Path, path: str, text: str) -> Path:
    """Write a file of the person's own inventory."""
    file = home / ".config/rookery/inventory" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def new_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder the home of the user who runs the test, with `config`, `state` and `cache` in it; return it."""
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
    monkeypatch.setenv("HOME", str(folder))
    return folder
