"""`tmux`: a terminal on a cluster that stays when the connection goes."""

from rookery.clusters.connect import connect
from rookery.clusters.login_node import tmux
from rookery.homes.options import TmuxOptions


def run(request: TmuxOptions) -> int:
    """Attach this terminal to a session, or make one.

    Returns:
        The exit status of ssh.
    """
    return tmux.tmux(connect(request.cluster, sandbox=request.sandbox), request.session)
