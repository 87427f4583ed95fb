"""A command that was sent to a cluster before it was asked for; it counts if the very same words are asked for."""

import subprocess
from contextlib import suppress

from rookery.marks import new_mark
from rookery.remote import greeting
from rookery.running import greet

FRESH = 30
"""Seconds for which a connection that has just carried something is believed to be alive, and not asked."""

ANSWER_HERE = 2
"""Seconds the master itself, a process on this machine, is given to answer."""

_sent: list[tuple[list[str], str, "subprocess.Popen[bytes]"]] = []


def send(command: list[str], mark: str) -> None:
    """Send one that will be given an input.

    Args:
        command: Its ssh.
        mark: The line in it that tells its output from that of start-up files.
    """
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    greet(process, greeting(mark))
    _sent.append((command, mark, process))


def mark() -> str:
    """The mark of what was sent, or a new one."""
    return _sent[0][1] if _sent else new_mark()


def take(command: list[str]) -> "subprocess.Popen[bytes] | None":
    """What was sent, if it is this; what is not is dropped, before anything is sent in its place.

    Args:
        command: What shall be sent now.
    """
    if _sent and _sent[0][0] == command:
        return _sent.pop()[2]
    drop()
    return None


def drop() -> None:
    """End what was sent and not taken; the other side finds its input at an end."""
    while _sent:
        process = _sent.pop()[2]
        with suppress(BrokenPipeError), process:
            process.kill()
            process.wait()
