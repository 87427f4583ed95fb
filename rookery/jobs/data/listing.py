"""The command `data.list`: which versions of the project's input data are on a cluster, and which releases use them."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rookery.clusters.query import ClusterQuery
from rookery.core import console, invocation, local_time, tables
from rookery.core.sizes import of_bytes as shown_size
from rookery.jobs.data import data_client
from rookery.jobs.options import DataListOptions
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.data.comparison import SHOWN

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rookery.projects.model import Project
    from rookery.projects.target import Target


def run(options: DataListOptions) -> int:
    """Print the data sets.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: There is no project, or the cluster can't be asked.
    """
    return query(options).answer(json=options.json)


def query(options: DataListOptions) -> ClusterQuery[Mapping[str, Any]]:
    """Return the question to one cluster.

    Raises:
        RookeryError: There is no project, or the cluster is unknown.
    """
    project = config.load(options.project)
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)

    def missing(answer: Mapping[str, Any]) -> list[str]:
        there = {each["path"] for each in answer["sets"] if each["versions"]}
        return [path for path in project.inputs if path not in there]

    return ClusterQuery(
        target.connection,
        lambda: data_client.ask(target.connection, "look", {"project": project.origin, "paths": None, "push": False}),
        lambda answer: _document(target, answer, missing(answer)),
        lambda answer: _show(target, project, answer, missing(answer)),
    )


def _document(target: "Target", answer: Mapping[str, Any], missing: list[str]) -> dict[str, Any]:
    keys = ("digest", "kind", "size", "files", "when", "source", "latest", "used")
    data = [
        {
            "path": each["path"],
            "partial": each["partial"],
            "versions": [{key: version.get(key) for key in keys} for version in each["versions"]],
        }
        for each in answer["sets"]
    ]
    facts = {"cluster": target.cluster.name, "folder": answer["folder"], "free": answer["free"]}
    return {**facts, "data": data, "missing": missing}


def _show(target: "Target", project: "Project", answer: Mapping[str, Any], missing: list[str]) -> None:
    rows = [_row(each["path"], version) for each in answer["sets"] for version in each["versions"]]
    if rows:
        tables.show(("=data", ">size", ">files", "=version", "=pushed", "releases"), rows)
    else:
        console.say(f"{project.origin} has no input data on {target.cluster.name}.")
    for each in answer["sets"]:
        if each["partial"]:
            path = shlex.quote(each["path"])
            what = f"{shlex.quote(each['source'])} --to {path}" if each["source"] else path
            push = invocation.as_typed(target.next(f"invoke data.push {what}"))
            console.say(
                f"{each['path']}: {shown_size(each['partial'])} of a push that was cut off; to continue: {push}"
            )
    if missing:
        push = invocation.as_typed(target.next("invoke data.push"))
        console.say(
            f"Not on {target.cluster.name}, though rookery.yml names it: {', '.join(missing)}; to send it: {push}"
        )


def _row(path: str, version: Mapping[str, Any]) -> "list[RenderableType]":
    when = local_time.when(local_time.of_iso(version.get("when", ""))) or tables.UNKNOWN
    used = [f"{use['commit'][:7]}{' (current)' * use['current']}" for use in version["used"]]
    files = f"{version.get('files', 0):,}"
    mark = " (latest)" * version["latest"]
    digest, size = f"{version['digest'][:SHOWN]}{mark}", shown_size(version.get("size", 0))
    return [path, size, files, digest, when, ", ".join(used) or "none"]
