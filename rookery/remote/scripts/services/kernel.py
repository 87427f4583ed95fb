"""Written for Jupyter on a compute node: describe its Python kernel, which has the project's own code.

Whatever of a kernel would listen on a port that anybody on the node can connect to does not. A debugger lets everybody
in (debugpy.listen), so the kernel finds none. What processes that a kernel forks print comes through a socket beside
the kernel's others, where ipykernel knows only a port (IOPubThread).

Arguments: the folder of the service's socket; the release, or nothing; the project's name, or nothing; the module that
becomes the server.
"""

import importlib
import json
import os
import shutil
import sys

from ipykernel.kernelspec import RESOURCES  # type: ignore[import-not-found]

START = """
import os
import sys
sys.path.pop(0)
sys.modules["debugpy"] = None
import zmq
from zmq.eventloop.zmqstream import ZMQStream
from ipykernel import debugger, iostream, kernelapp
del sys.modules["debugpy"]
place = "ipc://" + os.path.splitext(sys.argv[-1])[0] + "-ipc-0"
def listen(thread):
    thread._pipe_uuid = os.urandom(16)
    pipe = thread.socket.context.socket(zmq.PULL)
    pipe.linger = 0
    pipe.bind(place)
    thread._pipe_in = ZMQStream(pipe, thread.io_loop)
    thread._pipe_in.on_recv(thread._handle_pipe_msg)
def connect(thread):
    context = zmq.Context()
    pipe = context.socket(zmq.PUSH)
    pipe.linger = 3000
    pipe.connect(place)
    return context, pipe
iostream.IOPubThread._setup_pipe_in, iostream.IOPubThread._setup_pipe_out = listen, connect
kernelapp.launch_new_instance()
"""

OLDEST = {"jupyter_server": 2, "notebook": 7}
"""The first major versions that can do without a port and without a token of their own."""


def check(module: str) -> None:
    """End where a package is too old.

    Args:
        module: The server's.
    """
    for name in {"jupyter_server", module} & set(OLDEST):
        version = importlib.import_module(name).__version__
        if int(version.split(".")[0]) < OLDEST[name]:
            sys.exit("%s %d or later is needed: the environment has %s." % (name, OLDEST[name], version))


def main(place: str, release: str, name: str, module: str) -> None:
    """Write the kernel's description."""
    check(module)
    folder = os.path.join(place, "jupyter", "kernels", "python3")
    shutil.copytree(RESOURCES, folder)
    spec = {
        "argv": [sys.executable, "-c", START, "-f", "{connection_file}"],
        "display_name": "Python 3 (%s)" % (name or "home"),
        "language": "python",
        "env": {"PYTHONPATH": release} if release else {},
    }
    with open(os.path.join(folder, "kernel.json"), "w", encoding="utf-8") as stream:
        json.dump(spec, stream)


if __name__ == "__main__":
    main(*sys.argv[1:5])
