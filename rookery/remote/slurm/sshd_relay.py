"""Run on a compute node by srun: carry a connection from standard input and output to the job's sshd_keeper."""

import os
import socket
import struct
import sys
import threading
import time

PATIENCE = 90
"""Seconds that a job which has begun may take until its keeper listens: it reads start-up files first."""

PAUSE = 0.05
"""Seconds between two looks at whether it does."""


def main() -> None:
    """Carry data until either side has ended."""
    node = os.path.join(os.path.expanduser("~"), ".local", "state", "rookery", "node")
    line = reached(os.path.join(node, os.environ["SLURM_JOB_ID"], "socket"))
    if line.recv(1) != b"+":
        sys.stderr.write("%s\n" % line.makefile("rb").readline().decode("utf-8", "replace").strip())
        sys.exit(1)
    threading.Thread(target=upwards, args=(line,), daemon=True).start()
    while True:
        data = line.recv(65536)
        if not data:
            os._exit(0)  # the other thread may still be reading
        while data:
            data = data[os.write(1, data) :]


def reached(note: str) -> socket.socket:
    """Connect to the keeper, as soon as it has written down where it listens; to nobody else.

    Args:
        note: The file with the path of its socket.
    """
    end = time.monotonic() + PATIENCE
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with open(note, encoding="utf-8", errors="surrogateescape") as stream:
                line.connect(stream.read())
            break
        except OSError as error:  # not yet; or what an earlier job of that number has left
            line.close()
            if time.monotonic() > end:
                sys.stderr.write("The job does not answer: %s\n" % error)
                sys.exit(1)
            time.sleep(PAUSE)
    if struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] != os.getuid():
        sys.stderr.write("Another user's process answers instead of the job.\n")
        sys.exit(1)
    return line


def upwards(line: socket.socket) -> None:
    """Send standard input to the keeper."""
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        line.sendall(data)
    line.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
