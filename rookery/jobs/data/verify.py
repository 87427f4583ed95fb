"""The command `data.verify`: read the input data on a cluster again, and compare its digests."""

import json as json_
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation
from rookery.core.sizes import of_bytes as shown_size
from rookery.jobs.data import data_client, naming, transfer_bar
from rookery.jobs.data.pushed import file_count
from rookery.jobs.options import DataVerifyOptions
from rookery.jobs.results.fetch_report import shown
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.data.comparison import SHOWN
from rookery.remote.data.data_names import PROGRESS

if TYPE_CHECKING:
    from rookery.projects.target import Target

NAMED = 5
"""How many faults of a version are named."""


def run(options: DataVerifyOptions) -> int:
    """Verify data sets.

    Returns:
        1 where a version is not as it was pushed.

    Raises:
        RookeryError: There is no such data, or the cluster can't be asked.
    """
    project = config.load(options.project)
    paths = naming.of_words(project, options.paths) if options.paths else None
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    target.connection.open()
    there = data_client.look(target.connection, project, paths)
    total = sum(version.get("size", 0) for each in there["sets"] for version in each["versions"])
    with transfer_bar.shown(f"{target.cluster.name}: reading", total) as advance:
        request = {"project": project.origin, "paths": paths}
        answer = data_client.send(
            target.connection, "verify", request, on_line=transfer_bar.follower(PROGRESS, advance)
        )
    if options.json:
        print(
            json_.dumps(
                {"cluster": target.cluster.name, "data": [_document(each) for each in answer["sets"]]}, indent=2
            )
        )
    elif not answer["sets"]:
        console.say(f"{project.origin} has no input data on {target.cluster.name}.")
    else:
        for each in answer["sets"]:
            console.say(*_lines(each, target))
    return int(any(each["count"] for each in answer["sets"]))


def _document(version: Mapping[str, Any]) -> dict[str, Any]:
    faults = [{"path": path, "fault": fault} for path, fault in version["faults"]]
    return {**version, "faults": faults, "ok": not version["count"]}


def _lines(version: Mapping[str, Any], target: "Target") -> Iterator[str]:
    """Yield the lines on a version."""
    path, digest, name = version["path"], version["digest"][:SHOWN], target.cluster.name
    what = f"{file_count(version['files'])}, {shown_size(version['size'])}"
    if not version["count"]:
        yield f"{path} {digest} on {name} is unchanged: {what}"
        return
    yield f"{path} {digest} on {name} has changed since it was pushed:"
    for inner, fault in version["faults"][:NAMED]:
        yield f"  {fault:<8} {shown(inner or 'the manifest')}"
    if version["count"] > NAMED:
        yield f"  … and {version['count'] - NAMED:,} more"
    quoted = shlex.quote(path)
    removes = invocation.as_typed(target.next(f"invoke data.rm {quoted} --digest {digest} --force"))
    pushes = invocation.as_typed(target.next(f"invoke data.push {quoted}"))
    yield f"  next     {removes} && {pushes}   # if you still have this version"
