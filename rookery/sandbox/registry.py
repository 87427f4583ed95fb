"""The miniatures that were started and not ended, on the user's side: a JSON file each."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rookery.core import state_files
from rookery.remote import strict_json


@dataclass(frozen=True)
class Miniature:
    """A miniature of a cluster, as the user's side knows it."""

    name: str
    """The cluster's name."""
    address: str
    """Address of its login node, in 127.0.0.0/8."""
    port: int
    """Port of its ssh server there."""
    user: str
    """The account on it."""
    pid: int
    """Its first process, as this machine numbers it."""
    started: float
    """When it was started, in seconds since 1970."""
    running: bool
    """Whether it runs now."""
    folder: str
    """Folder of this machine that holds its files."""
    host: str
    """Name of the cluster's real login node."""
    fingerprint: str
    """Of its host key, as ssh shows it."""
    auth: str = ""
    """How users log in, as `--auth` said; "" for a key, and a password where the cluster takes those."""
    jump: str = ""
    """Address of the jump host that it is reached through; "" for none."""
    password: str = ""
    """The account's, made up at each start; "" where none is asked for."""
    totp_secret: str = ""
    """What its six-digit codes are made from, in base32; "" where none are asked for."""
    slurm: str = ""
    """Version of its Slurm, such as 24.11.5; "" where it has none."""


def state() -> Path:
    """Return the folder of what the user's side needs: key, known hosts, inventory, one JSON file a miniature."""
    return state_files.place("sandbox")


def listing(folder: Path | None = None) -> list[Miniature]:
    """Return the miniatures that were started and not ended, whether or not they still run.

    Args:
        folder: The user's folder of them; by default the caller's.
    """
    miniatures = []
    for file in sorted((folder or state()).glob("*.json")):
        with suppress(ValueError, KeyError, TypeError, OSError):
            fields = strict_json.read(file)
            miniatures.append(
                Miniature(**{**fields, "running": is_alive(int(fields["pid"]), float(fields["started"]))})
            )
    return miniatures


def is_alive(pid: int, started: float) -> bool:
    """Return whether a miniature's first process is there, and is not another that was given its number since."""
    try:
        return abs(start_of(pid) - started) < 2
    except OSError:
        return False


def start_of(pid: int) -> float:
    """Return when a process was started, in seconds since 1970.

    From proc(5): field 22 of stat, in ticks since the machine's start.

    Raises:
        OSError: There is no such process.
    """
    ticks = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    machine = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    booted = next(line for line in machine if line.startswith("btime "))
    return int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
