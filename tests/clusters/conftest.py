"""Running miniatures for the tests of this folder, started once a session, and ended with it.

`penguins` and `hec` give a `Live`; `add_user` gives a fresh account on it with a home of its own on this side too, and
`root_run` arranges faults. ROOKERY_KEEP_SANDBOX=1 leaves the miniatures running; ROOKERY_SLURM=24.11 is the version of
their Slurm.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from connections import account, made, opened  # noqa: F401 fixtures of the files that test connections
from live import Live, home

from rookery.sandbox import lifecycle, registry

CLUSTERS = ("penguins", "hec")

LONGEST = (
    "test_setup_failures.py", "test_jobs.py", "test_new.py", "test_doctor_homes.py", "test_setup_up_to_date.py",
    "test_homes.py", "test_no_internet.py", "test_onboard.py", "test_reproduce.py", "test_startup_files.py",
    "test_bede.py", "test_init_shapes.py", "test_hec_homes.py", "test_undo.py", "test_hec.py",
    "test_training_page.py", "test_doctor_connection.py", "test_submit_command.py", "test_two_architectures.py",
    "test_undo_cut_off.py", "test_other_clusters.py", "test_json_shapes.py",
    "test_scale.py",
)  # fmt: skip
"""Files that take longest, the longest first: each is one worker's, and one that begins last is waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files. ./test tells xdist to keep the order, where it would go by numbers of tests."""
    assert all((Path(__file__).parent / name).is_file() for name in LONGEST)
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def person() -> Iterator[dict[str, str]]:
    """The environment of the person who runs the tests: an empty home. Its path is short, for sockets."""
    top = Path(tempfile.mkdtemp(prefix="rookery-"))
    environment = home(top / "home")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    if pyenv.is_dir():
        environment["PYENV_ROOT"] = str(pyenv)
    yield environment
    if not os.environ.get("ROOKERY_KEEP_SANDBOX"):
        shutil.rmtree(top)


@pytest.fixture(scope="session")
def miniatures(person: dict[str, str]) -> Iterator[dict[str, Live]]:
    """Both miniatures, with local mirrors."""
    with pytest.MonkeyPatch.context() as patch:
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "PYENV_ROOT"):
            if key in person:
                patch.setenv(key, person[key])
        slurm = os.environ.get("ROOKERY_SLURM", "")
        started = lifecycle.ensure(list(CLUSTERS), yes=True, offline_mirrors=True, slurm=slurm)
        state = registry.state()
    try:
        yield {
            miniature.name: Live(miniature.user, miniature.address, miniature.port, person, miniature)
            for miniature in started
        }
    finally:
        if not os.environ.get("ROOKERY_KEEP_SANDBOX"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XDG_STATE_HOME", str(state.parent.parent))
                lifecycle.down("all", quiet=True)


@pytest.fixture(scope="session")
def penguins(miniatures: dict[str, Live]) -> Live:
    """A running miniature of Penguins."""
    return miniatures["penguins"]


@pytest.fixture(scope="session")
def hec(miniatures: dict[str, Live]) -> Live:
    """A running miniature of HEC."""
    return miniatures["hec"]
