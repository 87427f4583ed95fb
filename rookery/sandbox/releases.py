"""The releases of Debian that miniatures are made from, and which of them has the Slurm of a cluster."""

import re
from dataclasses import dataclass

from rookery.core import near_names, typed_command
from rookery.core.errors import RookeryError


@dataclass(frozen=True)
class DebianRelease:
    """A release of Debian."""

    suite: str
    """Its name in Debian's archive."""
    slurm: str
    """The version of its Slurm, year and month."""
    packages: tuple[str, ...] = ()
    """What a miniature needs of it besides the packages that every release has."""


OLDEST = DebianRelease("bookworm", "22.05", packages=("libjwt0",))
"""What is compiled on it runs on the others, too."""
RELEASES = (OLDEST, DebianRelease("trixie", "24.11"))


def named(version: str) -> DebianRelease:
    """Return the release that has a version of Slurm, as the user wrote it: 24.11, or 24.11.5.

    Raises:
        RookeryError: None has it.
    """
    for release in RELEASES:
        if version == release.slurm or version.startswith(f"{release.slurm}."):
            return release
    versions = [release.slurm for release in RELEASES]
    raise RookeryError(
        f"No miniature has Slurm {version!r}: they have {near_names.either(versions)}.",
        hint=typed_command.again("--slurm", nearest(version).slurm),
    )


def nearest(version: str) -> DebianRelease:
    """Return the release whose Slurm is closest in time to a version, such as 23.11; without a version the oldest."""
    wanted = _months(version)
    return min(RELEASES, key=lambda release: abs(_months(release.slurm) - wanted)) if wanted else OLDEST


def _months(version: str) -> int:
    """Return when a version came out, in months; 0 where the text is none."""
    match = re.match(r"(\d{1,3})\.(\d{1,2})(?!\d)", version)
    return 12 * int(match[1]) + int(match[2]) if match else 0
