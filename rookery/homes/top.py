"""The command `top`, for the clusters where the user has a username; `rookery.jobs.top` is its screen."""

from rookery.homes import selection
from rookery.jobs.options import TopOptions
from rookery.jobs.top import command


def run(options: TopOptions) -> int:
    """Show the screen until the user leaves it; return the exit code.

    Raises:
        RookeryError: There is no terminal, Textual is not installed, or a cluster is unknown.
    """
    return command.run(options, selection.clusters(options.cluster or "all", sandbox=options.sandbox))
