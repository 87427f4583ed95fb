"""Run on a compute node by srun: carry a connection from standard input and output to the job's keeper (keeper.py)."""

import os
import socket
import struct
import sys
import threading
import time

PATIENCE = 90
"""Seconds that a job which has begun may take until its keeper answers: it reads start-up files first."""


def main() -> None:
    """Carry until either side has ended."""
    line = reached("\0rookery-code-%s" % os.environ["SLURM_JOB_ID"])
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


def reached(name: str) -> socket.socket:
    """A connection to the keeper, and to nobody else: such a name could be anybody's on the node."""
    end = time.time() + PATIENCE
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(name)
            break
        except OSError as error:
            line.close()
            if time.time() > end:
                sys.stderr.write("The job does not answer: %s\n" % error)
                sys.exit(1)
            time.sleep(0.1)
    if struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] != os.getuid():
        sys.stderr.write("Somebody else on the node answers in the job's place.\n")
        sys.exit(1)
    return line


def upwards(line: socket.socket) -> None:
    """What comes on standard input goes to the keeper."""
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        line.sendall(data)
    line.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
