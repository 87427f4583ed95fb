"""Measure `rookery clusters.add` beside plain ssh that asks a cluster the same questions: all begin with a new login.

.venv/bin/python benchmarks/add.py [RUNS] [--json FILE]

The difference is what `clusters.add` itself takes, as the plain ssh waits for Slurm's commands, too.
"""

import contextlib
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import harness
import link
from harness import Laptop, Way

from rookery.clusters.survey import answer

CLUSTERS = ("penguins", "hec")
"""One partition, and eight with limits, GPUs and modules: the more there is, the more Slurm is asked."""
NAME = "iceberg"
REFERENCE = "the questions alone, plain ssh"


@dataclass(frozen=True)
class Newcomer(Laptop):
    """A laptop that knows nothing of a cluster but where it is, with a key for it.

    Attributes:
        options: The options of `clusters.add`.
        login: An ssh command that makes a new connection.
    """

    options: tuple[str, ...]
    login: tuple[str, ...]

    def anew(self, act: Callable[[], object]) -> Way:
        """Return a way before which the cluster is forgotten: its profile, its host key and the connection."""

        def prepare() -> Callable[[], object]:
            if (self.home / ".config/rookery/inventory").exists():
                self.rookery("logout", NAME)
                shutil.rmtree(self.home / ".config/rookery/inventory")
                (self.home / ".local/state/rookery/known_hosts").unlink()
            return act

        return prepare

    def ways(self) -> dict[str, Way]:
        """Return what is measured."""
        questions = shlex.join(["sh", "-s", "", answer.ADDRESS])
        return {
            "rookery clusters.add": self.anew(lambda: self.rookery("clusters.add", NAME, *self.options, "--yes")),
            REFERENCE: lambda: lambda: self.run(*self.login, questions, input_text=answer.script()),
            "ssh true": lambda: lambda: self.run(*self.login, "true"),
        }


@contextlib.contextmanager
def newcomer(sandbox: Path, cluster: str, round_trip: float) -> Iterator[Newcomer]:
    """Make a laptop that a miniature is a given round trip away from."""
    miniature = json.loads((sandbox / f"{cluster}.json").read_text())
    key, user = sandbox / "id_ed25519", miniature["user"]
    with (
        tempfile.TemporaryDirectory(prefix="rookery-") as folder,
        link.delayed(miniature["address"], miniature["port"], round_trip) as port,
    ):
        home = Path(folder)
        (home / ".ssh").mkdir(mode=0o700)
        (home / ".ssh/config").write_text(f"Host *\n    IdentityFile {key}\n")
        fingerprint = f"--accept-host-key={miniature['fingerprint']}"
        options = ("--host=127.0.0.1", f"--port={port}", f"--user={user}", fingerprint)
        keys = (sandbox / "known_hosts").read_text().splitlines()
        (home / "known").write_text("".join(f"[127.0.0.1]:{port} {line.split(' ', 1)[1]}\n" for line in keys if line))
        known = f"UserKnownHostsFile={home}/known"
        login = ("ssh", "-F", "none", "-i", str(key), "-p", str(port), "-o", known, f"{user}@127.0.0.1")
        laptop = Newcomer(home, NAME, options, login)
        yield laptop
        laptop.anew(lambda: None)()


def main() -> None:
    """Measure, and print a table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 5
    rows: dict[str, dict[str, float]] = {}
    for cluster in CLUSTERS:
        with harness.miniature(cluster, set_up=False) as sandbox:
            for name, round_trip in harness.LINKS.items():
                with newcomer(sandbox, cluster, round_trip) as laptop:
                    figures = harness.measure(laptop.ways(), runs, harness.meters(sandbox, cluster))
                    rows |= {f"{cluster}, {name}, {meter}": medians for meter, medians in figures.items()}
            print(harness.table(rows, REFERENCE), flush=True)
    harness.save(rows, sys.argv)


if __name__ == "__main__":
    main()
