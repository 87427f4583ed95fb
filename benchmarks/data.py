"""Compare `rookery data.push` with `rsync --partial` over one open connection: 5 GB, whole and after a kill.

.venv/bin/python benchmarks/data.py [GIGABYTES] [--json FILE]

Half of it is one file, the other half files of 10 MB. Each way has its turn once: it takes four times that on the disk.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import harness

CLUSTER = "penguins"
SMALL = 10_000_000
PROJECT = "name: bench\nclusters: [penguins]\ninputs: [data]\n"


def fill(folder: Path, size: int) -> None:
    """Write data that no program can make smaller."""
    folder.mkdir(parents=True)
    piece = os.urandom(SMALL)
    with (folder / "large.bin").open("wb") as stream:
        for number in range(size // 2 // SMALL):
            stream.write(number.to_bytes(8, "big") + piece[8:])
    for number in range(size // 2 // SMALL):
        (folder / f"small{number:04}.bin").write_bytes(number.to_bytes(8, "little") + piece[8:])


class Pushes:
    """A project's data, and the ways to bring it to the cluster."""

    def __init__(self, laptop: harness.Laptop, size: int) -> None:
        self.laptop, self.size, self.root = laptop, size, laptop.home / "bench"
        fill(self.root / "data", size)
        (self.root / "rookery.yml").write_text(PROJECT)
        self.ways = {
            "rookery data.push": [harness.ROOKERY, "data.push"],
            "rsync -a --partial": ["rsync", "-a", "--partial", "-e", laptop.ssh, "data", f"{CLUSTER}:rsync"],
        }

    def start(self, way: str) -> "subprocess.Popen[bytes]":
        """Start one of the ways."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.ways[way], cwd=self.root, env=self.laptop.environment, stdout=quiet, stderr=quiet)

    def timed(self, way: str) -> float:
        """Return the seconds that a way takes to its end."""
        began = time.perf_counter()
        if self.start(way).wait():
            sys.exit(f"{way} failed")
        return time.perf_counter() - began

    def killed(self, way: str, after: float) -> float:
        """Kill a way after some seconds; return those that it takes to its end then."""
        process = self.start(way)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return self.timed(way)

    def clear(self) -> None:
        """Remove what was sent, and what is known of it here."""
        self.laptop.there("chmod -R u+w storage/projects/bench 2>/dev/null; rm -rf rsync storage/projects/bench; sync")
        shutil.rmtree(self.laptop.home / ".cache/rookery/data", ignore_errors=True)


def main() -> None:
    """Measure, and print a table."""
    size = int(float(sys.argv[1]) * 1e9) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else 5 * 10**9
    rows: dict[str, dict[str, float]] = {}
    with harness.miniature(CLUSTER) as sandbox, harness.laptop(sandbox, CLUSTER, 0.0) as laptop:
        pushes = Pushes(laptop, size)
        name = f"{size / 1e9:g} GB"
        whole: dict[str, float] = {}
        for way in reversed(pushes.ways):
            whole[way] = pushes.timed(way)
            pushes.clear()
        rows[f"{name}, whole"] = {way: whole[way] for way in pushes.ways}
        rows[f"{name}, the rest after a kill at half time"] = {
            way: pushes.killed(way, whole[way] / 2) for way in pushes.ways
        }
        rows[f"{name}, nothing new"] = {way: pushes.timed(way) for way in pushes.ways}
    print(harness.table(rows, "rsync -a --partial"))
    harness.save(rows, sys.argv)


if __name__ == "__main__":
    main()
