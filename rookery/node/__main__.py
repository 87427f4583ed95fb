"""The ProxyCommand of NAME-job: `python -m rookery.node NAME [--sandbox]`, between two ends of ssh."""

import os
import sys

from rookery import _start


def main() -> int:
    """Find or start the job, then become the connection into it.

    ssh has begun to talk already, so nothing on the way may read its words or put one of its own between them.
    """
    _start.begin()
    arguments = sys.argv[1:]
    sandbox = "--sandbox" in arguments
    names = [one for one in arguments if one != "--sandbox"]
    given, taken = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    from rookery import program

    def run() -> int:
        from rookery.node import host
        from rookery.node.job import Wish

        door = program.door(names[0], sandbox=sandbox)
        host.check(door.cluster)
        door.ensure(batch=True)
        running = host.ensure(door, Wish())
        os.dup2(given, 0)
        os.dup2(taken, 1)
        for one in (given, taken, nothing):
            os.close(one)
        host.connect(door, running)

    return program.guarded(run)


if __name__ == "__main__":
    sys.exit(main())
