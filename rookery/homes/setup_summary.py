"""The summary at the end of a setup: paths, and the commands to run next."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import OUTPUTS
from rookery.core import console, invocation, paths, sizes

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.homes.options import SetupOptions
    from rookery.homes.run_results import RunResult


def places(facts: Mapping[str, Any], roles: Collection[str] = ()) -> dict[str, str]:
    """Return the paths that the summary names.

    Args:
        facts: What is known of the login node and the home.
        roles: The roles that were asked for; none for all.
    """
    free = facts.get("free_mb") or {}
    rows = {name: f"{path}{_free(free.get(name))}" for name, path in (facts.get("storage") or {}).items() if path}
    rows.setdefault("home", str(facts.get("home") or ""))
    large = facts.get("rookery_storage")
    rows["outputs"] = f"{large}  (${OUTPUTS})" if large else ""
    why, old = facts.get("replaceable"), facts.get("programs_left")
    where = "" if facts.get("job_folders") else "in your home: "
    rows["tools"] = f"{facts.get('prefix') or ''}{f'  ({where}{why})' if why else ''}"
    rows["old tools"] = f"{old}  (no longer used; do not run anything there)" if old else ""
    links = ", ".join(facts.get("links_left") or [])
    rows["old links"] = f"{links}  (on storage that others can change; undo moves them back)" if links else ""
    rows["R packages"] = f"{facts['programs']}/R" if facts.get("programs") and (not roles or "r" in roles) else ""
    return {name: path for name, path in rows.items() if path}


def _free(megabytes: Any) -> str:
    """Return the free space, in parentheses; "" where it is not known."""
    if not isinstance(megabytes, int | float):
        return ""
    return f"  ({sizes.of_mebibytes(megabytes)} free)"


def again(options: "SetupOptions", cluster: str) -> str:
    """Return the command that sets up a cluster with the options given, as the user types it here."""
    return invocation.as_typed(replace(options, cluster=cluster, check=False, diff=False, json=False).command("setup"))


def following(connection: "Connection", options: "SetupOptions", *, changes: bool) -> Iterator[str]:
    """Yield the commands that work now; after a check that found changes, the one that makes them."""
    cluster = connection.cluster
    if invocation.is_guided():
        return
    if options.check and changes:
        yield again(options, cluster.name)
        return
    yield f"ssh -F {paths.typed(connection.config_file)} {cluster.name}"
    yield f"{invocation.invocation()} tmux {cluster.argument}"


def name_failed(results: "RunResult") -> None:
    """Name the clusters that failed, at the end of a run on several."""
    if results.failed and len(results.clusters) > 1:
        names = ", ".join(result.name for result in results.failed)
        console.note("", f"{len(results.failed)} of {len(results.clusters)} clusters failed: {names}")
