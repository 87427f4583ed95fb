"""Clusters and programs for the tests of jobs that ssh logs in to."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.remote import slurm

REMOTE_SLURM = Path(slurm.__file__).parent


def cluster(name: str = "penguins", **changes: Any) -> Cluster:
    known = profile.load(name, [profile.sources()[0]], {"cluster_user": "ada"})
    return Cluster(**{**vars(known), "data": MappingProxyType({**known.data, **changes})})


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty home of the user who runs the test, and their command `invoke`."""
    home = tmp_path / "home"
    home.mkdir()
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ROOKERY_CALLED_AS", "invoke")
    return home
