"""What is known of the clusters."""

from typing import Any

from rookery.cli.commands.help_texts import CLUSTER, JSON, SANDBOX
from rookery.cli.program import command


@command(name="list", help={"sandbox": "the miniatures on this machine", "json": JSON})
def clusters_list(_c: Any, sandbox: bool = False, json: bool = False) -> int | None:
    """List the clusters: name, host, scheduler, GPUs, whether you have set it up."""
    from rookery.homes import listing

    return listing.show_all(sandbox=sandbox, json=json)


@command(name="show", help={"name": CLUSTER, "sandbox": SANDBOX, "json": JSON})
def clusters_show(_c: Any, name: str, sandbox: bool = False, json: bool = False) -> int | None:
    """Print what is known of a cluster, and the file and line each value comes from."""
    from rookery.homes import listing

    return listing.show(name, sandbox=sandbox, json=json)


@command(
    name="guide",
    positional=["name"],
    help={"name": CLUSTER, "output": "folder to write NAME.md into; that of every cluster where none is named"},
)
def clusters_guide(_c: Any, name: str = "", output: str = "") -> int | None:
    """Print a page on a cluster for its users, made from what is known of it."""
    from rookery.support import cluster_pages

    return cluster_pages.run(name, output)
