"""What the jobs that run notebooks need: packages of Python that no notebook imports."""

from collections.abc import Set
from typing import Final

NEEDED: Final = ("nbconvert", "ipykernel")

_BRING_THEM: Final = frozenset({"jupyter", "jupyterlab", "notebook"})


def lacking(packages: Set[str]) -> tuple[str, ...]:
    """Return the packages that are needed and not among those that a file lists, by their normalised names."""
    return () if packages & _BRING_THEM else tuple(name for name in NEEDED if name not in packages)
