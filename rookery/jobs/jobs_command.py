"""The command `jobs`: the state of the user's jobs, or with --fit what they used and what to ask for."""

from typing import Any

from rookery.clusters.query import ClusterQuery
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
    return query(options).answer(json=options.json)


def check(options: JobsOptions) -> None:
    """Refuse options that can't be, of one cluster or several.

    Raises:
        RookeryError: There are some.
    """
    _answering(options).check(options)


def query(options: JobsOptions) -> ClusterQuery[Any]:
    """Return the question to one cluster.

    Raises:
        RookeryError: The cluster is not one, or what is asked about it.
        NotApplicableError: The cluster has no Slurm.
    """
    found: ClusterQuery[Any] = _answering(options).query(options)
    return found


def _answering(options: JobsOptions) -> Any:
    """Return the module that answers."""
    if not options.fit:
        return show
    from rookery.jobs.history import fit  # noqa: PLC0415 start-up

    return fit
