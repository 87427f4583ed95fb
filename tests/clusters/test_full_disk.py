"""A laptop whose disk is full: at each write of a command in turn there is no room, and then the command finishes."""

import csv
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from failures import refused
from laptop_projects import Project, project
from laptops import ROOKERY, laptop
from live import Live
from waiting import wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root"),
]
FILES = {
    ".gitignore": "slurm_logs/\nresults/\ncombined.csv\n",
    "rookery.yml": """
        name: gannets
        clusters: [hec]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          count:
            template: python-array
            command: sh count.sh {task}
            array: 1-3
            memory: 100M
            time: 00:05:00
        """,
    "count.sh": "printf 'task,value\\n%s,%s\\n' $1 $1 >results/count_$1.csv\n",
}
PLENTY = 500
"""Files, and blocks of 4 kB, that every command here can do with."""


@dataclass(frozen=True)
class Disk:
    """A disk of the laptop's own, mounted on its home."""

    folder: Path

    def leave(self, blocks: int, files: int) -> None:
        """Fill it so far that this is left: blocks of 4 kB, and files that can be made."""
        self._filler.mkdir()
        filesystem = os.statvfs(self.folder)
        for number in range(filesystem.f_ffree - files - 1):
            os.mknod(self._filler / str(number))
        with (self._filler / "content").open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, (os.statvfs(self.folder).f_bfree - blocks) * 4096)

    def empty(self) -> None:
        """Take away what fills it."""
        shutil.rmtree(self._filler)

    @property
    def _filler(self) -> Path:
        return self.folder / ".filler"


@pytest.fixture(params=["files", "blocks"])
def kind(request: pytest.FixtureRequest) -> str:
    """What the disk runs out of."""
    return str(request.param)


@pytest.fixture
def gannets(hec: Live, kind: str) -> Iterator[tuple[Project, Disk]]:
    """A project on such a disk, deployed."""
    person = laptop(hec, f"no-{kind}")
    kept = person.home.with_name(f"kept-{kind}")
    person.home.rename(kept)
    person.home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,nr_inodes=2000", "tmpfs", person.home], check=True)
    try:
        shutil.copytree(kept, person.home, dirs_exist_ok=True, symlinks=True)
        person.setup("--tags", "shell,storage,tmux")
        yield project(person, "gannets", FILES), Disk(person.home)
    finally:
        person.rookery("logout")
        subprocess.run(["umount", "--lazy", person.home], check=True)


COMMANDS = {
    "setup": ("setup", "--tags", "shell,storage,tmux", "--force"),
    "deploy": ("deploy", "--yes"),
    "submit": ("submit", "count"),
    "fetch": ("fetch",),
    "combine": ("combine", "--files", "results/count_*.csv"),
    "undo": ("undo", "--yes"),
}


def test_at_each_write_there_is_no_room_once(gannets: tuple[Project, Disk], kind: str) -> None:
    """With one file more, or one block more, each time: until there is enough, in one clear line what is missing."""
    at, disk = gannets
    for name in COMMANDS:
        if name == "deploy":
            at.commit({"note.txt": kind})
        for room in itertools.count():
            disk.leave(room if kind == "blocks" else PLENTY, room if kind == "files" else PLENTY)
            try:
                completed = run(at, name)
            finally:
                disk.empty()
            if completed.returncode == 0:
                break
            line = refused(completed, "No space left on this computer|No space left on device|only 0 B are free")
            assert room < 20, line
        completed = run(at, name)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        if name == "submit":
            wait_for(lambda: at.laptop.says("squeue --noheader --me") == "")
    records = [json.loads(path.read_text()) for path in (at.root / "runs").glob("*.json")]
    asked = "sacct --noheader --allocations --parsable2 --format=JobID"
    ids = {record["id"] for record in records}
    wait_for(lambda: ids == {number.partition("_")[0] for number in at.laptop.says(asked).split()})
    with (at.root / "combined.csv").open(newline="") as stream:
        rows = [(row["task"], row["value"]) for row in csv.DictReader(stream)]
    assert rows == [("1", "1"), ("2", "2"), ("3", "3")]
    left = [path for place in (at.root, at.laptop.home / ".config/rookery") for path in place.rglob(".*.????????")]
    assert not [path for path in left if ".git" not in path.parts]


def run(at: Project, name: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in the project's folder, to its end."""
    where = () if name == "combine" else ("--cluster", "hec")
    return subprocess.run(
        [str(ROOKERY), *COMMANDS[name], *where],
        env=at.laptop.environment, cwd=at.root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
