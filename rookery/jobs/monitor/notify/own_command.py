"""A notification by a command of the user's, given to a shell as git gives its own (core.editor)."""

import json
import os
import subprocess

from rookery.core import process_group
from rookery.jobs.monitor.notify.message import Message

TIMEOUT = 10
"""Seconds that it may take."""


def run(command: str, message: Message) -> str:
    """Run the command; return what went wrong, or "".

    The message is in variables and on its standard input, never in its text, where a shell would read it.

    Args:
        command: For `sh -c`.
        message: The message.
    """
    variables = {
        "ROOKERY_EVENT": message.event,
        "ROOKERY_OK": "yes" if message.ok else "no",
        "ROOKERY_TITLE": message.title,
        "ROOKERY_TEXT": message.text,
        "ROOKERY_CLUSTER": message.cluster,
    }
    process = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        stderr = process.communicate(json.dumps(message.document()).encode(), TIMEOUT)[1]
    except subprocess.TimeoutExpired:
        process_group.end(process)
        return f"the command was ended after {TIMEOUT} seconds"
    except BaseException:
        process_group.end(process)
        raise
    if not process.returncode:
        return ""
    said = (stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
    return f"the command failed with {process.returncode}{f': {said}' if said else ''}"
