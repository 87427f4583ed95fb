"""A home with VS Code, and clusters, for the tests of its settings."""

import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile

PLATFORM = "remote.SSH.remotePlatform"


def cluster(name: str = "penguins", **changes: object) -> Cluster:
    known = profile.load(name, [profile.sources()[0]], {"cluster_user": "ada"})
    return Cluster(**{**vars(known), "data": MappingProxyType({**known.data, **changes})})


def home_with_vscode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of somebody with VS Code on Linux, which has run once."""
    home = tmp_path / "home of mine"
    (home / ".config/Code/User").mkdir(parents=True)
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "WSL_DISTRO_NAME", "ROOKERY_WINDOWS_APPDATA"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "platform", "linux")
    return home


def settings_file(home: Path) -> Path:
    """Settings of that editor, in a form of the user's own."""
    path = home / ".config/Code/User/settings.json"
    path.write_bytes(b'{\r\n\t// mine\r\n\t"editor.fontSize": 15,\r\n}')
    path.chmod(0o640)
    return path
