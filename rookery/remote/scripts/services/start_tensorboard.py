"""Run on a compute node: TensorBoard on a socket, by the server class that its own API takes (tensorboard.program).

Arguments: the socket; the folder with event files.
"""

import sys

from tensorboard import program  # type: ignore[import-not-found]
from werkzeug import serving  # type: ignore[import-not-found]


class SocketServer(program.TensorBoardServer):  # type: ignore[misc]
    """TensorBoard's pages on a socket of the user's own, and on no port."""

    def __init__(self, wsgi_app, flags):  # type: ignore[no-untyped-def] # noqa: ARG002
        self.server = serving.make_server("unix://" + sys.argv[1], 0, wsgi_app, threaded=True)

    def serve_forever(self) -> None:
        """Serve until the process ends."""
        self.server.serve_forever()

    def get_url(self) -> str:
        """Return an address for the log, which must have a port; nothing listens there."""
        return "http://localhost:1"


# load_fast would start a second server, on a port that lets anybody in
tensorboard = program.TensorBoard(server_class=SocketServer)
tensorboard.configure([sys.argv[0], "--logdir", sys.argv[2], "--load_fast", "false"])
sys.exit(tensorboard.main())
