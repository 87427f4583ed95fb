"""Shared parts of benchmarks: a laptop and a cluster a given round trip apart, timing in turns, a Markdown table."""

import json
import os
import resource
import shutil
import signal
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
def miniature(
    cluster: str = "penguins", *, set_up: bool = True, home: Path | None = None, slurm: str = ""
) -> Iterator[Path]:
    """Run a miniature of a cluster; yield the folder with what a login needs.

    Args:
        cluster: Its name.
        set_up: Set up the home of its own user, too.
        home: The home that it belongs to, with an inventory where the cluster is not rookery's; by default a new one.
        slurm: The version of its Slurm; by default the nearest to the cluster's.
    """
    top = home or Path(tempfile.mkdtemp(prefix="rookery-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # the miniature ends, too
    try:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ROOKERY_"))}
        environment["HOME"] = str(top)
        setup = ["setup", "--cluster", cluster, "--sandbox", "--yes", "--offline-mirrors"]
        line = setup if set_up else ["sandbox.up", cluster, "--yes", *(["--slurm", slurm] if slurm else [])]
        subprocess.run([ROOKERY, *line], env=environment, check=True, stdout=subprocess.DEVNULL)
        yield top / ".local/state/rookery/sandbox"
    finally:
        subprocess.run([ROOKERY, "sandbox.down", cluster], env=environment, check=False, stdout=subprocess.DEVNULL)
        if not home:
            shutil.rmtree(top)


def new_account(sandbox: Path, cluster: str, name: str) -> None:
    """Make one more account on a miniature, with the key and the password-free login of the first."""
    public = (sandbox / "id_ed25519.pub").read_text()
    line = [*inside(sandbox, cluster), "/usr/local/sbin/new-account", name, "/bin/bash"]
    subprocess.run(line, input=public, text=True, check=True, capture_output=True)


def inside(sandbox: Path, cluster: str) -> list[str]:
    """Return what goes in front of a command to run it as root on a miniature."""
    pid = json.loads((sandbox / f"{cluster}.json").read_text())["pid"]
    namespaces = ["--user", "--mount", "--pid", "--uts", "--root", "--wd"]
    return ["nsenter", f"--target={pid}", *namespaces, "--", "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]


def processor_seconds(sandbox: Path, cluster: str) -> float:
    """Return the processor time that all processes of a miniature have taken, those that have ended included."""
    line = [*inside(sandbox, cluster), "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null"]
    last = -1.0
    while True:  # a process that ends between the reading of its parent and its own is counted nowhere
        listing = subprocess.run(line, text=True, check=False, capture_output=True).stdout
        # proc(5): utime, stime, cutime and cstime are the 14th to the 17th; the second is a name in brackets
        entries = (entry.rpartition(")")[2].split() for entry in listing.splitlines() if ")" in entry)
        total = sum(int(ticks) for entry in entries for ticks in entry[11:15]) / os.sysconf("SC_CLK_TCK")
        if abs(total - last) < 0.05:
            return total
        last = total
        time.sleep(0.3)


def meters(sandbox: Path, cluster: str) -> dict[str, Callable[[], float]]:
    """Return what can be measured beside the wall time: the processor time of both sides, apart.

    Open connections are left out: their few milliseconds come when they are closed.
    """

    def started_here() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    return {
        "wall time": time.perf_counter,
        "processor time, login node": lambda: processor_seconds(sandbox, cluster),
        "processor time, laptops": started_here,
    }


def set_apart(sandbox: Path, cluster: str) -> None:
    """Give a miniature the first core, and what is started here from now on the others, as they are two machines."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        sys.exit("This needs two cores: one for the cluster, the others for the laptops.")
    script = f'for process in /proc/[0-9]*; do taskset -a -p -c {first} "${{process#/proc/}}"; done'
    line = [*inside(sandbox, cluster), "sh", "-c", script]
    subprocess.run(line, check=False, capture_output=True)  # some of them end meanwhile
    os.sched_setaffinity(0, others)


@contextmanager
def laptop(sandbox: Path, cluster: str, round_trip: float, user: str = "") -> Iterator[Laptop]:
    """Make a laptop with an open connection to a miniature, as if the cluster were that far away.

    Args:
        sandbox: The folder with what a login to it needs.
        cluster: Its name.
        round_trip: Seconds that a round trip takes.
        user: The account there, if not the miniature's own.
    """
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
        profile |= {"cluster_user": user} if user else {}
        inventory = Path(folder) / ".config/rookery/inventory"
        (inventory / "host_vars").mkdir(parents=True)
        (inventory / "host_vars" / f"{cluster}.yml").write_text(yaml.safe_dump(profile))
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {cluster: None}}}))
        made = Laptop(Path(folder), cluster)
        made.rookery("login", cluster)
        yield made
        made.run(*made.ssh.split(), "-O", "exit", cluster)


Way = Callable[[], Callable[[], object]]
"""Called before a run, untimed, to make things ready; what it gives is called and timed."""


def compare(ways: Mapping[str, Way], runs: int) -> dict[str, float]:
    """Return the median seconds of each way; they take turns, so that other load on the machine meets them alike."""
    return measure(ways, runs, {"seconds": time.perf_counter})["seconds"]


def measure(
    ways: Mapping[str, Way], runs: int, meters: Mapping[str, Callable[[], float]], warming: int = 1
) -> dict[str, dict[str, float]]:
    """Return, for each meter, by how much each way moves it: the median of its runs; the ways take turns.

    Args:
        ways: By name.
        runs: How often each is measured.
        meters: What is read before and after each run, by name.
        warming: Runs before those, which are not measured.
    """
    moved: dict[str, dict[str, list[float]]] = {meter: {name: [] for name in ways} for meter in meters}
    for number in range(runs + warming):
        for name, prepare in ways.items():
            act = prepare()
            # in the opposite order, so that the wall time is read right before and right after
            before = {meter: meters[meter]() for meter in reversed(list(meters))}
            act()
            taken = {meter: read() - before[meter] for meter, read in meters.items()}
            if number >= warming:
                for meter, value in taken.items():
                    moved[meter][name].append(value)
    return {
        meter: {name: statistics.median(values) for name, values in by_way.items()} for meter, by_way in moved.items()
    }


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
