"""Compare `rookery fetch` with rsync, and `combine` with pandas and a shell loop: 10,000 small files.

.venv/bin/python benchmarks/fetch.py [RUNS] [curve] [--json FILE]

pandas is measured where it can be imported; `uv run --with pandas` in front sees to that. `curve` measures 10,000,
30,000 and 100,000 files over the link instead, all of them fetched once, nothing new RUNS times.
"""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import harness

CLUSTER = "penguins"
FILES = 10_000
CURVE = (10_000, 30_000, 100_000)
MAKE = """
set -e
base=$HOME/projects/$1
storage=$HOME/storage/projects/$1/results
mkdir -p "$base/releases/abc" "$storage"
ln -sfn releases/abc "$base/current"
ln -sfn "$storage" "$base/current/results"
cd "$storage"
seq "$2" | awk '{ name = "r_" $1 ".csv"; print "task,x,text" >name
    printf "%d,0.%d,%s\\n", $1, $1, sprintf("%170s", $1) >name; close(name) }'
"""
PANDAS = """
import glob, pandas
pandas.concat([pandas.read_csv(name) for name in sorted(glob.glob("results/*.csv"))]).to_csv("pandas.csv", index=False)
"""
LOOP = 'head -n 1 results/r_1.csv >loop.csv; for file in results/*.csv; do tail -n +2 "$file"; done >>loop.csv'

Act = Callable[[], object]


class Folder:
    """A project's folder on the laptop, and rsync's copy of its results beside it."""

    def __init__(self, laptop: harness.Laptop, files: int = FILES) -> None:
        self.name = f"bench-{files}"
        self.laptop, self.path, self.copy = laptop, laptop.home / self.name, laptop.home / f"copy-{files}"
        self.path.mkdir()
        text = f"name: {self.name}\nclusters: [{CLUSTER}]\noutputs: [results]\njobs: {{}}\n"
        (self.path / "rookery.yml").write_text(text)
        laptop.run(*laptop.ssh.split(), CLUSTER, f"bash -s {self.name} {files}", input_text=MAKE)

    def fetch(self) -> Act:
        """Return a run of `rookery fetch`."""
        return lambda: self.laptop.rookery("fetch", cwd=self.path)

    def rsync(self) -> Act:
        """Return a function that copies the results by rsync."""
        source = f"{CLUSTER}:storage/projects/{self.name}/results/"
        return lambda: self.laptop.run("rsync", "-az", "-e", self.laptop.ssh, source, str(self.copy))

    def anew(self, act: Callable[[], Act], folder: Path) -> harness.Way:
        """Return a way that fetches everything again; what was here is moved aside.

        It is removed at the end: ext4 takes no place of a file that was removed minutes ago, and looks at each of them.
        """

        def prepare() -> Act:
            if folder.exists():
                folder.rename(self.laptop.home / f"old-{secrets.token_hex(4)}")
            return act()

        return prepare

    def fetching(self) -> tuple[dict[str, harness.Way], dict[str, harness.Way]]:
        """Return the ways to fetch everything, and those to fetch where nothing is new."""
        first = {
            "rookery": self.anew(self.fetch, self.path / "results"),
            "rsync -az": self.anew(self.rsync, self.copy),
        }
        return first, {"rookery": self.fetch, "rsync -az": self.rsync}

    def combining(self) -> dict[str, harness.Way]:
        """Return the ways to put what was fetched into one table."""

        def way(*argv: str) -> harness.Way:
            return lambda: lambda: subprocess.run(argv, cwd=self.path, check=True)

        ways: dict[str, harness.Way] = {
            "rookery": lambda: lambda: self.laptop.rookery("combine", cwd=self.path),
            "shell loop (heads unchecked)": way("bash", "-c", LOOP),
        }
        return {**ways, "pandas": way(sys.executable, "-c", PANDAS)} if find_spec("pandas") else ways


def compare(sandbox: Path, stack: ExitStack, runs: int) -> None:
    """Measure 10,000 files, and print two tables."""
    rows: dict[str, dict[str, float]] = {}
    combined: dict[str, float] = {}
    for link, round_trip in harness.LINKS.items():
        folder = Folder(stack.enter_context(harness.laptop(sandbox, CLUSTER, round_trip)))
        first, again = folder.fetching()
        rows[f"fetch {FILES:,} files, {link}"] = harness.compare(first, runs)
        rows[f"fetch again, nothing new, {link}"] = harness.compare(again, runs)
        combined = combined or harness.compare(folder.combining(), max(1, runs // 3))
    table = {f"combine {FILES:,} files": combined}
    print(harness.table(rows, "rsync -az"), harness.table(table, "shell loop (heads unchecked)"), sep="\n\n")
    harness.save({**rows, **table}, sys.argv)


def draw_curve(sandbox: Path, stack: ExitStack, runs: int) -> None:
    """Measure more and more files over the link, and print a table, and how long `combine` takes."""
    rows, combined = {}, {}
    meters = {"seconds": time.perf_counter}
    laptop = stack.enter_context(harness.laptop(sandbox, CLUSTER, harness.LINKS["20 ms link"]))
    for files in CURVE:
        folder = Folder(laptop, files)
        first, again = folder.fetching()
        rows[f"{files:,} files"] = harness.measure(first, 1, meters, warming=0)["seconds"]
        rows[f"{files:,} files, nothing new"] = harness.compare(again, runs)
        rookery = {"rookery": folder.combining()["rookery"]}
        combined[f"combine {files:,} files"] = harness.compare(rookery, 1)
    print(
        harness.table(rows, "rsync -az"),
        "",
        *(f"{case}: {way['rookery']:.2f} s" for case, way in combined.items()),
        sep="\n",
    )
    harness.save({**rows, **combined}, sys.argv)


def main() -> None:
    """Measure, and print tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 7
    with harness.miniature(CLUSTER) as sandbox, ExitStack() as stack:
        (draw_curve if "curve" in sys.argv else compare)(sandbox, stack, runs)


if __name__ == "__main__":
    main()
