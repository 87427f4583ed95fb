"""Run on a compute node: marimo on a socket, and its notebooks' kernels on sockets beside it.

marimo knows only ports. Its server is uvicorn, which takes a socket (uvicorn.Config, `uds`); the process that runs a
notebook connects to a multiprocessing.connection.Listener, which takes a socket as well, and by marimo's choice a port
that lets anybody in. So both are given one, and whatever else would listen on a port is refused.

Arguments: the socket; the folder with notebooks.
"""

import multiprocessing.connection
import os
import socket
import sys
from typing import Any

path, folder = sys.argv[1:3]


def private_listen(self: socket.socket, *backlog: int) -> None:
    """Listen on a socket of the user's own, and on no port."""
    if self.family != socket.AF_UNIX:
        raise OSError("this version of marimo would listen on a port that others can reach")
    listen(self, *backlog)


def private_listener(address: Any = None, family: Any = None, **options: Any) -> Any:  # noqa: ARG001
    """Return a listener on a socket of the user's own."""
    return listener(address, "AF_UNIX", **options)


def configure_socket(self: Any, *arguments: Any, **options: Any) -> None:
    """Make uvicorn listen on the socket."""
    configure(self, *arguments, **dict(options, uds=path))


if __name__ == "__main__":
    os.environ["TMPDIR"] = os.path.dirname(path)  # where Listener makes its sockets
    listen, listener = socket.socket.listen, multiprocessing.connection.Listener
    socket.socket.listen = private_listen  # type: ignore[method-assign, assignment]
    multiprocessing.connection.Listener = private_listener  # type: ignore[misc, assignment]

    import uvicorn  # type: ignore[import-not-found]

    configure = uvicorn.Config.__init__
    uvicorn.Config.__init__ = configure_socket
    from marimo._cli.cli import main  # type: ignore[import-not-found]
    from marimo._server import lsp, start  # type: ignore[import-not-found]

    # language servers would listen on ports, too
    nothing = {"__init__": lambda *_, **__: None, "servers": {}}
    start.CompositeLspServer = type("NoLspServers", (lsp.NoopLspServer,), nothing)
    if os.environ.get("ROOKERY_RELEASE"):
        sys.path.append(os.environ["ROOKERY_RELEASE"])  # which the processes of notebooks get from this one

    flags = ["--headless", "--no-token", "--host", "127.0.0.1", "--port", "2718", "--skip-update-check"]
    main(["edit", *flags, folder], prog_name="marimo")
