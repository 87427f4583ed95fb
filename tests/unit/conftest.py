"""Fixtures that several files of this folder use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from doctor_homes import of_ada, own_home
from repositories import Git, new_repository, with_one_commit

from rookery.clusters.cluster import Cluster
from rookery.core import state_files, yaml_document

ROOM = 10**9
"""Bytes that must be free there; all tests write some 100 MB. Containers often have 64 MB."""


def _in_memory(folder: str = "/dev/shm") -> bool:
    """Whether a folder in memory has room, and programs can be started in it; there git needs half the time."""
    if not os.access(folder, os.W_OK):
        return False
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize > ROOM and not facts.f_flag & os.ST_NOEXEC


if _in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")  # where pytest makes tmp_path


def pytest_collection_finish() -> None:
    """What is there by now stays until the end: the garbage collector need not go through it again and again."""
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="session", autouse=True)
def _empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is set up in the home of whoever runs the tests, such as a miniature by `./try`, changes none of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYENV_ROOT", os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
        for name in ("STATE", "CACHE", "CONFIG"):
            patch.delenv(f"XDG_{name}_HOME", raising=False)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(yaml_document, "KEPT", 10_000)  # none is parsed again because other tests read others
        yield


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """git in a new repository."""
    return new_repository(tmp_path, monkeypatch)


@pytest.fixture
def root(git: Git, tmp_path: Path) -> Path:
    """That repository, with one commit."""
    return with_one_commit(git, tmp_path)


@pytest.fixture(scope="session")
def penguins() -> Cluster:
    """Penguins, where the account is ada."""
    return of_ada("penguins")


@pytest.fixture(scope="session")
def hec() -> Cluster:
    """HEC, where the account is ada and has a key of its own."""
    return of_ada("hec", identity_file="/home/a/.ssh/id_x")


@pytest.fixture
def state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept from an earlier test, and nothing was named yet."""
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setattr(state_files, "_named", set())


@pytest.fixture
def home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with nothing in it, and `invoke` as what the user types."""
    own_home(tmp_path, monkeypatch)
