"""Shared parts of benchmarks: a laptop and a cluster a given round trip apart, timing in turns, a Markdown table."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import link
import yaml

ROOKERY = str(Path(sys.executable).with_name("rookery"))
LINKS = {"loopback": 0.0, "20 ms link": 0.02}
"""Round trips, in seconds, by the name that they have in a table."""


@dataclass(frozen=True)
class Laptop:
    """A home on this side, set up for one cluster that is a given round trip away.

    Attributes:
        home: Its folder.
        cluster: The cluster's name.
    """

    home: Path
    cluster: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the laptop's user."""
        kept = {key: os.environ[key] for key in ("PATH", "SSL_CERT_FILE", "PIP_CERT") if key in os.environ}
        people = {
            "GIT_AUTHOR_NAME": "b",
            "GIT_AUTHOR_EMAIL": "b@b",
            "GIT_COMMITTER_NAME": "b",
            "GIT_COMMITTER_EMAIL": "b@b",
        }
        return kept | people | {"HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "dumb"}

    @property
    def ssh(self) -> str:
        """The ssh command through the open master, for rsync -e and GIT_SSH_COMMAND."""
        return f"ssh -F {self.home}/.config/rookery/ssh_config"

    def run(self, *argv: str, cwd: Path | None = None, input_text: str | None = None) -> str:
        """Run a command to its end; return its output."""
        completed = subprocess.run(
            argv,
            cwd=cwd or self.home,
            env=self.environment,
            input=input_text,
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            sys.exit(f"{argv} failed: {completed.stdout}{completed.stderr}")
        return completed.stdout

    def rookery(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run a rookery command."""
        return self.run(ROOKERY, *arguments, cwd=cwd)

    def there(self, command: str) -> str:
        """Run a command on the cluster."""
        return self.run(*self.ssh.split(), self.cluster, command)


@contextmanager
def miniature(cluster: str = "penguins") -> Iterator[Path]:
    """Run a miniature of a cluster, with a home set up on it; yield the folder with what a login needs."""
    top = Path(tempfile.mkdtemp(prefix="rookery-"))
    try:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ROOKERY_"))}
        environment["HOME"] = str(top)
        flags = ["--cluster", cluster, "--sandbox", "--yes", "--offline-mirrors"]
        subprocess.run([ROOKERY, "setup", *flags], env=environment, check=True, stdout=subprocess.DEVNULL)
        yield top / ".local/state/rookery/sandbox"
    finally:
        subprocess.run([ROOKERY, "sandbox.down", cluster], env=environment, check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(top)


@contextmanager
def laptop(sandbox: Path, cluster: str, round_trip: float) -> Iterator[Laptop]:
    """Make a laptop with an open connection to a miniature, as if the cluster were that far away."""
    profile = yaml.safe_load((sandbox / "inventory/host_vars" / f"{cluster}.yml").read_text())
    host, port = profile["cluster_host"], profile.get("cluster_port", 22)
    way = link.delayed(host, port, round_trip) if round_trip else nullcontext(port)
    with tempfile.TemporaryDirectory(prefix="rookery-") as folder, way as reached:
        address = "127.0.0.1" if round_trip else host
        name = address if reached == 22 else f"[{address}]:{reached}"
        keys = [line.split(" ", 1)[1] for line in (sandbox / "known_hosts").read_text().splitlines() if " " in line]
        known = Path(folder) / "known_hosts"
        known.write_text("".join(f"{name} {key}\n" for key in keys))
        profile |= {"cluster_host": address, "cluster_port": reached, "cluster_known_hosts_file": str(known)}
        inventory = Path(folder) / ".config/rookery/inventory"
        (inventory / "host_vars").mkdir(parents=True)
        (inventory / "host_vars" / f"{cluster}.yml").write_text(yaml.safe_dump(profile))
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {cluster: None}}}))
        made = Laptop(Path(folder), cluster)
        made.rookery("setup", "--cluster", cluster, "--check")  # opens the connection
        yield made
        made.run(*made.ssh.split(), "-O", "exit", cluster)


Way = Callable[[], Callable[[], object]]
"""Called before a run, untimed, to make things ready; what it gives is called and timed."""


def compare(ways: Mapping[str, Way], runs: int) -> dict[str, float]:
    """Return the median seconds of each way; they take turns, so that other load on the machine meets them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs + 1):
        for name, prepare in ways.items():
            act = prepare()
            began = time.perf_counter()
            act()
            if number:  # the first one warms up
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def table(rows: Mapping[str, Mapping[str, float]], reference: str) -> str:
    """Return a Markdown table: a row for each case, with each way's median and its multiple of the reference's."""
    ways = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(ways)} |", f"| --- |{' --- |' * len(ways)}"]
    for case, medians in rows.items():
        cells = [f"{medians[way]:.2f} s ({medians[way] / medians[reference]:.2f}x)" for way in ways]
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def save(rows: Mapping[str, Mapping[str, float]], arguments: Sequence[str]) -> None:
    """Write the medians to the file that `--json FILE` names."""
    if "--json" in arguments:
        Path(arguments[list(arguments).index("--json") + 1]).write_text(json.dumps(rows, indent=2))
