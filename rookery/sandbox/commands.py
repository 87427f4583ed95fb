"""The commands for miniatures, and what they print."""

import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict

from rookery.clusters.config import profile
from rookery.clusters.ssh import config_file
from rookery.core import console
from rookery.core.invocation import invocation
from rookery.sandbox import auth, lifecycle
from rookery.sandbox.auth import Entrance
from rookery.sandbox.options import SandboxDownOptions, SandboxListOptions, SandboxUpOptions
from rookery.sandbox.registry import Miniature, listing


def up(options: SandboxUpOptions) -> int:
    """Start miniatures, and say how to use each; one that runs already stays as it is.

    Raises:
        RookeryError: This machine can't hold a miniature, or one did not start.
    """
    if options.check:
        running = {miniature.name for miniature in listing() if miniature.running}
        for name in lifecycle.wanted(options.cluster):
            print(f"{name}: {'already running' if name in running else 'would be started'}")
        return 0
    entrance = Entrance(options.auth, options.jump) if options.auth or options.jump else None
    started = lifecycle.ensure(
        options.cluster,
        yes=options.yes,
        offline_mirrors=options.offline_mirrors,
        entrance=entrance,
        slurm=options.slurm,
    )
    for miniature in started:
        slurm = f" with Slurm {miniature.slurm}" if miniature.slurm else ""
        console.say(f"{miniature.name}: {_account(miniature)} is running, a miniature of {miniature.host}{slurm}")
        for line in _login_lines(miniature):
            console.say(f"  {line}")
        console.say(
            f"  log in: {_ssh_command(miniature)}",
            f"  or, to keep the session: {invocation()} tmux {miniature.name} --sandbox",
            f"  next: {invocation()} setup {miniature.name} --sandbox",
        )
    return 0


def down(options: SandboxDownOptions) -> int:
    """End miniatures.

    Raises:
        RookeryError: There is no miniature of that name, or one would not end.
    """
    if options.check:
        for miniature in listing():
            if miniature.name in options.cluster.split(",") or options.cluster == "all":
                print(f"{miniature.name}: would be ended, and its files deleted")
        return 0
    return lifecycle.down(options.cluster)


def show_all(options: SandboxListOptions) -> int:
    """Print the miniatures, a line each, or as a JSON list."""
    miniatures = listing()
    if options.json:
        print(json.dumps([asdict(miniature) for miniature in miniatures], indent=2))
        return 0
    for miniature in miniatures:
        stopped = f"not running (to start it again: {invocation()} sandbox.up {miniature.name})"
        slurm = f"Slurm {miniature.slurm}" if miniature.slurm else "no Slurm"
        state = "running" if miniature.running else stopped
        console.say(f"{miniature.name:12} {_account(miniature)}  {slurm:14}  {state}")
        for line in _login_lines(miniature) if miniature.running else ():
            console.say(f"{'':12} {line}")
    if not miniatures:
        console.say(f"No miniatures are running. To start one: {invocation()} sandbox.up penguins")
    return 0


def _account(miniature: Miniature) -> str:
    return f"{miniature.user}@{miniature.address} port {miniature.port}"


def _ssh_command(miniature: Miniature) -> str:
    """Return the command that logs in to a miniature, with the ssh configuration for it written."""
    cluster = profile.load(miniature.name, profile.sources(sandbox=True))
    return shlex.join(["ssh", "-F", str(config_file.write(cluster)), cluster.name])


def _login_lines(miniature: Miniature) -> Iterator[str]:
    """Yield what somebody who wants to log in to a miniature has to know, a line each."""
    if miniature.jump:
        yield f"jump host: {miniature.user}@{miniature.jump} port {miniature.port}"
    if miniature.password:
        yield f"password: {miniature.password}"
    if miniature.totp_secret:
        left = auth.CODE_SECONDS - time.time() % auth.CODE_SECONDS
        yield f"code: {auth.code(miniature.totp_secret)}, valid for {left + 0.5:.0f} s; `sandbox.list` shows the next"
