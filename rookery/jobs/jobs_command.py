"""The command `jobs`: the state of the user's jobs, or with --fit what they used and what to ask for."""

from typing import Any

from rookery.clusters.query import ClusterQuery
from rookery.jobs.history import fit
from rookery.jobs.monitor import show
from rookery.jobs.options import JobsOptions


def run(options: JobsOptions) -> int:
    """Show jobs, or what they used.

    Returns:
        The exit code.

    Raises:
        RookeryError: As of `rookery.jobs.monitor.show`, or with --fit of `rookery.jobs.history.fit`.
    """
    if not options.fit:
        return show.run(options)
    check(options)
    return fit.query(options).answer(json=options.json)


def check(options: JobsOptions) -> None:
    """Refuse options that can't be, of one cluster or several.

    Raises:
        RookeryError: There are some.
    """
    (fit.check if options.fit else show.check)(options)


def query(options: JobsOptions) -> ClusterQuery[Any]:
    """Return the question to one cluster.

    Raises:
        RookeryError: The cluster is not one, or what is asked about it.
        NotApplicableError: The cluster has no Slurm.
    """
    return fit.query(options) if options.fit else show.query(options)
