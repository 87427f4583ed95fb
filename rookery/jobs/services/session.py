"""Hold the connection from a port on this computer to a service, over lost lines, until the user or the job ends it."""

import json as json_
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.errors import SshError
from rookery.core import console, invocation, local_time, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.interactive.job_request import SERVICES
from rookery.jobs.options import ServeOptions
from rookery.jobs.services import browser, gate, local_note
from rookery.jobs.services.forwarding import Forwarding, wait_until_it_answers
from rookery.jobs.services.gate import Admission, Gate
from rookery.jobs.services.local_note import LocalNote

if TYPE_CHECKING:
    import socket

    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.interactive.compute_node_job import JobCommands, RunningJob
    from rookery.projects.target import Target

START_UP = 600
"""Seconds that a program is given to begin: from a busy file system, the first start of some takes minutes."""

LOOK = 30
"""Seconds between two looks at a line that seems to be up."""

SOON = 600
"""Seconds before the end of the job at which the user is warned."""

_PAUSES = (1, 2, 5, 10, 20, 30)
"""Seconds before each new try to connect; the last holds on."""

_ASKS = ("denied", "too-many-keys", "identity", "certificate", "unknown-key", "changed-key")
"""Reasons for which a connection does not come back without the user (SshError.reason)."""


@dataclass(frozen=True)
class Service:
    """A service that runs.

    Attributes:
        name: Its name.
        title: What it is called.
        page: The path of its page.
        unsaved: What is lost where its job ends.
    """

    name: str
    title: str
    page: str
    unsaved: str


@dataclass(frozen=True)
class _Ended:
    """How a service's job ended.

    Attributes:
        said: The last lines of its log.
    """

    said: tuple[str, ...]


@contextmanager
def reserved(port: int) -> "Iterator[socket.socket | None]":
    """Hold a port that the user named while the block runs.

    Args:
        port: The port; 0 for none.

    Raises:
        RookeryError: It is taken.
    """
    if not port:
        yield None
        return
    with _bound(port):
        yield None


def _bound(port: int) -> "socket.socket":
    try:
        return gate.bound(port)
    except OSError as error:
        raise RookeryError(
            f"Can't use port {port} on this computer: {os.strerror(error.errno or 0).lower()}.",
            hint=typed_command.again(without=("--local-port",)) + "   # chooses a port that is free",
        ) from None


def run(
    target: "Target", service: Service, running: "RunningJob", commands: "JobCommands", options: ServeOptions
) -> int:
    """Connect to a service, open its page, and hold the connection.

    Args:
        target: The cluster, and the project.
        service: The service.
        running: Its job.
        commands: The commands by which the user has it.
        options: Those of `serve`.

    Returns:
        The exit code.

    Raises:
        RookeryError: The service does not begin, or the port is taken.
    """
    cluster = target.cluster
    before = local_note.port(cluster, service.name, running.number)
    with Forwarding(target.connection, running) as line:
        listener = _listener(options.local_port, before)
        door = Gate(listener, line.socket, Admission(secrets.token_urlsafe(32), service.page, service.title))
        local_note.save(cluster, service.name, LocalNote(running.number, door.port))
        try:
            _begin(target.connection, line, running, service, commands)
            door.start()
            _announce(target, service, running, door, options)
            is_wanted = options.open and not options.json
            with browser.opened(door.address, line.folder) if is_wanted else _nothing() as is_open:
                _say_how(service, door, commands, options, is_open=is_open)
                ended = _hold(target.connection, line, running, service, commands)
        except KeyboardInterrupt:
            _part(service, running, commands)
            return 0
    local_note.forget(cluster, service.name)
    when = f"Job {running.number} has ended, and {service.title} with it. {service.unsaved}"
    raise RookeryError(when, details=ended.said, hint=f"{commands.start}   # starts a new one")


@contextmanager
def _nothing() -> Iterator[bool]:
    yield False


def _listener(wanted: int, before: int) -> "socket.socket":
    """Return a socket that listens: on the port that the user wants, or the one of before, or one that is free."""
    if wanted:
        return _bound(wanted)
    if before:
        try:
            return gate.bound(before)
        except OSError:
            pass
    return gate.bound(0)


def _begin(
    connection: "Connection", line: Forwarding, running: "RunningJob", service: Service, commands: "JobCommands"
) -> None:
    """Connect for the first time, and wait for the program."""
    end = time.monotonic() + START_UP
    with console.waiting(f"Starting {service.title} on {running.node}"):
        while time.monotonic() < end:
            line.start()
            if wait_until_it_answers(line, end - time.monotonic()):
                return
            why = line.end()
            if ended := _ended(connection, running):
                raise RookeryError(
                    f"{service.title} did not start: job {running.number} has ended.",
                    details=ended.said,
                    hint=commands.start,
                )
            time.sleep(1)
    raise RookeryError(
        f"{service.title} in job {running.number} does not answer{f': {why}' if why else ''}.", hint=commands.stop
    )


def _hold(
    connection: "Connection", line: Forwarding, running: "RunningJob", service: Service, commands: "JobCommands"
) -> _Ended:
    """Hold the connection; return how the job ended.

    Raises:
        RookeryError: The connection broke, and can't come back without the user.
    """
    warned = False
    while True:
        while not line.has_ended(LOOK):
            warned = warned or _warned(service, running)
        line.end()
        if ended := _reconnected(connection, line, running, service, commands):
            return ended


def _warned(service: Service, running: "RunningJob") -> bool:
    """Say that the job ends soon, where it does; return whether."""
    if not 0 < running.end - time.time() < SOON:
        return False
    when = local_time.when(running.end)
    console.note(f"{service.title}: job {running.number} ends at {when}. Save your work before. {service.unsaved}")
    return True


def _reconnected(
    connection: "Connection", line: Forwarding, running: "RunningJob", service: Service, commands: "JobCommands"
) -> _Ended | None:
    """Connect again to the same job; return how it ended, where it did."""
    said: set[str] = set()
    for attempt in range(10**9):
        why = ""
        try:
            connection.open(batch=True)
            if ended := _ended(connection, running):
                return ended
            line.start()
            if wait_until_it_answers(line, 60):
                if said:
                    console.note(f"{service.title}: connected again.")
                return None
            why = line.end()
        except SshError as error:
            if error.reason in _ASKS:
                message = f"The connection to {connection.cluster.name} was lost, and can't come back without you."
                kept = f"{service.title} is still running in job {running.number}."
                raise RookeryError(f"{message} {kept}", hint=commands.start) from None
            why = error.message
        except RookeryError as error:  # Slurm does not answer
            why = error.message
        if not said:
            console.note(f"{service.title}: the connection was lost. Connecting again … (Ctrl-C ends this)")
        if why and why not in said:
            console.note(f"{service.title}: {why}")
        said.add(why)
        time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
    return None


def _ended(connection: "Connection", running: "RunningJob") -> _Ended | None:
    """Return how a job ended; None while it runs.

    Raises:
        RookeryError: Slurm does not answer.
    """
    request = {"verb": "find", "prefix": SERVICES, "number": running.number}
    answer = remote_client.call(connection, "host", request, timeout=60)
    if answer["state"] != "found":
        raise RookeryError(f"Slurm on {connection.cluster.name} does not answer.")
    if any(job["number"] == running.number for job in answer["jobs"]):
        return None
    return _Ended(tuple(console.clean(line) for line in answer["said"].splitlines()[-8:]))


def _announce(target: "Target", service: Service, running: "RunningJob", door: Gate, options: ServeOptions) -> None:
    """Say what runs where."""
    if options.json:
        document = {
            "service": service.name, "cluster": target.cluster.name, "job": running.number, "node": running.node,
            "end": running.end, "started": running.started, "port": door.port, "url": door.address,
        }  # fmt: skip
        print(json_.dumps(document, indent=2), flush=True)
        return
    how = "started" if running.started else "was already running"
    until = f", until {local_time.when(running.end)}" if running.end else ""
    console.say(f"{service.title} {how} on {running.node} of {target.cluster.name} (job {running.number}{until})")


def _say_how(service: Service, door: Gate, commands: "JobCommands", options: ServeOptions, *, is_open: bool) -> None:
    if options.json:
        return
    if options.open and is_open:
        console.say("Opening it in your browser. If no page appears, paste this address into one:")
    elif options.open:
        console.say("Can't open a browser here. Paste this address into one, on this computer:")
    else:
        console.say("Open this address in a browser, on this computer:")
    print(f"  {door.address}")  # whole, so that it can be copied
    console.say(f"Ctrl-C ends the connection; {service.title} keeps running until you stop it:")
    console.say(f"  {invocation.as_typed(commands.stop)}")
    sys.stdout.flush()


def _part(service: Service, running: "RunningJob", commands: "JobCommands") -> None:
    """Say how to come back, and how to end the service."""
    console.note(
        "",
        f"Closed the connection. {service.title} keeps running in job {running.number}.",
        f"  return: {invocation.as_typed(commands.start)}",
        f"  stop:   {invocation.as_typed(commands.stop)}",
    )
