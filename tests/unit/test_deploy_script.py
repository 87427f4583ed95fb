"""The script that makes a release, run here by sh with a home of its own: what it finds there and goes on from."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import cluster

from rookery.project import commit as git
from rookery.project import places, release
from rookery.project.refused import refused
from rookery.project.release import Answer, Goods, Order

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="login nodes have GNU tools")
JOB = "slurm/s.sh"


@dataclass(frozen=True)
class Home:
    """A home as a cluster has it, and a project to be brought there.

    Attributes:
        path: The home.
        code: The project's repository.
    """

    path: Path
    code: Path

    @property
    def base(self) -> Path:
        return self.path / places.base("study")

    @property
    def release(self) -> Path:
        return (self.base / "current").resolve()

    def git(self, *arguments: str) -> str:
        person = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        done = subprocess.run(["git", *person, *arguments], cwd=self.code, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "more")
        return self.git("rev-parse", "HEAD")

    def deploy(self, *, goods: bool = True, cut: bool = False, outputs: Sequence[str] = ("results",)) -> Answer:
        """Deploy what is committed.

        Args:
            goods: Send along what is needed; without, only ask whether it is there.
            cut: Send the commit, but nothing of what belongs beside it.
            outputs: Folders that live on the storage.
        """
        with git.chosen(self.code) as commit:
            order = Order("study", commit.id, "", "as wanted", outputs=tuple(outputs))
            files = {JOB: "#!/bin/bash\n", places.STAMP: release.stamp({}, {})}
            pack = git.pack(commit, [])
            data = release.parcel(order, Goods(files, pack))
        script = release.deploy("study", ahead=True) if goods else release.look(order)
        if cut:
            data = data[: data.index(pack) + len(pack)]
        done = subprocess.run(
            ["sh", "-c", script], input=data, capture_output=True, check=False,
            env={"HOME": str(self.path), "PATH": os.environ["PATH"]}, cwd=self.path, timeout=60,
        )  # fmt: skip
        answer = release.read(done.stdout.decode())
        assert answer.state or answer.stop, done.stderr.decode()
        return answer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that is set up, and a project with a commit."""
    made = Home(tmp_path / "home", tmp_path / "code")
    (made.path / ".config/rookery").mkdir(parents=True)
    (made.path / ".config/rookery/env.sh").write_text('global_storage="$HOME/storage"\n')
    made.code.mkdir()
    made.git("init", "-q")
    (made.code / "a.py").write_text("1\n")
    made.commit()
    return made


def test_a_mend_that_was_cut_off_is_no_finished_release(home: Home) -> None:
    assert home.deploy().state == "new"
    assert home.deploy(goods=False).state == "same"
    (home.release / JOB).unlink()
    assert home.deploy(cut=True).stop == "files"
    assert not (home.release / JOB).exists()
    assert home.deploy(goods=False).stop == "need"
    assert home.deploy().state == "mended"
    assert (home.release / JOB).read_text() == "#!/bin/bash\n"
    assert home.deploy(goods=False).state == "same"


def test_nothing_is_made_read_only_through_a_link(home: Home, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.py"
    theirs.write_text("1\n")
    theirs.chmod(0o644)
    for name, goal in {"outside.py": str(theirs), "nowhere.py": "is/not.py"}.items():
        (home.code / name).symlink_to(goal)
    (home.code / "-rf two.py").write_text("1\n")
    home.commit()
    assert home.deploy().state == "new"
    (home.code / "b.py").write_text("2\n")
    home.commit()
    assert home.deploy().state == "new", "and one that shares files"
    (home.release / "b.py").unlink()
    assert home.deploy().state == "mended"
    modes = {name: (home.release / name).stat().st_mode & 0o777 for name in ("a.py", "b.py", "-rf two.py")}
    assert {mode & 0o222 for mode in modes.values()} == {0}, modes
    assert str((home.release / "nowhere.py").readlink()) == "is/not.py"
    assert theirs.stat().st_mode & 0o777 == 0o644


def test_a_link_that_was_left_half_made_stands_in_nobodys_way(home: Home) -> None:
    home.deploy()
    (home.base / "state/current").symlink_to("releases/of-another")
    (home.release / ".rookery/link").symlink_to(home.path)
    (home.release / "results").unlink()
    assert home.deploy().state == "mended"
    assert (home.release / "results").resolve() == home.path / "storage/projects/study/results"
    commit = home.commit()
    assert home.deploy().state == "new"
    assert str((home.base / "current").readlink()) == f"releases/{commit}"
    assert not os.path.lexists(home.base / "state/current")


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_not_rookerys_is_not_made_the_link(home: Home, kind: str) -> None:
    home.deploy()
    current = home.base / "current"
    current.unlink()
    (current.mkdir if kind == "folder" else current.touch)()
    answer = home.deploy()
    assert answer.stop == "foreign-current"
    error = refused(cluster(), "study", answer, "")
    assert "~/projects/study/current already" in error.message
    assert error.hint == "mv ~/projects/study/current ~/projects/study/current.mine   # there"
    shutil.move(current, home.base / "current.mine")
    assert home.deploy().state == "there"
