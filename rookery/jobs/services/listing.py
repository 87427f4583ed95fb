"""The commands `serve.list` and `serve.stop`."""

import json as json_
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.core import console, local_time
from rookery.core.console import clean
from rookery.core.errors import RookeryError
from rookery.jobs.interactive import compute_node_job
from rookery.jobs.interactive.job_request import SERVICES
from rookery.jobs.options import ServeListOptions, ServeStopOptions
from rookery.jobs.services import local_note, naming
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection


def run(options: ServeListOptions) -> int:
    """List the services on a cluster.

    Returns:
        0.

    Raises:
        RookeryError: The cluster or its Slurm does not answer.
    """
    target = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False)
    services = _services(target.connection)
    if options.json:
        print(json_.dumps({"services": services}, indent=2))
        return 0
    if not services:
        console.say(f"No services on {target.cluster.name}.")
    width = max((len(service["name"]) for service in services), default=0)
    for service in services:
        console.say(f"{service['name']:<{width}}  {_described(service)}")
    return 0


def stop(options: ServeStopOptions) -> int:
    """End a service.

    Returns:
        0.

    Raises:
        RookeryError: There is no such service, or there are several and none was named.
    """
    target = targets.find(options.cluster, sandbox=options.sandbox, needs_project=False)
    cluster = target.cluster
    services = _services(target.connection)
    name = _chosen(options.name, [str(service["name"]) for service in services], target)
    ended = compute_node_job.stop(target.connection, naming.commands(name, target))
    local_note.forget(cluster, name)
    if options.json:
        print(json_.dumps({"name": name, "stopped": ended}, indent=2))
    else:
        console.say(f"Stopped {name} on {cluster.name} (job {', '.join(ended)})")
    return 0


def _chosen(wanted: str, names: list[str], target: "targets.Target") -> str:
    """Return the name of the service that is meant.

    A kind's name alone, `lab`, means that of the project.
    """
    flag = target.cluster.option
    for name in (wanted, naming.default(wanted, target)) if wanted else names[:1] * (len(names) == 1):
        if name in names:
            return name
    if not names:
        raise RookeryError(f"No services are running on {target.cluster.name}.", hint=f"invoke serve.list {flag}")
    message = f"No service {wanted!r} is running on {target.cluster.name}" if wanted else "Missing NAME"
    raise RookeryError(f"{message}. Running: {', '.join(names)}.", hint=f"invoke serve.stop {names[0]} {flag}")


def _services(connection: "Connection") -> list[dict[str, Any]]:
    """Return the services on a cluster, the newest last.

    Raises:
        RookeryError: Slurm does not answer.
    """
    cluster = connection.cluster
    if cluster.scheduler != "slurm":
        return []
    connection.open()
    answer = remote_client.call(connection, "host", {"verb": "find", "prefix": SERVICES})
    if answer["state"] != "found":
        said = clean(answer.get("said", "")).strip() or "no reason given"
        raise RookeryError(f"Slurm on {cluster.name} does not answer: {said}", hint="run the same command again")
    return [
        {
            "name": clean(job["name"].removeprefix(SERVICES)),
            "cluster": cluster.name,
            "job": job["number"],
            "state": job["state"],
            "node": clean(job["node"]),
            "end": int(job["end"]) if job["end"].isdigit() else 0,
            "why": "" if job["state"] == "RUNNING" else compute_node_job.why(job),
        }
        for job in answer["jobs"]
    ]


def _described(service: dict[str, Any]) -> str:
    """Return a service's job, in a few words."""
    if service["state"] != "RUNNING":
        return f"job {service['job']}  waiting: {service['why']}"
    until = f", until {local_time.when(service['end'])}" if service["end"] else ""
    return f"job {service['job']}  on {service['node']}{until}"
