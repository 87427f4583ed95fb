"""Ask a login node about its cluster in one round trip, and read the answer.

The question is rookery/remote/scripts/survey: POSIX sh, so that it works where there is no Python.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rookery.core import paths
from rookery.core.console import clean, waiting
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

ADDRESS = "https://pypi.org/simple/pip/"
"""What is asked for, to see whether the internet can be reached."""

PATIENCE = 180
"""Seconds that the whole survey may take: a site's module command and Slurm are each given ten."""

LONGEST = 4096
"""Characters of a fact; what is longer is cut off."""

MOST = 50_000
"""Facts that are read; the script sends fewer."""

_LINE = re.compile(r"rookery-survey ([a-z][a-z:-]{0,30})(?: (.*))?")


@dataclass(frozen=True)
class Survey:
    """What a cluster said of itself, line by line, by key; every text is printable."""

    facts: Mapping[str, tuple[str, ...]]
    """The lines of each key (rookery/remote/scripts/survey has the keys)."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many lines of a key were too many."""

    def one(self, key: str) -> str:
        """Return the only line of a key; "" where there is none."""
        return next(iter(self.facts.get(key, ())), "").strip()

    def all(self, key: str) -> tuple[str, ...]:
        """Return the lines of a key."""
        return self.facts.get(key, ())


def script() -> str:
    """Return the text of the survey."""
    return "".join(paths.remote(f"scripts/survey/{name}.sh") for name in ("login", "trials", "survey"))


def ask(connection: "Connection", account: str) -> Survey:
    """Ask the cluster; nothing is written there, and no job is submitted.

    Args:
        connection: Its connection, open.
        account: The account that the user's jobs are charged to; "" where not known.

    Raises:
        SshError: The connection failed.
        RookeryError: The answer is cut off.
    """
    with waiting(f"asking {connection.cluster.name} about itself"):
        completed = connection.run([account, ADDRESS], script=script(), timeout=PATIENCE, check=False)
    return read(completed.stdout, connection.cluster.name)


def read(output: str, name: str) -> Survey:
    """Return the facts in what the script printed.

    Args:
        output: That, with whatever else came on standard output.
        name: The cluster's, for messages.

    Raises:
        RookeryError: The last line is missing.
    """
    facts: dict[str, list[str]] = defaultdict(list)
    for line in output.split("\n")[:MOST]:
        if match := _LINE.fullmatch(clean(line)):
            facts[match[1]].append((match[2] or "")[:LONGEST])
    if facts.pop("complete", None) != ["yes"]:
        raise RookeryError(
            f"{name} sent an incomplete answer, so nothing was written.",
            hint="run the command again   # if it fails again, look for `exit` in your ~/.bashrc on the cluster",
        )
    left = dict(line.split(" ", 1) for line in facts.pop("more", []) if " " in line)
    return Survey(
        {key: tuple(lines) for key, lines in facts.items()},
        {key: int(count) for key, count in left.items() if re.fullmatch("[0-9]{1,9}", count)},
    )
