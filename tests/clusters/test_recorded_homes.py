"""Homes as earlier versions set them up: seen by `status`, upgraded by `setup`, undone byte for byte."""

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from home_contents import changes, inside, manifest, storage_of
from laptops import Laptop, laptop
from live import Live, alone, as_root
from undo_command import undo

from rookery.core import local_time
from rookery.homes.status import SHOWN
from rookery.sandbox import mirrors

pytestmark = pytest.mark.cluster

HOMES = Path(__file__).parents[1] / "data/homes"
USER = "olga"
HOME, STORAGE = f"/home/{USER}", f"/storage/hpc/21/{USER}"
TOOLS = {"python": "3.13.0", "pipx": "1.18.4", "poetry": "2.5.1", "uv": "0.13.9"}


@dataclass(frozen=True)
class Recorded:
    """A home that was recorded after a whole `setup`.

    Attributes:
        name: Its folder.
        when: When that setup ended.
        state: What `status` calls it now.
        drift: What differs from what that version would write: role, path below the home, how.
        changed: What `setup` makes or changes now: role, kind, path.
    """

    name: str
    when: str
    state: str
    drift: Set[tuple[str, str, str]] = frozenset()
    changed: Set[tuple[str, str, str]] = frozenset()


DROP_INS = [f".config/rookery/env.d/40-python-tools.{shell}" for shell in ("sh", "fish", "csh")]
# changed since 0.1.0: comments in files, and which role puts uv on PATH
NEWER = {
    ("shell", "files", "~/.config/rookery/env.sh"),
    *(("storage", "environment", f"~/.config/rookery/env.d/10-storage.{shell}") for shell in ("sh", "fish", "csh")),
    ("tmux", "files", "~/.config/rookery/tmux.conf"),
    ("r", "files", f"{STORAGE}/rookery/x86_64/bin/module-R"),
    ("r", "blocks", "~/.Rprofile"),
    *(("python", "environment", f"~/.config/rookery/env.d/30-python.{shell}") for shell in ("sh", "fish", "csh")),
    *(("python", "links", f"{STORAGE}/rookery/x86_64/bin/{name}") for name in ("python", "python3")),
    *(("python_tools", "environment", f"~/{path}") for path in DROP_INS),
}
RECORDED = (
    Recorded(
        "set-up-2",
        "2026-11-29T13:26:38+0000",
        "drifted",
        drift={("python_tools", path, "changed") for path in DROP_INS},
        changed=NEWER
        | {
            ("storage", "directories", f"{STORAGE}/rookery/home"),
            ("python_tools", "directories", "~/.local/bin"),
            *(("python_tools", "files", f"{STORAGE}/rookery/x86_64/share/rookery/{n}.txt") for n in ("pipx", "poetry")),
        },
    ),
    Recorded("set-up-3", "2026-11-29T13:25:59+0000", "out of date", changed=NEWER),
)


@pytest.fixture(scope="module")
def hec() -> Iterator[Live]:
    """A miniature without other accounts, since the number of an account is in the path of its storage."""
    with alone("hec") as live:
        yield live


@pytest.fixture(scope="module")
def olga(hec: Live) -> Laptop:
    """The laptop of the user whose home was recorded."""
    person = laptop(hec, USER)
    assert storage_of(hec, USER) == STORAGE
    person.write(cluster_mirrors={"uv_python_downloads": f"file://{mirrors.INSIDE}/uv-python/downloads.json"})
    return person


def unpack(hec: Live, recorded: Recorded, which: str) -> list[str]:
    """Make the account's home and storage what was recorded, and return that; the key that opens it stays."""
    inside(hec, "/tmp/recorded.tar.gz").write_bytes((HOMES / recorded.name / f"{which}.tar.gz").read_bytes())
    as_root(
        hec,
        f"find {HOME} -mindepth 1 -maxdepth 1 ! -name .ssh -exec rm -rf {{}} +; find {STORAGE} -mindepth 1 -delete; "
        f"runuser -u {USER} -- tar -C / -xpzf /tmp/recorded.tar.gz; rm /tmp/recorded.tar.gz",
    )
    return contents(hec)


def contents(hec: Live) -> list[str]:
    """Return all that the user has, but for the key that opens the account."""
    lines = [*manifest(hec, HOME).splitlines(), *manifest(hec, STORAGE).splitlines()]
    return [line for line in lines if "./.ssh" not in line]


def status(person: Laptop) -> dict[str, Any]:
    """Return what `status --json` says of the home, and with which exit code."""
    done = person.rookery("status", "--cluster", person.cluster, "--json")
    return {**json.loads(done.stdout)["clusters"][person.cluster], "exit": done.returncode}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one.name)
def test_a_home_of_an_earlier_version(hec: Live, olga: Laptop, recorded: Recorded) -> None:
    before = unpack(hec, recorded, "before")
    unpack(hec, recorded, "after")

    seen = status(olga)
    assert (seen["exit"], seen["state"]) == (3, recorded.state)
    assert (seen["version"], seen["when"]) == ("0.1.0", recorded.when)
    assert {(one["role"], one["path"].removeprefix(HOME + "/"), one["how"]) for one in seen["drift"]} == recorded.drift
    assert seen["asked"]
    assert TOOLS.items() <= seen["tools"].items()
    text = olga.rookery("status", "--cluster", olga.cluster).stdout
    when = local_time.when(local_time.of_iso(recorded.when))
    assert text.startswith(f"hec  {SHOWN.get(recorded.state, recorded.state)}  rookery 0.1.0, {when}\n")

    assert changes(olga.setup("--check")) == recorded.changed
    assert changes(olga.setup()) == recorded.changed
    again = olga.setup()
    assert (again["changed"], again["up_to_date"]) == (0, True)
    seen = status(olga)
    assert (seen["exit"], seen["state"], seen["drift"], seen["asked"]) == (0, "as declared", [], [])
    assert seen["when"] > recorded.when
    assert TOOLS.items() <= seen["tools"].items()

    assert undo(olga, "--yes", "--purge")["left"] == 0
    assert contents(hec) == before


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one.name)
def test_one_that_is_undone_at_once(hec: Live, olga: Laptop, recorded: Recorded) -> None:
    before = unpack(hec, recorded, "before")
    unpack(hec, recorded, "after")
    assert undo(olga, "--yes", "--purge")["left"] == 0
    assert contents(hec) == before
