"""Compare `rookery fetch` with rsync, and `combine` with pandas and a shell loop: 10,000 small files.

.venv/bin/python benchmarks/fetch.py [RUNS] [--json FILE]

pandas is measured where it can be imported; `uv run --with pandas` in front sees to that.
"""

import secrets
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import harness

CLUSTER = "penguins"
FILES = 10_000
MAKE = f"""
set -e
base=$HOME/projects/bench
storage=$HOME/storage/projects/bench/results
mkdir -p "$base/releases/abc" "$storage"
ln -sfn releases/abc "$base/current"
ln -sfn "$storage" "$base/current/results"
cd "$storage"
seq {FILES} | awk '{{ name = "r_" $1 ".csv"; print "task,x,text" >name
    printf "%d,0.%d,%s\\n", $1, $1, sprintf("%170s", $1) >name; close(name) }}'
"""
PANDAS = """
import glob, pandas
pandas.concat([pandas.read_csv(name) for name in sorted(glob.glob("results/*.csv"))]).to_csv("pandas.csv", index=False)
"""
LOOP = 'head -n 1 results/r_1.csv >loop.csv; for file in results/*.csv; do tail -n +2 "$file"; done >>loop.csv'

Act = Callable[[], object]


class Folder:
    """A project's folder on the laptop, and rsync's copy of its results beside it."""

    def __init__(self, laptop: harness.Laptop) -> None:
        self.laptop, self.path, self.copy = laptop, laptop.home / "bench", laptop.home / "copy"
        self.path.mkdir()
        (self.path / "rookery.yml").write_text(f"name: bench\nclusters: [{CLUSTER}]\noutputs: [results]\njobs: {{}}\n")
        laptop.run(*laptop.ssh.split(), CLUSTER, "bash -s", input_text=MAKE)

    def fetch(self) -> Act:
        """Return a run of `rookery fetch`."""
        return lambda: self.laptop.rookery("fetch", cwd=self.path)

    def rsync(self) -> Act:
        """Return a function that copies the results by rsync."""
        source = f"{CLUSTER}:storage/projects/bench/results/"
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

    def combining(self) -> dict[str, harness.Way]:
        """Return the ways to put what was fetched into one table."""

        def way(*argv: str) -> harness.Way:
            return lambda: lambda: subprocess.run(argv, cwd=self.path, check=True)

        ways: dict[str, harness.Way] = {
            "rookery": lambda: lambda: self.laptop.rookery("combine", cwd=self.path),
            "shell loop (heads unchecked)": way("bash", "-c", LOOP),
        }
        return {**ways, "pandas": way(sys.executable, "-c", PANDAS)} if find_spec("pandas") else ways


def main() -> None:
    """Measure, and print two tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 7
    rows, combined = {}, {}
    with harness.miniature(CLUSTER) as sandbox, ExitStack() as stack:
        for link, round_trip in harness.LINKS.items():
            folder = Folder(stack.enter_context(harness.laptop(sandbox, CLUSTER, round_trip)))
            first = {
                "rookery": folder.anew(folder.fetch, folder.path / "results"),
                "rsync -az": folder.anew(folder.rsync, folder.copy),
            }
            rows[f"fetch {FILES:,} files, {link}"] = harness.compare(first, runs)
            again = {"rookery": folder.fetch, "rsync -az": folder.rsync}
            rows[f"fetch again, nothing new, {link}"] = harness.compare(again, runs)
            combined = combined or harness.compare(folder.combining(), max(1, runs // 3))
    table = {f"combine {FILES:,} files": combined}
    print(harness.table(rows, "rsync -az"), harness.table(table, "shell loop (heads unchecked)"), sep="\n\n")
    harness.save({**rows, **table}, sys.argv)


if __name__ == "__main__":
    main()
