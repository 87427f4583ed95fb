"""Miniatures started, killed and ended: they leave nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from live import Account, Live, home
from waiting import wait_for

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.sandbox import lifecycle, registry

pytestmark = pytest.mark.cluster


def traces(folder: str) -> list[str]:
    """Processes and mounts of this machine that belong to a miniature's folder."""
    traces_left = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"upperdir={folder}/" in (entry / "mountinfo").read_text():
                    traces_left.append(f"process {entry.name}")
            except OSError:
                continue
    return traces_left + [line for line in Path("/proc/mounts").read_text().splitlines() if folder in line]


def test_up_again_is_a_word(miniatures: dict[str, Live], monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(key, miniatures["hec"].environment[key])
    again = {miniature.name: miniature.pid for miniature in lifecycle.ensure(["penguins", "hec"], offline_mirrors=True)}
    assert again == {name: live.miniature.pid for name, live in miniatures.items()}


class TestOfItsOwn:
    """Miniatures that are ended, or killed, on the way: of a person of their own."""

    @pytest.fixture
    def alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hec: Live) -> dict[str, str]:
        environment = home(tmp_path / "h")
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(key, environment[key])
        if "PYENV_ROOT" in hec.environment:
            monkeypatch.setenv("PYENV_ROOT", hec.environment["PYENV_ROOT"])
            environment["PYENV_ROOT"] = hec.environment["PYENV_ROOT"]
        return environment

    def up(self, environment: dict[str, str]) -> "subprocess.Popen[str]":
        code = "from rookery.sandbox import lifecycle; lifecycle.ensure('hec', yes=True)"
        return subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def test_down_leaves_no_process_no_mount_and_no_file(self, alone: dict[str, str]) -> None:
        (miniature,) = lifecycle.ensure("hec", quiet=True)
        account = Account(miniature.user, miniature.address, miniature.port, alone)
        account.run("nohup setsid sleep 1000 >/dev/null 2>&1 & cd; sbatch --wrap 'sleep 1000'")
        assert traces(miniature.folder)
        lifecycle.down("hec", quiet=True)
        assert traces(miniature.folder) == []
        assert not Path(miniature.folder).exists()
        assert registry.listing() == []
        assert (registry.state() / "known_hosts").read_text() == ""
        assert not (registry.state() / "inventory/host_vars/hec.yml").exists()
        with pytest.raises(RookeryError, match="No miniature of hec"):
            profile.load("hec", profile.sources(sandbox=True))

    def test_a_starter_that_is_killed_halfway_leaves_nothing_that_matters(self, alone: dict[str, str]) -> None:
        starter = self.up(alone)
        folder = Path("/var/lib/rookery/miniatures")
        before = {entry.name for entry in folder.glob("hec-*")}
        fresh = wait_for(
            lambda: {entry for entry in folder.glob("hec-*/") if entry.name not in before and traces(str(entry))}
        )
        starter.send_signal(signal.SIGKILL)
        starter.communicate()
        (miniature,) = lifecycle.ensure("hec", quiet=True)
        assert {miniature.folder} == {str(entry) for entry in fresh}
        assert Account(miniature.user, miniature.address, miniature.port, alone).run("sinfo --noheader --states=idle")
        lifecycle.down("hec", quiet=True)
        assert traces(miniature.folder) == []

    def test_two_starters_of_the_same_make_one(self, alone: dict[str, str]) -> None:
        starters = [self.up(alone), self.up(alone)]
        outputs = [starter.communicate(timeout=120) for starter in starters]
        assert [starter.returncode for starter in starters] == [0, 0], outputs
        assert sum("ready after" in errors for _, errors in outputs) == 1
        (miniature,) = registry.listing()
        assert miniature.running
        lifecycle.down(quiet=True)

    def test_what_died_is_started_again(self, alone: dict[str, str]) -> None:
        (miniature,) = lifecycle.ensure("hec", quiet=True)
        os.kill(miniature.pid, signal.SIGKILL)
        wait_for(lambda: not registry.listing()[0].running)
        (again,) = lifecycle.ensure("hec", quiet=True)
        assert again.pid != miniature.pid
        assert Account(again.user, again.address, again.port, alone).run("whoami") == "student"
        lifecycle.down(quiet=True)

    def test_down_of_what_is_not_there_says_what_is(self, alone: dict[str, str]) -> None:  # noqa: ARG002
        with pytest.raises(RookeryError, match="Unknown miniature 'archer2'"):
            lifecycle.down("archer2")
