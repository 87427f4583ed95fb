"""What `setup` decides before it connects, the lock, and what it notes on this side."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from user_home import new_home

from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection
from rookery.core import locking, paths
from rookery.core.errors import RookeryError
from rookery.homes import options, selection, setup, setup_summary


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return new_home(tmp_path, monkeypatch)


def test_clusters_are_named_with_commas_or_all() -> None:
    assert selection.clusters("hec, penguins,hec") == ["hec", "penguins"]
    assert selection.clusters("all") == profile.names()


@pytest.mark.usefixtures("person")
def test_a_cluster_that_is_refused_is_none_of_those_that_are_set_up() -> None:
    for name in ("hec", "hex", "bede"):
        profile.remember(name, {"cluster_user": "ada"})
    host_vars = paths.config_dir() / "inventory/host_vars/hec.yml"
    host_vars.write_text(host_vars.read_text() + "r_package: [zoo]\n")
    under_way = setup._Setup(options.SetupOptions("hec,hex,bede"), ["hec", "hex", "bede"], ExitStack())
    assert list(under_way._load()) == ["hex"]
    assert "r_package" in under_way.results.clusters["hec"].error
    assert "Missing account on Bede" in under_way.results.clusters["bede"].error


@pytest.mark.usefixtures("person")
def test_all_are_those_where_the_person_has_a_name() -> None:
    profile.remember("hec", {"cluster_user": "ada"})
    assert selection.clusters("all") == ["hec"]
    assert selection.clusters("all", sandbox=True) == profile.names()


def test_a_lock_says_who_holds_it_and_goes_with_its_process() -> None:
    code = "from rookery.core import locking\nwith locking.held('hec'): print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with (
            pytest.raises(RookeryError, match=rf"is running on hec \(since \d\d:\d\d:\d\d, process {process.pid} of "),
            locking.held("hec"),
        ):
            pass
        with locking.held("penguins"):
            pass
        process.kill()
    with locking.held("hec"):  # the kernel freed it
        pass


def test_a_state_folder_that_cannot_be_written_is_one_line(person: Path) -> None:
    (person / "state").write_text("a file")
    with pytest.raises(RookeryError, match="Can't write to rookery's state folder"), locking.held("hec"):
        pass


def test_a_lock_that_cannot_be_written_is_one_line(person: Path) -> None:
    (person / "state/rookery/locks/hec.lock").mkdir(parents=True)
    with pytest.raises(RookeryError, match="Can't write to rookery's state folder") as raised, locking.held("hec"):
        pass
    assert raised.value.hint == f"ls -ld {person}/state/rookery/locks"


@pytest.mark.usefixtures("person")
def test_places_and_the_commands_that_work_now() -> None:
    facts = {
        "home": "/home/ada",
        "storage": {"home": "/home/ada", "persistent": "/gpfs/ada"},
        "free_mb": {"home": 300, "persistent": 20480},
        "roomy": "/gpfs/ada",
        "programs": "/gpfs/ada",
        "prefix": "/gpfs/ada/rookery/x86_64",
        "rookery_storage": "/gpfs/ada",
    }
    assert setup_summary.places(facts) == {
        "home": "/home/ada  (300 MB free)",
        "persistent": "/gpfs/ada  (20 GB free)",
        "outputs": "/gpfs/ada  ($ROOKERY_STORAGE)",
        "tools": "/gpfs/ada/rookery/x86_64",
        "R packages": "/gpfs/ada/R",
    }
    assert "R packages" not in setup_summary.places(facts, ("shell", "storage"))
    assert "R packages" in setup_summary.places(facts, ("shell", "r"))
    why = "every user can replace what is in /gpfs"
    shared = {**facts, "replaceable": why, "prefix": "/home/ada/x", "programs_left": "/gpfs/ada/rookery/x86_64"}
    assert setup_summary.places(shared)["tools"] == f"/home/ada/x  (in your home: {why})"
    exposed = {**shared, "prefix": "/gpfs/ada/x", "job_folders": ["~/projects"]}
    assert setup_summary.places(exposed)["tools"] == f"/gpfs/ada/x  ({why})"
    assert setup_summary.places(shared)["old tools"].startswith("/gpfs/ada/rookery/x86_64  (no longer used")
    assert setup_summary.places({**shared, "links_left": ["~/.cache"]})["old links"].startswith("~/.cache  (on storage")
    assert setup_summary.places({}) == {}
    connection = Connection(profile.load("hec", overrides={"cluster_user": "ada"}))
    assert list(setup_summary.following(connection, options.SetupOptions("hec"), changes=True)) == [
        "ssh -F ~/config/rookery/ssh_config hec",
        "rookery tmux hec",
    ]
    check = options.SetupOptions("hec", check=True, tags="r")
    assert list(setup_summary.following(connection, check, changes=True)) == ["rookery setup hec --tags r"]
    assert list(setup_summary.following(connection, check, changes=False))[1:] == ["rookery tmux hec"]
