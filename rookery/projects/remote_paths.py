"""A project's paths on a cluster, relative to the home there, where every ssh command begins."""

from pathlib import PurePosixPath

KEPT_OUT = "runs"
"""A project's folder of run records: no uncommitted change, and never part of a snapshot."""

LOGS = "slurm_logs"
"""The one output of a project whose rookery.yml names none: logs in a release would go with it."""

STAMP = ".rookery/release.json"
"""What a release is, in its folder."""


def base(project: str) -> PurePosixPath:
    """Return the project's folder there: repository.git/, releases/, current, runs/, state/."""
    return PurePosixPath("projects") / project


def current(project: str) -> PurePosixPath:
    """Return the link to the release that was deployed last."""
    return base(project) / "current"
