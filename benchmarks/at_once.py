"""Compare 20 first setups at the same moment with 20 plain bash scripts that do the same: a course that begins.

.venv/bin/python benchmarks/at_once.py [RUNS] [HOMES] [--json FILE]

Each student has a laptop, an account of one miniature, and an empty home. Twenty laptops are twenty machines in truth;
here the login node has one core of this machine, and the laptops share the others. The processor time of both sides is
measured apart: that of the login node is what the students share, and sets the time there while its cores are busy.
Beside both, one command on one laptop sets up all of them, as a supervisor may.
"""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import harness
import setup
from harness import Laptop, Way

CLUSTER = setup.CLUSTER
HOMES = 20
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


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a table for one home, and one for all at once."""
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
