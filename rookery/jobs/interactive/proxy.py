"""The ProxyCommand of NAME-job: `python -m rookery.jobs.interactive.proxy NAME [--sandbox] [NUMBER [overlap]]`.

With a number, it leads to that job and to no other, and starts none.
"""

import os
import sys

from rookery.clusters import connect
from rookery.core import invocation, startup
from rookery.jobs.interactive import compute_node_job
from rookery.jobs.interactive.job_request import ComputeNodeOptions


def main() -> int:
    """Find or start the job, then become the connection into it.

    ssh has begun to talk already, so nothing on the way may read its words or put one of its own between them.
    """
    startup.begin()
    arguments = sys.argv[1:]
    sandbox = "--sandbox" in arguments
    names = [argument for argument in arguments if argument != "--sandbox"]
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)

    def run() -> int:
        connection = connect.connect(names[0], sandbox=sandbox)
        if len(names) > 1:
            connection.open(batch=True)
            number, overlap = names[1], names[2:] == ["overlap"]
        else:
            compute_node_job.check(connection.cluster)
            connection.open(batch=True)
            running = compute_node_job.ensure(connection, ComputeNodeOptions())
            number, overlap = running.number, running.overlap
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        for descriptor in (stdin, stdout, nothing):
            os.close(descriptor)
        compute_node_job.connect(connection, number, overlap=overlap)

    return invocation.guarded(run)


if __name__ == "__main__":
    sys.exit(main())
