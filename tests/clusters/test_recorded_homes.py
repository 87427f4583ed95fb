"""Homes that earlier versions set up, as they left them: upgraded by `setup`, undone byte for byte."""

from pathlib import Path

import pytest
from laptops import Laptop, laptop
from live import Live
from sights import as_root, by_state, inside, manifest, storage_of
from test_undo import undo

pytestmark = pytest.mark.cluster

HOMES = Path(__file__).parents[1] / "data/homes"
TAGS = ("--tags", "shell,storage,tmux,vscode,r")
USER = "olga"
HOME, STORAGE = f"/home/{USER}", f"/storage/hpc/21/{USER}"
MOVED = f"{STORAGE}/rookery/home"


@pytest.fixture(scope="module")
def olga(hec: Live) -> Laptop:
    """The laptop of the user whose home was recorded."""
    person = laptop(hec, USER)
    assert storage_of(hec, USER) == STORAGE
    return person


def unpack(hec: Live, archive: Path) -> None:
    """Make the account's home and storage what was recorded; the key that opens it stays."""
    inside(hec, "/tmp/recorded.tar.gz").write_bytes(archive.read_bytes())
    as_root(
        hec,
        f"find {HOME} -mindepth 1 -maxdepth 1 ! -name .ssh -exec rm -rf {{}} +; find {STORAGE} -mindepth 1 -delete; "
        f"runuser -u {USER} -- tar -C / -xpzf /tmp/recorded.tar.gz; rm /tmp/recorded.tar.gz",
    )


def contents(hec: Live) -> list[str]:
    """Return all that the user has, but for the key that opens the account."""
    lines = [*manifest(hec, HOME).splitlines(), *manifest(hec, STORAGE).splitlines()]
    return [line for line in lines if "./.ssh" not in line]


@pytest.mark.parametrize(
    ("recorded", "changed"),
    [("set-up-2", {("r", "blocks", "~/.Rprofile"), ("storage", "directories", MOVED)}), ("set-up-3", set())],
)
def test_a_home_of_an_earlier_version(
    hec: Live, olga: Laptop, recorded: str, changed: set[tuple[str, str, str]]
) -> None:
    unpack(hec, HOMES / recorded / "before.tar.gz")
    before = contents(hec)
    unpack(hec, HOMES / recorded / "after.tar.gz")

    assert by_state(olga.setup(*TAGS), "made", "changed") == changed
    assert olga.setup(*TAGS)["changed"] == 0
    assert undo(olga, "--yes", "--purge")["left"] == 0
    assert contents(hec) == before
