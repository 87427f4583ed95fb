"""Miniatures of clusters on this machine."""

from typing import Any

from rookery.cli.commands.help_texts import CLUSTERS, JSON, YES
from rookery.cli.program import command


@command(
    name="up",
    help={
        "names": CLUSTERS,
        "yes": YES,
        "offline-mirrors": "make local mirrors of what this machine can't reach",
        "auth": "how to log in: key, password, password+totp, key+totp",
        "jump": "through a jump host only",
    },
)
def sandbox_up(
    _c: Any, names: str, yes: bool = False, offline_mirrors: bool = False, auth: str = "", jump: bool = False
) -> int | None:
    """Start miniatures of clusters on this machine (Debian or Ubuntu, root or sudo)."""
    from rookery.sandbox import lifecycle

    return lifecycle.up(names, yes=yes, offline_mirrors=offline_mirrors, auth=auth, jump=jump)


@command(name="down", help={"names": CLUSTERS})
def sandbox_down(_c: Any, names: str) -> int | None:
    """End miniatures, and remove what they held."""
    from rookery.sandbox import lifecycle

    return lifecycle.down(names)


@command(name="list", help={"json": JSON})
def sandbox_list(_c: Any, json: bool = False) -> int | None:
    """List the miniatures that run."""
    from rookery.sandbox import lifecycle

    return lifecycle.show_all(json=json)
