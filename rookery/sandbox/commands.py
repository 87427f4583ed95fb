"""The commands for miniatures, and what they print."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

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
            print(f"{name}: {'is running' if name in running else 'would be started'}")
        return 0
    entrance = Entrance(options.auth, options.jump) if options.auth or options.jump else None
    started = lifecycle.ensure(
        options.cluster, yes=options.yes, offline_mirrors=options.offline_mirrors, entrance=entrance
    )
    for miniature in started:
        account = f"{miniature.user}@{miniature.address} port {miniature.port}"
        console.say(f"{miniature.name}: {account} stands for {miniature.host}")
        for line in _login_lines(miniature):
            console.say(f"  {line}")
        console.say(f"  next: {invocation()} setup --cluster {miniature.name} --sandbox")
    return 0


def down(options: SandboxDownOptions) -> int:
    """End miniatures.

    Raises:
        RookeryError: There is no miniature of that name, or one would not end.
    """
    if options.check:
        for miniature in listing():
            if miniature.name in options.cluster.split(",") or options.cluster == "all":
                print(f"{miniature.name}: would be ended, and what it holds deleted")
        return 0
    return lifecycle.down(options.cluster)


def show_all(options: SandboxListOptions) -> int:
    """Print the miniatures, a line each, or as a JSON list."""
    miniatures = listing()
    if options.json:
        print(json.dumps([asdict(miniature) for miniature in miniatures], indent=2))
        return 0
    for miniature in miniatures:
        again = f"has ended ({invocation()} sandbox.up {miniature.name} starts it again)"
        account = f"{miniature.user}@{miniature.address} port {miniature.port}"
        console.say(f"{miniature.name:12} {account}  {'runs' if miniature.running else again}")
        for line in _login_lines(miniature) if miniature.running else ():
            console.say(f"{'':12} {line}")
    if not miniatures:
        console.say(f"No miniature runs. Start one: {invocation()} sandbox.up penguins")
    return 0


def _login_lines(miniature: Miniature) -> Iterator[str]:
    """Yield what somebody who wants to log in to a miniature has to know, a line each."""
    if miniature.jump:
        yield f"through the jump host {miniature.user}@{miniature.jump} port {miniature.port}"
    if miniature.password:
        yield f"password: {miniature.password}"
    if miniature.totp_secret:
        left = auth.CODE_SECONDS - time.time() % auth.CODE_SECONDS
        yield f"code: {auth.code(miniature.totp_secret)}, for {left + 0.5:.0f} s; `sandbox.list` shows the next one"
