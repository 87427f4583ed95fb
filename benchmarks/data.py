"""Compare `rookery data.push` with `rsync --partial` over one open connection: 5 GB, whole and after a kill.

.venv/bin/python benchmarks/data.py [GIGABYTES] [--json FILE]

Half of it is one file, the other half files of 10 MB. Both copies are on this disk. The better of two turns counts for
the whole; the disk is waited for before each.
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
KILLS = {"in the large file": 0.25, "among the small files": 0.75}
"""Where a push is killed, and the share of the data that has arrived then."""
PROJECT = "name: bench\nclusters: [penguins]\ninputs: [data]\n"


def fill(folder: Path, size: int) -> None:
    """Write random data: rsync would find equal pieces again in what has arrived, and not send them."""
    folder.mkdir(parents=True)
    pieces = size // 2 // SMALL
    with (folder / "large.bin").open("wb") as stream:
        for _ in range(pieces):
            stream.write(os.urandom(SMALL))
    for number in range(pieces):
        (folder / f"small{number:04}.bin").write_bytes(os.urandom(SMALL))


class Pushes:
    """A project's data, and the ways to bring it to the cluster."""

    def __init__(self, laptop: harness.Laptop, size: int) -> None:
        self.laptop, self.size, self.root = laptop, size, laptop.home / "bench"
        fill(self.root / "data", size)
        (self.root / "rookery.yml").write_text(PROJECT)
        self.ways = {
            "rookery data.push": [harness.ROOKERY, "data.push"],
            "rsync -a --partial": ["rsync", "-a", "--partial", "-e", laptop.ssh, "data", f"{CLUSTER}:storage/rsync"],
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

    def killed(self, way: str, share: float) -> float:
        """Kill a way when a share of the data has arrived; return the seconds that it takes to its end then."""
        process = self.start(way)
        while self.arrived() < self.size * share:
            if process.poll() is not None:
                sys.exit(f"{way} ended before it was killed")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.laptop.there("sync")
        return self.timed(way)

    def arrived(self) -> int:
        """Return the bytes that have arrived."""
        return int(self.laptop.there("du -sbc storage/rsync storage/projects/bench 2>/dev/null | tail -n 1").split()[0])

    def clear(self) -> None:
        """Remove what was sent, and what is known of it here."""
        self.laptop.there(
            "chmod -R u+w storage/projects/bench 2>/dev/null; rm -rf storage/rsync storage/projects/bench; sync"
        )
        shutil.rmtree(self.laptop.home / ".cache/rookery/data", ignore_errors=True)


def main() -> None:
    """Measure, and print a table."""
    size = int(float(sys.argv[1]) * 1e9) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else 5 * 10**9
    rows: dict[str, dict[str, float]] = {}
    with harness.miniature(CLUSTER) as sandbox, harness.laptop(sandbox, CLUSTER, 0.0) as laptop:
        pushes = Pushes(laptop, size)
        name = f"{size / 1e9:g} GB"
        whole: dict[str, list[float]] = {way: [] for way in pushes.ways}
        for way in [*pushes.ways, *reversed(pushes.ways)]:
            pushes.clear()
            whole[way].append(pushes.timed(way))
        rows[f"{name}, whole"] = {way: min(seconds) for way, seconds in whole.items()}
        for where, share in KILLS.items():
            row = rows[f"{name}, the rest after a kill {where}"] = {}
            for way in pushes.ways:
                pushes.clear()
                row[way] = pushes.killed(way, share)
        for way in pushes.ways:
            pushes.timed(way)
        rows[f"{name}, nothing new"] = {way: pushes.timed(way) for way in pushes.ways}
    print(harness.table(rows, "rsync -a --partial"))
    harness.save(rows, sys.argv)


if __name__ == "__main__":
    main()
