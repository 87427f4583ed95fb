"""Ask a cluster about the project's input data, and put what it refuses into words."""

import getpass
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh import download_link
from rookery.core import console, typed_command
from rookery.core.errors import RookeryError
from rookery.remote.data.data_names import FULL

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.projects.model import Project

Answer = Mapping[str, Any]


def ask(connection: "Connection", program: str, request: Mapping[str, Any], *, timeout: float = 600) -> Answer:
    """Run a program for data on a cluster; return its answer.

    Args:
        connection: The cluster's, open.
        program: A file of rookery/remote/data.
        request: Its request.
        timeout: Seconds it may take.

    Raises:
        RookeryError: It can't do what it is asked for.
    """
    answer = remote_client.call(connection, f"data.{program}", request, timeout=timeout)
    return _usable(connection.cluster, program, answer)


def look(connection: "Connection", project: "Project", paths: Sequence[str] | None) -> Answer:
    """Return what there is of data sets on a cluster.

    Args:
        connection: The cluster's, open.
        project: The project.
        paths: The data sets; None for all.

    Raises:
        RookeryError: There is nothing of one of them.
    """
    answer = ask(connection, "look", {"project": project.origin, "paths": paths, "push": False})
    unknown = [each["path"] for each in answer["sets"] if not (each["versions"] or each["partial"])]
    if paths is not None and unknown:
        raise RookeryError(
            f"{project.origin} has no data set {', '.join(unknown)} on {connection.cluster.name}.",
            hint=f"invoke data.list {connection.cluster.argument}",
        )
    return answer


def who() -> str:
    """Return who works with data, for others who want to do so at the same time."""
    return f"{getpass.getuser()} on {os.uname().nodename}"


def send(  # noqa: PLR0913 all that a program is given
    connection: "Connection",
    program: str,
    request: Mapping[str, Any],
    pieces: Iterable[bytes] = (),
    *,
    on_line: Callable[[str], object] = len,
    before: str = "",
) -> Answer:
    """Run a program for data on a cluster that takes as long as it needs; return its answer.

    Args:
        connection: The cluster's, open.
        program: A file of rookery/remote/data.
        request: Its request.
        pieces: Its standard input.
        on_line: Called with each line of its standard error.
        before: POSIX sh that is run before it.

    Raises:
        RookeryError: It can't do what it is asked for.
    """
    answer = remote_client.feed(connection, f"data.{program}", request, pieces, on_line=on_line, before=before)
    return _usable(connection.cluster, program, answer)


def _usable(cluster: "Cluster", program: str, answer: Answer) -> Answer:
    """Return an answer that says what was done.

    Raises:
        RookeryError: It says why nothing was.
    """
    name, setup = cluster.name, f"invoke setup {cluster.argument}"
    state, said = str(answer["state"]), console.clean(answer.get("said", ""))
    if state == "broken" and answer.get("errno") in FULL:
        state, said = "full", "no space left for the data"
    continues = " to continue: what has arrived is not sent again" if program in {"receive", "download"} else " again"
    again = f"run the same command{continues}"
    errors = {
        "not-set-up": (f"{name} is not set up yet.", setup),
        "no-storage": (
            f"{name} was set up by an older version of rookery, which did not set a folder for data.",
            setup,
        ),
        "busy": (
            f"{name}: another push of this data is running ({said or 'just started'}).",
            "run the same command later",
        ),
        "cut": (f"Lost the connection to {name} while sending data.", again),
        "differs": (f"{name}: the data was damaged on its way.", again),
        "malformed": (f"{name}: the data was damaged on its way ({said}).", again),
        "broken": (f"{name}: {said}.", again),
        "failed": (f"{name}: {said}.", "check the address in a browser, then run the same command again"),
        "unreachable": (f"{name}: {said}.", download_link.suggestion(cluster) or again),
        "full": (f"{name}: {said}.", f"invoke quota {cluster.argument}"),
        "unsized": (
            f"{name}: the server does not say how long the file is, so part of it could be taken for all of it.",
            f"{typed_command.again('--sha256', 'DIGEST')}   # the file's SHA-256, as its publisher gives it",
        ),
        "unknown": (f"{name}: {said}.", f"invoke data.list {cluster.argument}"),
    }
    if state in errors:
        message, hint = errors[state]
        raise RookeryError(message, hint=hint)
    return answer
