"""End a program with all that it started: it was begun in a session of its own (start_new_session)."""

import os
import signal
import subprocess
from contextlib import suppress


def end(process: "subprocess.Popen[bytes]", patience: float = 0) -> None:
    """End a program and its children.

    Args:
        process: The program, begun in a session of its own.
        patience: Seconds that it has to end by itself, once it was asked to (SIGTERM); it is killed at once if 0.
    """
    if patience:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
