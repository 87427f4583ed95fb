"""Compare 20 first setups at the same moment with 20 plain bash scripts that do the same: a course that begins.

.venv/bin/python benchmarks/at_once.py [RUNS] [HOMES] [--json FILE]

Each student has a laptop, an account of one miniature, and an empty home. Twenty laptops are twenty machines in truth;
here the login node has one core of this machine, and the laptops share the others. The processor time of both sides is
measured apart: that of the login node is what the students share, and sets the time there while its cores are busy.
Beside both, one command on one laptop sets up all of them, as a supervisor may.

.venv/bin/python benchmarks/at_once.py asked [RUNS]

Compares `queue` for four clusters at once with the slowest of them alone, and with one after another. The clusters are
accounts of one miniature, each at the end of a link of another length.
"""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import harness
import link
import setup
import yaml
from harness import Laptop, Way

CLUSTER = setup.CLUSTER
HOMES = 20
ROUND_TRIPS = (0.05, 0.1, 0.2, 0.4)
"""Seconds that a round trip to each of several clusters takes."""

REFERENCE = "bash scripts"


def at_once(laptops: Sequence[Laptop], act: Callable[[Laptop], object]) -> Way:
    """Return a way in which all laptops do the same at the same moment, from empty homes."""
    pool = ThreadPoolExecutor(len(laptops))

    def prepare() -> Callable[[], object]:
        for laptop in laptops:
            setup.from_nothing(laptop, lambda: None)()
        return lambda: list(pool.map(act, laptops))

    return prepare


def in_one_command(supervisor: Laptop, laptops: Sequence[Laptop], users: Sequence[str]) -> Way:
    """Return a way in which one laptop sets up all homes, which are empty."""

    def prepare() -> Callable[[], object]:
        for laptop, user in zip(laptops, users, strict=True):
            setup.from_nothing(laptop, lambda: None)()
            (supervisor.home / f".local/state/rookery/clusters/{user}.json").unlink(missing_ok=True)
        return lambda: supervisor.rookery("setup", "--cluster", ",".join(users))

    return prepare


def ways(supervisor: Laptop, laptops: Sequence[Laptop], users: Sequence[str]) -> dict[str, Way]:
    """Return the ways to set up all homes."""
    script = setup.plain_script(laptops[0])
    return {
        "one command": in_one_command(supervisor, laptops, users),
        "rookery setup": at_once(laptops, lambda laptop: laptop.rookery("setup", "--cluster", CLUSTER)),
        REFERENCE: at_once(laptops, lambda laptop: setup.run_script(laptop, script)),
    }


def asked(runs: int) -> dict[str, dict[str, float]]:
    """Time a question to four clusters at once, to the slowest of them alone, and to one after another."""
    far = {f"far{number}": round_trip for number, round_trip in enumerate(ROUND_TRIPS)}
    ports = {}
    with harness.miniature(CLUSTER) as sandbox, ExitStack() as stack:
        laptop = stack.enter_context(harness.laptop(sandbox, CLUSTER, 0.0))
        inventory = laptop.home / ".config/rookery/inventory"
        near = yaml.safe_load((inventory / f"host_vars/{CLUSTER}.yml").read_text())
        known = Path(near["cluster_known_hosts_file"])
        keys = {line.split(" ", 1)[1] for line in known.read_text().splitlines()}
        setup.know_accounts(laptop, [*far])
        for name, round_trip in far.items():
            harness.new_account(sandbox, CLUSTER, name)
            port = stack.enter_context(link.delayed(near["cluster_host"], near["cluster_port"], round_trip))
            with known.open("a") as file:
                file.writelines(f"[127.0.0.1]:{port} {key}\n" for key in keys)
            ports[name] = port
        for name, port in ports.items():
            profile = inventory / f"host_vars/{name}.yml"
            reached = {"cluster_host": "127.0.0.1", "cluster_port": port}
            profile.write_text(yaml.safe_dump(yaml.safe_load(profile.read_text()) | reached))
            laptop.rookery("login", name)
        slowest = [*far][-1]
        ways = {
            "all at once": lambda: laptop.rookery("queue", ",".join(far)),
            "one after another": lambda: [laptop.rookery("queue", name) for name in far],
            "the slowest alone": lambda: laptop.rookery("queue", slowest),
        }
        compared = harness.compare({name: setup.steady(act) for name, act in ways.items()}, runs)
        for name in far:
            laptop.run(*laptop.ssh.split(), "-O", "exit", name)
    return {f"{len(far)} clusters, {ROUND_TRIPS[0]:g} to {ROUND_TRIPS[-1]:g} s away": compared}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a table for one home, and one for all at once."""
    if "asked" in arguments:
        figures = asked(int(next((word for word in arguments if word.isdigit()), "5")))
        print(harness.table(figures, "the slowest alone"))
        harness.save(figures, arguments)
        return
    numbers = [int(word) for word in arguments if word.isdigit()]
    runs, homes = (*numbers, *(3, HOMES)[len(numbers) :])[:2]
    rows: dict[str, dict[str, float]] = {}
    with harness.miniature(CLUSTER) as sandbox, ExitStack() as stack:
        harness.set_apart(sandbox, CLUSTER)
        meters, laptops = harness.meters(sandbox, CLUSTER), []
        users = [f"student{number:02}" for number in range(homes)]
        for user in users:
            harness.new_account(sandbox, CLUSTER, user)
            laptops.append(stack.enter_context(harness.laptop(sandbox, CLUSTER, 0.0, user)))
        supervisor = stack.enter_context(harness.laptop(sandbox, CLUSTER, 0.0))
        setup.know_accounts(supervisor, users)
        for user in users:
            supervisor.rookery("login", user)
        for count in sorted({1, homes}):
            # the runs of one home warm up for all
            compared = ways(supervisor, laptops[:count], users[:count])
            figures = harness.measure(compared, runs, meters, warming=count == 1)
            rows |= {f"homes: {count}, {meter}": medians for meter, medians in figures.items()}
            print(harness.table(rows, REFERENCE), flush=True)
    harness.save(rows, arguments)


if __name__ == "__main__":
    os.environ.setdefault("UV_LINK_MODE", "copy")
    main(sys.argv[1:])
