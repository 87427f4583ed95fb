"""The library of profiles: clusters known from their documentation, which `clusters.add NAME` makes the user's own."""

from pathlib import Path

from rookery.core import paths


def folder() -> Path:
    """Return the folder of the library: a profile a file, NAME.yml."""
    return paths.root() / "library"


def names() -> list[str]:
    """Return the names of its clusters."""
    return sorted(file.stem for file in folder().glob("*.yml"))


def file(name: str) -> Path | None:
    """Return the file of a cluster's profile there; None where it has no such cluster."""
    return folder() / f"{name}.yml" if name in names() else None
