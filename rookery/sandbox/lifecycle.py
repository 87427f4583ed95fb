"""Start, list and end miniatures of clusters on this machine.

The functions of the commands are here; `manager` has the parts that need root, run through sudo where the caller is not
root.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rookery.clusters.config import profile
from rookery.core import atomic_files
from rookery.core.errors import RookeryError
from rookery.sandbox import releases
from rookery.sandbox.auth import Entrance
from rookery.sandbox.registry import Miniature, listing, state
from rookery.sandbox.releases import DebianRelease

Names = str | Sequence[str]


def ensure(  # noqa: PLR0913 all but the first are given by name
    names: Names,
    *,
    yes: bool = False,
    offline_mirrors: bool = False,
    quiet: bool = False,
    entrance: "Entrance | None" = None,
    slurm: str = "",
) -> list[Miniature]:
    """Start the miniatures that do not run yet, and print nothing at the end.

    Args:
        names: As for `up`.
        yes: As for `up`.
        offline_mirrors: As for `up`.
        quiet: Say nothing of the progress.
        entrance: How users log in; by default with a key, and with a password where the cluster takes those.
        slurm: The version of Slurm that they are to have; by default the nearest to the cluster's.

    Raises:
        RookeryError: As `up`; or one of them runs, and logs people in otherwise, or has another Slurm.
    """
    named = wanted(names)
    release = releases.named(slurm) if slurm else None
    profiles = {name: dict(profile.load(name, own_ssh=False).data) for name in named}
    running = {miniature.name: miniature for miniature in listing() if miniature.running}
    for name in named:
        current = running.get(name)
        if current and (other := _otherwise(current, entrance, release)):
            raise RookeryError(
                f"The miniature of {name} is running already, with {other}.",
                hint=f"invoke sandbox.down {name}   # deletes its files, too; then run the command again",
            )
    missing = {
        name: profiles[name] for name in named if name not in running or (offline_mirrors and not _has_mirrors(name))
    }
    if missing:
        options = {"yes": yes, "offline_mirrors": offline_mirrors, "quiet": quiet, "slurm": slurm}
        _manage("up", profiles=missing, entrance=asdict(entrance) if entrance else {}, **options)
    by_name = {miniature.name: miniature for miniature in listing()}
    return [by_name[name] for name in named]


def _otherwise(current: Miniature, entrance: "Entrance | None", release: DebianRelease | None) -> str:
    """Return what of a running miniature is not as the user wants it; "" where nothing is."""
    if entrance and (entrance.way, entrance.jump) != (current.auth, bool(current.jump)):
        return "another way to log in"
    if release and current.slurm and not current.slurm.startswith(f"{release.slurm}."):
        return f"Slurm {current.slurm}"
    return ""


def wanted(names: Names) -> list[str]:
    """Return the clusters whose miniatures are meant.

    Args:
        names: Clusters, as a list or with commas between; "all" for every one that is known.
    """
    return profile.names() if names == "all" else _listed(names)


def down(names: Names = "all", *, keep: bool = False, quiet: bool = False) -> int:
    """End miniatures: when this returns, none of their processes, mounts or files is left.

    Args:
        names: Clusters, as a list or with commas between; "all" for every miniature.
        keep: Leave the files of the miniature, to look into them.
        quiet: Say nothing of the progress.

    Raises:
        RookeryError: There is no miniature of that name, or one would not end.
    """
    known = [miniature.name for miniature in listing()]
    ended = known if names == "all" else _listed(names)
    for name in ended:
        if name not in known and name not in profile.names():  # one whose start was cut off is not known, but is ended
            existing = f" Miniatures: {', '.join(known)}." if known else ""
            raise RookeryError(f"Unknown miniature {name!r}.{existing}", hint="invoke sandbox.list")
    if ended:
        _manage("down", names=ended, keep=keep, quiet=quiet)
    return 0


def _has_mirrors(name: str) -> bool:
    inventory = state() / "inventory/host_vars" / f"{name}.yml"
    return inventory.is_file() and "  pyenv_commit:" in inventory.read_text(encoding="utf-8")


def _listed(names: Names) -> list[str]:
    parts = names.split(",") if isinstance(names, str) else names
    return list(dict.fromkeys(name.strip() for name in parts if name.strip()))


def _manage(verb: str, **request: object) -> None:
    """Have `manager` do something as root: here, or in a process of its own behind sudo."""
    from rookery.sandbox import image, manager  # noqa: PLC0415 start-up

    image.check_machine()
    if os.geteuid() == 0:
        manager.carry_out(verb, dict(request), state())
        return
    if shutil.which("sudo") is None:
        raise RookeryError("The sandbox needs root, and sudo is not installed.", hint="run the command again as root")
    # an index's address may hold a password, which is no business of ps or of sudo's log: it goes by a file
    environment = {**_passed_on(), "ROOKERY_SANDBOX_STATE": str(state()), "HOME": str(Path.home())}
    request_file = state() / f"request-{secrets.token_hex(8)}"  # of this command alone
    atomic_files.write(request_file, json.dumps({**request, "environment": environment}))
    python_path = os.pathsep.join(filter(None, sys.path))
    python = [sys.executable, "-P", "-m", "rookery.sandbox.manager"]
    command = ["sudo", "env", f"PYTHONPATH={python_path}", *python, verb, str(request_file)]
    try:
        completed = subprocess.run(command, check=False)
    finally:
        request_file.unlink(missing_ok=True)
    if completed.returncode:
        raise RookeryError("The sandbox failed, for the reason above.", hint="fix that, then run the command again")


def _passed_on() -> dict[str, str]:
    """Return the caller's variables that say how this machine reaches the network, or what there is on it."""
    wanted = ("PYENV_ROOT", "PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "ROOKERY_DEBIAN_MIRROR")
    return {key: os.environ[key] for key in (*wanted, "ROOKERY_MINIFORGE") if key in os.environ}
