"""The command `tmux`: open a terminal on a cluster that stays when the connection drops."""

from rookery.clusters.connect import connect
from rookery.clusters.login_node import tmux
from rookery.homes.options import TmuxOptions


def run(options: TmuxOptions) -> int:
    """Attach this terminal to a session, or make one.

    Returns:
        The exit status of ssh.
    """
    return tmux.tmux(connect(options.cluster, sandbox=options.sandbox), options.session)
