"""A laptop whose disk is full: at each write of a command in turn there is no room, and then the command finishes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from laptops import ROOKERY, Laptop, laptop
from live import Live
from projects_here import Project, project

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
MOST = 400
"""Blocks of 4 kB that every command can do with."""


@dataclass(frozen=True)
class Disk:
    """A disk of the laptop's own, mounted on its home."""

    folder: Path

    def leave(self, blocks: int, files: int) -> None:
        """Fill it so far that this is left: blocks of 4 kB, and files that can be made."""
        self._filler.mkdir()
        here = os.statvfs(self.folder)
        for number in range(here.f_ffree - files - 1):
            os.mknod(self._filler / str(number))
        with (self._filler / "content").open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, (os.statvfs(self.folder).f_bfree - blocks) * 4096)

    def empty(self) -> None:
        """Take away what fills it."""
        shutil.rmtree(self._filler)

    @property
    def _filler(self) -> Path:
        return self.folder / ".filler"


@pytest.fixture
def gannets(hec: Live) -> Iterator[tuple[Project, Disk]]:
    """A project on such a disk, deployed, with a run whose results are not here yet."""
    person = laptop(hec, "gus")
    kept = person.home.with_name("kept")
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


def test_at_each_write_there_is_no_room_once(gannets: tuple[Project, Disk]) -> None:
    at, disk = gannets
    log = open("/tmp/full.txt", "w")
    at.commit({"note.txt": "x"})
    for name, command in COMMANDS.items():
        for kind in ("files", "blocks"):
            for room in (*range(12), 16, 24, 32, 48, 64, 96, 128, 200):
                if name == "deploy": at.commit({"note.txt": f"{room}{kind}"})
                if name in ("fetch", "combine"):
                    for one in (at.root / ("results" if name == "fetch" else "")).glob("*.csv"): one.unlink()
                disk.leave(room if kind == "blocks" else 2000, room if kind == "files" else 500)
                try:
                    process = subprocess.Popen(
                        [str(ROOKERY), *command, *(() if name == "combine" else ("--cluster", "hec"))],
                        env=at.laptop.environment, cwd=at.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE, text=True, start_new_session=True,
                    )
                    out, err = process.communicate(timeout=100)
                finally:
                    disk.empty()
                print(f"== {name} {kind} {room}: {process.returncode}\n{out}\n-- err\n{err}", file=log, flush=True)
                if process.returncode == 0: break
