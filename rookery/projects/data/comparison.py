"""Compare the input data of a release with what is on this computer."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from rookery.projects.data import digests, scan

SHOWN = 12
"""Digits of a digest that are shown; so many also name a version."""


def differences(root: Path, inputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield how data sets differ on this computer, by their paths; those that are not here are left out.

    Args:
        root: The project's folder.
        inputs: The digest of each data set in a release, by its path in the project.
    """
    for path, digest in inputs.items():
        local = scan.scan(root, path)
        if local is None:
            continue
        if local.faults:
            yield path, f"can't be compared: {local.faults[0][0] or path} is {local.faults[0][1]}"
            continue
        here = digests.at_hand(local)
        if here != digest:
            yield path, f"yours is {here[:SHOWN]}" if here else "yours has changed since it was pushed"
