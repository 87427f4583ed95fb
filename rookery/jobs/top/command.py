"""The command `top`: a screen of the jobs on all clusters, with their logs; cancel, arrays as grids, partitions."""

import importlib.util
import os
import sys
from collections.abc import Sequence

from rookery.clusters.cluster import require_user
from rookery.clusters.connect import connect
from rookery.core import extras, preferences, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.options import JobsOptions, TopOptions
from rookery.projects import config
from rookery.projects.target import Target


def run(options: TopOptions, clusters: Sequence[str]) -> int:
    """Show the screen until the user leaves it.

    Args:
        options: What is asked for.
        clusters: The names of the clusters.

    Returns:
        The exit code: 0; 128 and the signal's number where one ended it, as Ctrl-C does.

    Raises:
        RookeryError: There is no terminal, Textual is not installed, a cluster's profile is wrong, or the user has a
            username on none of them.
    """
    if options.days < 1:
        raise RookeryError("--days must be at least 1.", hint=typed_command.again("--days", "1"))
    _require_terminal(options)
    if importlib.util.find_spec("textual") is None:
        raise RookeryError(
            "Textual is not installed; rookery needs it for the screen of `top`. `jobs --watch` does without it.",
            hint=extras.installation("top"),
        )
    targets = _targets(clusters, sandbox=options.sandbox)
    if not any(target.cluster.user for target in targets):
        require_user(targets[0].cluster)
    if preferences.color() == "never":
        os.environ["NO_COLOR"] = "1"
    from rookery.jobs.top.screen.app import TopApp  # noqa: PLC0415 an extra, and slow to import

    app = TopApp(targets, options)
    code = app.run()
    if app.failure:
        raise app.failure
    return code or 0


def _require_terminal(options: TopOptions) -> None:
    """Refuse what is no terminal that can be drawn on.

    Raises:
        RookeryError: It is none.
    """
    is_terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if is_terminal and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}:
        return
    other = JobsOptions(cluster=options.cluster or "all", all=True, json=True, sandbox=options.sandbox)
    raise RookeryError("`top` needs a terminal that it can draw on.", hint=other.command("jobs"))


def _targets(clusters: Sequence[str], *, sandbox: bool) -> list[Target]:
    """Return the clusters, with the project that the user is in, whose records say more of its jobs.

    Raises:
        RookeryError: A profile is wrong.
    """
    try:
        project = config.load("")
    except RookeryError:  # none here, or one that is broken, which is no reason to see no jobs
        project = None
    return [Target(project, connect(name, sandbox=sandbox)) for name in clusters]
