"""Compare `rookery deploy` with `rsync -az --delete` and `git push`, over one open connection: 2,000 files, 20 MB.

.venv/bin/python benchmarks/deploy.py [RUNS]
"""

import shutil
import sys
import sysconfig
from collections.abc import Callable
from itertools import count
from pathlib import Path

import harness

FILES, BYTES = 2_000, 10_000
CLUSTER = "penguins"


def project(folder: Path) -> None:
    """Write 2,000 files of code in forty folders: the standard library of this Python, cut into pieces."""
    library = Path(sysconfig.get_path("stdlib"))
    sources = (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
    code = b"".join(path.read_bytes() for path in sources)
    for number in range(FILES):
        path = folder / f"part{number % 40:02}" / f"file{number:04}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code[number * BYTES : (number + 1) * BYTES])


class Trees:
    """Three copies of the same files, one for each way, changed alike."""

    def __init__(self, laptop: harness.Laptop) -> None:
        self.laptop, self.numbers = laptop, count()
        self.plain, self.pushed, self.deployed = (laptop.home / name for name in ("plain", "pushed", "deployed"))
        project(self.plain)
        shutil.copytree(self.plain, self.pushed)
        shutil.copytree(self.plain, self.deployed)
        self.name("bench")
        for tree in (self.pushed, self.deployed):
            laptop.run("git", "init", "-q", "-b", "main", cwd=tree)
            self.commit(tree)
        laptop.there("git init -q --bare bench.git")

    def name(self, name: str) -> None:
        """Give the project a name."""
        text = f"name: {name}\nclusters: [{CLUSTER}]\nenvironment: {{python: none}}\noutputs: [results]\n"
        (self.deployed / "rookery.yml").write_text(text)

    def commit(self, tree: Path) -> None:
        """Commit everything in a tree."""
        self.laptop.run("git", "add", "-A", cwd=tree)
        self.laptop.run("git", "commit", "-q", "-m", "more", cwd=tree)

    def tidy(self) -> None:
        """Pack the repositories, as those of a clone are."""
        for tree in (self.pushed, self.deployed):
            self.laptop.run("git", "gc", "-q", cwd=tree)

    def change(self, tree: Path, *, commit: bool = True) -> None:
        """Change a line in three files."""
        for number in (3, 700, 1500):
            path = tree / f"part{number % 40:02}" / f"file{number:04}.py"
            path.write_bytes(b"# change %d\n%b" % (next(self.numbers), path.read_bytes().partition(b"\n")[2]))
        if commit:
            self.commit(tree)

    # what is timed
    def rsync(self, goal: str = "plain") -> Callable[[], object]:
        """Return a function that copies a tree to a folder by rsync."""
        return lambda: self.laptop.run(
            "rsync", "-az", "--delete", "-e", self.laptop.ssh, f"{self.plain}/", f"{CLUSTER}:{goal}/"
        )

    def push(self, goal: str = "bench.git") -> Callable[[], object]:
        """Push what is committed to a bare repository."""
        setting = f"core.sshCommand={self.laptop.ssh}"
        return lambda: self.laptop.run("git", "-c", setting, "push", "-q", f"{CLUSTER}:{goal}", "main", cwd=self.pushed)

    def deploy(self) -> Callable[[], object]:
        """Deploy what is committed."""
        return lambda: self.laptop.rookery("deploy", cwd=self.deployed)

    # what comes before it
    def nothing_new(self) -> dict[str, harness.Way]:
        """Return the ways to run each again at once."""
        return {
            "rookery deploy": self.deploy,
            "rsync -az --delete": self.rsync,
            "git push (nothing verified)": self.push,
        }

    def three_changed(self) -> dict[str, harness.Way]:
        """Return the ways to run each after three files have changed."""

        def prepared(tree: Path, act: Callable[[], Callable[[], object]], *, commit: bool = True) -> harness.Way:
            def prepare() -> Callable[[], object]:
                self.change(tree, commit=commit)
                return act()

            return prepare

        return {
            "rookery deploy": prepared(self.deployed, self.deploy),
            "rsync -az --delete": prepared(self.plain, self.rsync, commit=False),
            "git push (nothing verified)": prepared(self.pushed, self.push),
        }

    def first(self) -> dict[str, harness.Way]:
        """Return the ways to run each into an empty place."""

        def deploy() -> Callable[[], object]:
            self.name(f"bench{next(self.numbers)}")
            self.commit(self.deployed)
            return self.deploy()

        def push() -> Callable[[], object]:
            goal = f"bench{next(self.numbers)}.git"
            self.laptop.there(f"git init -q --bare {goal}")
            return self.push(goal)

        return {
            "rookery deploy": deploy,
            "rsync -az --delete": lambda: self.rsync(f"plain{next(self.numbers)}"),
            "git push (nothing verified)": push,
        }


def main() -> None:
    """Measure, and print a table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 9
    rows = {}
    with harness.miniature(CLUSTER) as sandbox:
        for link, round_trip in harness.LINKS.items():
            with harness.laptop(sandbox, CLUSTER, round_trip) as laptop:
                trees = Trees(laptop)
                rows[f"nothing new, {link}"] = harness.compare(trees.nothing_new(), runs)
                rows[f"three files changed, {link}"] = harness.compare(trees.three_changed(), runs)
                rows[f"first, just added, {link}"] = harness.compare(trees.first(), max(3, runs // 3))
                trees.tidy()
                rows[f"first, a clone, {link}"] = harness.compare(trees.first(), max(3, runs // 3))
                laptop.there("rm -rf projects plain* bench*.git")
    print(harness.table(rows, "rsync -az --delete"))
    harness.save(rows, sys.argv)


if __name__ == "__main__":
    main()
